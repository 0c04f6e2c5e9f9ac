/**
 * The two forces of t-SNE on a map in the kernels' memory. Letters: n points, q = 1 / (1 + distance^2).
 *
 * Repulsion is by Barnes and Hut and not by interpolation (Linderman et al. 2019): a map of 5,000 or 20,000 points is some
 * 140 wide, three nodes for each unit and room for the convolution make transforms of 820 x 820, and the eight of an
 * iteration are 260 million operations, where the tree on SIMD is done in a tenth of the time.
 */
import type { SparseMatrix } from './affinities.js';
import { Workspace } from './wasm.js';

/** How repulsion is summed: every pair, or cells of a tree that are far enough as one point. */
export type Repulsion = 'exact' | 'barnesHut';

/** Points up to which every pair costs less than the tree: measured 200 and 300 points, where they change places. */
const FEW = 250;

/** @param n points of the map */
export function chooseRepulsion(asked: Repulsion | 'auto', n: number): Repulsion {
  if (asked !== 'auto') return asked;
  return n <= FEW ? 'exact' : 'barnesHut';
}

/** Rows of affinities as the kernel reads them: float32, filled up to multiples of 4 with entries of 0. */
export function paddedRows(matrix: SparseMatrix): { rows: Int32Array; cols: Int32Array; p: Float32Array } {
  const { n, rowStarts, columns, values } = matrix;
  const rows = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) rows[i + 1] = rows[i] + ((rowStarts[i + 1] - rowStarts[i] + 3) & ~3);
  const cols = new Int32Array(rows[n]);
  const p = new Float32Array(rows[n]);
  for (let i = 0; i < n; i++) {
    cols.set(columns.subarray(rowStarts[i], rowStarts[i + 1]), rows[i]);
    p.set(values.subarray(rowStarts[i], rowStarts[i + 1]), rows[i]);
  }
  return { rows, cols, p };
}

/** Numbers of each buffer that a tree over n points needs. */
export function treeBuffers(n: number): Record<TreeBuffer, number> {
  const list = 3 * n + 8;
  // prettier-ignore
  return { y: 2 * n + 4, keys: n, order: n, spare: 2 * n, counts: 256, xs: n + 8, ys: n + 8, nodes: 16 * n + 8, lists: 3 * list, scratch: 40 };
}
export type TreeBuffer = 'y' | 'keys' | 'order' | 'spare' | 'counts' | 'xs' | 'ys' | 'nodes' | 'lists' | 'scratch';

/** Builds the tree over the map in `y`; xs, ys then hold its points in the order of the tree. @returns end of the nodes */
export function growTree(space: Workspace<TreeBuffer>, n: number): number {
  const { at, kernels } = space;
  kernels.sortPoints(n, at.y, at.keys, at.order, at.spare, at.counts, at.xs, at.ys);
  return kernels.buildTree(n, at.keys, at.xs, at.ys, at.nodes);
}

type Buffer = TreeBuffer | 'velocity' | 'gains' | 'attraction' | 'repulsion' | 'sums' | 'ones' | 'rows' | 'cols' | 'p';

/** The forces on all points of a map, and the step that follows from them. */
export class MapForces {
  readonly mapPoints: Float32Array;
  readonly velocity: Float32Array;
  readonly gains: Float32Array;
  /** sum over neighbours of p q (y_i - y_j) [n, 2], after `compute` */
  readonly attraction: Float32Array;
  /** sum over all others of q^2 (y_i - y_j) [n, 2], after `compute` */
  readonly repulsion: Float32Array;
  /** sum over ordered pairs of different points of q, after `compute` */
  z = 0;
  private readonly space: Workspace<Buffer>;
  private readonly n: number;

  constructor(
    matrix: SparseMatrix,
    private readonly how: Repulsion,
    private readonly theta: number,
  ) {
    const n = matrix.n;
    const { rows, cols, p } = paddedRows(matrix);
    const padded = 2 * n + 4;
    this.n = n;
    this.space = new Workspace<Buffer>({
      ...treeBuffers(how === 'exact' ? 1 : n),
      // The exact sum needs the coordinates apart, but no tree.
      ...(how === 'exact' ? { y: padded, xs: n + 8, ys: n + 8 } : {}),
      velocity: padded,
      gains: padded,
      attraction: padded,
      repulsion: padded,
      sums: n,
      ones: n,
      rows: rows.length,
      cols: cols.length,
      p: p.length,
    });
    this.space.integers('rows', rows.length).set(rows);
    this.space.integers('cols', cols.length).set(cols);
    this.space.floats('p', p.length).set(p);
    this.space.floats('ones', n).fill(1);
    this.mapPoints = this.space.floats('y', 2 * n);
    this.velocity = this.space.floats('velocity', 2 * n);
    this.gains = this.space.floats('gains', 2 * n);
    this.attraction = this.space.floats('attraction', 2 * n);
    this.repulsion = this.space.floats('repulsion', 2 * n);
  }

  /** Both forces at the present map. */
  compute(): void {
    const { n, space } = this;
    const { at, kernels } = space;
    if (this.how === 'exact') {
      const xs = space.floats('xs', n);
      const ys = space.floats('ys', n);
      for (let i = 0; i < n; i++) {
        xs[i] = this.mapPoints[2 * i];
        ys[i] = this.mapPoints[2 * i + 1];
      }
      kernels.repelExactly(n, at.xs, at.ys, n, at.xs, at.ys, at.ones, at.repulsion, at.sums, at.scratch);
    } else {
      const stop = growTree(space, n);
      // prettier-ignore
      kernels.repelByTree(at.nodes, stop, at.xs, at.ys, at.order, this.theta, at.lists, 3 * n + 8, at.repulsion, at.sums, at.scratch);
    }
    // Every point has met itself with q = 1.
    this.z = Math.max(kernels.sum(n, at.sums) - n, Number.MIN_VALUE);
    kernels.attract(n, at.y, at.y, at.rows, at.cols, at.p, at.attraction);
  }

  /** One step from the forces computed; keeps the map centred. @returns length of the gradient of the exaggerated KL */
  step(exaggeration: number, learningRate: number, momentum: number, minGain: number): number {
    const { n, space, mapPoints } = this;
    const { at, kernels } = space;
    const length = (2 * n + 3) & ~3;
    // prettier-ignore
    const squared = kernels.step(length, at.y, at.velocity, at.gains, at.attraction, at.repulsion, exaggeration, this.z, learningRate, momentum, minGain);
    let x = 0;
    let y = 0;
    for (let i = 0; i < 2 * n; i += 2) {
      x += mapPoints[i];
      y += mapPoints[i + 1];
    }
    x /= n;
    y /= n;
    for (let i = 0; i < 2 * n; i += 2) {
      mapPoints[i] -= x;
      mapPoints[i + 1] -= y;
    }
    return 4 * Math.sqrt(squared);
  }
}
