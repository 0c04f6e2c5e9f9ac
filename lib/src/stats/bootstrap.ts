/** Bootstrap intervals over tracks, single and paired. All arithmetic is float64; randomness comes in as an argument. */
import { InputError } from '../errors.js';
import { mean, quantileOfSorted, standardDeviation } from './summary.js';

export interface BootstrapOptions {
  /** uniform numbers in [0, 1), e.g. `createRng(seed).uniform` bound to its generator */
  readonly uniform: () => number;
  /** number of resamples, at least 1; default 2000 */
  readonly resamples?: number;
  /** confidence level in (0, 1); default .95 */
  readonly level?: number;
}

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
  const statistic = options.statistic ?? mean;
  const { replicates, resamples, level } = resample(sample.length, options, (draw) => {
    const drawn = new Float64Array(sample.length);
    for (let i = 0; i < drawn.length; i++) drawn[i] = sample[draw[i]];
    return statistic(drawn);
  });
  return summarize(statistic(sample), replicates, resamples, level);
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
  const { replicates, resamples, level } = resample(differences.length, options, (draw) => {
    let sum = 0;
    for (let i = 0; i < draw.length; i++) sum += differences[draw[i]];
    return sum / draw.length;
  });
  const { estimate, ...interval } = summarize(mean(differences), replicates, resamples, level);
  let notAbove = 0;
  let notBelow = 0;
  for (const replicate of replicates) {
    if (replicate <= 0) notAbove++;
    if (replicate >= 0) notBelow++;
  }
  const pValue = Math.min(1, (2 * (1 + Math.min(notAbove, notBelow))) / (1 + resamples));
  return { difference: estimate, ...interval, pValue };
}

function resample(n: number, options: BootstrapOptions, measure: (draw: Int32Array) => number) {
  const { uniform, resamples = 2000, level = 0.95 } = options;
  if (!Number.isInteger(resamples) || resamples < 1)
    throw new InputError('bootstrap', `resamples ${resamples}; expected an integer of at least 1`);
  if (!(level > 0 && level < 1)) throw new InputError('bootstrap', `level ${level}; expected a number between 0 and 1`);
  const replicates = new Float64Array(resamples);
  const draw = new Int32Array(n);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < n; i++) draw[i] = Math.floor(uniform() * n);
    replicates[r] = measure(draw);
  }
  return { replicates, resamples, level };
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
