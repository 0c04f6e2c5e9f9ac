/** 04: how noisy the choice among many runs is. Letters: R runs, n tracks; scores are [R][n], one value a track. */
import { bootstrapInterval, mean, quantileOfSorted, rankCorrelation } from '../../stats/index.js';
import { createRng } from '../../tensor/index.js';
import type { GridSplit } from './gridMeasurements.js';
import { rounded, type Run } from '../run/run.js';
import { drawnFor } from '../probing/scores.js';

const HALVES = 1000;

export interface ChoiceNoise {
  /** [resamples] the run that each resample of the validation tracks chooses */
  readonly choices: Int32Array;
  readonly sameChoice: number;
  readonly chosenEver: number;
}

/** Chooses again on resampled validation tracks. @param valid [R][n] @param chosen the run that all tracks choose */
export function choiceNoise(run: Run, valid: readonly Float64Array[], chosen: number): ChoiceNoise {
  const { n, resamples, draws } = drawnFor(run, valid[0].length);
  const choices = Int32Array.from({ length: resamples }, (_, r) => bestOn(valid, draws.subarray(r * n, (r + 1) * n)));
  return {
    choices,
    sameChoice: rounded(choices.filter((one) => one === chosen).length / resamples),
    chosenEver: new Set(choices).size,
  };
}

/**
 * What the noise of the choice means on a test split.
 * @param valid, test [R][n]
 * @param chosen the run that validation chose
 * @param choices what resampled validation chose, see `choiceNoise`
 */
export function splitNoise(
  run: Run,
  valid: readonly Float64Array[],
  test: readonly Float64Array[],
  chosen: number,
  choices: Int32Array,
): Pick<GridSplit, 'rankCorrelation' | 'reselected' | 'halves'> {
  const scores = test.map(mean);
  const reported = Float64Array.from(choices, (one) => scores[one]).sort();
  return {
    rankCorrelation: correlationOfRuns(run, valid.map(mean), scores),
    reselected: {
      estimate: rounded(mean(reported), 5),
      low: rounded(quantileOfSorted(reported, 0.025), 5),
      high: rounded(quantileOfSorted(reported, 0.975), 5),
    },
    halves: gainOfHalves(test, chosen),
  };
}

function correlationOfRuns(run: Run, valid: readonly number[], test: readonly number[]): GridSplit['rankCorrelation'] {
  const whole = rankCorrelation(valid, test);
  if (whole === null) return null;
  const { low, high } = bootstrapInterval(
    valid.map((_, i) => i),
    {
      drawn: drawnFor(run, valid.length),
      // A resample that drew one run only, or equal ones, has no order.
      statistic: (runs) =>
        rankCorrelation(
          runs.map((i) => valid[i]),
          runs.map((i) => test[i]),
        ) ?? 0,
    },
  );
  return { estimate: rounded(whole), low: rounded(low), high: rounded(high) };
}

/** Chooses by a random half of the tracks, and reads the gain over the run `chosen` on that half and on the other. */
function gainOfHalves(test: readonly Float64Array[], chosen: number): GridSplit['halves'] {
  const rng = createRng('halves');
  const n = test[0].length;
  const middle = Math.floor(n / 2);
  let [seen, unseen] = [0, 0];
  for (let i = 0; i < HALVES; i++) {
    const order = rng.permutation(n);
    const [own, other] = [order.subarray(0, middle), order.subarray(middle)];
    const best = bestOn(test, own);
    seen += meanOn(test[best], own) - meanOn(test[chosen], own);
    unseen += meanOn(test[best], other) - meanOn(test[chosen], other);
  }
  return { seen: rounded(seen / HALVES, 5), unseen: rounded(unseen / HALVES, 5) };
}

/** The run with the best mean over some tracks, the first of equals. */
function bestOn(scores: readonly Float64Array[], tracks: ArrayLike<number>): number {
  let [best, highest] = [0, -Infinity];
  scores.forEach((own, i) => {
    const score = meanOn(own, tracks);
    if (score > highest) [best, highest] = [i, score];
  });
  return best;
}

function meanOn(values: Float64Array, tracks: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < tracks.length; i++) sum += values[tracks[i]];
  return sum / tracks.length;
}
