/** Gradient descent on a map, in stages that can be interrupted, resumed and composed. */
import { InputError } from '../errors.js';
import type { Affinities } from './affinities.js';
import { chooseRepulsion, MapForces, type Repulsion } from './forces.js';
import { checkMap, divergence } from './objective.js';
import { checkCount, checkOption } from './points.js';

/** A map on its way: all that the next iteration depends on. */
export interface MapState {
  /** [n, 2] */
  readonly mapPoints: Float32Array;
  /** [n, 2] the last step */
  readonly velocity: Float32Array;
  /** [n, 2] a factor of the learning rate for each coordinate */
  readonly gains: Float32Array;
  /** Iterations done so far, over all stages. */
  readonly iteration: number;
}

/** A number of iterations under one setting. */
export interface Stage {
  readonly iterations: number;
  /** Factor of the attraction: 12 early, 1 afterwards. */
  readonly exaggeration: number;
  /** Share of the last step that is kept: .5 early, .8 afterwards. */
  readonly momentum: number;
  /**
   * Learning rate in the convention of van der Maaten's code, which leaves the 4 out of the gradient; `auto` (default):
   * max(200, n / 12) (Belkina et al. 2019), below 50 points 4 n. scikit-learn's number is a quarter of it.
   */
  readonly learningRate?: number | 'auto';
  /** Least gain (default .01). */
  readonly minGain?: number;
}

/** Early exaggeration gathers clusters, the main stage shapes them (van der Maaten 2014, Kobak and Berens 2019). */
export const STAGES: { readonly early: Stage; readonly main: Stage } = {
  early: { iterations: 250, exaggeration: 12, momentum: 0.5 },
  main: { iterations: 750, exaggeration: 1, momentum: 0.8 },
};

/** A look at a running map. */
export interface MapProgress {
  /** Iterations done. */
  readonly iteration: number;
  /** KL of the map after them, not exaggerated; Z as the repulsion in use sums it. */
  readonly klDivergence: number;
  /** [n, 2] a copy */
  readonly mapPoints: Float32Array;
}

export interface OptimizeOptions {
  /** Every pair, Barnes-Hut, or by size (default). */
  readonly repulsion?: Repulsion | 'auto';
  /** Barnes-Hut: a cell is one point where its extent < theta x its distance (default .5; 0: every pair). */
  readonly theta?: number;
  /** Called when `iteration` is a multiple of `every`, and at the end of the stage. */
  readonly onProgress?: (progress: MapProgress) => void;
  /** Iterations between two calls of `onProgress` (default 50). */
  readonly every?: number;
  readonly signal?: AbortSignal;
}

/** Iterations between two looks at the event loop, so that a signal can arrive and a page be drawn. */
const BREATH = 10;

/** The learning rate of n points; 200 would throw a handful so far apart that float32 loses their q. */
const autoLearningRate = (n: number): number => Math.max(Math.min(200, 4 * n), n / 12);

/** The state before the first iteration. @param mapPoints [n, 2] where the points start */
export function startState(mapPoints: Float32Array): MapState {
  return {
    mapPoints: mapPoints.slice(),
    velocity: new Float32Array(mapPoints.length),
    gains: new Float32Array(mapPoints.length).fill(1),
    iteration: 0,
  };
}

/**
 * Runs one stage from a state to a new one. One thread and no clock: the same input gives the same bytes on any machine,
 * and two stages of 100 iterations give those of one of 200.
 *
 * @throws InputError for a state of another size or an option out of range
 */
export async function optimize(
  affinities: Affinities,
  state: MapState,
  stage: Stage,
  options: OptimizeOptions = {},
): Promise<MapState> {
  const where = 'optimize';
  const { matrix } = affinities;
  const { n } = matrix;
  const { theta = 0.5, onProgress, every = 50, signal } = options;
  const { iterations, exaggeration, momentum, minGain = 0.01 } = stage;
  checkMap(`${where}: state.mapPoints`, matrix, state.mapPoints);
  checkMap(`${where}: state.velocity`, matrix, state.velocity);
  checkMap(`${where}: state.gains`, matrix, state.gains);
  checkCount(where, 'iterations', iterations, 0, Infinity);
  checkOption(where, 'exaggeration', exaggeration, 0, Infinity);
  checkOption(where, 'momentum', momentum, 0, 1);
  checkOption(where, 'minGain', minGain, 0, Infinity);
  checkOption(where, 'theta', theta, 0, 2);
  checkCount(where, 'every', every, 1, Infinity);
  const asked = stage.learningRate ?? 'auto';
  const learningRate = asked === 'auto' ? autoLearningRate(n) : asked;
  checkOption(where, 'learningRate', learningRate, Number.MIN_VALUE, Infinity);

  const forces = new MapForces(matrix, chooseRepulsion(options.repulsion ?? 'auto', n), theta);
  forces.mapPoints.set(state.mapPoints);
  forces.velocity.set(state.velocity);
  forces.gains.set(state.gains);
  const end = state.iteration + iterations;
  for (let iteration = state.iteration; ; iteration++) {
    const last = iteration === end;
    const reports = onProgress !== undefined && (last || iteration % every === 0);
    if (last && !reports) break;
    forces.compute();
    if (reports) {
      const mapPoints = forces.mapPoints.slice();
      onProgress({ iteration, klDivergence: divergence(matrix, mapPoints, forces.z), mapPoints });
    }
    if (last) break;
    const gradient = forces.step(exaggeration, learningRate, momentum, minGain);
    if (!Number.isFinite(gradient)) {
      throw new InputError(where, `the map left all bounds in iteration ${iteration}; take a smaller learning rate.`);
    }
    if (iteration % BREATH === 0) {
      await new Promise(setImmediate);
      signal?.throwIfAborted();
    }
  }
  return {
    mapPoints: forces.mapPoints.slice(),
    velocity: forces.velocity.slice(),
    gains: forces.gains.slice(),
    iteration: end,
  };
}
