/** Pairs made to measure: a known map, noise of known size, tracks of four clips. */
import { applyMap, type AugmentationMap, createMap, type EmbeddingPairs } from '../../lib/src/maps/index.js';
import type { BootstrapOptions } from '../../lib/src/stats/index.js';
import { createRng, type Rng } from '../../lib/src/tensor/index.js';

export const normals = (rng: Rng, length: number): Float32Array => Float32Array.from({ length }, () => rng.normal());

/** A matrix near the identity, well conditioned. */
export function someMap(seed: number | string, width: number, { offset = false, spread = 0.3 } = {}): AugmentationMap {
  const rng = createRng(seed).fork('map');
  const matrix = Float64Array.from(
    { length: width * width },
    (_, i) => (i % (width + 1) === 0 ? 1 : 0) + (spread * rng.normal()) / Math.sqrt(width),
  );
  return createMap({ name: `map ${seed}`, width, matrix, offset: offset ? matrix.slice(0, width) : null });
}

/** Clean rows standard normal; augmented = map(clean) + noise * normal; row i belongs to track floor(i / 4). */
export function pairsOf(
  map: AugmentationMap,
  n: number,
  { seed = 1 as number | string, noise = 0, prefix = 'train', mean = 0 } = {},
): EmbeddingPairs {
  const { width } = map;
  const rng = createRng(`${seed} ${prefix}`);
  const clean = normals(rng, n * width).map((value) => value + mean);
  const augmented = applyMap(map, clean).map((value) => value + noise * rng.normal());
  return {
    clean,
    augmented,
    n,
    width,
    trackOf: Int32Array.from({ length: n }, (_, row) => row >> 2),
    trackIds: Array.from({ length: Math.ceil(n / 4) }, (_, track) => `${prefix}${track}`),
  };
}

/** Largest distance between two arrays of the same length. */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

/** Options of a bootstrap with its own generator. */
export function resampled(seed = 1, resamples = 40): BootstrapOptions {
  const rng = createRng(seed);
  return { uniform: () => rng.uniform(), resamples };
}
