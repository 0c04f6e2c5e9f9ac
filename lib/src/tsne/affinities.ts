/** Affinities: how much each point takes each other for its neighbour, as a sparse symmetric matrix. */
import { forestNeighbours } from './forest.js';
import { nearestNeighbours, type Neighbours } from './neighbours.js';
import { checkOption, checkPoints, type Points } from './points.js';

/** A sparse matrix [n, n] in compressed rows; the columns of a row ascend. */
export interface SparseMatrix {
  readonly n: number;
  /** [n + 1] */
  readonly rowStarts: Int32Array;
  /** [entries] */
  readonly columns: Int32Array;
  /** [entries] */
  readonly values: Float64Array;
}

export interface AffinityOptions {
  /** How many neighbours count, as 2 to the power of the entropy of a row (default 30). */
  readonly perplexity?: number;
  /** How neighbours are found: every pair, a forest of random projections, or by size (default; from 30,000 points a forest). */
  readonly neighbours?: 'auto' | 'exact' | 'approximate';
  /** Seed of the forest (default 0); exact neighbours need none. */
  readonly seed?: number | string;
  readonly signal?: AbortSignal;
}

export interface Affinities {
  /** P: symmetric, not negative, sums to 1, nothing on the diagonal. */
  readonly matrix: SparseMatrix;
  readonly askedPerplexity: number;
  /** The perplexity in use: the asked one, or (n - 1) / 3 where there are too few points (never below 1). */
  readonly perplexity: number;
  /** Neighbours of a point: 3 x perplexity, at most n - 1. */
  readonly k: number;
  readonly neighbours: 'exact' | 'approximate';
}

/** Points from which `auto` takes the forest; with a BLAS both take about as long at 30,000 to 40,000. */
const MANY = 30_000;

/** The perplexity that n points allow, and the neighbours that it looks at, as in openTSNE. */
export function effectivePerplexity(asked: number, n: number): { perplexity: number; k: number } {
  const perplexity = Math.max(1, Math.min(asked, (n - 1) / 3));
  return { perplexity, k: Math.max(1, Math.min(n - 1, Math.floor(3 * perplexity))) };
}

/**
 * Conditional probabilities of a row of neighbours,
 *   p(j|i) = exp(-beta_i d_ij^2) / sum_k exp(-beta_i d_ik^2),
 * with beta_i such that the entropy H_i = -sum p log p is log(perplexity) (van der Maaten and Hinton 2008). beta is found
 * by Newton's method, dH / dbeta = -beta Var_p(d^2), inside a bracket that bisection shrinks where Newton leaves it.
 *
 * A row whose entropy cannot reach the perplexity (equal distances) keeps the nearest distribution that it can have.
 *
 * @param neighbours [m, k]
 * @returns [m, k], every row sums to 1
 */
export function conditionalProbabilities(neighbours: Neighbours, perplexity: number): Float64Array {
  const { k, squared } = neighbours;
  const target = Math.log(Math.min(perplexity, k));
  const p = new Float64Array(squared.length);
  for (let row = 0; row < squared.length; row += k) {
    // Distances beyond the nearest: the constant cancels in p and keeps exp from underflow.
    const nearest = squared[row];
    let mean = 0;
    for (let j = 0; j < k; j++) mean += (squared[row + j] - nearest) / k;
    let low = 0;
    let high = Infinity;
    let beta = mean > 0 ? 1 / mean : 1;
    for (let iteration = 0; iteration < 100; iteration++) {
      let sum = 0;
      let first = 0;
      let second = 0;
      for (let j = 0; j < k; j++) {
        const distance = squared[row + j] - nearest;
        const weight = Math.exp(-beta * distance);
        p[row + j] = weight;
        sum += weight;
        first += weight * distance;
        second += weight * distance * distance;
      }
      first /= sum;
      for (let j = 0; j < k; j++) p[row + j] /= sum;
      const excess = Math.log(sum) + beta * first - target;
      if (Math.abs(excess) < 1e-10) break;
      if (excess > 0) low = beta;
      else high = beta;
      const slope = -beta * (second / sum - first * first);
      let next = beta - excess / slope;
      if (!(next > low && next < high)) next = high === Infinity ? 2 * beta : (low + high) / 2;
      if (next === beta || !(next < 1e300)) break;
      beta = next;
    }
  }
  return p;
}

/** The transpose of a sparse matrix; its columns ascend whatever the order in `matrix` was. */
function transpose({ n, rowStarts, columns, values }: SparseMatrix): SparseMatrix {
  const starts = new Int32Array(n + 1);
  for (const column of columns) starts[column + 1]++;
  for (let i = 0; i < n; i++) starts[i + 1] += starts[i];
  const at = starts.slice(0, n);
  const outColumns = new Int32Array(columns.length);
  const outValues = new Float64Array(values.length);
  for (let i = 0; i < n; i++) {
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) {
      const to = at[columns[e]]++;
      outColumns[to] = i;
      outValues[to] = values[e];
    }
  }
  return { n, rowStarts: starts, columns: outColumns, values: outValues };
}

/** (A + A') / 2n of conditional probabilities A [n, k]: the joint probabilities P. */
export function jointProbabilities(neighbours: Neighbours, conditional: Float64Array): SparseMatrix {
  const { k, indices } = neighbours;
  const n = indices.length / k;
  const rowStarts = Int32Array.from({ length: n + 1 }, (_, i) => i * k);
  const b = transpose({ n, rowStarts, columns: indices, values: conditional });
  const a = transpose(b); // the rows again, now with ascending columns
  const starts = new Int32Array(n + 1);
  const columns = new Int32Array(2 * indices.length);
  const values = new Float64Array(2 * indices.length);
  let to = 0;
  for (let i = 0; i < n; i++) {
    let e = a.rowStarts[i];
    let f = b.rowStarts[i];
    while (e < a.rowStarts[i + 1] || f < b.rowStarts[i + 1]) {
      const left = e < a.rowStarts[i + 1] ? a.columns[e] : n;
      const right = f < b.rowStarts[i + 1] ? b.columns[f] : n;
      let value = 0;
      if (left <= right) value += a.values[e++];
      if (right <= left) value += b.values[f++];
      columns[to] = Math.min(left, right);
      values[to++] = value / (2 * n);
    }
    starts[i + 1] = to;
  }
  return { n, rowStarts: starts, columns: columns.slice(0, to), values: values.slice(0, to) };
}

/**
 * The affinities P of points among themselves: nearest neighbours, a bandwidth of its own for each point, symmetrised.
 *
 * @param points [n, d], n >= 2
 * @throws InputError for a value that is not finite, fewer than 2 points, or a perplexity below 1
 */
export async function affinities(points: Points, options: AffinityOptions = {}): Promise<Affinities> {
  const { perplexity: asked = 30, seed = 0, signal } = options;
  const [n] = checkPoints('affinities: points', points, 2);
  checkOption('affinities', 'perplexity', asked, 1, Infinity);
  const { perplexity, k } = effectivePerplexity(asked, n);
  const how = options.neighbours ?? 'auto';
  const kind = how === 'auto' ? (n < MANY ? 'exact' : 'approximate') : how;
  const found = await (kind === 'exact'
    ? nearestNeighbours(points, null, k, signal)
    : forestNeighbours(points, k, { seed, signal }));
  const matrix = jointProbabilities(found, conditionalProbabilities(found, perplexity));
  return { matrix, askedPerplexity: asked, perplexity, k, neighbours: kind };
}
