/** 08: key score against the strength of every augmentation. Letters: J strengths, T tracks, R resamples. */
import type { Augmentation } from '../../audio/index.js';
import type { Ruler } from '../../keys/index.js';
import { holm, mean, pairedBootstrap, quantileOfSorted, resampledMeans, type Resamples } from '../../stats/index.js';
import { chainShift } from '../augmented/augmentedSets.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import type { Interval, TestSplit } from '../measurements.js';
import { areaWeights, chanceScore, halfLost, reachOf, sidesOf, strengthAxis } from './robustnessCurves.js';
import type {
  CleanScore,
  RobustnessCurve,
  RobustnessMeasurement,
  RobustnessPair,
  RobustnessSummary,
  RobustnessSystem,
  StrengthAxis,
} from './robustnessMeasurements.js';
import { estimatesUnder, referenceKeys, robustnessAugmentations, robustnessSystems } from './robustnessSystems.js';
import { measured, rounded, type Run } from '../run/run.js';
import { BOTH_FIFTHS, drawnFor, FIFTH_ABOVE, intervalOver, trackHits, trackMeans } from '../probing/scores.js';

/** One system on one split: the weighted score of each track, clean and at each strength of each augmentation. */
interface Scored {
  readonly system: RobustnessSystem;
  readonly split: TestSplit;
  readonly clean: Float64Array;
  /** Per axis and strength. */
  readonly curves: readonly (readonly Float64Array[])[];
}

/** Scores, their changes, summaries and the paired questions. The stage 'robustness' must have run. */
export function robustness(run: Run): Promise<RobustnessMeasurement> {
  return measured(run, 'robustness', {}, (base) => {
    const chance = chanceScore(FIFTH_ABOVE);
    const answers = robustnessSystems(run).filter(({ system }) => system.method === 'template' || system.isDrawn);
    const augmentations = robustnessAugmentations(run);
    const axes = augmentations.map(({ id, strengths }) => strengthAxis(id, strengths));
    const clean: CleanScore[] = [];
    const curves: RobustnessCurve[] = [];
    const scored: Scored[] = [];
    for (const split of TEST_SPLITS) {
      for (const one of answers) {
        const scoresOf = (augmentation: Augmentation | null): TrackScores => {
          const chain = augmentation ? [augmentation] : [];
          const reference = referenceKeys(run, split, chainShift(chain));
          return trackScores(reference, estimatesUnder(one, split, chain));
        };
        const cleanScores = scoresOf(null);
        const byAxis = axes.map(({ strengths }, i) =>
          strengths.map((strength) => scoresOf({ id: augmentations[i].id, strength })),
        );
        clean.push({ system: one.system.id, split, n: cleanScores.weighted.length, ...intervalsOf(run, cleanScores) });
        axes.forEach((axis, i) => curves.push(curveOf(run, one.system.id, split, axis.id, cleanScores, byAxis[i])));
        const weighted = byAxis.map((strengths) => strengths.map((scores) => scores.weighted));
        scored.push({ system: one.system, split, clean: cleanScores.weighted, curves: weighted });
      }
    }
    const drawn = (one: Scored): Resamples => drawnFor(run, one.clean.length);
    return {
      ...base,
      systems: answers.map(({ system }) => system),
      nTracks: {
        test: referenceKeys(run, 'test', 0).length,
        testTimbre: referenceKeys(run, 'testTimbre', 0).length,
      },
      clips: run.preset.augmented.clips,
      chance: rounded(chance),
      axes,
      clean,
      curves,
      summaries: scored.flatMap((one) => summariesOf(run, one, axes, chance, drawn(one))),
      pairs: pairsOf(scored, axes, chance, drawn),
    };
  });
}

interface TrackScores {
  readonly weighted: Float64Array;
  readonly bothFifths: Float64Array;
  readonly exact: Float64Array;
}

function trackScores(reference: Int32Array, estimates: readonly (readonly number[])[]): TrackScores {
  const by = (ruler: Ruler): Float64Array => trackMeans(reference, estimates, ruler);
  return { weighted: by(FIFTH_ABOVE), bothFifths: by(BOTH_FIFTHS), exact: trackHits(reference, estimates) };
}

function intervalsOf(
  run: Run,
  { weighted, bothFifths, exact }: TrackScores,
): Pick<CleanScore, 'weighted' | 'weightedBothFifths' | 'accuracy'> {
  return {
    weighted: short(intervalOver(run, weighted)),
    weightedBothFifths: short(intervalOver(run, bothFifths)),
    accuracy: short(intervalOver(run, exact)),
  };
}

function curveOf(
  run: Run,
  system: string,
  split: TestSplit,
  augmentation: string,
  clean: TrackScores,
  strengths: readonly TrackScores[],
): RobustnessCurve {
  const all = strengths.map((scores) => intervalsOf(run, scores));
  return {
    system,
    split,
    augmentation,
    weighted: all.map(({ weighted }) => weighted),
    weightedBothFifths: all.map(({ weightedBothFifths }) => weightedBothFifths),
    accuracy: all.map(({ accuracy }) => accuracy),
    change: strengths.map(({ weighted }) => difference(run, weighted, clean.weighted).interval),
  };
}

/** Each augmentation's curve in few numbers; the losses are tested together. */
function summariesOf(
  run: Run,
  { system, split, clean, curves }: Scored,
  axes: readonly StrengthAxis[],
  chance: number,
  drawn: Resamples,
): RobustnessSummary[] {
  const cleanMeans = resampledMeans(clean, drawn);
  const tests = axes.map((axis, i) => difference(run, clean, areaOf(clean, curves[i], axis)));
  const pHolm = holm(tests.map(({ p }) => p));
  return axes.map((axis, i) => {
    const area = areaOf(clean, curves[i], axis);
    const means = curves[i].map((scores) => resampledMeans(scores, drawn));
    const halves = sidesOf(axis).map(({ side, places }) => {
      const at = (scores: readonly number[], cleanScore: number): number =>
        halfLost(axis, places, scores, cleanScore, chance);
      const estimate = at(curves[i].map(mean), mean(clean));
      const spread = quantiles(cleanMeans.map((cleanScore, r) => at(means.map((each) => each[r]), cleanScore))); // prettier-ignore
      if (Number.isNaN(estimate) || spread === null) return { side, strength: null, low: null, high: null };
      const [strength, low, high] = [estimate, ...spread].map((distance) => {
        const reach = reachOf(axis, side, distance);
        return typeof reach === 'number' ? rounded(reach, 3) : reach;
      });
      return { side, strength, low, high };
    });
    return {
      system: system.id,
      split,
      augmentation: axis.id,
      area: short(intervalOver(run, area)),
      loss: tests[i].interval,
      p: rounded(tests[i].p),
      pHolm: rounded(pHolm[i]),
      retained: ratioInterval(retained(mean(area), mean(clean), chance), retainedMeans(area, clean, chance, drawn)),
      halves,
    };
  });
}

/** The questions of the notebook, as system a and system b on the same tracks. */
const QUESTIONS: readonly (readonly [string, string])[] = [
  ['vertical-pretrained-linear', 'template'],
  ['vertical-pretrained-linear', 'vertical-random-linear'],
  ['vertical-pretrained-linear', 'square-pretrained-linear'],
  ['vertical-pretrained-mlp', 'vertical-pretrained-linear'],
];

/** Each question over all augmentations and both splits is one family of tests. 'template' stands for the drawn one. */
function pairsOf(
  scored: readonly Scored[],
  axes: readonly StrengthAxis[],
  chance: number,
  drawn: (one: Scored) => Resamples,
): RobustnessPair[] {
  const find = (id: string, split: TestSplit): Scored | undefined =>
    scored.find(
      ({ system, split: own }) =>
        own === split && (id === 'template' ? system.method === 'template' && system.isDrawn : system.id === id),
    );
  return QUESTIONS.flatMap(([idA, idB]) => {
    const family = TEST_SPLITS.flatMap((split) => {
      const [a, b] = [find(idA, split), find(idB, split)];
      return a && b ? axes.map((axis, i) => comparePair(a, b, axis, i, chance, drawn(a))) : [];
    });
    const pHolm = holm(family.map(({ p }) => p));
    const tested = family.filter(({ pRetained }) => pRetained !== null);
    const pRetainedHolm = holm(tested.map(({ pRetained }) => pRetained!));
    return family.map((pair, i) => ({
      ...pair,
      pHolm: rounded(pHolm[i]),
      pRetainedHolm: pair.pRetained === null ? null : rounded(pRetainedHolm[tested.indexOf(pair)]),
    }));
  });
}

function comparePair(
  a: Scored,
  b: Scored,
  axis: StrengthAxis,
  i: number,
  chance: number,
  drawn: Resamples,
): Omit<RobustnessPair, 'pHolm' | 'pRetainedHolm'> {
  const areas = [a, b].map((one) => areaOf(one.clean, one.curves[i], axis));
  const losses = [a, b].map((one, k) => one.clean.map((score, track) => score - areas[k][track]));
  const loss = pairedBootstrap(losses[0], losses[1], { drawn });
  const kept = [a, b].map((one, k) => retainedMeans(areas[k], one.clean, chance, drawn));
  const estimates = [a, b].map((one, k) => retained(mean(areas[k]), mean(one.clean), chance));
  const replicates = kept[0].map((share, r) => share - kept[1][r]);
  const retainedDifference = ratioInterval(estimates[0] - estimates[1], replicates);
  return {
    a: a.system.id,
    b: b.system.id,
    split: a.split,
    augmentation: axis.id,
    lossDifference: short({ estimate: loss.difference, low: loss.low, high: loss.high }),
    p: rounded(loss.pValue),
    retainedDifference,
    pRetained: retainedDifference === null ? null : rounded(twoSided(replicates)),
  };
}

/** Mean of each track's score over the axis: the clean score, exactly, of a track that nothing changes. */
function areaOf(clean: Float64Array, strengths: readonly Float64Array[], axis: StrengthAxis): Float64Array {
  const weights = areaWeights(axis);
  return clean.map(
    (score, track) => score + strengths.reduce((sum, scores, j) => sum + weights[j + 1] * (scores[track] - score), 0),
  );
}

/** Share of the score above chance that is kept; NaN if there is none. */
function retained(area: number, clean: number, chance: number): number {
  return clean > chance ? (area - chance) / (clean - chance) : NaN;
}

/** [R] The same of every resample. */
function retainedMeans(area: Float64Array, clean: Float64Array, chance: number, drawn: Resamples): Float64Array {
  const cleanMeans = resampledMeans(clean, drawn);
  return resampledMeans(area, drawn).map((mean, r) => retained(mean, cleanMeans[r], chance));
}

function difference(run: Run, a: Float64Array, b: Float64Array): { interval: Interval; p: number } {
  const { difference: estimate, low, high, pValue } = pairedBootstrap(a, b, { drawn: drawnFor(run, a.length) });
  return { interval: short({ estimate, low, high }), p: pValue };
}

/** The 95 % percentile interval; null if more than one resample in a hundred has no value (a clean score at chance). */
function quantiles(replicates: Float64Array): [number, number] | null {
  const valid = replicates.filter((value) => !Number.isNaN(value)).sort();
  if (valid.length < 0.99 * replicates.length) return null;
  const at = (probability: number): number => {
    const value = quantileOfSorted(valid, probability);
    // Between a number and "not reached" there is no straight line.
    return Number.isNaN(value) || value === Infinity ? valid[Math.round(probability * (valid.length - 1))] : value;
  };
  return [at(0.025), at(0.975)];
}

function ratioInterval(estimate: number, replicates: Float64Array): Interval | null {
  const spread = quantiles(replicates);
  return Number.isNaN(estimate) || spread === null ? null : short({ estimate, low: spread[0], high: spread[1] });
}

/** Twice the smaller share of resamples on either side of 0, as `pairedBootstrap` has it. */
function twoSided(replicates: Float64Array): number {
  const notAbove = replicates.filter((value) => !(value > 0)).length;
  const notBelow = replicates.filter((value) => !(value < 0)).length;
  return Math.min(1, (2 * (1 + Math.min(notAbove, notBelow))) / (1 + replicates.length));
}

/** Four digits: the file has thousands of them. */
function short({ estimate, low, high }: Interval): Interval {
  return { estimate: rounded(estimate, 4), low: rounded(low, 4), high: rounded(high, 4) };
}
