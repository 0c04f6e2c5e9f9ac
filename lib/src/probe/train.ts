/** Training a probe on an embedding table. Letters: N clips in a batch, C clips, T tracks. */
import { fitStandardizer, type EmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { assertKeyId, scoreKeys } from '../keys/index.js';
import { createRng, withOneBlasThread } from '../tensor/index.js';
import type { Progress } from '../workers/index.js';
import { type BatchOf, batchSource, type BatchSource } from './batches.js';
import { type ProbeConfig, probeConfig } from './config.js';
import { decideTracks } from './decide.js';
import { createHead } from './createHead.js';
import { type Head, headParameterCount, type HeadWeights, initialWeights } from './head.js';
import { mixRows, type MixUpDraw, softTargets } from './mixUp.js';
import { type EpochRecord, prepareTable, Probe, type ProbeData } from './probe.js';

export interface ProbeSplits {
  readonly train: ProbeData;
  /** needed for `selection: 'valid'` */
  readonly valid?: ProbeData;
  /** read only for `selection: 'test'`, the published flaw */
  readonly test?: ProbeData;
}

export interface TrainProbeOptions {
  /** called after each epoch */
  readonly onProgress?: Progress;
  /** on abort the epoch is finished and `signal.reason` is thrown */
  readonly signal?: AbortSignal;
  /** called after each step */
  readonly onStep?: (loss: number) => void;
  /** start from these instead of the seed's */
  readonly weights?: HeadWeights;
  /** supplies the batches, as augmentations do; the order of the clips stays the seed's */
  readonly batchOf?: BatchOf;
  /** replaces the seed's draws, for comparisons with other implementations */
  readonly draws?: {
    /** order of the C clips in an epoch */
    readonly order?: (epoch: number, nClips: number) => Int32Array;
    /** MixUp of the step (counted from 0 over all epochs) on a batch of n clips */
    readonly mixUp?: (step: number, n: number) => MixUpDraw;
  };
}

/** Trainable values from which on the products of a step are worth more than one thread. */
const THREADS_FROM = 4e6;

/** One way of choosing the epoch whose weights are kept, with the split that it reads. */
export type EpochChoice =
  { readonly selection: 'valid' | 'test'; readonly data: ProbeData } | { readonly selection: 'last' };

/**
 * Trains a probe: Adam on the mean cross-entropy over clips (a long track weighs more, as in the reference), then keeps
 * the weights of the epoch with the best weighted score over the tracks of the selection split (the earliest of equals).
 *
 * Deterministic: the same configuration, data and backend give the same weights.
 *
 * @throws InputError if a split that selection needs is missing, widths differ, a track has no key, or it diverges
 */
export async function trainProbe(
  fields: Partial<ProbeConfig>,
  splits: ProbeSplits,
  options: TrainProbeOptions = {},
): Promise<Probe> {
  const { selection } = probeConfig(fields);
  const data = selection === 'last' ? undefined : splits[selection];
  if (selection !== 'last' && data === undefined)
    throw new InputError('trainProbe', `selection is "${selection}", but there is no such split in the data`);
  const choice: EpochChoice = selection === 'last' ? { selection } : { selection, data: data! };
  return (await trainProbeEachWay(fields, splits.train, [choice], options))[0];
}

/**
 * As `trainProbe`, but once for several ways of choosing the epoch: training itself does not depend on the choice.
 *
 * @param fields `selection` is ignored
 * @returns for each choice the probe that `trainProbe` gives with it
 */
export async function trainProbeEachWay(
  fields: Partial<ProbeConfig>,
  train: ProbeData,
  choices: readonly EpochChoice[],
  options: TrainProbeOptions = {},
): Promise<Probe[]> {
  const config = probeConfig(fields);
  const work = (): Promise<Probe[]> => followTraining(config, train, choices, options);
  // Small products gain nothing from further threads, and wait for them where the cores have other work.
  return headParameterCount(config.hidden, train.table.width) < THREADS_FROM ? withOneBlasThread(work) : work();
}

async function followTraining(
  config: ProbeConfig,
  train: ProbeData,
  choices: readonly EpochChoice[],
  options: TrainProbeOptions,
): Promise<Probe[]> {
  assertData('train', train, train.table.width);
  for (const choice of choices)
    if (choice.selection !== 'last') assertData(choice.selection, choice.data, train.table.width);

  const standardizer = config.standardize === 'train' ? fitStandardizer(train.table) : null;
  const { width, nClips } = train.table;
  const rng = createRng(config.seed);
  const source = batchSource(config, train, standardizer, options.batchOf, rng.fork('batches'));
  const start = options.weights ?? initialWeights(config.hidden, width, rng.fork('weights'));
  const followed = choices.map((choice) => ({
    choice,
    config: { ...config, selection: choice.selection },
    table: choice.selection === 'last' ? null : prepareTable(config, choice.data.table, standardizer),
    history: [] as EpochRecord[],
    best: { epoch: -1, score: -Infinity, weights: start },
  }));
  const head = createHead(config.hidden, width, start, {
    learningRate: config.learningRate,
    weightDecay: config.weightDecay,
    rng: rng.fork('dropout'),
  });
  try {
    let epoch = 0;
    for (const trainLoss of trainingEpochs(config, head, source, nClips, options)) {
      let weights: HeadWeights | null = null; // copied at most once an epoch
      for (const one of followed) {
        const selectionScore =
          one.choice.selection === 'last' ? null : trackScore(config, head, one.table!, one.choice.data.keyOfTrack);
        one.history.push({ epoch, trainLoss, selectionScore });
        const isKept = selectionScore === null ? epoch === config.epochs - 1 : selectionScore > one.best.score;
        if (isKept) one.best = { epoch, score: selectionScore ?? 0, weights: (weights ??= head.weights()) };
      }
      epoch++;
      options.onProgress?.(epoch, config.epochs);
      await new Promise((resolve) => setImmediate(resolve)); // lets an abort through
      options.signal?.throwIfAborted();
    }
    return followed.map(
      ({ config: own, history, best }) => new Probe(own, width, best.weights, standardizer, history, best.epoch),
    );
  } finally {
    head.dispose();
  }
}

/** Runs the epochs one by one, yielding the mean loss of each. */
function* trainingEpochs(
  config: ProbeConfig,
  head: Head,
  source: BatchSource,
  nClips: number,
  { draws = {}, onStep }: TrainProbeOptions,
): Generator<number> {
  const rng = createRng(config.seed);
  const [orderRng, mixUpRng] = [rng.fork('order'), rng.fork('mixUp')];
  let step = 0;
  for (let epoch = 0; epoch < config.epochs; epoch++) {
    const order = draws.order?.(epoch, nClips) ?? orderRng.permutation(nClips);
    let sum = 0;
    let batches = 0;
    for (let from = 0; from < nClips; from += config.batchSize, batches++) {
      const clips = order.subarray(from, from + config.batchSize);
      const n = clips.length;
      const { x, keyIds } = source(clips);
      const draw =
        config.mixUp === null
          ? null
          : (draws.mixUp?.(step, n) ?? {
              lambda: mixUpRng.beta(config.mixUp.alpha, config.mixUp.beta),
              partner: mixUpRng.permutation(n),
            });
      const loss = head.step(draw ? mixRows(x, x.length / n, draw) : x, softTargets(keyIds, draw));
      if (!Number.isFinite(loss))
        throw new InputError(
          `trainProbe, epoch ${epoch}`,
          `the loss is ${loss}; lower learningRate (${config.learningRate}) or standardize the embeddings`,
        );
      onStep?.(loss);
      sum += loss;
      step++;
    }
    yield sum / batches;
  }
}

function trackScore(config: ProbeConfig, head: Head, table: EmbeddingTable, keyOfTrack: Int32Array): number {
  const { estimated } = decideTracks(head.logits(table.embeddings), table, config.decision);
  const score = scoreKeys(keyOfTrack, estimated);
  return config.allowDescendingFifths ? score.weightedBothFifths : score.weighted;
}

/** Checks that every track has a key and that the table has the width of train. */
export function assertData(where: string, { table, keyOfTrack }: ProbeData, width: number): void {
  if (table.width !== width)
    throw new InputError(`${where} table`, `embeddings of width ${table.width}; expected ${width} as in train`);
  if (table.nClips === 0) throw new InputError(`${where} table`, 'no clips; expected at least one');
  if (keyOfTrack.length !== table.trackIds.length)
    throw new InputError(`${where} keys`, `${keyOfTrack.length} keys for ${table.trackIds.length} tracks`);
  keyOfTrack.forEach((keyId, track) => {
    if (keyId < 0)
      throw new InputError(`${where} track ${table.trackIds[track]}`, 'has no key; leave unlabelled tracks out');
    assertKeyId(`${where} track ${table.trackIds[track]}`, keyId);
  });
}
