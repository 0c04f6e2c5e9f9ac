/**
 * How many directions a map needs. Letters: w = width, r = rank.
 * "About": W itself is judged against 0, W - 1 (what the augmentation changes) against the identity.
 */
import { InputError } from '../errors.js';
import type { BootstrapInterval } from '../stats/index.js';
import { pairMeans, offsetOf, penaltyOf, problemOf } from './fit.js';
import { type AugmentationMap, createMap, matrixOf, type RidgeTarget } from './map.js';
import {
  gram,
  singularValueDecomposition,
  singularValues,
  symmetricEigen,
  timesSquare,
  timesTransposed,
  transpose,
} from './matrix.js';
import { type EvaluateOptions, intervalOf, measureMap } from './measures.js';
import { assertPairs, type EmbeddingPairs } from './pairs.js';

export interface MapSpectrum {
  readonly about: RidgeTarget;
  /** [w] of W, or of W - 1, largest first */
  readonly singularValues: Float64Array;
  /** exp of the entropy of the singular values as shares of their sum (Roy & Vetterli 2007), 1..w; 0 for a zero matrix */
  readonly effectiveRank: number;
}

/** The singular values of a map's matrix, or of what it changes. */
export function mapSpectrum(map: AugmentationMap, about: RidgeTarget): MapSpectrum {
  const values = singularValues(matrixAbout(map, about), map.width);
  return { about, singularValues: values, effectiveRank: effectiveRank(values) };
}

/** exp(-sum p log p) with p = value / sum of the values. Reference: Roy & Vetterli (2007), EUSIPCO, "The effective rank". */
export function effectiveRank(values: ArrayLike<number>): number {
  const shares = Array.from(values);
  const sum = shares.reduce((total, value) => total + value, 0);
  if (sum === 0) return 0;
  return Math.exp(shares.reduce((entropy, value) => entropy - (value > 0 ? (value / sum) * Math.log(value / sum) : 0), 0)); // prettier-ignore
}

/** The smallest number of values, largest first, whose squares hold `share` (0..1) of all squares. */
export function rankForShare(values: ArrayLike<number>, share: number): number {
  const squares = Array.from(values, (value) => value * value);
  const wanted = share * squares.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  let rank = 0;
  while (rank < squares.length && sum < wanted) sum += squares[rank++];
  return rank;
}

export interface RankedMap {
  /** svd: nearest matrix of that rank (Eckart & Young); reducedRank: nearest fitted values */
  readonly method: 'svd' | 'reducedRank';
  readonly about: RidgeTarget;
  readonly rank: number;
  readonly map: AugmentationMap;
}

/**
 * W, or W - 1, cut to its r largest singular values, r from `ranks`. This is the nearest matrix of rank r, not the best
 * map of rank r: directions in which embeddings hardly vary count as much as others. The offset stays.
 */
export function truncateMap(map: AugmentationMap, ranks: readonly number[], about: RidgeTarget): RankedMap[] {
  const { width } = map;
  assertRanks(ranks, width);
  const { values, left, right } = singularValueDecomposition(matrixAbout(map, about), width);
  const rightColumns = transpose(right, width, width);
  return ranks.map((rank) => {
    // left' S right: columns of left' beyond r are zero.
    const scaled = transpose(left, width, width).map((value, i) => (i % width < rank ? value * values[i % width] : 0));
    const matrix = backFrom(timesTransposed(scaled, rightColumns, width, width, width), width, about);
    return { method: 'svd', about, rank, map: createMap({ ...map, matrix, name: `${map.name}, rank ${rank}` }) };
  });
}

/**
 * Reduced-rank regression: the maps of rank r (about the target that the map was fitted towards) with the least
 * training error including the ridge. With D = W - T these are P D, P the projection onto the first r principal
 * directions of the fitted values, the eigenvectors of D (X'X + lambda 1) D'. For the same training pairs as the fit.
 * Reference: Izenman (1975), J. Multivariate Analysis 5; with the ridge Mukherjee & Zhu (2011), Stat. Anal. Data Min. 4.
 *
 * @param map fitted in closed form by `fitMap` on `train`
 */
export function reducedRankMaps(map: AugmentationMap, train: EmbeddingPairs, ranks: readonly number[]): RankedMap[] {
  const { width, fit } = map;
  if (fit?.method !== 'closedForm' || map.matrix === null)
    throw new InputError(`reduced rank of "${map.name}"`, 'expected a map fitted in closed form by fitMap');
  assertPairs('reducedRankMaps, train', train, width);
  if (fit.n !== train.n)
    throw new InputError('reducedRankMaps, train', `${train.n} pairs; the map was fitted on ${fit.n}`);
  assertRanks(ranks, width);
  const about = fit.towards;
  const means = map.kind === 'affine' ? pairMeans(train) : null;
  const change = matrixAbout(map, about);
  const xx = gram(problemOf(train, 'zero', means).x, width);
  const lambda = penaltyOf(fit.ridge, xx, width);
  for (let i = 0; i < width; i++) xx[i * (width + 1)] += lambda;
  const fitted = timesTransposed(timesSquare(change, xx, width), change, width, width, width);
  const { vectors } = symmetricEigen(symmetrized(fitted, width), width);
  return ranks.map((rank) => {
    const columns = transpose(vectors.slice(0, rank * width), rank, width);
    const projection = timesTransposed(columns, columns, width, width, rank);
    const matrix = backFrom(timesSquare(projection, change, width), width, about);
    const name = `${map.name}, rank ${rank}`;
    const record = { ...fit, method: 'reducedRank' } as const;
    const offset = means && offsetOf(matrix, means);
    return { method: 'reducedRank', about, rank, map: createMap({ ...map, name, matrix, offset, fit: record }) };
  });
}

export interface RankPoint extends Omit<RankedMap, 'map'> {
  readonly r2: BootstrapInterval;
  readonly explainedChange: BootstrapInterval;
  readonly cosine: BootstrapInterval;
}

/** Held-out measures of each of a family of maps: R2 against rank. */
export function rankCurve(
  family: readonly RankedMap[],
  test: EmbeddingPairs,
  options: Omit<EvaluateOptions, 'similarity'>,
): RankPoint[] {
  return family.map(({ method, about, rank, map }) => {
    const measured = measureMap(map, test, { ...options, similarity: null });
    const interval = (name: 'r2' | 'explainedChange' | 'cosine') =>
      intervalOf(measured, measured.statistics[name], options.bootstrap);
    return { method, about, rank, r2: interval('r2'), explainedChange: interval('explainedChange'), cosine: interval('cosine') }; // prettier-ignore
  });
}

/** W, or W - 1, as a new array. */
function matrixAbout(map: AugmentationMap, about: RidgeTarget): Float64Array {
  return shiftDiagonal(matrixOf(map), map.width, about === 'identity' ? -1 : 0);
}

function backFrom(matrix: Float64Array, width: number, about: RidgeTarget): Float64Array {
  return shiftDiagonal(matrix, width, about === 'identity' ? 1 : 0);
}

function shiftDiagonal(matrix: Float64Array, width: number, by: number): Float64Array {
  const out = matrix.slice();
  for (let i = 0; i < width; i++) out[i * (width + 1)] += by;
  return out;
}

/** (A + A') / 2: products that are symmetric on paper differ by rounding, which the eigenvectors must not see. */
function symmetrized(a: Float64Array, n: number): Float64Array {
  return a.map((value, i) => (value + a[(i % n) * n + Math.floor(i / n)]) / 2);
}

function assertRanks(ranks: readonly number[], width: number): void {
  const bad = ranks.find((rank) => !Number.isInteger(rank) || rank < 0 || rank > width);
  if (bad !== undefined) throw new InputError('ranks', `rank ${bad}; expected whole numbers from 0 to ${width}`);
}
