/** Squared distances of queries to points in blocks of rows, by matrix products. */
import { InputError } from '../errors.js';
import { currentBackend, initBackend, matMul, tf } from '../tensor/index.js';
import type { Points } from './points.js';

/** Rows of one block of products: with fewer, packing all points for each block costs more than the products. */
const BLOCK_ROWS = 512;
/** Numbers of one block at most (64 MB). */
const BLOCK_NUMBERS = 1 << 24;

/** A squared norm beyond this overflows in float32 products. */
const LARGEST_NORM = 1e37;

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

/** Products of some queries with all points, both moved by the mean of the points. */
export interface ProductBlock {
  /** The block's queries are start .. start + rows. */
  readonly start: number;
  readonly rows: number;
  /** [rows, n] x y_j in float32 */
  readonly products: Float32Array;
  /** [m] |x|^2 of all queries */
  readonly queryNorms: Float64Array;
  /** [n] |y|^2 of all points */
  readonly pointNorms: Float64Array;
}

/** Rows of a block for m queries against n points. */
export const blockRows = (m: number, n: number): number =>
  Math.max(1, Math.min(m, BLOCK_ROWS, Math.floor(BLOCK_NUMBERS / n)));

/**
 * Visits the products of every query with every point, block by block.
 *
 * @param queries [m, d]; the same object as `points` where the distances inside one cloud are asked for
 * @param points [n, d]
 * @throws InputError for values whose squares overflow
 */
export async function forEachProductBlock(
  queries: Points,
  points: Points,
  visit: (block: ProductBlock) => void,
  signal?: AbortSignal,
): Promise<void> {
  await ensureBackend();
  const [n, d] = points.shape;
  const m = queries.shape[0];
  const mean = columnMeans(points);
  const right = centred(points, mean);
  const left = queries === points ? right : centred(queries, mean);
  const pointNorms = squaredNorms(right, n, d);
  const queryNorms = queries === points ? pointNorms : squaredNorms(left, m, d);
  for (const norms of [pointNorms, queryNorms]) {
    const row = norms.findIndex((norm) => !(norm < LARGEST_NORM));
    if (row >= 0) throw new InputError('points', `row ${row} is ${Math.sqrt(norms[row])} long; scale the points down.`);
  }
  const most = blockRows(m, n);
  const y = tf.tensor2d(right, [n, d]);
  try {
    for (let start = 0; start < m; start += most) {
      signal?.throwIfAborted();
      const rows = Math.min(most, m - start);
      // Data leave a scope by themselves: tf.tidy would look for tensors among the numbers, one by one.
      const product = tf.tidy(() =>
        matMul(tf.tensor2d(left.subarray(start * d, (start + rows) * d), [rows, d]), y, { transposeB: true }),
      );
      const products = product.dataSync<'float32'>();
      product.dispose();
      visit({ start, rows, products, queryNorms, pointNorms });
      await new Promise(setImmediate);
    }
  } finally {
    y.dispose();
  }
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
 * Arguments as of `forEachProductBlock`.
 */
export async function forEachDistanceRow(
  queries: Points,
  points: Points,
  visit: (row: DistanceRow) => void,
  signal?: AbortSignal,
): Promise<void> {
  const n = points.shape[0];
  const squared = new Float32Array(n);
  await forEachProductBlock(
    queries,
    points,
    ({ start, rows, products, queryNorms, pointNorms }) => {
      const largest = pointNorms.reduce((a, b) => Math.max(a, b), 0);
      for (let r = 0; r < rows; r++) {
        const own = queryNorms[start + r];
        for (let j = 0; j < n; j++) squared[j] = own + pointNorms[j] - 2 * products[r * n + j];
        visit({ query: start + r, squared, tolerance: 1e-6 * (own + largest) });
      }
    },
    signal,
  );
}
