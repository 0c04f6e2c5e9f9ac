/** From estimated keys to scores with intervals; several seeds are averaged track by track before tracks are resampled. */
import { mirexScore, type Ruler } from '../keys/index.js';
import { bootstrapInterval } from '../stats/index.js';
import { createRng } from '../tensor/index.js';
import type { Interval } from './measurements.js';
import { rounded, type Run } from './run.js';

export const FIFTH_ABOVE: Ruler = { allowDescendingFifths: false };
export const BOTH_FIFTHS: Ruler = { allowDescendingFifths: true };

/** Mean MIREX score of each track over seeds. @param estimates [seed][track] */
export function trackMeans(
  reference: ArrayLike<number>,
  estimates: readonly (readonly number[])[],
  ruler: Ruler,
): Float64Array {
  return Float64Array.from({ length: reference.length }, (_, track) => {
    const sum = estimates.reduce((total, ofSeed) => total + mirexScore(reference[track], ofSeed[track], ruler), 0);
    return sum / estimates.length;
  });
}

/** Share of seeds that have each track exactly right. */
export function trackHits(reference: ArrayLike<number>, estimates: readonly (readonly number[])[]): Float64Array {
  return Float64Array.from(
    { length: reference.length },
    (_, track) => estimates.filter((ofSeed) => ofSeed[track] === reference[track]).length / estimates.length,
  );
}

/** Mean with its 95 % percentile bootstrap interval over tracks. */
export function intervalOver(run: Run, values: ArrayLike<number>): Interval {
  const rng = createRng(0);
  const { estimate, low, high } = bootstrapInterval(values, {
    uniform: () => rng.uniform(),
    resamples: run.preset.resamples,
  });
  return { estimate: rounded(estimate, 5), low: rounded(low, 5), high: rounded(high, 5) };
}

/** Weighted score, fifth above only. */
export function weightedInterval(
  run: Run,
  reference: ArrayLike<number>,
  estimates: readonly (readonly number[])[],
): Interval {
  return intervalOver(run, trackMeans(reference, estimates, FIFTH_ABOVE));
}
