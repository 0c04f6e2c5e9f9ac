import fc from 'fast-check';
import { beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import {
  affinities,
  conditionalProbabilities,
  forestNeighbours,
  nearestNeighbours,
  type Points,
  type SparseMatrix,
} from '../../lib/src/tsne/index.js';
import { cloud, clusters } from './clusters.js';

function dense({ n, rowStarts, columns, values }: SparseMatrix): number[][] {
  const out = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let i = 0; i < n; i++) for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) out[i][columns[e]] += values[e];
  return out;
}

/** Naive twin: all distances, sorted. */
function naiveNeighbours({ data, shape: [n, d] }: Points, k: number): number[][] {
  return Array.from({ length: n }, (_, i) => {
    const distance = (j: number) => Array.from({ length: d }, (_, c) => (data[i * d + c] - data[j * d + c]) ** 2).reduce((a, b) => a + b, 0); // prettier-ignore
    const others = Array.from({ length: n }, (_, j) => [j, distance(j)]).filter(([j]) => j !== i);
    return others.sort((a, b) => a[1] - b[1] || a[0] - b[0]).slice(0, k).map(([j]) => j); // prettier-ignore
  });
}

/** Naive twin: P from all neighbours' distances with beta by plain bisection (van der Maaten and Hinton 2008). */
function naiveJoint(points: Points, perplexity: number, k: number): number[][] {
  const { data, shape: [n, d] } = points; // prettier-ignore
  const p = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  naiveNeighbours(points, k).forEach((ids, i) => {
    const squared = ids.map((j) => Array.from({ length: d }, (_, c) => (data[i * d + c] - data[j * d + c]) ** 2).reduce((a, b) => a + b, 0)); // prettier-ignore
    let [low, high] = [1e-6, 1e6];
    for (let step = 0; step < 200; step++) {
      const beta = Math.sqrt(low * high);
      const weights = squared.map((x) => Math.exp(-beta * (x - squared[0])));
      const sum = weights.reduce((a, b) => a + b, 0);
      const entropy = weights.reduce((h, w) => h - (w > 0 ? (w / sum) * Math.log(w / sum) : 0), 0);
      if (entropy > Math.log(perplexity)) low = beta;
      else high = beta;
      ids.forEach((j, e) => (p[i][j] = weights[e] / sum));
    }
  });
  return p.map((row, i) => row.map((_, j) => (p[i][j] + p[j][i]) / (2 * n)));
}

describe.each([
  ['with a BLAS where there is one', {}],
  ['own kernels', { blas: false }],
  ['cpu', { prefer: 'cpu' }],
] as const)('affinities: %s', (_, options) => {
  beforeAll(async () => {
    await initBackend(options);
  });
  let tensors = 0;
  beforeEach(() => (tensors = tf.memory().numTensors));
  afterEach(() => expect(tf.memory().numTensors).toBe(tensors));

  it('law: neighbours are those of sorting all distances, for any shape', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(),
        async (n, d, seed) => {
          const points = cloud(n, d, seed);
          const k = 1 + (seed % (n - 1));
          const { indices } = await nearestNeighbours(points, null, k);
          expect(Array.from(indices)).toEqual(naiveNeighbours(points, k).flat());
        },
      ),
      { numRuns: 25, seed: 1 },
    );
  });

  it('law: P is symmetric, sums to 1, is not negative, has an empty diagonal, and ascending columns', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 1, max: 40 }), async (n, perplexity) => {
        const { matrix } = await affinities(cloud(n, 5, n), { perplexity });
        const p = dense(matrix);
        let sum = 0;
        let breaches = 0;
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            if (p[i][j] !== p[j][i] || p[i][j] < 0 || p[i][i] !== 0) breaches++;
            sum += p[i][j];
          }
          for (let e = matrix.rowStarts[i] + 1; e < matrix.rowStarts[i + 1]; e++)
            if (matrix.columns[e] <= matrix.columns[e - 1]) breaches++;
        }
        expect(breaches).toBe(0);
        expect(sum).toBeCloseTo(1, 12);
      }),
      { numRuns: 20, seed: 2 },
    );
  });

  it('agrees with a naive twin by bisection', async () => {
    const { points } = clusters(80);
    const { matrix, k } = await affinities(points, { perplexity: 7 });
    expect(k).toBe(21);
    const [found, expected] = [dense(matrix), naiveJoint(points, 7, 21)];
    let worst = 0;
    found.forEach((row, i) => row.forEach((p, j) => (worst = Math.max(worst, Math.abs(p - expected[i][j])))));
    expect(worst).toBeLessThan(2e-9); // entries are about 1e-3; differences of points are float32
    expect(Math.abs(found[0][6] * 1.001 - expected[0][6])).toBeGreaterThan(2e-9); // the comparison can fail
  });

  it('gives the same bytes on every backend: the product only proposes neighbours', async () => {
    const { points } = clusters(300, { d: 40 });
    const { indices, squared } = await nearestNeighbours(points, null, 30);
    expect(indices.reduce((hash, i) => (Math.imul(hash, 31) + i) | 0, 7)).toMatchInlineSnapshot(`1338388965`);
    expect(squared.reduce((a, b) => a + b, 0)).toMatchInlineSnapshot(`631156.562364472`);
  });
});

describe('perplexity', () => {
  beforeAll(async () => {
    await initBackend();
  });

  it('law: every row has the one asked for', async () => {
    const { points } = clusters(200);
    for (const perplexity of [2, 5, 30]) {
      const neighbours = await nearestNeighbours(points, null, 3 * perplexity);
      const p = conditionalProbabilities(neighbours, perplexity);
      for (let i = 0; i < 200; i++) {
        const row = p.subarray(i * neighbours.k, (i + 1) * neighbours.k);
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        const bits = row.reduce((h, x) => h - (x > 0 ? x * Math.log2(x) : 0), 0);
        expect(2 ** bits).toBeCloseTo(perplexity, 6);
      }
    }
  });

  it('does not depend on the scale of the points', async () => {
    const { points } = clusters(60);
    const p = (await affinities(points, { perplexity: 5 })).matrix.values;
    for (const factor of [2 ** -40, 2 ** 40]) {
      const scaled = (await affinities({ ...points, data: points.data.map((x) => x * factor) }, { perplexity: 5 })).matrix.values; // prettier-ignore
      scaled.forEach((value, e) => expect(value).toBeCloseTo(p[e], 10));
    }
  });

  it('says which one is in use where points are few', async () => {
    expect(await affinities(cloud(10, 3, 1))).toMatchObject({ askedPerplexity: 30, perplexity: 3, k: 9 });
    expect(await affinities(cloud(100, 3, 1))).toMatchObject({ askedPerplexity: 30, perplexity: 30, k: 90 });
    for (const n of [2, 3, 4]) expect(await affinities(cloud(n, 3, 1))).toMatchObject({ perplexity: 1, k: Math.min(n - 1, 3) }); // prettier-ignore
  });

  it('survives duplicates and constant data', async () => {
    for (const n of [2, 3, 4, 40]) {
      const { matrix } = await affinities({ data: new Float32Array(n * 3).fill(2), shape: [n, 3] }, { perplexity: 5 });
      expect(matrix.values.every((p) => Number.isFinite(p) && p >= 0)).toBe(true);
      expect(matrix.values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    }
    const twice = cloud(20, 3, 4);
    const doubled: Points = { data: Float32Array.from([...twice.data, ...twice.data]), shape: [40, 3] };
    const { matrix } = await affinities(doubled, { perplexity: 4 });
    expect(matrix.values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });
});

describe('the forest', () => {
  it('finds nearly all neighbours, the same ones by seed, each point k of them', async () => {
    const { points } = clusters(2000, { d: 32, k: 20, apart: 1 });
    const exact = await nearestNeighbours(points, null, 15);
    const near = await forestNeighbours(points, 15, { seed: 1 });
    let found = 0;
    for (let i = 0; i < 2000; i++) {
      const own = near.indices.subarray(i * 15, (i + 1) * 15);
      expect(new Set(own).size).toBe(15);
      expect(own).not.toContain(i);
      const truth = new Set(exact.indices.subarray(i * 15, (i + 1) * 15));
      for (const j of own) if (truth.has(j)) found++;
    }
    expect(found / (2000 * 15)).toBeGreaterThan(0.9);
    expect((await forestNeighbours(points, 15, { seed: 1 })).indices).toEqual(near.indices);
  });

  it('is exact where one leaf holds all, and reaches the affinities', async () => {
    const { points } = clusters(200);
    const exact = await affinities(points, { neighbours: 'exact' });
    const near = await affinities(points, { neighbours: 'approximate' });
    expect(near).toMatchObject({ neighbours: 'approximate' });
    expect(near.matrix).toEqual(exact.matrix);
  });
});

describe('bad input', () => {
  const points = cloud(5, 2, 1);
  it.each([
    [{ ...points, data: points.data.map((x, i) => (i === 7 ? NaN : x)) }, {}, /points: row 3, column 1 is NaN/],
    [{ ...points, data: points.data.map((x, i) => (i === 0 ? -Infinity : x)) }, {}, /row 0, column 0 is -Infinity/],
    [{ data: points.data, shape: [4, 2] as const }, {}, /shape \[4, 2\] for 10 values/],
    [cloud(1, 2, 1), {}, /1 points; at least 2/],
    [points, { perplexity: 0.5 }, /perplexity 0.5; expected 1 or more/],
    [points, { perplexity: NaN }, /perplexity NaN/],
  ])('is an InputError with a sentence (%#)', async (bad, options, message) => {
    await expect(affinities(bad, options)).rejects.toThrow(InputError);
    await expect(affinities(bad, options)).rejects.toThrow(message);
  });

  it('stops on a signal', async () => {
    await expect(affinities(points, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
