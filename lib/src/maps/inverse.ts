/** Undoing a map. */
import { InputError } from '../errors.js';
import { type AugmentationMap, createMap, predict } from './map.js';
import { singularValueDecomposition, timesTransposed, transpose } from './matrix.js';

export interface InverseMap {
  readonly map: AugmentationMap;
  /** largest over smallest singular value kept: the factor by which relative errors of an embedding can grow */
  readonly conditionNumber: number;
  /** singular values kept: the width, or fewer with a cut-off */
  readonly rank: number;
}

/**
 * The map back, x = W^-1 (y - o), through the singular values of W.
 *
 * @param options.cutoff singular values below `cutoff` times the largest are left out, which gives the pseudo-inverse
 *   (Moore and Penrose): a fitted map's small singular values are mostly noise, which an inverse blows up. Default none.
 * @throws InputError for a singular matrix without a cut-off
 */
export function invertMap(map: AugmentationMap, options: { readonly cutoff?: number } = {}): InverseMap {
  const { width, matrix, offset } = map;
  const { cutoff = null } = options;
  const name = `inverse of ${map.name}`;
  const where = `inverse of augmentation map "${map.name}"`;
  if (cutoff !== null && !(cutoff > 0 && cutoff < 1))
    throw new InputError(where, `cutoff ${cutoff}; expected a number between 0 and 1`);
  let inverse: Float64Array | null = null;
  let [conditionNumber, rank] = [1, width];
  if (matrix) {
    const { values, left, right } = singularValueDecomposition(matrix, width);
    // Below width * epsilon * largest a computed singular value cannot be told from 0.
    const smallest = values[0] * (cutoff ?? width * Number.EPSILON);
    rank = values.findIndex((value) => value <= smallest);
    if (rank < 0) rank = width;
    if (rank === 0 || (cutoff === null && rank < width))
      throw new InputError(
        where,
        `the matrix is singular (${width - rank} of ${width} singular values are 0 to rounding), so nothing undoes it; give a cutoff for the pseudo-inverse`,
      );
    conditionNumber = values[0] / values[rank - 1];
    // W = left' S right, so the inverse is right' S^-1 left.
    const scaled = right.slice(0, rank * width);
    for (let i = 0; i < scaled.length; i++) scaled[i] /= values[Math.floor(i / width)];
    const kept = left.subarray(0, rank * width);
    inverse = timesTransposed(transpose(scaled, rank, width), transpose(kept, rank, width), width, width, rank);
  }
  const back = createMap({ name, width, matrix: inverse, labelShift: 0 - map.labelShift });
  const shifted = offset && predict(back, offset).map((value) => 0 - value);
  return { map: createMap({ ...back, offset: shifted }), conditionNumber, rank };
}
