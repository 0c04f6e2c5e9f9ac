import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { createRng } from '../../lib/src/tensor/index.js';
import { affinities, exactGradient, fastGradient, klDivergence, type SparseMatrix } from '../../lib/src/tsne/index.js';
import { cloud, clusters } from './clusters.js';

/** KL from its definition over all pairs. */
function naiveDivergence({ n, rowStarts, columns, values }: SparseMatrix, y: ArrayLike<number>): number {
  const w = (i: number, j: number) => 1 / (1 + (y[2 * i] - y[2 * j]) ** 2 + (y[2 * i + 1] - y[2 * j + 1]) ** 2);
  let z = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i !== j) z += w(i, j);
  let sum = 0;
  for (let i = 0; i < n; i++)
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++)
      if (values[e] > 0) sum += values[e] * Math.log(values[e] / (w(i, columns[e]) / z));
  return sum;
}

const length = (a: ArrayLike<number>): number => Math.sqrt(Array.from(a).reduce((sum, x) => sum + x * x, 0));

/** |a - b| / |b| over the whole gradient. */
const deviation = (a: Float64Array, b: Float64Array): number => length(a.map((x, i) => x - b[i])) / length(b);

const p60 = await affinities(clusters(60).points, { perplexity: 8 });

describe('KL', () => {
  it('is the definition over all pairs, and near it with Z by Barnes and Hut', () => {
    for (const scale of [1e-4, 1, 20]) {
      const y = cloud(60, 2, 5, scale).data;
      const expected = naiveDivergence(p60.matrix, y);
      expect(klDivergence(p60.matrix, y)).toBeCloseTo(expected, 10);
      expect(Math.abs(klDivergence(p60.matrix, y, 'barnesHut') / expected - 1)).toBeLessThan(1e-3);
    }
  });

  it('is at least 0, and the sentence says what is wrong with a map', () => {
    expect(klDivergence(p60.matrix, cloud(60, 2, 1).data)).toBeGreaterThan(0);
    expect(() => klDivergence(p60.matrix, new Float32Array(7))).toThrow(InputError);
    expect(() => klDivergence(p60.matrix, new Float32Array(7))).toThrow(/7 numbers; expected 2 for each of the 60/);
    expect(() => exactGradient(p60.matrix, new Float32Array(120).fill(NaN))).toThrow(
      /point 0 of the map is not finite/,
    );
  });
});

describe('the gradient', () => {
  it('law: the exact one is the finite difference of KL', () => {
    const y = Float64Array.from(cloud(60, 2, 2, 3).data);
    const gradient = exactGradient(p60.matrix, Float32Array.from(y));
    for (let c = 0; c < y.length; c += 7) {
      const at = (shift: number) => naiveDivergence(p60.matrix, y.map((value, i) => (i === c ? value + shift : value))); // prettier-ignore
      const difference = (at(1e-4) - at(-1e-4)) / 2e-4;
      expect(gradient[c]).toBeCloseTo(difference, 8); // entries are about 1e-2
    }
    expect(length(gradient)).toBeGreaterThan(1e-3);
  });

  it('law: it sums to zero, and turns with the map', () => {
    const y = cloud(60, 2, 3, 5).data;
    const g = exactGradient(p60.matrix, y);
    for (const c of [0, 1]) expect(g.reduce((sum, x, i) => sum + (i % 2 === c ? x : 0), 0)).toBeCloseTo(0, 12);
    const turned = exactGradient(
      p60.matrix,
      y.map((_, i) => (i % 2 ? y[i - 1] : -y[i + 1])),
    ); // by 90 degrees
    g.forEach((_, i) => expect(turned[i]).toBeCloseTo(i % 2 ? g[i - 1] : -g[i + 1], 12));
  });

  it('law: every pair on SIMD agrees with it for any number of points', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 70 }), fc.constantFrom(1e-4, 1, 30), async (n, scale) => {
        const { matrix } = await affinities(cloud(n, 4, n), { perplexity: 6 });
        const y = cloud(n, 2, n + 1, scale).data;
        // float32: rounding of single terms against a sum that may nearly cancel.
        const error = fastGradient(matrix, y, 'exact').map((g, i) => g - exactGradient(matrix, y)[i]);
        const size = 4 * Math.max(...y.map(Math.abs));
        expect(Math.max(...error.map(Math.abs))).toBeLessThan(1e-6 * Math.max(size, 1e-4) + 1e-9);
      }),
      { numRuns: 30, seed: 3 },
    );
  });

  it('law: Barnes and Hut at theta 0 is every pair; at .5 within 1 %, at 1 within 5 %', async () => {
    const { points } = clusters(1500);
    const { matrix } = await affinities(points, { perplexity: 20 });
    const rng = createRng(9);
    const y = Float32Array.from({ length: 3000 }, (_, i) => 15 * Math.sin((i >> 1) % 6 * (1 + (i % 2))) + 2 * rng.normal()); // prettier-ignore
    const exact = exactGradient(matrix, y);
    expect(deviation(fastGradient(matrix, y, 'exact'), exact)).toBeLessThan(1e-5);
    expect(deviation(fastGradient(matrix, y, 'barnesHut', 0), exact)).toBeLessThan(1e-5);
    const half = deviation(fastGradient(matrix, y, 'barnesHut', 0.5), exact);
    expect(half).toBeLessThan(0.01);
    expect(half).toBeGreaterThan(1e-7); // cells were taken
    expect(deviation(fastGradient(matrix, y, 'barnesHut', 1), exact)).toBeLessThan(0.05);
  });

  it('Barnes and Hut takes many points in one place as one', async () => {
    const n = 400;
    const { matrix } = await affinities(cloud(n, 4, 1), { perplexity: 10 });
    const spot = new Float32Array(2 * n).fill(3);
    expect(fastGradient(matrix, spot, 'barnesHut').every((g) => g === 0)).toBe(true);
    expect(klDivergence(matrix, spot, 'barnesHut')).toBeCloseTo(klDivergence(matrix, spot), 10);
    const two = spot.map((x, i) => (i < n ? x : -x)); // two places
    expect(deviation(fastGradient(matrix, two, 'barnesHut'), exactGradient(matrix, two))).toBeLessThan(1e-5);
  });
});
