/** 04: everything that estimates keys, side by side on both test splits. */
import { InputError } from '../../errors.js';
import { confusionMatrix, CIRCLE_OF_FIFTHS, KEYS, scoreKeys } from '../../keys/index.js';
import { estimateKeyByTemplate, TEMPLATE_PROFILES } from '../../probe/index.js';
import { mcnemar, pairedBootstrap, standardDeviation } from '../../stats/index.js';
import { loadChroma } from '../features/features.js';
import type {
  ComparisonMeasurement,
  ComparisonRow,
  ConfusionMeasurement,
  PairwiseMeasurement,
  PairwiseRow,
  Shares,
  TestSplit,
} from '../measurements.js';
import { probeOutcome, representations } from './probing.js';
import { keysOf, measured, rounded, type Run, seedOf } from '../run/run.js';
import { BOTH_FIFTHS, drawnFor, FIFTH_ABOVE, intervalOver, trackHits, trackMeans } from './scores.js';

export const TEST_SPLITS: readonly TestSplit[] = ['test', 'testTimbre'];

/** Estimated keys of one system on one split: [seed][track]. */
export interface Estimates {
  readonly id: string;
  readonly label: string;
  readonly family: ComparisonRow['family'];
  readonly method: ComparisonRow['method'];
  readonly seedsOf: ComparisonRow['seedsOf'];
  readonly bySplit: Readonly<Record<TestSplit, readonly (readonly number[])[]>>;
}

/** The template baselines, then every probed representation. */
export async function estimatesOf(run: Run): Promise<Estimates[]> {
  const chroma = Object.fromEntries(TEST_SPLITS.map((split) => [split, loadChroma(run, split).tracks]));
  const templates = Object.entries(TEMPLATE_PROFILES).map(([name, profile]): Estimates => ({
    id: `template-${name}`,
    label: `${profile.name} template`,
    family: 'template',
    method: 'template',
    seedsOf: null,
    bySplit: bothSplits((split) => [chroma[split].map((row) => estimateKeyByTemplate(row, profile).keyId)]),
  }));
  const probed = (await representations(run)).map(({ id, label, family, method, requests }): Estimates => {
    const outcomes = requests.map((request) => probeOutcome(run, request));
    const seedsOf = family !== 'spectrum' && run.preset.seeds.length > 1 ? 'pretraining' : 'probe';
    return {
      id,
      label,
      family,
      method,
      seedsOf,
      bySplit: bothSplits((split) => outcomes.map((outcome) => outcome.estimates[split]!)),
    };
  });
  return [...templates, ...probed];
}

function bothSplits<T>(of: (split: TestSplit) => T): Record<TestSplit, T> {
  return { test: of('test'), testTimbre: of('testTimbre') };
}

/** The table of systems: scores by both rulers, exact matches, shares, intervals. */
export function comparison(run: Run): Promise<ComparisonMeasurement> {
  return measured(run, 'comparison', {}, async (base) => {
    const systems = await estimatesOf(run);
    const { train, valid, test, testTimbre } = run.preset.corpus.sizes;
    return {
      ...base,
      corpus: `${train} / ${valid} / ${test} / ${testTimbre} tracks${seedOf(run)}`,
      rows: systems.flatMap((system) => TEST_SPLITS.map((split) => rowOf(run, system, split))),
    };
  });
}

function rowOf(run: Run, { id, label, family, method, seedsOf, bySplit }: Estimates, split: TestSplit): ComparisonRow {
  const reference = keysOf(run, split);
  const estimates = bySplit[split];
  const scores = estimates.map((ofSeed) => scoreKeys(reference, ofSeed));
  const perSeed = scores.map((score) => score.weighted);
  return {
    id,
    label,
    family,
    method,
    split,
    n: reference.length,
    seeds: estimates.length,
    seedsOf,
    weighted: intervalOver(run, trackMeans(reference, estimates, FIFTH_ABOVE)),
    weightedBothFifths: intervalOver(run, trackMeans(reference, estimates, BOTH_FIFTHS)),
    accuracy: intervalOver(run, trackHits(reference, estimates)),
    shares: meanShares(scores.map((score) => score.shares)),
    sharesBothFifths: meanShares(scores.map((score) => score.sharesBothFifths)),
    perSeed: perSeed.map((score) => rounded(score, 5)),
    deviation: perSeed.length > 1 ? rounded(standardDeviation(Float64Array.from(perSeed))) : null,
  };
}

function meanShares(shares: readonly Shares[]): Shares {
  const mean = (part: keyof Shares): number =>
    rounded(shares.reduce((sum, one) => sum + one[part], 0) / shares.length, 5);
  return {
    same: mean('same'),
    fifth: mean('fifth'),
    relative: mean('relative'),
    parallel: mean('parallel'),
    other: mean('other'),
  };
}

/** The questions of the paper, each as two systems on the same tracks. */
export function pairwise(run: Run): Promise<PairwiseMeasurement> {
  return measured(run, 'pairwise', {}, async (base) => {
    const systems = await estimatesOf(run);
    const pairs = comparedPairs(systems);
    return { ...base, rows: pairs.flatMap(([a, b]) => TEST_SPLITS.map((split) => compare(run, a, b, split))) };
  });
}

/** Pretrained against random (each patch variant), patch variants and pretraining variants against each other, and probes against templates. */
export function comparedPairs(systems: readonly Estimates[]): [Estimates, Estimates][] {
  const byId = new Map(systems.map((system) => [system.id, system]));
  const variants = systems.filter(
    ({ id, method, family }) =>
      family === 'pretrained' && method === 'linear' && !/-(pretrained|layer)-/.test(id.replace(/-linear$/, '-')),
  );
  const wanted: [string, string][] = [
    ...(['vertical', 'square', 'hybrid'] as const).flatMap((patches): [string, string][] => [
      [`${patches}-pretrained-linear`, `${patches}-random-linear`],
      [`${patches}-pretrained-layer-linear`, `${patches}-random-layer-linear`],
      [`${patches}-pretrained-mlp`, `${patches}-random-mlp`],
    ]),
    ...variants.map(({ id }): [string, string] => [id, 'vertical-random-linear']),
    ['vertical-pretrained-linear', 'square-pretrained-linear'],
    ['vertical-random-linear', 'square-random-linear'],
    ['hybrid-pretrained-linear', 'vertical-pretrained-linear'],
    ['vertical-pretrained-mlp', 'vertical-pretrained-linear'],
    ['vertical-pretrained-layer-linear', 'vertical-pretrained-linear'],
    ['vertical-pretrained-linear', 'mel-mean-linear'],
    ['vertical-pretrained-linear', 'chroma-linear'],
    ...variants.map(({ id }): [string, string] => [id, 'vertical-pretrained-linear']),
  ];
  return wanted.flatMap(([a, b]): [Estimates, Estimates][] => {
    const [first, second] = [byId.get(a), byId.get(b)];
    return first && second ? [[first, second]] : [];
  });
}

function compare(run: Run, a: Estimates, b: Estimates, split: TestSplit): PairwiseRow {
  const reference = keysOf(run, split);
  const scores = [a, b].map((system) => trackMeans(reference, system.bySplit[split], FIFTH_ABOVE));
  const { difference, low, high, pValue } = pairedBootstrap(scores[0], scores[1], {
    drawn: drawnFor(run, reference.length),
  });
  const right = [a, b].map((system) =>
    Array.from(reference, (keyId, track) => system.bySplit[split][0][track] === keyId),
  );
  const exact = mcnemar(right[0], right[1]);
  return {
    split,
    a: a.label,
    b: b.label,
    n: reference.length,
    seeds: Math.min(a.bySplit[split].length, b.bySplit[split].length),
    difference: { estimate: rounded(difference, 5), low: rounded(low, 5), high: rounded(high, 5) },
    pBootstrap: rounded(pValue),
    onlyA: right[0].filter((isRight, track) => isRight && !right[1][track]).length,
    onlyB: right[1].filter((isRight, track) => isRight && !right[0][track]).length,
    pMcNemar: rounded(exact.pValue),
  };
}

/** Confusion of one system's keys along the circle of fifths. @param id of the comparison's rows */
export function confusion(run: Run, id: string, split: TestSplit): Promise<ConfusionMeasurement> {
  return measured(run, 'confusion', { id, split }, async (base) => {
    const systems = await estimatesOf(run);
    const system = systems.find((one) => one.id === id);
    if (!system)
      throw new InputError(
        'confusion, id',
        `"${id}" found; expected one of ${systems.map((one) => one.id).join(', ')}`,
      );
    const reference = keysOf(run, split);
    const counts = new Int32Array(24 * 24);
    const fifths = Array.from({ length: 12 }, (_, i) => i - 5);
    const sameMode = fifths.map(() => 0);
    const otherMode = fifths.map(() => 0);
    for (const ofSeed of system.bySplit[split]) {
      confusionMatrix(reference, ofSeed, CIRCLE_OF_FIFTHS).forEach((count, cell) => (counts[cell] += count));
      ofSeed.forEach((estimated, track) => {
        const [from, to] = [KEYS[reference[track]], KEYS[estimated]];
        (from.mode === to.mode ? sameMode : otherMode)[fifths.indexOf(fifthsBetween(from.tonic, to.tonic))]++;
      });
    }
    return {
      ...base,
      label: system.label,
      split,
      keys: CIRCLE_OF_FIFTHS.map((keyId) => KEYS[keyId].label),
      counts: Array.from({ length: 24 }, (_, row) => Array.from(counts.subarray(24 * row, 24 * (row + 1)))),
      seeds: system.bySplit[split].length,
      fifths,
      sameMode,
      otherMode,
    };
  });
}

/** Steps along the circle of fifths, -5..6; +1 = a fifth above. */
export function fifthsBetween(fromTonic: number, toTonic: number): number {
  const steps = (7 * (toTonic - fromTonic + 12)) % 12;
  return steps > 6 ? steps - 12 : steps;
}
