/** Squared distances of queries to points in blocks of rows, by matrix products. */
import { currentBackend, initBackend, matMul, tf } from '../tensor/index.js';
import type { Points } from './points.js';

/** Numbers of one block of products: 16 MB, which stays in the caches of few machines but amortises every call. */
const BLOCK_NUMBERS = 1 << 22;

/** Starts a backend if the program has not chosen one. */
async function ensureBackend(): Promise<void> {
  try {
    currentBackend();
  } catch {
    await initBackend();
  }
}

/** Both clouds moved by the mean of `points`: |x|^2 + |y|^2 - 2 x y cancels less near the origin. */
function centred(cloud: Points, mean: Float64Array): Float32Array {
  const [n, d] = cloud.shape;
  const out = new Float32Array(n * d);
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) out[i * d + c] = cloud.data[i * d + c] - mean[c];
  return out;
}

export function columnMeans({ data, shape: [n, d] }: Points): Float64Array {
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) mean[c] += data[i * d + c];
  return mean.map((sum) => sum / n);
}

function squaredNorms(data: Float32Array, n: number, d: number): Float64Array {
  const norms = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) norms[i] += data[i * d + c] ** 2;
  return norms;
}

/** One query's row: what `forEachDistanceRow` hands out. Valid until the visitor returns. */
export interface DistanceRow {
  readonly query: number;
  /** [n] |x - y_j|^2 in float32; may be a little below 0 */
  readonly squared: Float32Array;
  /** Largest error of an entry: rounding of the product, in proportion to the norms. */
  readonly tolerance: number;
}

/**
 * Visits the squared distances of every query to every point, |x|^2 + |y|^2 - 2 x y, one query after the other.
 *
 * @param queries [m, d]; the same object as `points` where the distances inside one cloud are asked for
 * @param points [n, d]
 */
export async function forEachDistanceRow(
  queries: Points,
  points: Points,
  visit: (row: DistanceRow) => void,
  signal?: AbortSignal,
): Promise<void> {
  await ensureBackend();
  const [n, d] = points.shape;
  const m = queries.shape[0];
  const mean = columnMeans(points);
  const right = centred(points, mean);
  const left = queries === points ? right : centred(queries, mean);
  const rightNorms = squaredNorms(right, n, d);
  const leftNorms = queries === points ? rightNorms : squaredNorms(left, m, d);
  const largest = rightNorms.reduce((a, b) => Math.max(a, b), 0);
  const norms = Float32Array.from(rightNorms);
  const squared = new Float32Array(n);
  const blockRows = Math.max(1, Math.min(m, Math.floor(BLOCK_NUMBERS / n)));
  const y = tf.tensor2d(right, [n, d]);
  try {
    for (let start = 0; start < m; start += blockRows) {
      signal?.throwIfAborted();
      const rows = Math.min(blockRows, m - start);
      // Data leave a scope by themselves: tf.tidy would look for tensors among the numbers, one by one.
      const product = tf.tidy(() =>
        matMul(tf.tensor2d(left.subarray(start * d, (start + rows) * d), [rows, d]), y, { transposeB: true }),
      );
      const products = product.dataSync<'float32'>();
      product.dispose();
      for (let r = 0; r < rows; r++) {
        const query = start + r;
        const own = Math.fround(leftNorms[query]);
        const at = r * n;
        for (let j = 0; j < n; j++) squared[j] = own + norms[j] - 2 * products[at + j];
        visit({ query, squared, tolerance: 1e-6 * (leftNorms[query] + largest) });
      }
      await new Promise(setImmediate);
    }
  } finally {
    y.dispose();
  }
}
