/** 08: does a system know when it is right? Letters: T tracks, K = 24 keys. */
import type { Split } from '../../corpus/index.js';
import { NUM_KEYS } from '../../keys/index.js';
import { estimateKeyByTemplate, TEMPLATE_PROFILES } from '../../probe/index.js';
import {
  calibratedErrors,
  type Confidences,
  confidences,
  expectedCalibrationError,
  fitTemperature,
  holm,
  mean,
  quantileOfSorted,
  reliabilityBins,
  type Resamples,
} from '../../stats/index.js';
import { createRng } from '../../tensor/index.js';
import { chainShift } from '../augmented/augmentedSets.js';
import { augmentedEncoders } from '../augmented/augmentedTables.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import { loadTable } from '../features/embeddingTables.js';
import { loadChroma } from '../features/features.js';
import type { Interval, TestSplit } from '../measurements.js';
import { loadRunProbe } from '../probing/probing.js';
import type {
  ConfidenceMeasurement,
  ConfidenceRow,
  DegradedConfidence,
  RobustnessSystem,
} from './robustnessMeasurements.js';
import { heardChains, referenceKeys, robustnessSystems, type SystemAnswers } from './robustnessSystems.js';
import { keysOf, measured, rounded, type Run } from '../run/run.js';
import { drawnFor, FIFTH_ABOVE, trackMeans } from '../probing/scores.js';

/** Shares of the tracks that are answered. */
const COVERAGE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const BINS = { binning: 'equalMass', bins: 10 } as const;
/** Fewer for the eye: groups of ten or so tracks jump about. */
const DRAWN_BINS = { binning: 'equalMass', bins: 6 } as const;

/** Calibration and abstention of the drawn systems, on whole tracks and under augmentations. */
export function confidence(run: Run): Promise<ConfidenceMeasurement> {
  return measured(run, 'confidence', { COVERAGE, BINS, DRAWN_BINS }, (base) => {
    const answers = robustnessSystems(run).filter(({ system }) => system.isDrawn);
    const rows: Omit<ConfidenceRow, 'pHolm'>[] = [];
    const degraded: DegradedConfidence[] = [];
    for (const one of answers) {
      const whole = wholeTracks(run, one.system);
      const labels = keysOf(run, 'valid');
      const temperatures = whole('valid').map((logits) => fitTemperature({ logits, labels, nClasses: NUM_KEYS }));
      for (const split of TEST_SPLITS) {
        rows.push(rowOf(run, one.system, split, whole(split), temperatures));
        degraded.push(...degradedOf(run, one, split, temperatures));
      }
    }
    const pHolm = holm(rows.map(({ p }) => p));
    return { ...base, rows: rows.map((row, i) => ({ ...row, pHolm: rounded(pHolm[i]) })), degraded };
  });
}

/** [seed] of logits [T, K] of whole clean tracks of a split. */
function wholeTracks(run: Run, { id, method }: RobustnessSystem): (split: Split) => Float32Array[] {
  if (method === 'template') {
    const profile = TEMPLATE_PROFILES[id.replace('template-', '') as keyof typeof TEMPLATE_PROFILES];
    return (split) => {
      const { tracks } = loadChroma(run, split);
      const scores = new Float32Array(tracks.length * NUM_KEYS);
      tracks.forEach((row, track) => scores.set(estimateKeyByTemplate(row, profile).scores, track * NUM_KEYS));
      return [scores];
    };
  }
  const encoders = augmentedEncoders(run).filter(({ name }) => `${name.id}-${method}` === id);
  const probes = encoders.map((encoder) => loadRunProbe(run, encoder, method));
  return (split) => encoders.map((encoder, seed) => probes[seed].trackLogits(loadTable(run, encoder, split)));
}

function rowOf(
  run: Run,
  { id, label, family, method, patches, isDrawn }: RobustnessSystem,
  split: TestSplit,
  logits: readonly Float32Array[],
  temperatures: readonly number[],
): Omit<ConfidenceRow, 'pHolm'> {
  const labels = keysOf(run, split);
  const claims = (temperature: (seed: number) => number): Confidences[] =>
    logits.map((ofSeed, seed) => confidences({ logits: ofSeed, labels, nClasses: NUM_KEYS }, temperature(seed)));
  const raw = claims(() => 1);
  const fitted = claims((seed) => temperatures[seed]);
  const error = (all: readonly Confidences[]): number =>
    rounded(mean(all.map((each) => expectedCalibrationError(each.confidence, each.correct, BINS))), 3);
  const rng = createRng(0);
  const honest = calibratedErrors(fitted[0].confidence, { ...BINS, uniform: () => rng.uniform() });
  const sureness = fitted.map((each) => (method === 'template' ? each.logitMargin : each.confidence));
  const scores = fitted.map((each) => trackMeans(labels, [Array.from(each.predicted)], FIFTH_ABOVE));
  const drawn = drawnFor(run, labels.length);
  const weighted = abstain(sureness, scores, drawn);
  const exact = abstain(
    sureness,
    fitted.map((each) => each.correct),
    drawn,
  );
  const half = COVERAGE.indexOf(0.5);
  const all = COVERAGE.length - 1;
  const gains = weighted.replicates[half].map((score, r) => score - weighted.replicates[all][r]);
  return {
    system: id,
    label,
    family,
    method,
    patches,
    isDrawn,
    split,
    n: labels.length,
    seeds: logits.length,
    temperature: rounded(mean(temperatures), 3),
    eceRaw: error(raw),
    ece: error(fitted),
    eceHonest: rounded(quantileOfSorted(honest, 0.95), 3),
    bins: reliabilityBins(
      fitted.flatMap((each) => Array.from(each.confidence)),
      fitted.flatMap((each) => Array.from(each.correct)),
      DRAWN_BINS,
    ).map((bin) => ({ confidence: rounded(bin.confidence), accuracy: rounded(bin.accuracy), count: bin.count })),
    auroc: aurocInterval(sureness, fitted, drawn),
    coverage: COVERAGE,
    weighted: weighted.intervals,
    accuracy: exact.intervals,
    gainAtHalf: intervalFrom(weighted.intervals[half].estimate - weighted.intervals[all].estimate, gains),
    p: rounded(twoSided(gains)),
  };
}

/**
 * Mean score of the surest shares of the tracks, mean over seeds, with intervals over tracks. In a resample a track counts
 * as often as it was drawn.
 *
 * @param sureness, scores [seed][track]
 */
export function abstain(
  sureness: readonly Float64Array[],
  scores: readonly Float64Array[],
  { n, resamples, draws }: Resamples,
): { intervals: Interval[]; replicates: Float64Array[] } {
  const orders = sureness.map((own) => Uint32Array.from(own, (_, i) => i).sort((a, b) => own[b] - own[a] || a - b));
  const replicates = COVERAGE.map(() => new Float64Array(resamples));
  const counts = new Uint16Array(n);
  for (let r = 0; r < resamples; r++) {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[draws[r * n + i]]++;
    orders.forEach((order, seed) =>
      surest(order, scores[seed], counts).forEach((score, c) => (replicates[c][r] += score / orders.length)),
    );
  }
  const once = new Uint16Array(n).fill(1);
  const estimates = orders.map((order, seed) => surest(order, scores[seed], once));
  return {
    intervals: COVERAGE.map((_, c) => intervalFrom(mean(estimates.map((each) => each[c])), replicates[c])),
    replicates,
  };
}

/** Mean score of the first ceil(coverage * n) tracks of an order, each as often as it counts. */
function surest(order: Uint32Array, scores: Float64Array, counts: Uint16Array): number[] {
  const wanted = COVERAGE.map((share) => Math.ceil(share * order.length - 1e-9));
  const means: number[] = [];
  let taken = 0;
  let sum = 0;
  for (const track of order) {
    const score = scores[track];
    for (let left = counts[track]; left > 0;) {
      const now = Math.min(left, wanted[means.length] - taken);
      taken += now;
      sum += now * score;
      left -= now;
      while (means.length < wanted.length && taken === wanted[means.length]) means.push(sum / taken);
    }
  }
  return means;
}

/** Area under the ROC curve of sureness as a sign of a right key, mean over seeds; null if a seed is all right or all wrong. */
function aurocInterval(
  sureness: readonly Float64Array[],
  fitted: readonly Confidences[],
  { n, resamples, draws }: Resamples,
): Interval | null {
  const once = new Uint16Array(n).fill(1);
  const orders = sureness.map((own) => Uint32Array.from(own, (_, i) => i).sort((a, b) => own[a] - own[b]));
  const of = (counts: Uint16Array): number =>
    mean(orders.map((order, seed) => auroc(order, sureness[seed], fitted[seed].correct, counts)));
  const estimate = of(once);
  if (Number.isNaN(estimate)) return null;
  const counts = new Uint16Array(n);
  const replicates = Float64Array.from({ length: resamples }, (_, r) => {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[draws[r * n + i]]++;
    return of(counts);
  }).filter((value) => !Number.isNaN(value));
  return intervalFrom(estimate, replicates);
}

/** Share of (right, wrong) pairs in which the right one is surer, ties half; NaN without a pair. @param order rising */
function auroc(order: Uint32Array, sureness: Float64Array, correct: Float64Array, counts: Uint16Array): number {
  let [wrongBelow, pairs, rights] = [0, 0, 0];
  for (let from = 0; from < order.length;) {
    let [right, wrong, to] = [0, 0, from];
    for (; to < order.length && sureness[order[to]] === sureness[order[from]]; to++) {
      if (correct[order[to]] === 1) right += counts[order[to]];
      else wrong += counts[order[to]];
    }
    pairs += right * (wrongBelow + wrong / 2);
    wrongBelow += wrong;
    rights += right;
    from = to;
  }
  return pairs / (rights * wrongBelow);
}

/** Mean confidence and exact matches on the heard part of the tracks, clean and under each augmentation. */
function degradedOf(
  run: Run,
  { system, logits }: SystemAnswers,
  split: TestSplit,
  temperatures: readonly number[],
): DegradedConfidence[] {
  return heardChains(run, split).map((chain) => {
    const labels = referenceKeys(run, split, chainShift(chain));
    const all = logits(split, chain).map((ofSeed, seed) =>
      confidences({ logits: ofSeed, labels, nClasses: NUM_KEYS }, temperatures[seed]),
    );
    return {
      system: system.id,
      split,
      augmentation: chain[0]?.id ?? 'clean',
      strength: chain[0]?.strength ?? null,
      confidence: rounded(mean(all.map((each) => mean(each.confidence)))),
      accuracy: rounded(mean(all.map((each) => mean(each.correct)))),
    };
  });
}

function intervalFrom(estimate: number, replicates: Float64Array): Interval {
  const sorted = replicates.slice().sort();
  const [low, high] = [0.025, 0.975].map((probability) => quantileOfSorted(sorted, probability));
  return { estimate: rounded(estimate), low: rounded(low), high: rounded(high) };
}

/** As `pairedBootstrap` has it. */
function twoSided(replicates: Float64Array): number {
  const notAbove = replicates.filter((value) => value <= 0).length;
  const notBelow = replicates.filter((value) => value >= 0).length;
  return Math.min(1, (2 * (1 + Math.min(notAbove, notBelow))) / (1 + replicates.length));
}
