/** The loop of fine-tuning: resumable, killed at any moment it goes on from its last checkpoint. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Encoder } from '../encoder/index.js';
import { loadCheckpoint, saveCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { Transcriber, TRANSCRIBER_PREFIX } from '../notes/index.js';
import { learningRateAt, ProjectionHead } from '../pretrain/index.js';
import { Probe, probeConfig, saveProbe } from '../probe/index.js';
import {
  appendJsonLine,
  canonicalJson,
  configId,
  readJsonLines,
  type StoredTensor,
  writeFileAtomic,
  writeSafetensors,
} from '../store/index.js';
import { checkLabelledTracks, type FineTuneTrack, labelledBatch, stepsPerEpoch } from './batches.js';
import { checkFineTuneConfig, type FineTuneConfig, fineTuneConfigId } from './config.js';
import {
  disposeFineTuneState,
  fineTuneState,
  fineTuneStep,
  headName,
  TRANSCRIBER_NAME,
  type FineTuneState,
} from './step.js';

export interface FineTuneLogLine {
  /** Steps done with this one, from 1. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly transcriptionLoss: number | null;
  readonly accuracy: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Wall time of the step. */
  readonly milliseconds: number;
}

export interface FineTuneOptions {
  /** Folder of the run. */
  readonly dir: string;
  /** Milliseconds, for the log. */
  readonly clock: () => number;
  readonly onStep?: (line: FineTuneLogLine) => void;
  readonly signal?: AbortSignal;
  /** Further metadata of the files: where the tracks and the starting weights come from. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface FineTuneResult {
  readonly encoderPath: string;
  readonly headPath: string;
  /** Of the head that writes notes down, where it was trained. */
  readonly transcriberPath: string | null;
  readonly steps: number;
  /** Steps that an earlier call had done; 0 = a new run. */
  readonly resumedFrom: number;
}

const KIND = 'fine-tuning checkpoint';
const ADAM = 'adam.';
const HEAD = 'key_head.';

/**
 * Trains an encoder and a head for keys together on labelled tracks. Needs `initBackend` first. Takes the encoder over.
 * Files in `dir`: encoder.safetensors, head.safetensors (a probe) and,
 * with transcription, transcriber.safetensors at the end; checkpoint.safetensors, log.jsonl.
 *
 * @throws InputError for a bad configuration or track, a folder that holds another run, or when the run diverges; the
 *   signal's reason on abort
 */
export async function fineTune(
  config: FineTuneConfig,
  start: Encoder,
  tracks: readonly FineTuneTrack[],
  { dir, clock, onStep, signal, metadata = {} }: FineTuneOptions,
): Promise<FineTuneResult> {
  const paths = {
    encoder: join(dir, 'encoder.safetensors'),
    head: join(dir, 'head.safetensors'),
    transcriber: join(dir, 'transcriber.safetensors'),
    checkpoint: join(dir, 'checkpoint.safetensors'),
    log: join(dir, 'log.jsonl'),
  };
  const description = (step: number): Record<string, string> => ({
    ...metadata,
    step: String(step),
    seed: String(config.seed),
    configId: fineTuneConfigId(config),
    config: canonicalJson(config),
    tracks: configId(tracks.map(({ id, mel }) => [id, mel.nFrames])),
  });
  let state: FineTuneState | null = null;
  try {
    checkFineTuneConfig(config);
    checkLabelledTracks(config, tracks, start.config);
    stepsPerEpoch(config, tracks.length);
    const resumed = existsSync(paths.checkpoint) ? restore(paths.checkpoint, config, description(0)) : null;
    if (resumed) start.dispose();
    state =
      resumed?.state ?? fineTuneState(config, config.inputScale ? start.withInputScale(config.inputScale) : start);
    const resumedFrom = resumed?.step ?? 0;
    const running = state;
    const save = (step: number): void => saveState(paths.checkpoint, running, { ...description(step), kind: KIND });
    keepLog(paths.log, resumedFrom);
    let saved = resumedFrom;
    for (let step = resumedFrom; step < config.steps; step++) {
      // Gives a Ctrl-C handler its turn; the step itself never does.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) {
        if (step > saved) save(step);
        throw signal.reason;
      }
      const begin = clock();
      const batch = labelledBatch(config, state.encoder.config, tracks, step);
      const learningRate = learningRateAt(step, config);
      const report = fineTuneStep(state, config, batch, learningRate);
      if (!Number.isFinite(report.loss) || !Number.isFinite(report.gradientNorm))
        throw new InputError(
          `fine-tuning, step ${step + 1}`,
          `the loss is ${report.loss} and the gradient's norm ${report.gradientNorm}; the run diverged. The checkpoint ` +
            `of step ${saved} is kept. Lower learningRate or set clipNorm`,
        );
      const line = { step: step + 1, epoch: batch.epoch, ...report, learningRate, milliseconds: clock() - begin };
      appendJsonLine(paths.log, line);
      if (line.step % config.checkpointEverySteps === 0 || line.step === config.steps) {
        save(line.step);
        saved = line.step;
      }
      onStep?.(line);
    }
    saveCheckpoint(paths.encoder, state.encoder, { metadata: { ...description(config.steps), kind: 'encoder' } });
    saveProbe(paths.head, probeOf(config, state), { ...description(config.steps), kind: 'key head' });
    if (state.transcriber) {
      const metadata = { ...description(config.steps), kind: 'transcriber' };
      writeSafetensors(paths.transcriber, transcriberOf(state.transcriber).toTensors(), metadata);
    }
    const transcriberPath = state.transcriber ? paths.transcriber : null;
    return { encoderPath: paths.encoder, headPath: paths.head, transcriberPath, steps: config.steps, resumedFrom };
  } finally {
    if (state) disposeFineTuneState(state);
    else start.dispose();
  }
}

/** The head as a probe: what embeds and decides elsewhere takes it as it takes any other. */
export function probeOf(config: FineTuneConfig, { encoder, head }: Pick<FineTuneState, 'encoder' | 'head'>): Probe {
  const probe = probeConfig({
    hidden: config.hidden === 0 ? [] : [config.hidden],
    standardize: 'none',
    selection: 'last',
    seed: config.seed,
  });
  // Both count places as a Sequential of Linear, ReLU, Linear does.
  const weights = new Map(
    Array.from(head.toTensors(), ([name, tensor]) => [
      name.replace('linear_head.', '0.').replace('projection_head.', ''),
      tensor,
    ]),
  );
  return new Probe(probe, encoder.outWidth, weights, null);
}

/** The head as notes/ reads it. */
function transcriberOf(head: ProjectionHead): Transcriber {
  const tensors = Array.from(
    head.toTensors(),
    ([name, tensor]) => [name.replace('linear_head.', TRANSCRIBER_PREFIX), tensor] as const,
  );
  return Transcriber.fromTensors(new Map(tensors), 'the trained transcriber')!;
}

function saveState(path: string, state: FineTuneState, metadata: Record<string, string>): void {
  const { encoder, head, transcriber, optimizer } = state;
  const tensors = new Map<string, StoredTensor>();
  // Under a prefix of their own: a linear head's names would be taken for those of the reference's checkpoints.
  for (const [name, tensor] of head.toTensors()) tensors.set(`${HEAD}${name}`, tensor);
  for (const [name, tensor] of transcriber?.toTensors() ?? []) tensors.set(`${TRANSCRIBER_PREFIX}${name}`, tensor);
  for (const [name, tensor] of optimizer.state()) tensors.set(`${ADAM}${name}`, tensor);
  saveCheckpoint(path, encoder, { metadata, tensors });
}

function restore(
  path: string,
  config: FineTuneConfig,
  expected: Record<string, string>,
): { state: FineTuneState; step: number } {
  const { encoder, metadata, tensors } = loadCheckpoint(path);
  try {
    if (metadata.kind !== KIND || !/^\d+$/.test(metadata.step ?? ''))
      throw new InputError(path, 'this is no checkpoint of a fine-tuning run; use another folder for the run');
    for (const field of ['configId', 'tracks'] as const)
      if (metadata[field] !== expected[field])
        throw new InputError(
          path,
          `this run was begun with ${field === 'tracks' ? 'other tracks' : 'another configuration'}; ` +
            'delete the folder to start over, or use another one',
        );
    const under = (prefix: string): Map<string, StoredTensor> =>
      new Map(
        [...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, t]) => [name.slice(prefix.length), t]),
      );
    const { outWidth } = encoder;
    const head = ProjectionHead.fromTensors(headName(config), outWidth, under(HEAD), path);
    const transcriber =
      config.transcription > 0
        ? ProjectionHead.fromTensors(TRANSCRIBER_NAME, outWidth, under(TRANSCRIBER_PREFIX), path)
        : null;
    const state = fineTuneState(config, encoder, { head, transcriber });
    state.optimizer.restore(under(ADAM));
    return { state, step: Number(metadata.step) };
  } catch (error) {
    encoder.dispose();
    throw error;
  }
}

/** Drops what was logged after the checkpoint that the run goes on from. */
function keepLog(path: string, lastStep: number): void {
  if (!existsSync(path)) return;
  const lines = (readJsonLines(path) as FineTuneLogLine[]).filter(({ step }) => step <= lastStep);
  writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
