/** New points on a fixed map. Letters: n fitted points, m new points. */
import { InputError } from '../errors.js';
import { conditionalProbabilities, effectivePerplexity } from './affinities.js';
import { growTree, treeBuffers, type TreeBuffer } from './forces.js';
import { nearestNeighbours, type Neighbours } from './neighbours.js';
import { checkCount, checkOption, checkPoints, type Points } from './points.js';
import { Workspace } from './wasm.js';

/** Points and where they are on a map. */
export interface FittedMap {
  /** [n, d] */
  readonly points: Points;
  /** [n, 2] */
  readonly mapPoints: Float32Array;
}

/** Settings of `transform`; the defaults are openTSNE's. */
export interface TransformOptions {
  /** Neighbours that count for a new point (default 5; at most n / 3). */
  readonly perplexity?: number;
  /** Neighbours whose median position a new point starts from (default 25; at most n). */
  readonly startNeighbours?: number;
  /** Default 250; 0 leaves the points at their start. */
  readonly iterations?: number;
  /** Factor of the attraction (default 1.5). */
  readonly exaggeration?: number;
  /** Default .1, the 4 left out of the gradient as in `optimize`. */
  readonly learningRate?: number;
  /** Default .8. */
  readonly momentum?: number;
  /** A longer gradient of a point is cut to this (default .25), so that none shoots off. */
  readonly maxGradientNorm?: number;
  /** A longer step of a point is cut to this, in units of the map (default 1). */
  readonly maxStepNorm?: number;
  /** Barnes-Hut, for maps of more than 2,000 points (default .5; 0: every pair). */
  readonly theta?: number;
  readonly signal?: AbortSignal;
}

export interface Transformed {
  /** [m, 2] */
  readonly mapPoints: Float32Array;
  /** [m] KL of each new point's neighbours against its neighbours on the map, in nats */
  readonly klDivergence: Float64Array;
  /** The perplexity in use: the asked one, or n / 3 where the map has too few points. */
  readonly perplexity: number;
}

/** Fitted points up to which every pair costs less than a list of cells for each new point. */
const FEW = 2000;
const BREATH = 10;

/** The value at which half of the weight lies below. @param order indices by ascending value */
function weightedMedian(values: Float64Array, weights: Float64Array): number {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b] || a - b);
  const half = weights.reduce((a, b) => a + b, 0) / 2;
  let below = 0;
  for (const i of order) {
    below += weights[i];
    if (below >= half) return values[i];
  }
  return values[order[order.length - 1]];
}

/** Each new point at the median, axis by axis, of its neighbours on the map, weighted by its affinities to them. */
function startPositions(neighbours: Neighbours, weights: Float64Array, mapPoints: Float32Array): Float32Array {
  const { k, indices } = neighbours;
  const m = indices.length / k;
  const start = new Float32Array(2 * m);
  for (let i = 0; i < m; i++) {
    const own = weights.subarray(i * k, (i + 1) * k);
    for (let axis = 0; axis < 2; axis++) {
      const values = Float64Array.from({ length: k }, (_, j) => mapPoints[2 * indices[i * k + j] + axis]);
      start[2 * i + axis] = weightedMedian(values, own);
    }
  }
  return start;
}

/** The first `k` neighbours of each. */
function firstNeighbours({ k: all, indices, squared }: Neighbours, k: number): Neighbours {
  const m = indices.length / all;
  const out: Neighbours = { k, indices: new Int32Array(m * k), squared: new Float64Array(m * k) };
  for (let i = 0; i < m; i++) {
    out.indices.set(indices.subarray(i * all, i * all + k), i * k);
    out.squared.set(squared.subarray(i * all, i * all + k), i * k);
  }
  return out;
}

type Buffer = TreeBuffer | 'txs' | 'tys' | 'targets' | 'repulsion' | 'attraction' | 'sums' | 'ones' | 'rows' | 'cols' | 'p'; // prettier-ignore

/** The forces of a fixed map on points that do not see each other. */
class FixedMap {
  readonly targets: Float32Array;
  readonly attraction: Float32Array;
  readonly repulsion: Float32Array;
  /** [m] sum over the map of q, after `compute` */
  readonly sums: Float32Array;
  private readonly stop: number;
  private readonly space: Workspace<Buffer>;

  constructor(
    mapPoints: Float32Array,
    neighbours: Neighbours,
    p: Float64Array,
    private readonly theta: number,
  ) {
    const n = mapPoints.length / 2;
    const { k, indices } = neighbours;
    const m = indices.length / k;
    const width = (k + 3) & ~3;
    // prettier-ignore
    const space = new Workspace<Buffer>({ ...treeBuffers(n), txs: m + 8, tys: m + 8, targets: 2 * m, repulsion: 2 * m, attraction: 2 * m, sums: m, ones: n, rows: m + 1, cols: m * width, p: m * width });
    this.space = space;
    space.floats('y', 2 * n).set(mapPoints);
    space.floats('ones', n).fill(1);
    const rows = space.integers('rows', m + 1);
    const cols = space.integers('cols', m * width);
    const weights = space.floats('p', m * width);
    for (let i = 0; i < m; i++) {
      rows[i + 1] = (i + 1) * width;
      cols.set(indices.subarray(i * k, (i + 1) * k), i * width);
      weights.set(p.subarray(i * k, (i + 1) * k), i * width);
    }
    this.targets = space.floats('targets', 2 * m);
    this.attraction = space.floats('attraction', 2 * m);
    this.repulsion = space.floats('repulsion', 2 * m);
    this.sums = space.floats('sums', m);
    this.stop = growTree(space, n);
  }

  compute(n: number, m: number): void {
    const { space, targets, theta } = this;
    const { at, kernels } = space;
    const txs = space.floats('txs', m);
    const tys = space.floats('tys', m);
    for (let i = 0; i < m; i++) {
      txs[i] = targets[2 * i];
      tys[i] = targets[2 * i + 1];
    }
    if (n <= FEW || theta === 0) {
      kernels.repelExactly(m, at.txs, at.tys, n, at.xs, at.ys, at.ones, at.repulsion, at.sums, at.scratch);
    } else {
      // prettier-ignore
      kernels.repelEachByTree(m, at.txs, at.tys, at.nodes, this.stop, at.xs, at.ys, theta, at.lists, 3 * n + 8, at.repulsion, at.sums);
    }
    kernels.attract(m, at.targets, at.y, at.rows, at.cols, at.p, at.attraction);
  }
}

/**
 * Places new points on a fixed map (Poličar, Stražar and Zupan 2019). Each has affinities p to its nearest fitted points,
 * starts at their weighted median and minimises, for itself alone,
 *   KL = sum_j p_j log(p_j / q_j),  q_j = (1 + |y - y_j|^2)^-1 / sum_k (1 + |y - y_k|^2)^-1 over all fitted k.
 * The fitted points stay where they are and new points do not see each other: placing many is placing each by itself,
 * bit for bit.
 *
 * @param fitted points [n, d] and their map [n, 2]
 * @param newPoints [m, d]
 * @throws InputError for shapes that do not fit, values that are not finite, an option out of range
 */
export async function transform(
  fitted: FittedMap,
  newPoints: Points,
  options: TransformOptions = {},
): Promise<Transformed> {
  const where = 'transform';
  const [n] = checkPoints(`${where}: fitted.points`, fitted.points, 1);
  const [m] = checkPoints(`${where}: newPoints`, newPoints, 0);
  checkPoints(`${where}: fitted.mapPoints`, { data: fitted.mapPoints, shape: [n, 2] }, 1);
  if (newPoints.shape[1] !== fitted.points.shape[1]) {
    throw new InputError(
      where,
      `the new points have ${newPoints.shape[1]} columns; the fitted ones ${fitted.points.shape[1]}.`,
    );
  }
  const { iterations = 250, exaggeration = 1.5, learningRate = 0.1, momentum = 0.8, theta = 0.5, signal } = options;
  const { maxGradientNorm = 0.25, maxStepNorm = 1, perplexity: asked = 5, startNeighbours = 25 } = options;
  checkOption(where, 'perplexity', asked, 1, Infinity);
  checkCount(where, 'startNeighbours', startNeighbours, 1, Infinity);
  checkCount(where, 'iterations', iterations, 0, Infinity);
  checkOption(where, 'exaggeration', exaggeration, 0, Infinity);
  checkOption(where, 'learningRate', learningRate, Number.MIN_VALUE, Infinity);
  checkOption(where, 'momentum', momentum, 0, 1);
  checkOption(where, 'theta', theta, 0, 2);
  checkOption(where, 'maxGradientNorm', maxGradientNorm, Number.MIN_VALUE, Infinity);
  checkOption(where, 'maxStepNorm', maxStepNorm, Number.MIN_VALUE, Infinity);
  const { perplexity, k } = effectivePerplexity(asked, n + 1);
  if (m === 0) return { mapPoints: new Float32Array(0), klDivergence: new Float64Array(0), perplexity };

  const startK = Math.min(n, startNeighbours);
  const all = await nearestNeighbours(fitted.points, newPoints, Math.max(k, startK), signal);
  const neighbours = firstNeighbours(all, k);
  const p = conditionalProbabilities(neighbours, perplexity);
  const forStart = firstNeighbours(all, startK);
  const startWeights = conditionalProbabilities(forStart, Math.min(perplexity, startK));
  const map = new FixedMap(fitted.mapPoints, neighbours, p, theta);
  const { targets, attraction, repulsion, sums } = map;
  targets.set(startPositions(forStart, startWeights, fitted.mapPoints));
  const velocity = new Float64Array(2 * m);
  const gains = new Float64Array(2 * m).fill(1);
  const gradient = [0, 0];
  for (let iteration = 0; iteration < iterations; iteration++) {
    map.compute(n, m);
    for (let i = 0; i < m; i++) {
      for (let c = 0; c < 2; c++) gradient[c] = exaggeration * attraction[2 * i + c] - repulsion[2 * i + c] / sums[i];
      const shrink = Math.min(1, maxGradientNorm / Math.hypot(gradient[0], gradient[1]));
      for (let c = 0; c < 2; c++) {
        const at = 2 * i + c;
        const g = shrink * gradient[c];
        gains[at] = Math.max(0.01, velocity[at] * g < 0 ? gains[at] + 0.2 : gains[at] * 0.8);
        velocity[at] = momentum * velocity[at] - learningRate * gains[at] * g;
      }
      const cut = Math.min(1, maxStepNorm / Math.hypot(velocity[2 * i], velocity[2 * i + 1]));
      for (let c = 0; c < 2; c++) targets[2 * i + c] += velocity[2 * i + c] *= cut;
    }
    if (iteration % BREATH === 0) {
      await new Promise(setImmediate);
      signal?.throwIfAborted();
    }
  }
  map.compute(n, m);
  const klDivergence = pointDivergences(fitted.mapPoints, targets, sums, neighbours, p);
  return { mapPoints: targets.slice(), klDivergence, perplexity };
}

/** sum_j p_j log(p_j / q_j) of each target. */
function pointDivergences(
  mapPoints: Float32Array,
  targets: Float32Array,
  sums: Float32Array,
  { k, indices }: Neighbours,
  p: Float64Array,
): Float64Array {
  return Float64Array.from(sums, (z, i) => {
    let sum = Math.log(z);
    for (let e = i * k; e < (i + 1) * k; e++) {
      const j = indices[e];
      const d2 = (targets[2 * i] - mapPoints[2 * j]) ** 2 + (targets[2 * i + 1] - mapPoints[2 * j + 1]) ** 2;
      if (p[e] > 0) sum += p[e] * Math.log(p[e] * (1 + d2));
    }
    return sum;
  });
}
