import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import {
  asPoints,
  neighbourAccuracy,
  neighbourPreservation,
  partnerRanks,
  type Points,
  trustworthiness,
} from '../../lib/src/tsne/index.js';
import { cloud, clusters, rowsOf } from './clusters.js';

let tensors = 0;
beforeAll(async () => {
  await initBackend();
  tensors = tf.memory().numTensors;
});
afterAll(() => expect(tf.memory().numTensors).toBe(tensors));

const line = (...values: number[]): Points => ({ data: Float32Array.from(values), shape: [values.length, 1] });

describe('neighbourPreservation and trustworthiness', () => {
  it('law: 1 for a map that is the data moved, turned and scaled', async () => {
    const data = cloud(80, 2, 1);
    const moved = asPoints(data.data.map((_, i) => 3 * (i % 2 ? data.data[i - 1] : -data.data[i + 1]) + 8));
    expect(await neighbourPreservation(data, moved, 7)).toBeCloseTo(1, 2); // float32 may swap a near tie
    expect(await trustworthiness(data, moved, 7)).toBeCloseTo(1, 3);
  });

  it('a random map keeps about k / (n - 1)', async () => {
    const kept = await neighbourPreservation(cloud(500, 5, 1), cloud(500, 2, 2), 25);
    expect(kept).toBeCloseTo(25 / 499, 1);
    expect(await trustworthiness(cloud(500, 5, 1), cloud(500, 2, 2), 25)).toBeCloseTo(0.5, 1);
  });

  it('counts by hand', async () => {
    // Nearest on the line: 0-1, 1-0, 2-1, 3-2 (places 0, 1, 3, 6). Map: 0 and 3 together, 1 and 2 together.
    const original = line(0, 1, 3, 6);
    const map = line(0, 10, 11, 1.5);
    expect(await neighbourPreservation(original, map, 1)).toBe(0.25); // only 2 keeps 1
    // Ranks in the original of the neighbours on the map: 0 -> 3: 3rd; 1 -> 2: 2nd; 2 -> 1: 1st; 3 -> 0: 3rd.
    expect(await trustworthiness(original, map, 1)).toBeCloseTo(1 - (2 * (2 + 1 + 0 + 2)) / (4 * 1 * (8 - 3 - 1)), 12);
  });

  it('says what is wrong', async () => {
    await expect(neighbourPreservation(cloud(5, 2, 1), cloud(4, 2, 1), 2)).rejects.toThrow(
      /map has 4 points, the original 5/,
    );
    await expect(neighbourPreservation(cloud(5, 2, 1), cloud(5, 2, 1), 5)).rejects.toThrow(/k 5; expected 1 to 4/);
    await expect(trustworthiness(cloud(6, 2, 1), cloud(6, 2, 1), 3)).rejects.toThrow(/k 3; expected 1 to 2/);
  });
});

describe('neighbourAccuracy', () => {
  it('counts by hand, leaves each point out, and lets the nearest decide a tie', async () => {
    const points = line(0, 1, 2.5, 10, 11.5);
    expect(await neighbourAccuracy(points, [0, 0, 0, 1, 1], 1)).toBe(1);
    expect(await neighbourAccuracy(points, [0, 0, 0, 1, 0], 1)).toBeCloseTo(3 / 5, 12);
    expect(await neighbourAccuracy(line(0, 1, 3), [5, 5, 7], 2)).toBeCloseTo(2 / 3, 12); // 0: {5, 7}, the nearest is 5
  });

  it('is near chance for shuffled labels, near 1 for far clusters', async () => {
    const { points, labels } = clusters(300);
    expect(await neighbourAccuracy(points, labels, 9)).toBe(1);
    const shuffled = Int32Array.from(labels, (_, i) => labels[(i * 37 + Math.floor(i / 7)) % 300]);
    expect(await neighbourAccuracy(points, shuffled, 9)).toBeLessThan(0.35);
    await expect(neighbourAccuracy(points, [1], 3)).rejects.toThrow(/1 labels for 300 points/);
  });
});

describe('partnerRanks', () => {
  it('law: agrees with sorting, 0 for a copy, also where the product has no digits left', async () => {
    const points = cloud(200, 8, 1);
    const queries: Points = { data: points.data.map((x) => x + 1e-6), shape: [200, 8] };
    const partners = Int32Array.from({ length: 200 }, (_, i) => i);
    expect((await partnerRanks(points, queries, partners)).every((rank) => rank === 0)).toBe(true);
    const far = Int32Array.from({ length: 200 }, (_, i) => (i * 7 + 3) % 200);
    const found = await partnerRanks(points, queries, far);
    found.forEach((rank, i) => {
      const d2 = (j: number) => Array.from({ length: 8 }, (_, c) => (queries.data[i * 8 + c] - points.data[j * 8 + c]) ** 2).reduce((a, b) => a + b, 0); // prettier-ignore
      expect(rank).toBe(Array.from({ length: 200 }, (_, j) => j).filter((j) => d2(j) < d2(far[i])).length);
    });
    // Differences far below the rounding of |x|^2 + |y|^2 - 2 x y.
    const close: Points = { data: Float32Array.from({ length: 30 }, (_, i) => 1000 + 0.001 * Math.floor(i / 3)), shape: [10, 3] }; // prettier-ignore
    expect(Array.from(await partnerRanks(close, rowsOf(close, [0, 0, 0, 0]), [0, 1, 2, 3]))).toEqual([0, 1, 2, 3]);
  });

  it('says what is wrong', async () => {
    const points = cloud(5, 2, 1);
    await expect(partnerRanks(points, cloud(2, 2, 1), [0])).rejects.toThrow(/1 partners for 2 queries/);
    await expect(partnerRanks(points, cloud(1, 2, 1), [5])).rejects.toThrow(/partner 0 5; expected 0 to 4/);
    await expect(partnerRanks(points, cloud(1, 3, 1), [0])).rejects.toThrow(/width of the queries 3/);
  });
});
