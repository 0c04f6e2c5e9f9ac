/** 03: what each choice of pretraining is worth: linear probes on the test splits, one choice changed at a time. */
import { mean, meanOfArrays, pairedBootstrap } from '../../stats/index.js';
import { axesOf, type Axis, type AxisChoice, BASE } from './ablationAxes.js';
import type { AblationChoice, AblationMeasurement, AblationScore } from './ablationMeasurements.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import { layersOf } from '../features/embeddingTables.js';
import type { EncoderOfSeed } from './jobs.js';
import type { Interval, TestSplit } from '../measurements.js';
import { encoderGroups, probeOutcome, probeRequests, type ProbeRequest, trainProbes } from '../probing/probing.js';
import { keysOf, measured, rounded, type Run, seedOf } from '../run/run.js';
import { drawnFor, FIFTH_ABOVE, intervalOver, trackMeans } from '../probing/scores.js';
import { secondsOf, tokensPerClip } from './trainingCurves.js';

/** The encoders of a run by id, one a seed. */
type Groups = ReadonlyMap<string, readonly EncoderOfSeed[]>;

function groupsOf(run: Run): Groups {
  return new Map(encoderGroups(run).map((group) => [group[0].name.id, group]));
}

/** The axes that a run has. The layers are one if all seeds of the base are probed layer by layer. */
function axesOfRun(run: Run, groups: Groups): Axis[] {
  const base = groups.get(BASE);
  if (!base) return [];
  const isProbed = base.every((encoder) => layersOf(run, encoder).length > 1);
  const encoders = [...groups.values()].map(([first]) => first);
  return axesOf(encoders, isProbed ? base[0].config.depth : null);
}

/** The probes of a choice, one a seed. */
function requestsOf(run: Run, group: readonly EncoderOfSeed[], layer: number | undefined): ProbeRequest[] {
  return probeRequests(run, group, 'linear', layer === undefined ? undefined : () => layer).requests;
}

/** The random initialisations that the encoders of a group started from. */
function randomOf(groups: Groups, [{ name, config }]: readonly EncoderOfSeed[]): readonly EncoderOfSeed[] {
  const randoms = [...groups.values()].filter(([{ job }]) => job === null);
  return randoms.find(
    ([random]) => random.name.patches === name.patches && random.config.inputScale === config.inputScale,
  )!;
}

/** Trains the probes that the ablations need and the comparison does not have. */
export async function computeAblationProbes(run: Run): Promise<void> {
  const groups = groupsOf(run);
  const requests = axesOfRun(run, groups).flatMap(({ choices }) =>
    choices.flatMap(({ encoder, layer }) => {
      const group = groups.get(encoder)!;
      return [...requestsOf(run, group, layer), ...requestsOf(run, randomOf(groups, group), layer)];
    }),
  );
  const unique = new Map(requests.map((request) => [JSON.stringify(request), request]));
  await trainProbes(run, 'ablation probes', [...unique.values()]);
}

/** Every axis with its choices: scores on both test splits, differences on the same tracks, and what each one cost. */
export function ablations(run: Run): Promise<AblationMeasurement> {
  return measured(run, 'ablations', {}, (base) => {
    const groups = groupsOf(run);
    const { train, test, testTimbre } = run.preset.corpus.sizes;
    const measure = measurerOf(run, groups);
    const ofBase = { label: '', encoder: BASE };
    return {
      ...base,
      corpus: `${train} train, ${test} test and ${testTimbre} unseen-timbre tracks${seedOf(run)}`,
      seeds: requestsOf(run, groups.get(BASE)!, undefined).length,
      seedsOf: run.preset.seeds.length > 1 ? 'pretraining' : 'probe',
      base: {
        label: groups.get(BASE)![0].name.label,
        scores: bothSplits((split) => rounded(mean(measure.trackScores(ofBase, split)), 5)),
      },
      axes: axesOfRun(run, groups).map((axis) => ({
        id: axis.id,
        label: axis.label,
        reference: axis.choices.find(({ encoder }) => encoder === axis.reference)?.label ?? null,
        choices: axis.choices.map((choice) => measure.choice(choice, axis.reference)),
      })),
    };
  });
}

/**
 * The choice that an encoder is (read at its output), in the first measurement that has it: a reader's own run may lack
 * what the study has.
 *
 * @param id of the encoder, e.g. `vertical-mask-50`
 */
export function ablationOf(
  id: string,
  measurements: readonly (AblationMeasurement | null)[],
): (AblationChoice & { readonly preset: string }) | null {
  for (const m of measurements) {
    const choice = m?.axes.flatMap(({ choices }) => choices).find((one) => one.encoder.id === id && one.layer === null);
    if (m && choice) return { ...choice, preset: m.preset };
  }
  return null;
}

interface Measurer {
  /** Mean score of each track over seeds. */
  readonly trackScores: (choice: AxisChoice, split: TestSplit) => Float64Array;
  readonly choice: (choice: AxisChoice, reference: string | undefined) => AblationChoice;
}

/** Reads each probe's outcome once, however many axes it stands on. */
function measurerOf(run: Run, groups: Groups): Measurer {
  const scores = new Map<string, Float64Array[]>();
  /** Score of each track, [seed][track]. */
  const seedScores = (group: readonly EncoderOfSeed[], layer: number | undefined, split: TestSplit): Float64Array[] => {
    const id = `${group[0].name.id} ${layer} ${split}`;
    const known = scores.get(id);
    if (known) return known;
    const reference = keysOf(run, split);
    const fresh = requestsOf(run, group, layer).map((request) =>
      trackMeans(reference, [probeOutcome(run, request).estimates[split]!], FIFTH_ABOVE),
    );
    scores.set(id, fresh);
    return fresh;
  };
  const meanScores = (group: readonly EncoderOfSeed[], layer: number | undefined, split: TestSplit): Float64Array =>
    meanOfArrays(seedScores(group, layer, split));
  const trackScores = ({ encoder, layer }: AxisChoice, split: TestSplit): Float64Array =>
    meanScores(groups.get(encoder)!, layer, split);

  const score = (choice: AxisChoice, reference: string | undefined, split: TestSplit): AblationScore => {
    const group = groups.get(choice.encoder)!;
    const own = trackScores(choice, split);
    const against = (other: Float64Array): Interval => difference(run, own, other);
    const random = meanScores(randomOf(groups, group), choice.layer, split);
    const isBase = choice.encoder === BASE && choice.layer === undefined;
    const hasReference = reference !== undefined && groups.has(reference) && choice.encoder !== reference;
    return {
      n: own.length,
      weighted: intervalOver(run, own),
      perSeed: seedScores(group, choice.layer, split).map((ofSeed) => rounded(mean(ofSeed), 5)),
      fromBase: isBase ? null : against(trackScores({ label: '', encoder: BASE }, split)),
      fromReference: hasReference ? against(trackScores({ label: '', encoder: reference }, split)) : null,
      fromRandom: against(random),
      random: rounded(mean(random), 5),
    };
  };
  const choice = (one: AxisChoice, reference: string | undefined): AblationChoice => {
    const group = groups.get(one.encoder)!;
    const jobs = group.map(({ job }) => job!);
    const { steps, batchPairs } = jobs[0].config;
    return {
      label: one.label,
      encoder: group[0].name,
      layer: one.layer ?? null,
      isBase: one.encoder === BASE && one.layer === undefined,
      steps,
      tokens: steps * 2 * batchPairs * tokensPerClip(jobs[0].config),
      seconds: rounded(mean(jobs.map((job) => secondsOf(run, job)))),
      scores: bothSplits((split) => score(one, reference, split)),
    };
  };
  return { trackScores, choice };
}

function bothSplits<T>(of: (split: TestSplit) => T): Record<TestSplit, T> {
  return Object.fromEntries(TEST_SPLITS.map((split) => [split, of(split)])) as Record<TestSplit, T>;
}

/** Mean of a minus b over tracks, with its 95 % paired bootstrap interval. */
function difference(run: Run, a: Float64Array, b: Float64Array): Interval {
  const { difference: estimate, low, high } = pairedBootstrap(a, b, { drawn: drawnFor(run, a.length) });
  return { estimate: rounded(estimate, 5), low: rounded(low, 5), high: rounded(high, 5) };
}
