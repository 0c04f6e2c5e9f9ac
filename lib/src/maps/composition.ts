/** Do maps behave like the augmentations that they stand for: chained, repeated, undone? */
import { InputError } from '../errors.js';
import type { BootstrapInterval } from '../stats/index.js';
import { type AugmentationMap, assertWidth, matrixOf, powerOfMap, predict } from './map.js';
import { eye, squaredDistance, sumOfSquares, timesSquare } from './matrix.js';
import { differenceOf, type EvaluateOptions, type MapEvaluation, measureMap, summarize } from './measures.js';
import type { EmbeddingPairs } from './pairs.js';

export interface CompositionGap {
  /** |C - D| / |D|, Frobenius, of the chained and the direct matrix; 0: the same */
  readonly frobenius: number;
  /** |C - D| / |D - 1|: measured against what the direct map changes, since all maps may be near the identity; null if it
   *  changes nothing */
  readonly frobeniusOfChange: number | null;
  /** |c - d| / |d| of the offsets; null if the direct map has none */
  readonly offset: number | null;
  /** |C(X) - D(X)| / |D(X)| on the clean test embeddings: only directions in use count */
  readonly prediction: number;
  readonly chained: MapEvaluation;
  readonly direct: MapEvaluation;
  /** chained - direct on the test pairs of both augmentations, tracks resampled for both at once */
  readonly r2Difference: BootstrapInterval;
  readonly cosineDifference: BootstrapInterval;
}

/**
 * Compares a chain, `composeMaps(mapOfA, mapOfB)`, with the map fitted on both augmentations at once.
 *
 * @param test pairs of clean clips and clips with both augmentations; the training pairs in `options` likewise
 */
export function compositionGap(
  chained: AugmentationMap,
  direct: AugmentationMap,
  test: EmbeddingPairs,
  options: EvaluateOptions,
): CompositionGap {
  assertWidth(chained, direct.width, `the map "${direct.name}"`);
  if (chained.labelShift !== direct.labelShift)
    throw new InputError(
      'compositionGap',
      `"${chained.name}" moves the key by ${chained.labelShift} semitones, "${direct.name}" by ${direct.labelShift}; expected the same`,
    );
  const [measuredChain, measuredDirect] = [chained, direct].map((map) => measureMap(map, test, options));
  const [c, d] = [matrixOf(chained), matrixOf(direct)];
  const none = new Float64Array(direct.width);
  const direction = predict(direct, test.clean);
  const difference = (measure: 'r2' | 'cosine') =>
    differenceOf(measuredChain, measuredDirect, measure, options.bootstrap);
  return {
    frobenius: relativeDistance(c, d) ?? 0,
    frobeniusOfChange: ratioOfNorms(squaredDistance(c, d), squaredDistance(d, eye(direct.width))),
    offset: relativeDistance(chained.offset ?? none, direct.offset ?? none),
    prediction: relativeDistance(predict(chained, test.clean), direction) ?? 0,
    chained: summarize(chained, measuredChain, options),
    direct: summarize(direct, measuredDirect, options),
    r2Difference: difference('r2'),
    cosineDifference: difference('cosine'),
  };
}

/** Compares `unit` applied k times with a map fitted on k steps at once: shift(+1)^k against shift(+k). */
export function powerGap(
  unit: AugmentationMap,
  exponent: number,
  direct: AugmentationMap,
  test: EmbeddingPairs,
  options: EvaluateOptions,
): CompositionGap {
  return compositionGap(powerOfMap(unit, exponent), direct, test, options);
}

/** |A B - B A| / |A B|, Frobenius: does the order of two augmentations matter? 0 for maps that commute. */
export function commutatorNorm(a: AugmentationMap, b: AugmentationMap): number {
  assertWidth(a, b.width, `the map "${b.name}"`);
  const [ab, ba] = [timesSquare(matrixOf(a), matrixOf(b), a.width), timesSquare(matrixOf(b), matrixOf(a), a.width)];
  return relativeDistance(ba, ab) ?? 0;
}

export interface IdentityGap {
  /** |W - 1| / |1|, Frobenius */
  readonly frobenius: number;
  /** |map(X) - X| / |X| on the given embeddings */
  readonly prediction: number;
}

/** How far a map is from changing nothing: shift(+12), or an inverse after its map. @param x [N, width] */
export function identityGap(map: AugmentationMap, x: Float32Array): IdentityGap {
  if (x.length === 0) throw new InputError('identityGap', 'no embeddings; expected at least one');
  return {
    frobenius: relativeDistance(matrixOf(map), eye(map.width)) ?? 0,
    prediction: relativeDistance(predict(map, x), x) ?? 0,
  };
}

/** |a - b| / |b|; null if b is zero */
function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  return ratioOfNorms(squaredDistance(a, b), sumOfSquares(b));
}

const ratioOfNorms = (part: number, whole: number): number | null => (whole > 0 ? Math.sqrt(part / whole) : null);
