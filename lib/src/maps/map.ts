/**
 * An augmentation map: what an augmentation does to an embedding, y = W x + o, or the paper's bias-free y = W x. Rows
 * are embeddings, so a batch is y = x W'. All arithmetic is float64. Letters: N rows.
 */
import type { EmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { columnMeans, eye, timesSquare, timesTransposed } from './matrix.js';
import { assertPairs, type EmbeddingPairs } from './pairs.js';

export type MapKind = 'linear' | 'affine' | 'meanShift' | 'identity';

/** Where a large ridge pulls the matrix: to 0 (ridge regression as usual), or to the identity (no augmentation). */
export type RidgeTarget = 'zero' | 'identity';

/** How a map was fitted. */
export interface FitRecord {
  readonly method: 'closedForm' | 'reducedRank' | 'mean' | 'sgd' | 'adam';
  /** training pairs */
  readonly n: number;
  /** relative ridge, see `fitMap`; 0 for a mean shift */
  readonly ridge: number;
  readonly towards: RidgeTarget;
  /** R2 on the validation pairs of every ridge that was tried, smallest ridge first; empty if the ridge was given */
  readonly ridgePath: readonly { readonly ridge: number; readonly validR2: number }[];
}

export interface AugmentationMap {
  /** linear: W alone, the paper's form; affine: both; meanShift: o alone; identity: neither */
  readonly kind: MapKind;
  readonly name: string;
  readonly width: number;
  /** [width out, width in]; null stands for the identity */
  readonly matrix: Float64Array | null;
  /** [width]; null stands for 0 */
  readonly offset: Float64Array | null;
  /** semitones by which the augmentation moves the key, up is positive; 0 for one that leaves it */
  readonly labelShift: number;
  /** null for a map made from others */
  readonly fit: FitRecord | null;
}

/** A map from its parts; the kind follows from which are there. @throws InputError for sizes or values that cannot be */
export function createMap(parts: {
  readonly name: string;
  readonly width: number;
  readonly matrix?: Float64Array | null;
  readonly offset?: Float64Array | null;
  readonly labelShift?: number;
  readonly fit?: FitRecord | null;
}): AugmentationMap {
  const { name, width, matrix = null, offset = null, labelShift = 0, fit = null } = parts;
  const where = `augmentation map "${name}"`;
  if (!Number.isInteger(width) || width < 1)
    throw new InputError(where, `width ${width}; expected a whole number of at least 1`);
  if (!Number.isInteger(labelShift))
    throw new InputError(where, `labelShift ${labelShift}; expected a whole number of semitones`);
  for (const [part, values, length] of [
    ['matrix', matrix, width * width],
    ['offset', offset, width],
  ] as const) {
    // prettier-ignore
    if (values === null) continue;
    if (values.length !== length)
      throw new InputError(where, `the ${part} has ${values.length} values; expected ${length}`);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new InputError(where, `value ${bad} of the ${part} is ${values[bad]}; expected finite numbers`);
  }
  const kind = matrix ? (offset ? 'affine' : 'linear') : offset ? 'meanShift' : 'identity';
  return { kind, name, width, matrix, offset, labelShift, fit };
}

/** The map that changes nothing. */
export function identityMap(width: number, name = 'identity'): AugmentationMap {
  return createMap({ name, width });
}

/** Adds the mean difference of the training pairs to every embedding. */
export function fitMeanShift(train: EmbeddingPairs, name: string, labelShift = 0): AugmentationMap {
  const { clean, augmented, n, width } = assertPairs(`map "${name}", train`, train);
  const [from, to] = [columnMeans(clean, width), columnMeans(augmented, width)];
  const offset = to.map((value, i) => value - from[i]);
  const fit: FitRecord = { method: 'mean', n, ridge: 0, towards: 'identity', ridgePath: [] };
  return createMap({ name, width, offset, labelShift, fit });
}

/** The matrix [width, width] of any map, the identity where it holds none. */
export function matrixOf(map: AugmentationMap): Float64Array {
  return map.matrix ?? eye(map.width);
}

/** x W' + o in float64. @param x [N, width] */
export function predict(map: AugmentationMap, x: Float32Array | Float64Array): Float64Array {
  const { matrix, offset, width } = map;
  if (x.length % width !== 0)
    throw new InputError(`augmentation map "${map.name}"`, `${x.length} values; expected rows of ${width}`);
  const rows = Float64Array.from(x);
  const y = matrix ? timesTransposed(rows, matrix, x.length / width, width, width) : rows;
  if (offset) for (let i = 0; i < y.length; i++) y[i] += offset[i % width];
  return y;
}

/** The augmented embeddings that the map expects. @param x [N, width] @returns [N, width] */
export function applyMap(map: AugmentationMap, x: Float32Array): Float32Array {
  return Float32Array.from(predict(map, x));
}

/** A table with the map applied to every clip. */
export function applyMapToTable(map: AugmentationMap, table: EmbeddingTable): EmbeddingTable {
  assertWidth(map, table.width, 'a table');
  return { ...table, embeddings: applyMap(map, table.embeddings) };
}

/** What the map leaves unexplained, augmented - map(clean). @returns [N, width] */
export function residual(map: AugmentationMap, pairs: EmbeddingPairs): Float32Array {
  assertPairs('residual', pairs, map.width);
  const predicted = predict(map, pairs.clean);
  return Float32Array.from(predicted, (value, i) => pairs.augmented[i] - value);
}

/** `after` applied to what `before` gives: W = A B, o = A b + a. Label shifts add up. */
export function composeMaps(
  after: AugmentationMap,
  before: AugmentationMap,
  name = `${after.name} after ${before.name}`,
): AugmentationMap {
  assertWidth(after, before.width, `the map "${before.name}"`);
  const { width } = after;
  const matrix =
    after.matrix && before.matrix ? timesSquare(after.matrix, before.matrix, width) : (after.matrix ?? before.matrix);
  const offset = before.offset ? predict(after, before.offset) : after.offset;
  return createMap({ name, width, matrix, offset, labelShift: after.labelShift + before.labelShift });
}

/** The map applied `exponent` times, by repeated squaring; 0 times is the identity. */
export function powerOfMap(
  map: AugmentationMap,
  exponent: number,
  name = `${map.name} x ${exponent}`,
): AugmentationMap {
  if (!Number.isInteger(exponent) || exponent < 0)
    throw new InputError(
      'powerOfMap',
      `exponent ${exponent}; expected a whole number of at least 0 (for negative ones take the inverse first)`,
    );
  let result = identityMap(map.width, name);
  let square = map;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = composeMaps(square, result, name);
    if (rest > 1) square = composeMaps(square, square, name);
  }
  return result;
}

/** Checks that something of a width can meet the map. */
export function assertWidth(map: AugmentationMap, width: number, what: string): void {
  if (width !== map.width)
    throw new InputError(
      `augmentation map "${map.name}"`,
      `has width ${map.width}; ${what}: width ${width}, expected the same`,
    );
}
