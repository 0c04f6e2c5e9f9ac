/** Mean, deviation and quantiles. All float64. */
import { InputError } from '../errors.js';

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Element by element mean of arrays of one length, e.g. of each track over seeds. @param arrays [seed][track] */
export function meanOfArrays(arrays: readonly Float64Array[]): Float64Array {
  return arrays[0].map((_, i) => arrays.reduce((sum, array) => sum + array[i], 0) / arrays.length);
}

/** Sample standard deviation (n - 1), two passes; needs at least two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

export interface MeanAndDeviation {
  readonly n: number;
  readonly mean: number;
  /** sample standard deviation (n - 1); null for a single value: one run says nothing about the spread */
  readonly deviation: number | null;
}

/** Mean and sample standard deviation over seeds. */
export function meanAndDeviation(values: ArrayLike<number>): MeanAndDeviation {
  if (values.length === 0) throw new InputError('meanAndDeviation', 'no values; expected at least one');
  return {
    n: values.length,
    mean: mean(values),
    deviation: values.length > 1 ? standardDeviation(values) : null,
  };
}

/**
 * Quantile of ascending values by linear interpolation between order statistics.
 * Reference: Hyndman & Fan (1996), definition 7 (the default of R and numpy).
 *
 * @param probability in 0..1
 */
export function quantileOfSorted(sorted: ArrayLike<number>, probability: number): number {
  const place = probability * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
