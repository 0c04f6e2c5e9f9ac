/** From estimated keys to scores with intervals; several seeds are averaged track by track before tracks are resampled. */
import { mirexScore, type Ruler } from '../../keys/index.js';
import { bootstrapInterval, drawResamples, type Resamples } from '../../stats/index.js';
import { createRng } from '../../tensor/index.js';
import type { Interval } from '../measurements.js';
import { rounded, type Run } from '../run/run.js';

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

const drawn: Resamples[] = [];

/** The resamples (seed 0) of so many tracks: the same for every system, so they are drawn once. */
export function drawnFor(run: Run, nTracks: number): Resamples {
  const { resamples } = run.preset;
  const known = drawn.find((one) => one.n === nTracks && one.resamples === resamples);
  if (known) return known;
  const rng = createRng(0);
  const fresh = drawResamples(nTracks, { uniform: () => rng.uniform(), resamples });
  drawn.unshift(fresh);
  drawn.length = Math.min(drawn.length, 4); // as many as there are splits
  return fresh;
}

/** Mean with its 95 % percentile bootstrap interval over tracks. */
export function intervalOver(run: Run, values: ArrayLike<number>): Interval {
  const { estimate, low, high } = bootstrapInterval(values, { drawn: drawnFor(run, values.length) });
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
