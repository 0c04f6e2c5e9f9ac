/** Bootstrap intervals over tracks, single and paired. All arithmetic is float64; randomness comes in as an argument. */
import { InputError } from '../errors.js';
import { mean, quantileOfSorted, standardDeviation } from './summary.js';

/** Which tracks every resample draws; systems that are compared on the same tracks can share one. */
export interface Resamples {
  /** number of tracks */
  readonly n: number;
  readonly resamples: number;
  /** [resamples, n] places of tracks */
  readonly draws: Uint16Array | Uint32Array;
}

export interface DrawOptions {
  /** uniform numbers in [0, 1), e.g. `createRng(seed).uniform` bound to its generator */
  readonly uniform: () => number;
  /** number of resamples, at least 1; default 2000 */
  readonly resamples?: number;
}

/** Resamples come from `uniform`, or have been drawn: the same from the same numbers. */
export type BootstrapOptions = (DrawOptions | { readonly drawn: Resamples }) & {
  /** confidence level in (0, 1); default .95 */
  readonly level?: number;
};

export interface BootstrapInterval {
  /** the statistic of the values as they are */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** standard deviation of the resampled statistic */
  readonly standardError: number;
  readonly resamples: number;
  readonly level: number;
}

/**
 * Percentile bootstrap interval: values (one per track) are drawn n times with replacement, the statistic is taken of
 * each resample, and the interval lies between the (1 - level)/2 and (1 + level)/2 quantiles of these.
 * Reference: Efron & Tibshirani, An Introduction to the Bootstrap (1993), sections 6.2 and 13.3.
 *
 * @param values one finite number per track, at least one
 * @param options.statistic of a sample, default the mean
 */
export function bootstrapInterval(
  values: ArrayLike<number>,
  options: BootstrapOptions & { readonly statistic?: (sample: Float64Array) => number },
): BootstrapInterval {
  const sample = assertFinite('bootstrapInterval', values);
  const { statistic } = options;
  const { drawn, level } = resamplesOf(sample.length, options);
  const replicates = statistic ? replicatesOf(sample, drawn, statistic) : resampledMeans(sample, drawn);
  return summarize((statistic ?? mean)(sample), replicates, drawn.resamples, level);
}

export interface PairedBootstrap {
  /** mean(a) - mean(b) */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly standardError: number;
  /** two-sided, in (0, 1] */
  readonly pValue: number;
  readonly resamples: number;
  readonly level: number;
}

/**
 * Compares two systems on the same tracks: tracks are resampled, both systems keep their values of a track, so what
 * makes a track hard for both cancels. The p-value is twice the smaller share of resamples on either side of no
 * difference, (1 + count) / (1 + resamples), at most 1; a resample of exactly 0 counts on both sides.
 * Reference: Efron & Tibshirani (1993), section 15.4 (achieved level of the percentile interval).
 *
 * @param a, b scores of the same tracks in the same order
 */
export function pairedBootstrap(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: BootstrapOptions,
): PairedBootstrap {
  if (a.length !== b.length)
    throw new InputError('pairedBootstrap', `${a.length} and ${b.length} values; expected one pair per track`);
  const differences = assertFinite('pairedBootstrap', a);
  const other = assertFinite('pairedBootstrap', b);
  for (let i = 0; i < differences.length; i++) differences[i] -= other[i];
  const { drawn, level } = resamplesOf(differences.length, options);
  const replicates = resampledMeans(differences, drawn);
  const { estimate, ...interval } = summarize(mean(differences), replicates, drawn.resamples, level);
  let notAbove = 0;
  let notBelow = 0;
  for (const replicate of replicates) {
    if (replicate <= 0) notAbove++;
    if (replicate >= 0) notBelow++;
  }
  const pValue = Math.min(1, (2 * (1 + Math.min(notAbove, notBelow))) / (1 + drawn.resamples));
  return { difference: estimate, ...interval, pValue };
}

/**
 * Draws n tracks with replacement, `resamples` times.
 * @param n number of tracks, at least 1
 */
export function drawResamples(n: number, { uniform, resamples = 2000 }: DrawOptions): Resamples {
  if (!Number.isInteger(resamples) || resamples < 1)
    throw new InputError('bootstrap', `resamples ${resamples}; expected an integer of at least 1`);
  const draws = n <= 65536 ? new Uint16Array(resamples * n) : new Uint32Array(resamples * n);
  for (let i = 0; i < draws.length; i++) draws[i] = Math.floor(uniform() * n);
  return { n, resamples, draws };
}

function resamplesOf(n: number, options: BootstrapOptions): { drawn: Resamples; level: number } {
  const { level = 0.95 } = options;
  if (!(level > 0 && level < 1)) throw new InputError('bootstrap', `level ${level}; expected a number between 0 and 1`);
  const drawn = 'drawn' in options ? options.drawn : drawResamples(n, options);
  if (drawn.n !== n)
    throw new InputError('bootstrap', `resamples of ${drawn.n} tracks; expected ${n} as there are values`);
  return { drawn, level };
}

/**
 * Mean of every resample: for what is neither a mean nor a difference of means, e.g. a ratio of two.
 * Four at a time, each summed in its own order: a sum alone would wait for its additions.
 *
 * @param values one finite number per track
 */
export function resampledMeans(values: Float64Array, { n, resamples, draws }: Resamples): Float64Array {
  const means = new Float64Array(resamples);
  let r = 0;
  for (; r + 4 <= resamples; r += 4) {
    const [start0, start1, start2, start3] = [r * n, (r + 1) * n, (r + 2) * n, (r + 3) * n];
    let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      sum0 += values[draws[start0 + i]];
      sum1 += values[draws[start1 + i]];
      sum2 += values[draws[start2 + i]];
      sum3 += values[draws[start3 + i]];
    }
    means[r] = sum0 / n;
    means[r + 1] = sum1 / n;
    means[r + 2] = sum2 / n;
    means[r + 3] = sum3 / n;
  }
  for (; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[draws[r * n + i]];
    means[r] = sum / n;
  }
  return means;
}

function replicatesOf(
  values: Float64Array,
  { n, resamples, draws }: Resamples,
  statistic: (sample: Float64Array) => number,
): Float64Array {
  return Float64Array.from({ length: resamples }, (_, r) => {
    const sample = new Float64Array(n);
    for (let i = 0; i < n; i++) sample[i] = values[draws[r * n + i]];
    return statistic(sample);
  });
}

function summarize(estimate: number, replicates: Float64Array, resamples: number, level: number): BootstrapInterval {
  const sorted = replicates.slice().sort();
  return {
    estimate,
    low: quantileOfSorted(sorted, (1 - level) / 2),
    high: quantileOfSorted(sorted, (1 + level) / 2),
    standardError: resamples > 1 ? standardDeviation(sorted) : 0,
    resamples,
    level,
  };
}

function assertFinite(where: string, values: ArrayLike<number>): Float64Array {
  if (values.length === 0) throw new InputError(where, 'no values; expected at least one');
  const copy = Float64Array.from(values);
  const bad = copy.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError(where, `value ${bad} is ${copy[bad]}; expected finite numbers`);
  return copy;
}
