/** 06: measures of neighbours that leave a clip's own track out, and of copies against their originals. */
import { NUM_KEYS } from '../../keys/index.js';
import { nearestNeighbours, partnerRanks, type Points } from '../../tsne/index.js';
import type { ClipIndex } from './augmentedTsnePoints.js';

/** Neighbours that the measures look at. */
export const NEIGHBOURS = 10;

/**
 * The k nearest clean clips of other tracks, for each query.
 *
 * @param clean [n, d] @param queries [m, d], or null for the clean clips themselves
 * @param tracks [m] the track that each query is or was made of
 * @param trackOf [n]
 * @returns [m, k] rows of `clean`, the nearest first; k is smaller where there are too few others
 */
export async function otherTrackNeighbours(
  clean: Points,
  queries: Points | null,
  tracks: ArrayLike<number>,
  trackOf: ArrayLike<number>,
  k = NEIGHBOURS,
): Promise<{ readonly k: number; readonly indices: Int32Array }> {
  const [n] = clean.shape;
  const ofTrack = new Map<number, number>();
  for (let row = 0; row < n; row++) ofTrack.set(trackOf[row], (ofTrack.get(trackOf[row]) ?? 0) + 1);
  const most = Math.max(...ofTrack.values()); // clips of one track
  const kept = Math.min(k, n - most);
  const found = await nearestNeighbours(clean, queries, Math.min(kept + most, n - (queries ? 0 : 1)));
  const m = found.indices.length / found.k;
  const indices = new Int32Array(m * kept);
  for (let query = 0; query < m; query++) {
    let to = 0;
    for (let j = 0; to < kept; j++) {
      const row = found.indices[query * found.k + j];
      if (trackOf[row] !== tracks[query]) indices[query * kept + to++] = row;
    }
  }
  return { k: kept, indices };
}

/** Share of clips whose key is that of most of their k nearest clips of other tracks (of equals, the nearest one's). */
export async function otherTrackAccuracy(
  points: Points,
  trackOf: ArrayLike<number>,
  keyIds: ArrayLike<number>,
): Promise<number> {
  const { k, indices } = await otherTrackNeighbours(points, null, trackOf, trackOf);
  const [n] = points.shape;
  const votes = new Int32Array(NUM_KEYS);
  let right = 0;
  for (let row = 0; row < n; row++) {
    votes.fill(0);
    const keys = Array.from(indices.subarray(row * k, (row + 1) * k), (other) => keyIds[other]);
    for (const key of keys) votes[key]++;
    const most = Math.max(...votes);
    if (keys.find((key) => votes[key] === most) === keyIds[row]) right++;
  }
  return right / n;
}

/** Euclidean distance of two rows. */
function distance(a: Points, i: number, b: Points, j: number): number {
  const d = a.shape[1];
  let sum = 0;
  for (let c = 0; c < d; c++) sum += (a.data[i * d + c] - b.data[j * d + c]) ** 2;
  return Math.sqrt(sum);
}

/** For each original: its mean distance to clips of other tracks, and to the other clips of its own (null: there are none). */
export function distancesOf(
  clean: Points,
  { originals, trackOf }: ClipIndex,
): { other: number; same: number | null }[] {
  const [n] = clean.shape;
  return Array.from(originals, (original) => {
    const sums = { other: 0, same: 0 };
    const counts = { other: 0, same: 0 };
    for (let row = 0; row < n; row++) {
      if (row === original) continue;
      const side = trackOf[row] === trackOf[original] ? 'same' : 'other';
      sums[side] += distance(clean, original, clean, row);
      counts[side]++;
    }
    return { other: sums.other / counts.other, same: counts.same ? sums.same / counts.same : null };
  });
}

/** Copies of one space against their originals. */
export interface CopyValues {
  /** [m] distance to the original over the original's mean distance to other tracks */
  readonly ratios: Float64Array;
  /** [m] clean clips that are nearer than the original */
  readonly ranks: Int32Array;
  /** [originals] the ratio of the other clips of the same track; NaN where there are none */
  readonly sameTrack: Float64Array;
}

/** @param clean [n, d] @param copies [m, d], kind by kind as `ClipIndex` says */
export async function copyValues(clean: Points, copies: Points, index: ClipIndex): Promise<CopyValues> {
  const { originals } = index;
  const [m] = copies.shape;
  const around = distancesOf(clean, index);
  const originalOf = (copy: number): number => originals[copy % originals.length];
  const ranks = await partnerRanks(
    clean,
    copies,
    Int32Array.from({ length: m }, (_, copy) => originalOf(copy)),
  );
  return {
    ratios: Float64Array.from({ length: m }, (_, copy) => distance(copies, copy, clean, originalOf(copy)) / around[copy % originals.length].other), // prettier-ignore
    ranks,
    sameTrack: Float64Array.from(around, ({ same, other }) => (same === null ? NaN : same / other)),
  };
}

/**
 * Means over the clips of each track.
 *
 * @param values [originals], finite @returns [tracks with copies], in the order of the originals
 */
export function meansOfTracks(values: ArrayLike<number>, { originals, trackOf }: ClipIndex): Float64Array {
  const sums = new Map<number, { sum: number; count: number }>();
  originals.forEach((original, i) => {
    const entry = sums.get(trackOf[original]) ?? { sum: 0, count: 0 };
    entry.sum += values[i];
    entry.count++;
    sums.set(trackOf[original], entry);
  });
  return Float64Array.from([...sums.values()], ({ sum, count }) => sum / count);
}

/** Median of values; of an even number the mean of the two in the middle. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
