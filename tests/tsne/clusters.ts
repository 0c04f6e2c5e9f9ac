import { createRng } from '../../lib/src/tensor/index.js';
import type { Points } from '../../lib/src/tsne/index.js';

/** n points around `k` centres in `d` dimensions, deviation 1 around centres of deviation `apart`; label i mod k. */
export function clusters(
  n: number,
  { d = 16, k = 6, apart = 3, seed = 1 }: { d?: number; k?: number; apart?: number; seed?: number } = {},
): { points: Points; labels: Int32Array } {
  const rng = createRng(seed);
  const centres = Float64Array.from({ length: k * d }, () => apart * rng.normal());
  const labels = Int32Array.from({ length: n }, (_, i) => i % k);
  const data = Float32Array.from({ length: n * d }, (_, e) => centres[labels[Math.floor(e / d)] * d + (e % d)] + rng.normal()); // prettier-ignore
  return { points: { data, shape: [n, d] }, labels };
}

/** The points named by rows. */
export function rowsOf({ data, shape: [, d] }: Points, rows: readonly number[]): Points {
  return { data: Float32Array.from(rows.flatMap((row) => [...data.subarray(row * d, (row + 1) * d)])), shape: [rows.length, d] }; // prettier-ignore
}

/** n points of standard normals. */
export function cloud(n: number, d: number, seed: number, scale = 1): Points {
  const rng = createRng(seed);
  return { data: Float32Array.from({ length: n * d }, () => scale * rng.normal()), shape: [n, d] };
}
