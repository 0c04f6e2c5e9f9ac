/** Approximate neighbours for many points: a forest of random projection trees, leaves searched exactly. */
import { createRng, type Rng } from '../tensor/index.js';
import { forEachDistanceRow } from './distances.js';
import { type Neighbours, SmallestSoFar, SPARE, writeNearest } from './neighbours.js';
import { checkCount, checkPoints, type Points } from './points.js';

export interface ForestOptions {
  /** Trees (default 12): each one more finds neighbours that the borders of the others cut off. */
  readonly trees?: number;
  /** Points of a leaf at most (default 6 k, at least 256). */
  readonly leafSize?: number;
  readonly seed?: number | string;
  readonly signal?: AbortSignal;
}

/**
 * Splits the rows in half at the median of their projections on the line through two of them, again and again
 * (Dasgupta and Freund 2008, with the directions of Annoy).
 */
function leavesOf(points: Points, leafSize: number, rng: Rng): Int32Array[] {
  const { data, shape: [n, d] } = points; // prettier-ignore
  const leaves: Int32Array[] = [];
  const direction = new Float64Array(d);
  const projections = new Float64Array(n);
  const split = (rows: Int32Array): void => {
    if (rows.length <= leafSize) {
      leaves.push(rows);
      return;
    }
    const a = rows[rng.int(rows.length)] * d;
    const b = rows[rng.int(rows.length)] * d;
    for (let c = 0; c < d; c++) direction[c] = data[a + c] - data[b + c];
    for (const row of rows) {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += data[row * d + c] * direction[c];
      projections[row] = sum;
    }
    const sorted = rows.slice().sort((i, j) => projections[i] - projections[j] || i - j);
    const half = sorted.length >> 1;
    split(sorted.slice(0, half));
    split(sorted.slice(half));
  };
  split(Int32Array.from({ length: n }, (_, i) => i));
  return leaves;
}

/** The rows named, as a cloud of their own. */
function selectRows({ data, shape: [, d] }: Points, rows: Int32Array): Points {
  const out = new Float32Array(rows.length * d);
  rows.forEach((row, i) => out.set(data.subarray(row * d, (row + 1) * d), i * d));
  return { data: out, shape: [rows.length, d] };
}

/**
 * Nearly the k nearest neighbours of every point. On clustered data more than nine of ten are the true ones; a point
 * always gets k. Time n d (leafSize trees + trees log n) instead of n^2 d.
 *
 * @throws InputError as `nearestNeighbours`
 */
export async function forestNeighbours(points: Points, k: number, options: ForestOptions = {}): Promise<Neighbours> {
  const where = 'forestNeighbours';
  const [n] = checkPoints(`${where}: points`, points, 2);
  checkCount(where, 'k', k, 1, n - 1);
  const { trees = 12, leafSize = Math.max(256, 6 * k), seed = 0, signal } = options;
  checkCount(where, 'trees', trees, 1, 1000);
  checkCount(where, 'leafSize', leafSize, 2 * k + 2, Infinity); // a leaf, half of what was split, must hold k others
  const rng = createRng(seed);
  const keep = k + SPARE;
  const ids = new Int32Array(n * keep).fill(-1);
  const distances = new Float32Array(n * keep);
  const smallest = new SmallestSoFar(keep);
  const merged = new SmallestSoFar(keep);
  const seenBy = new Int32Array(n);
  for (let tree = 0; tree < trees; tree++) {
    seenBy.fill(-1);
    for (const rows of leavesOf(points, leafSize, rng)) {
      const leaf = selectRows(points, rows);
      await forEachDistanceRow(
        leaf,
        leaf,
        ({ query, squared }) => {
          const row = rows[query];
          const own = row * keep;
          merged.clear();
          for (let j = own; j < own + keep && ids[j] >= 0; j++) {
            seenBy[ids[j]] = row;
            merged.offer(distances[j], ids[j]);
          }
          const found = smallest.take(squared, query);
          for (let j = 0; j < found; j++) {
            const id = rows[smallest.indices[j]];
            if (seenBy[id] !== row) merged.offer(smallest.values[j], id);
          }
          const kept = merged.finish();
          ids.set(merged.indices.subarray(0, kept), own);
          distances.set(merged.values.subarray(0, kept), own);
        },
        signal,
      );
    }
  }
  const out: Neighbours = { k, indices: new Int32Array(n * k), squared: new Float64Array(n * k) };
  for (let row = 0; row < n; row++) {
    const candidates = ids.subarray(row * keep, (row + 1) * keep);
    const gap = candidates.indexOf(-1);
    writeNearest(out, row, points, row, points, candidates, gap < 0 ? keep : gap);
  }
  return out;
}
