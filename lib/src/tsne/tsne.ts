/** t-SNE in one call; the stages it consists of are the other files of the room. */
import { type Affinities, affinities, type AffinityOptions } from './affinities.js';
import { InputError } from '../errors.js';
import { pcaInitialization, randomInitialization } from './initialization.js';
import { klDivergence } from './objective.js';
import { type MapState, optimize, type OptimizeOptions, STAGES, startState } from './optimize.js';
import { checkCount, type Points } from './points.js';
import { transform, type Transformed, type TransformOptions } from './transform.js';

export interface TsneOptions extends AffinityOptions, OptimizeOptions {
  /** Principal components (default), normals, or positions [n, 2] taken as they are. */
  readonly initialization?: 'pca' | 'random' | Float32Array;
  /** Iterations in all (default 1,000), the first 250 of them with early exaggeration. */
  readonly iterations?: number;
  /** As in `Stage` (default `auto`). */
  readonly learningRate?: number | 'auto';
}

/** A finished map, with what led to it. */
export interface TsneMap {
  readonly points: Points;
  /** [n, 2] */
  readonly mapPoints: Float32Array;
  /** KL(P || Q) of the map in nats, Z over every pair up to 20,000 points and by Barnes-Hut beyond */
  readonly klDivergence: number;
  readonly affinities: Affinities;
  /** From here `optimize` goes on. */
  readonly state: MapState;
  /** New points on this map, which stays as it is. */
  transform(newPoints: Points, options?: TransformOptions): Promise<Transformed>;
}

/** Points up to which the final KL sums Z over every pair (a second or so). */
const EXACT_KL = 20_000;

/**
 * A map of points by t-SNE (van der Maaten and Hinton 2008), with the defaults of openTSNE:
 *
 *     const { mapPoints } = await tsne({ data: table.embeddings, shape: [table.nClips, table.width] });
 *
 * By stages the same is
 *
 *     const p = await affinities(points, { perplexity: 30 });
 *     let state = startState(pcaInitialization(points));
 *     state = await optimize(p, state, STAGES.early);
 *     state = await optimize(p, state, STAGES.main);
 *
 * The same points and seed give the same map, with and without a BLAS.
 *
 * @param points [n, d], n >= 2
 * @throws InputError for a value that is not finite, fewer than 2 points, an option out of range
 */
export async function tsne(points: Points, options: TsneOptions = {}): Promise<TsneMap> {
  const { initialization = 'pca', iterations = 1000, learningRate, seed = 0 } = options;
  checkCount('tsne', 'iterations', iterations, 0, Infinity);
  const p = await affinities(points, options);
  const { n } = p.matrix;
  const early = Math.min(iterations, STAGES.early.iterations);
  let state = startState(startOf(points, initialization, seed));
  // Only the end of the last stage is reported as an end: the early one would repeat the iteration.
  state = await optimize(p, state, { ...STAGES.early, iterations: early, learningRate }, options);
  if (iterations > early) state = await optimize(p, state, { ...STAGES.main, iterations: iterations - early, learningRate }, options); // prettier-ignore
  const { mapPoints } = state;
  return {
    points,
    mapPoints,
    klDivergence: klDivergence(p.matrix, mapPoints, n <= EXACT_KL ? 'exact' : 'barnesHut'),
    affinities: p,
    state,
    transform: (newPoints, transformOptions) => transform({ points, mapPoints }, newPoints, transformOptions),
  };
}

function startOf(points: Points, initialization: 'pca' | 'random' | Float32Array, seed: number | string): Float32Array {
  if (initialization === 'pca') return pcaInitialization(points, seed);
  if (initialization === 'random') return randomInitialization(points.shape[0], seed);
  if (initialization instanceof Float32Array) return initialization;
  throw new InputError('tsne', `initialization ${String(initialization)}; expected pca, random or a Float32Array.`);
}
