/** Where the points of a map start. */
import { createRng } from '../tensor/index.js';
import type { Points } from './points.js';
import { principalComponents } from './principal.js';

/** Standard deviation of a map's first coordinate at the start (Kobak and Berens 2019, openTSNE). */
export const START_DEVIATION = 1e-4;

/** Scales so that the first of the two columns has standard deviation `deviation` (unless it has none). */
export function rescale(mapPoints: ArrayLike<number>, deviation: number): Float32Array {
  const n = mapPoints.length / 2;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += mapPoints[2 * i] / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += (mapPoints[2 * i] - mean) ** 2 / n;
  const scale = variance > 0 ? deviation / Math.sqrt(variance) : 1;
  return Float32Array.from(mapPoints, (value) => value * scale);
}

/** Independent normals of standard deviation 1e-4. @returns [n, 2] */
export function randomInitialization(n: number, seed: number | string = 0): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: 2 * n }, () => START_DEVIATION * rng.normal());
}

/**
 * The first two principal components, scaled so that the first has standard deviation 1e-4 (Kobak and Berens 2019): far
 * clusters start far from each other, and a map hardly depends on the seed. A component without variance is filled with
 * normals of a hundredth of that, drawn by `seed`: forces along a line would never leave it.
 *
 * @param points [n, d]
 * @returns [n, 2]
 */
export function pcaInitialization(points: Points, seed: number | string = 0): Float32Array {
  const [n, d] = points.shape;
  const count = Math.min(2, n, d);
  const { scores } = principalComponents(points, count);
  const rng = createRng(seed);
  const pairs = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) for (let c = 0; c < count; c++) pairs[2 * i + c] = scores[i * count + c];
  const start = rescale(pairs, START_DEVIATION);
  for (let c = 0; c < 2; c++) {
    const empty = pairs.every((value, i) => i % 2 !== c || value === 0);
    const deviation = c === 0 ? START_DEVIATION : START_DEVIATION / 100;
    for (let i = 0; empty && i < n; i++) start[2 * i + c] = deviation * rng.normal();
  }
  return start;
}
