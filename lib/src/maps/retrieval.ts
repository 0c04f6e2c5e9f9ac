/** Finding the true augmented clip among all: does a map hit the right place, or only the right region? */
import { subtractFromRows, timesTransposed } from './matrix.js';
import type { EmbeddingPairs } from './pairs.js';

/**
 * cosine: as in pretraining; centredCosine: after taking off the mean augmented embedding of train; euclidean: by
 * distance, which also asks for the right length.
 */
export type Similarity = 'cosine' | 'centredCosine' | 'euclidean';

/** Queries compared at once: a block of 256 x N similarities is held. */
const BLOCK = 256;

/**
 * For each pair the rank of its augmented embedding among all, ordered by similarity to the mapped clean one; 1 is
 * nearest. Pessimistic: every other candidate that is as near counts as nearer, so a map that sends all clips to one
 * point has the last rank, not the first.
 *
 * @param predicted [N, width] what a map makes of the clean embeddings
 * @param mean [width] for `centredCosine`
 */
export function retrievalRanks(
  predicted: Float64Array,
  { augmented, n, width }: EmbeddingPairs,
  similarity: Similarity,
  mean: Float64Array,
): Int32Array {
  const candidates = Float64Array.from(augmented);
  let queries = predicted;
  if (similarity === 'centredCosine') {
    subtractFromRows(candidates, mean);
    queries = subtractFromRows(predicted.slice(), mean);
  }
  // A query's own length and its own constant do not change the order. |q - c|^2 = const - 2 (q c - |c|^2 / 2)
  const halfSquares = new Float64Array(n);
  if (similarity === 'euclidean') {
    for (let i = 0; i < candidates.length; i++) halfSquares[Math.floor(i / width)] += candidates[i] ** 2 / 2;
  } else scaleToUnit(candidates, width);
  const ranks = new Int32Array(n);
  for (let from = 0; from < n; from += BLOCK) {
    const rows = Math.min(BLOCK, n - from);
    const block = queries.subarray(from * width, (from + rows) * width);
    const products = timesTransposed(block, candidates, rows, n, width);
    for (let row = 0; row < rows; row++) {
      const own = products[row * n + from + row] - halfSquares[from + row];
      for (let i = 0; i < n; i++) if (products[row * n + i] - halfSquares[i] >= own) ranks[from + row]++;
    }
  }
  return ranks;
}

/** Every row to length 1, in place; a zero row stays. */
function scaleToUnit(x: Float64Array, width: number): void {
  for (let start = 0; start < x.length; start += width) {
    const row = x.subarray(start, start + width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let i = 0; i < width; i++) row[i] /= length;
  }
}
