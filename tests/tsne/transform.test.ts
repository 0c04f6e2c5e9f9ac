import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import { asPoints, partnerRanks, transform, tsne, type TsneMap } from '../../lib/src/tsne/index.js';
import { cloud, clusters, rowsOf } from './clusters.js';

const { points, labels } = clusters(400, { apart: 2 });
const held = clusters(460, { apart: 2 }); // the same centres, other points from row 400 on
const fresh = rowsOf(
  held.points,
  Array.from({ length: 60 }, (_, i) => 400 + i),
);
let map: TsneMap;
let tensors = 0;
beforeAll(async () => {
  await initBackend();
  tensors = tf.memory().numTensors;
  map = await tsne(points, { perplexity: 15, iterations: 600 });
});
afterAll(() => expect(tf.memory().numTensors).toBe(tensors));

const distance = (a: Float32Array, i: number, b: Float32Array, j: number): number =>
  Math.hypot(a[2 * i] - b[2 * j], a[2 * i + 1] - b[2 * j + 1]);

describe('transform', () => {
  it('leaves the map as it is, and is the same again', async () => {
    const kept = map.mapPoints.slice();
    const first = await map.transform(fresh);
    expect(map.mapPoints).toEqual(kept);
    expect(first.mapPoints).toHaveLength(120);
    expect(first.klDivergence.every((kl) => Number.isFinite(kl) && kl > -1e-9)).toBe(true);
    expect((await map.transform(fresh)).mapPoints).toEqual(first.mapPoints);
  });

  it.each([0, 0.5])('law: placing many is placing each by itself, bit for bit (theta %d)', async (theta) => {
    const many = await map.transform(fresh, { theta, iterations: 60 });
    for (const i of [0, 7, 59]) {
      const one = await map.transform(rowsOf(fresh, [i]), { theta, iterations: 60 });
      expect(one.mapPoints).toEqual(many.mapPoints.slice(2 * i, 2 * i + 2));
      expect(one.klDivergence[0]).toBe(many.klDivergence[i]);
    }
  });

  it('a fitted point lands near itself', async () => {
    const { mapPoints } = await map.transform(points);
    const side = Math.max(...map.mapPoints) - Math.min(...map.mapPoints);
    const gaps = Array.from({ length: 400 }, (_, i) => distance(mapPoints, i, map.mapPoints, i)).sort((a, b) => a - b);
    expect(gaps[200]).toBeLessThan(0.01 * side);
    expect(gaps[399]).toBeLessThan(0.05 * side);
    const ranks = await partnerRanks(asPoints(map.mapPoints), asPoints(mapPoints), Array.from({ length: 400 }, (_, i) => i)); // prettier-ignore
    expect(ranks.filter((rank) => rank < 5).length).toBeGreaterThan(300);
  });

  it('new points land among their own; optimizing lowers their KL; far ones stay in bounds', async () => {
    const start = await map.transform(fresh, { iterations: 0 });
    const placed = await map.transform(fresh);
    const mean = (x: Float64Array): number => x.reduce((a, b) => a + b, 0) / x.length;
    expect(mean(placed.klDivergence)).toBeLessThan(mean(start.klDivergence));
    for (let i = 0; i < 60; i++) {
      const nearest = Array.from({ length: 400 }, (_, j) => j).sort((a, b) => distance(placed.mapPoints, i, map.mapPoints, a) - distance(placed.mapPoints, i, map.mapPoints, b))[0]; // prettier-ignore
      expect(labels[nearest]).toBe(held.labels[400 + i]);
    }
    const far = await map.transform(cloud(20, 16, 3, 1e4));
    const side = Math.max(...map.mapPoints.map(Math.abs));
    expect(Math.max(...far.mapPoints.map(Math.abs))).toBeLessThan(1.5 * side);
  });

  it('by lists of cells is close to every pair', async () => {
    const larger = clusters(2100, { apart: 2 });
    const start = await tsne(larger.points, { iterations: 260, perplexity: 10 });
    const exact = await start.transform(fresh, { theta: 0 });
    const cells = await start.transform(fresh);
    expect(cells.mapPoints).not.toEqual(exact.mapPoints);
    const gaps = Array.from({ length: 60 }, (_, i) => distance(exact.mapPoints, i, cells.mapPoints, i)).sort((a, b) => a - b); // prettier-ignore
    expect(gaps[30]).toBeLessThan(0.05); // the map is some tens wide; single points may settle in another dip
  });

  it('each option reaches its use', async () => {
    const few = rowsOf(fresh, [0, 1, 2]);
    const reference = (await map.transform(few, { iterations: 30 })).mapPoints;
    for (const change of [
      { perplexity: 6 },
      { startNeighbours: 1 },
      { iterations: 31 },
      { exaggeration: 3 },
      { learningRate: 1 },
      { momentum: 0.1 },
      { maxGradientNorm: 1e-5 },
      { maxStepNorm: 1e-6 },
    ])
      expect((await map.transform(few, { iterations: 30, ...change })).mapPoints, JSON.stringify(change)).not.toEqual(reference); // prettier-ignore
    const start = (await map.transform(few, { iterations: 0 })).mapPoints;
    const held = (await map.transform(few, { iterations: 5, maxStepNorm: 0.01 })).mapPoints;
    for (let i = 0; i < 3; i++) expect(distance(start, i, held, i)).toBeLessThan(0.0501);
  });

  it('takes tiny maps and no new points', async () => {
    for (const n of [1, 2, 3]) {
      const tiny = { points: cloud(n, 3, n), mapPoints: cloud(n, 2, n).data };
      const placed = await transform(tiny, cloud(4, 3, 9));
      expect(placed.mapPoints.every(Number.isFinite)).toBe(true);
      expect(placed.perplexity).toBe(1);
    }
    expect((await map.transform({ data: new Float32Array(0), shape: [0, 16] })).mapPoints).toHaveLength(0);
  });

  it('says what is wrong', async () => {
    await expect(map.transform(cloud(2, 3, 1))).rejects.toThrow(/new points have 3 columns; the fitted ones 16/);
    await expect(map.transform({ data: new Float32Array(16).fill(NaN), shape: [1, 16] })).rejects.toThrow(InputError);
    await expect(map.transform(fresh, { iterations: -1 })).rejects.toThrow(/iterations -1; expected 0 or more/);
    await expect(map.transform(fresh, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    await expect(transform({ points, mapPoints: new Float32Array(8) }, fresh)).rejects.toThrow(
      /shape \[400, 2\] for 8/,
    );
  });
});
