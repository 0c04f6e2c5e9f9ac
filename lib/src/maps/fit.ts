/** Fitting a map by ridge least squares in closed form. Letters: N training pairs, w = width, k eigenvectors. */
import { InputError } from '../errors.js';
import { type AugmentationMap, createMap, type FitRecord, type RidgeTarget } from './map.js';
import {
  columnMeans,
  crossProduct,
  dot,
  gram,
  subtractFromRows,
  sumOfSquares,
  type SymmetricEigen,
  symmetricEigen,
  timesTransposed,
  transpose,
} from './matrix.js';
import { assertDisjoint, assertPairs, type EmbeddingPairs } from './pairs.js';

/**
 * Relative ridges to choose from: from nothing to a pull that leaves little but the target. They reach far down because
 * embeddings share a large common part: it makes up most of the mean eigenvalue, and most directions lie far below it.
 */
export const RIDGES: readonly number[] = [0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100];

/** A list of ridges, of which the validation pairs choose. */
export interface RidgeChoice {
  readonly candidates: readonly number[];
  /** never test pairs, and no track of train */
  readonly valid: EmbeddingPairs;
}

export interface FitOptions {
  readonly name: string;
  /** semitones by which the augmentation moves the key; default 0 */
  readonly labelShift?: number;
  /** linear: bias-free, the paper's form (default); affine: with an offset, which the ridge leaves alone */
  readonly kind?: 'linear' | 'affine';
  readonly towards: RidgeTarget;
  /** relative ridge >= 0, or a choice by validation */
  readonly ridge: number | RidgeChoice;
}

/**
 * The map that minimises over the training pairs
 *
 *   |Y - X W'|^2 / N + ridge * s * |W - T|^2,   s = mean square of the entries of X,   T = 0 or the identity
 *
 * so that W - T = (X'X + lambda 1)^-1 applied to X'(Y - X T') with lambda = ridge * N * s = ridge * (mean eigenvalue of
 * X'X). The ridge has no unit and keeps its meaning when the embeddings are scaled or pairs are added. Affine: X and Y
 * are centred by their training means first. Solved through the eigenvectors of X'X, once for all ridges; with ridge 0,
 * directions in which the training clips do not vary stay as the target has them (the solution of least norm).
 * Of equally good ridges the largest is taken. Reference: Hoerl & Kennard (1970), Technometrics 12.
 *
 * @throws InputError for empty or not finite pairs, different widths, shared tracks, ridges below 0 or none at all
 */
export function fitMap(train: EmbeddingPairs, options: FitOptions): AugmentationMap {
  const { name, labelShift = 0, kind = 'linear', towards, ridge } = options;
  const where = `map "${name}"`;
  const { n, width } = assertPairs(`${where}, train`, train);
  const candidates = typeof ridge === 'number' ? [ridge] : [...ridge.candidates];
  if (candidates.length === 0) throw new InputError(where, 'no ridges to choose from; expected at least one');
  const badRidge = candidates.find((value) => !(value >= 0 && Number.isFinite(value)));
  if (badRidge !== undefined) throw new InputError(where, `ridge ${badRidge}; expected a number of at least 0`);
  if (typeof ridge !== 'number') {
    assertPairs(`${where}, valid`, ridge.valid, width);
    assertDisjoint('train', train, 'valid', ridge.valid);
  }

  const means = kind === 'affine' ? pairMeans(train) : null;
  const { x, rest } = problemOf(train, towards, means);
  const xx = gram(x, width);
  const eigen = symmetricEigen(xx, width);
  const { vectors } = eigen;
  // Row = output dimension, column = eigenvector: (V' X'(Y - X T'))'.
  const projected = timesTransposed(crossProduct(rest, x, width, width), vectors, width, width, width);
  const inEigenvectors = (value: number): Float64Array => shrink(projected, eigen, penaltyOf(value, xx, width));

  let chosen = candidates[0];
  let ridgePath: FitRecord['ridgePath'] = [];
  if (typeof ridge !== 'number') {
    const score = validationScore(train, ridge.valid, towards, means, vectors);
    ridgePath = [...candidates].sort((a, b) => a - b).map((value) => ({ ridge: value, validR2: score(inEigenvectors(value)) })); // prettier-ignore
    chosen = ridgePath.reduce((best, point) => (point.validR2 >= best.validR2 ? point : best)).ridge;
  }

  const matrix = timesTransposed(inEigenvectors(chosen), transpose(vectors, width, width), width, width, width);
  if (towards === 'identity') for (let i = 0; i < width; i++) matrix[i * (width + 1)] += 1;
  const fit: FitRecord = { method: 'closedForm', n, ridge: chosen, towards, ridgePath };
  return createMap({ name, width, matrix, offset: means && offsetOf(matrix, means), labelShift, fit });
}

/** lambda, what a relative ridge adds to the diagonal of X'X [w, w]: its mean eigenvalue times the ridge. */
export function penaltyOf(ridge: number, xx: Float64Array, width: number): number {
  let trace = 0;
  for (let i = 0; i < width; i++) trace += xx[i * (width + 1)];
  return (ridge * trace) / width;
}

export interface PairMeans {
  /** [w] of clean */
  readonly clean: Float64Array;
  /** [w] of augmented */
  readonly augmented: Float64Array;
}

export function pairMeans({ clean, augmented, width }: EmbeddingPairs): PairMeans {
  return { clean: columnMeans(clean, width), augmented: columnMeans(augmented, width) };
}

/** The regression's two sides in float64: X, and what the target leaves, Y - X T', both centred if means are given. */
export function problemOf(
  { clean, augmented }: EmbeddingPairs,
  towards: RidgeTarget,
  means: PairMeans | null,
): { x: Float64Array; rest: Float64Array } {
  const x = Float64Array.from(clean);
  const rest = Float64Array.from(augmented);
  if (means) {
    subtractFromRows(x, means.clean);
    subtractFromRows(rest, means.augmented);
  }
  if (towards === 'identity') for (let i = 0; i < rest.length; i++) rest[i] -= x[i];
  return { x, rest };
}

/** Column k of `projected` [w, k] over eigenvalue k + lambda; 0 where there is no data, only rounding. */
function shrink(projected: Float64Array, { values }: SymmetricEigen, lambda: number): Float64Array {
  const width = values.length;
  const nothing = width * Number.EPSILON * values[0];
  const factors = values.map((value) => (value > nothing ? 1 / (value + lambda) : 0));
  return projected.map((value, i) => value * factors[i % width]);
}

/**
 * R2 on the validation pairs as a function of the map in the eigenvectors' frame, Q [w, k]:
 * |R - Z Q'|^2 = |R|^2 - 2 <Q, R'Z> + <Q Z'Z, Q> with Z = X_valid V, so that a ridge costs one product of w^3.
 */
function validationScore(
  train: EmbeddingPairs,
  valid: EmbeddingPairs,
  towards: RidgeTarget,
  means: PairMeans | null,
  vectors: Float64Array,
): (q: Float64Array) => number {
  const { width } = train;
  const { x, rest } = problemOf(valid, towards, means);
  const z = timesTransposed(x, vectors, valid.n, width, width);
  const zz = gram(z, width);
  const rz = crossProduct(rest, z, width, width);
  const energy = sumOfSquares(rest);
  const total = totalAround(columnMeans(train.augmented, width), valid);
  if (total === 0)
    throw new InputError('valid pairs', 'do not differ from the training mean; a ridge cannot be chosen');
  return (q) => 1 - Math.max(0, energy - 2 * dot(q, rz) + dot(timesTransposed(q, zz, width, width, width), q)) / total;
}

/** Sum of squared distances of the augmented embeddings from a mean. */
function totalAround(mean: Float64Array, { augmented, width }: EmbeddingPairs): number {
  let sum = 0;
  for (let i = 0; i < augmented.length; i++) sum += (augmented[i] - mean[i % width]) ** 2;
  return sum;
}

/** o = mean(y) - W mean(x) */
export function offsetOf(matrix: Float64Array, means: PairMeans): Float64Array {
  const width = means.clean.length;
  const mapped = timesTransposed(means.clean, matrix, 1, width, width);
  return means.augmented.map((value, i) => value - mapped[i]);
}
