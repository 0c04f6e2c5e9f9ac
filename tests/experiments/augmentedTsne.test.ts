import { describe, expect, it } from 'vitest';
import {
  copyValues,
  meansOfTracks,
  medianOf,
  otherTrackAccuracy,
  otherTrackNeighbours,
} from '../../lib/src/experiments/tsne/augmentedTsneMeasures.js';
import { type ClipIndex, shuffledColumns } from '../../lib/src/experiments/tsne/augmentedTsnePoints.js';
import { createRng } from '../../lib/src/tensor/index.js';
import type { Points } from '../../lib/src/tsne/index.js';

const points = (rows: readonly (readonly number[])[]): Points => ({
  data: Float32Array.from(rows.flat()),
  shape: [rows.length, rows[0].length],
});

/** Six tracks of two clips on a line: the clips of a track 0.1 apart, tracks 1 apart; keys 0 and 1 in halves. */
const TRACKS = Int32Array.from({ length: 12 }, (_, row) => row >> 1);
const line = points(Array.from(TRACKS, (track, row) => [track + 0.1 * (row & 1), 0]));
const KEYS = Int32Array.from(TRACKS, (track) => (track < 3 ? 0 : 1));
const index = (originals: readonly number[]): ClipIndex => ({
  tracks: [],
  trackOf: TRACKS,
  clipOf: Int32Array.from(TRACKS, (_, row) => row & 1),
  keyIds: KEYS,
  originals: Int32Array.from(originals),
  chains: [],
});

describe('neighbours of other tracks', () => {
  it('never are of the own track, and come nearest first', async () => {
    const { k, indices } = await otherTrackNeighbours(line, null, TRACKS, TRACKS, 3);
    expect(k).toBe(3);
    for (let row = 0; row < 12; row++)
      for (const other of indices.subarray(row * k, (row + 1) * k)) expect(TRACKS[other]).not.toBe(TRACKS[row]);
    expect([...indices.subarray(0, 3)]).toEqual([2, 3, 4]);
  });

  it('of queries are those of the clean clips without the track that they were made of', async () => {
    const { indices } = await otherTrackNeighbours(line, points([[0, 0]]), [0], TRACKS, 2);
    expect([...indices]).toEqual([2, 3]);
  });

  it('are fewer where there are too few clips', async () => {
    expect((await otherTrackNeighbours(line, null, TRACKS, TRACKS, 50)).k).toBe(10);
  });

  it('know the key where keys lie apart, and not where a key is one track only', async () => {
    const apart = points(Array.from(TRACKS, (track, row) => [KEYS[row] * 100 + track, row & 1]));
    // Ten neighbours are all other tracks; with four clips of two other tracks of the own key the majority is the other's.
    expect(await otherTrackAccuracy(apart, TRACKS, KEYS)).toBe(0);
    const many = Int32Array.from({ length: 60 }, (_, row) => row >> 1);
    const keys = Array.from(many, (track) => (track < 15 ? 3 : 8));
    const cloud = points(Array.from(many, (track, row) => [keys[row] * 100 + track, row & 1]));
    expect(await otherTrackAccuracy(cloud, many, keys)).toBe(1);
    const lonely = Array.from(many, (track) => track % 24);
    expect(await otherTrackAccuracy(cloud, many, lonely)).toBeLessThan(0.2);
  });
});

describe('copies against their originals', () => {
  it('a copy on its original has ratio 0 and rank 0; one on another track has neither', async () => {
    const copies = points([[0, 0], [3, 0]]); // prettier-ignore
    const { ratios, ranks } = await copyValues(line, copies, index([0]));
    expect(ratios[0]).toBe(0);
    expect(ranks[0]).toBe(0);
    // The original's mean distance to the ten clips of other tracks is 3.05.
    expect(ratios[1]).toBeCloseTo(3 / 3.05, 6);
    expect(ranks[1]).toBe(11);
  });

  it('do not depend on the unit of the space', async () => {
    const copies = points([[0.3, 0.2], [3, 1]]); // prettier-ignore
    const scaled = ({ data, shape }: Points): Points => ({ data: data.map((value) => 7 * value), shape });
    const small = await copyValues(line, copies, index([0, 5]));
    const large = await copyValues(scaled(line), scaled(copies), index([0, 5]));
    expect([...large.ranks]).toEqual([...small.ranks]);
    large.ratios.forEach((ratio, i) => expect(ratio).toBeCloseTo(small.ratios[i], 5));
    expect(small.sameTrack[0]).toBeCloseTo(0.1 / 3.05, 5);
  });

  it('means are over the clips of a track, in the order of the originals', () => {
    expect([...meansOfTracks([1, 3, 5], index([4, 5, 0]))]).toEqual([2, 5]);
  });

  it('the median of an even number lies in the middle of two', () => {
    expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3])]).toEqual([2, 2.5]);
  });
});

describe('shuffled columns', () => {
  it('keep every column and lose what rows have in common', () => {
    const rng = createRng(1);
    const rows = Array.from({ length: 400 }, () => Array<number>(2).fill(rng.normal()));
    const { data } = shuffledColumns(points(rows));
    const column = (values: ArrayLike<number>, c: number) =>
      Array.from({ length: 400 }, (_, row) => values[2 * row + c]);
    const before = points(rows).data;
    for (const c of [0, 1])
      expect(Float32Array.from(column(data, c)).sort()).toEqual(Float32Array.from(column(before, c)).sort());
    const [x, y] = [column(data, 0), column(data, 1)];
    const correlation =
      x.reduce((sum, value, i) => sum + value * y[i], 0) / x.reduce((sum, value) => sum + value ** 2, 0);
    expect(Math.abs(correlation)).toBeLessThan(0.2);
  });
});
