/** Standardizing columns. Fit on train and apply to every split; fitting on test as well leaks test statistics. */
import { InputError } from '../errors.js';
import type { EmbeddingTable } from './table.js';

export interface Standardizer {
  /** [width] */
  readonly mean: Float64Array;
  /** [width] population standard deviation; 1 for a constant column, which then becomes 0 */
  readonly scale: Float64Array;
}

/** Mean and population standard deviation of each column over all clips (as scikit-learn's StandardScaler). */
export function fitStandardizer(table: Pick<EmbeddingTable, 'embeddings' | 'nClips' | 'width'>): Standardizer {
  const { embeddings, nClips, width } = table;
  if (nClips === 0) throw new InputError('fitStandardizer', 'the table has no clips; expected at least one');
  const mean = new Float64Array(width);
  for (let start = 0; start < embeddings.length; start += width)
    for (let column = 0; column < width; column++) mean[column] += embeddings[start + column];
  for (let column = 0; column < width; column++) mean[column] /= nClips;
  const scale = new Float64Array(width);
  for (let start = 0; start < embeddings.length; start += width)
    for (let column = 0; column < width; column++) scale[column] += (embeddings[start + column] - mean[column]) ** 2;
  for (let column = 0; column < width; column++) {
    const deviation = Math.sqrt(scale[column] / nClips);
    // A constant column's rounded mean can leave a deviation of some ulps, which must not be blown up to 1.
    scale[column] = deviation <= 1e-12 * Math.abs(mean[column]) ? 1 : deviation;
  }
  return { mean, scale };
}

/** (x - mean) / scale of every row, as a new table. */
export function standardize(table: EmbeddingTable, { mean, scale }: Standardizer): EmbeddingTable {
  const { embeddings, width } = table;
  if (mean.length !== width)
    throw new InputError(
      'standardize',
      `a table of width ${width}; the standardizer was fitted on width ${mean.length}`,
    );
  const scaled = new Float32Array(embeddings.length);
  for (let start = 0; start < embeddings.length; start += width)
    for (let column = 0; column < width; column++)
      scaled[start + column] = (embeddings[start + column] - mean[column]) / scale[column];
  return { ...table, embeddings: scaled };
}
