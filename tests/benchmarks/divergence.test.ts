import { expect, it } from 'vitest';
import { divergence, pairAffinities } from '../../benchmarks/src/divergence.js';
import { createRng } from '../../lib/src/tensor/index.js';
import { affinities, klDivergence } from '../../lib/src/tsne/index.js';

const [n, d, perplexity] = [60, 5, 7];
const rng = createRng(4);
const normals = (length: number, scale = 1): Float32Array => Float32Array.from({ length }, () => scale * rng.normal());
const points = normals(n * d);
const p = pairAffinities(points, n, d, perplexity);

it('the affinities are those of pairs, once each, and add up to 1', () => {
  expect(p.p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  expect(p.i.every((i, pair) => i < p.j[pair])).toBe(true);
  expect(new Set(Array.from(p.i, (i, pair) => i * n + p.j[pair])).size).toBe(p.p.length);
});

it('the divergence is that of the definition over all pairs', () => {
  const map = normals(2 * n, 3);
  const weight = (a: number, b: number) => 1 / (1 + (map[2 * a] - map[2 * b]) ** 2 + (map[2 * a + 1] - map[2 * b + 1]) ** 2); // prettier-ignore
  let z = 0;
  for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) if (a !== b) z += weight(a, b);
  // Each pair stands for (i, j) and (j, i), of half its value each.
  const terms = Array.from(p.p, (value, pair) => value * Math.log(value / 2 / (weight(p.i[pair], p.j[pair]) / z)));
  expect(divergence(p, map)).toBeCloseTo(terms.reduce((a, b) => a + b), 10); // prettier-ignore
});

it('agrees with what the suite says of its own maps, and tells a good map from a shuffled one', async () => {
  const own = await affinities({ data: points, shape: [n, d] }, { perplexity });
  const map = Float32Array.from({ length: 2 * n }, (_, i) => points[Math.floor(i / 2) * d + (i % 2)]);
  expect(divergence(p, map)).toBeCloseTo(klDivergence(own.matrix, map, 'exact'), 4);
  const shuffled = Float32Array.from(map).reverse();
  expect(divergence(p, shuffled)).toBeGreaterThan(divergence(p, map) + 0.1);
});
