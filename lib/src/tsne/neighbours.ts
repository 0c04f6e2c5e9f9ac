/** The k nearest neighbours of every point. */
import { blockRows, forEachProductBlock, type ProductBlock } from './distances.js';
import { checkCount, checkPoints, type Points, rowOf } from './points.js';
import { Workspace } from './wasm.js';

/** k nearest neighbours of m queries, the nearest first; equal distances in the order of the points. */
export interface Neighbours {
  readonly k: number;
  /** [m, k] rows of the points */
  readonly indices: Int32Array;
  /** [m, k] squared Euclidean distances */
  readonly squared: Float64Array;
}

/**
 * Candidates beyond k that the product finds: its float32 rounding may swap neighbours of nearly equal distance, the
 * distances of the candidates are computed again without cancellation and decide.
 */
export const SPARE = 8;

type Buffer = 'products' | 'norms' | 'values' | 'indices' | 'out';

/** The `keep` nearest points of each row of a block of products, found by the kernel `nearest`. */
export class CandidateSearch {
  private readonly space: Workspace<Buffer>;

  /** @param rows of a block at most @param n points */
  constructor(
    rows: number,
    private readonly n: number,
    private readonly keep: number,
  ) {
    const room = 4 * keep + 68;
    this.space = new Workspace<Buffer>({ products: rows * n, norms: n, values: room, indices: room, out: rows * keep });
  }

  /**
   * @param withinPoints whether the queries are the points, each of which is then left out of its own row
   * @returns [rows, keep] points in no order, filled up with -1; valid until the next call
   */
  find({ start, rows, products, pointNorms }: ProductBlock, withinPoints: boolean): Int32Array {
    const { space, n, keep } = this;
    const { at, kernels } = space;
    space.floats('products', rows * n).set(products);
    space.floats('norms', n).set(pointNorms);
    kernels.nearest(rows, n, at.products, at.norms, withinPoints ? start : -1, keep, at.values, at.indices, at.out);
    return space.integers('out', rows * keep);
  }
}

/** Orders candidates by distances that are computed again without cancellation, by the kernel `distances`. */
export class NearestWriter {
  private readonly space: Workspace<'points' | 'query' | 'ids' | 'squared'>;
  private readonly d: number;

  /** @param keep candidates of a query at most */
  constructor(
    points: Points,
    private readonly keep: number,
  ) {
    this.d = points.shape[1];
    this.space = new Workspace({ points: points.data.length, query: this.d, ids: keep, squared: 2 * keep });
    this.space.floats('points', points.data.length).set(points.data);
  }

  /**
   * Writes the k nearest of the candidates to row `row` of `out`.
   * @param query [d] @param candidates up to the first -1
   */
  write(out: Neighbours, row: number, query: Float32Array, candidates: Int32Array): void {
    const { space, d, keep } = this;
    const { k } = out;
    const gap = candidates.indexOf(-1);
    const count = gap < 0 ? candidates.length : gap;
    space.floats('query', d).set(query);
    space.integers('ids', keep).set(candidates.subarray(0, count));
    space.kernels.distances(count, d, space.at.query, space.at.points, space.at.ids, space.at.squared);
    const squared = space.doubles('squared', count);
    const found = out.squared.subarray(row * k, (row + 1) * k).fill(Infinity);
    const ids = out.indices.subarray(row * k, (row + 1) * k).fill(-1);
    for (let c = 0; c < count; c++) {
      const id = candidates[c];
      const distance = squared[c];
      if (distance > found[k - 1] || (distance === found[k - 1] && id > ids[k - 1])) continue;
      let at = k - 1;
      while (at > 0 && (found[at - 1] > distance || (found[at - 1] === distance && ids[at - 1] > id))) {
        found[at] = found[at - 1];
        ids[at] = ids[at - 1];
        at--;
      }
      found[at] = distance;
      ids[at] = id;
    }
  }
}

/**
 * The exact k nearest neighbours by blocked products. Time m n d; 20,000 points of 384 numbers take some seconds with a
 * BLAS.
 *
 * @param queries [m, d]; `null`: the points themselves, each without itself
 * @param k 1 to n (n - 1 for the points themselves)
 * @throws InputError for k out of range, widths that differ, or values that are not finite
 */
export async function nearestNeighbours(
  points: Points,
  queries: Points | null,
  k: number,
  signal?: AbortSignal,
): Promise<Neighbours> {
  const where = 'nearestNeighbours';
  const [n, d] = checkPoints(`${where}: points`, points, queries ? 1 : 2);
  const asking = queries ?? points;
  const m = queries ? checkQueries(where, queries, d) : n;
  checkCount(where, 'k', k, 1, queries ? n : n - 1);
  const out: Neighbours = { k, indices: new Int32Array(m * k), squared: new Float64Array(m * k) };
  const keep = Math.min(n, k + SPARE);
  const search = new CandidateSearch(blockRows(m, n), n, keep);
  const nearest = new NearestWriter(points, keep);
  await forEachProductBlock(
    asking,
    points,
    (block) => {
      const found = search.find(block, queries === null);
      for (let r = 0; r < block.rows; r++) {
        const query = block.start + r;
        nearest.write(out, query, rowOf(asking, query), found.subarray(r * keep, (r + 1) * keep));
      }
    },
    signal,
  );
  return out;
}

/** Checks queries against the width of the points. @returns m */
export function checkQueries(where: string, queries: Points, d: number): number {
  const [m, width] = checkPoints(`${where}: queries`, queries, 1);
  checkCount(where, 'width of the queries', width, d, d);
  return m;
}
