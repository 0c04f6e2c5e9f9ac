/**
 * The objective of t-SNE and its gradient, written out plainly: the twin that the fast forces are compared with, and the
 * Kullback-Leibler divergence of a map.
 *   q_ij = (1 + |y_i - y_j|^2)^-1 / Z,   Z = sum over k != l of (1 + |y_k - y_l|^2)^-1
 *   KL   = sum over i != j of p_ij log(p_ij / q_ij)
 *   dKL/dy_i = 4 sum_j (p_ij - q_ij) (1 + |y_i - y_j|^2)^-1 (y_i - y_j)      (van der Maaten and Hinton 2008)
 */
import { InputError } from '../errors.js';
import type { SparseMatrix } from './affinities.js';
import { MapForces, type Repulsion } from './forces.js';

/** @throws InputError unless the map has a finite pair for each point of the affinities */
export function checkMap(where: string, matrix: SparseMatrix, mapPoints: Float32Array): void {
  if (mapPoints.length !== 2 * matrix.n) {
    throw new InputError(where, `${mapPoints.length} numbers; expected 2 for each of the ${matrix.n} points.`);
  }
  const bad = mapPoints.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError(where, `point ${bad >> 1} of the map is not finite (${mapPoints[bad]}).`);
}

/** Z of a map [n, 2] over every pair, in float64. */
export function normalization(mapPoints: Float32Array): number {
  let z = 0;
  for (let i = 0; i < mapPoints.length; i += 2) {
    for (let j = 0; j < i; j += 2) {
      z += 2 / (1 + (mapPoints[i] - mapPoints[j]) ** 2 + (mapPoints[i + 1] - mapPoints[j + 1]) ** 2);
    }
  }
  return z;
}

/** KL for a given Z: sum p log p + sum p log(1 + d^2) + log Z, since P sums to 1. */
export function divergence(matrix: SparseMatrix, mapPoints: Float32Array, z: number): number {
  const { n, rowStarts, columns, values } = matrix;
  let sum = 0;
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) {
      const p = values[e];
      if (p === 0) continue;
      const j = columns[e];
      const d2 = (mapPoints[2 * i] - mapPoints[2 * j]) ** 2 + (mapPoints[2 * i + 1] - mapPoints[2 * j + 1]) ** 2;
      sum += p * Math.log(p * (1 + d2));
      total += p;
    }
  }
  return sum + total * Math.log(z);
}

/**
 * KL(P || Q) of a map in nats: exact over the entries of the sparse P, with Z over every pair (`exact`, the default) or by
 * Barnes and Hut at theta .5 (`barnesHut`, off by some tenths of a percent), for maps of very many points.
 *
 * @param mapPoints [n, 2]
 */
export function klDivergence(matrix: SparseMatrix, mapPoints: Float32Array, z: Repulsion = 'exact'): number {
  checkMap('klDivergence: mapPoints', matrix, mapPoints);
  if (z === 'exact') return divergence(matrix, mapPoints, normalization(mapPoints));
  const forces = new MapForces(matrix, z, 0.5);
  forces.mapPoints.set(mapPoints);
  forces.compute();
  return divergence(matrix, mapPoints, forces.z);
}

/** The gradient of KL with respect to the map, every pair, in float64. Time n^2. @returns [n, 2] */
export function exactGradient(matrix: SparseMatrix, mapPoints: Float32Array): Float64Array {
  checkMap('exactGradient: mapPoints', matrix, mapPoints);
  const { n, rowStarts, columns, values } = matrix;
  const z = normalization(mapPoints);
  const gradient = new Float64Array(2 * n);
  const dense = new Float64Array(n); // p_i. of one row
  for (let i = 0; i < n; i++) {
    dense.fill(0);
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) dense[columns[e]] = values[e];
    for (let j = 0; j < n; j++) {
      const dx = mapPoints[2 * i] - mapPoints[2 * j];
      const dy = mapPoints[2 * i + 1] - mapPoints[2 * j + 1];
      const q = 1 / (1 + dx * dx + dy * dy);
      const weight = 4 * (dense[j] - q / z) * q;
      gradient[2 * i] += weight * dx;
      gradient[2 * i + 1] += weight * dy;
    }
  }
  return gradient;
}

/** The gradient by the kernels, as the optimizer sees it. @returns [n, 2] */
export function fastGradient(matrix: SparseMatrix, mapPoints: Float32Array, how: Repulsion, theta = 0.5): Float64Array {
  checkMap('fastGradient: mapPoints', matrix, mapPoints);
  const forces = new MapForces(matrix, how, theta);
  forces.mapPoints.set(mapPoints);
  forces.compute();
  return Float64Array.from(forces.attraction, (a, i) => 4 * (a - forces.repulsion[i] / forces.z));
}
