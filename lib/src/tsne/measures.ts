/** How well a map keeps neighbours, and what neighbours know. All by exact neighbours. */
import { InputError } from '../errors.js';
import { forEachDistanceRow } from './distances.js';
import { checkQueries, nearestNeighbours } from './neighbours.js';
import { checkCount, checkPoints, type Points, squaredDistance } from './points.js';

/** A map [n, 2] as points, for the measures that compare clouds. */
export const asPoints = (mapPoints: Float32Array): Points => ({ data: mapPoints, shape: [mapPoints.length / 2, 2] });

function checkSameRows(where: string, original: Points, mapPoints: Points): number {
  const [n] = checkPoints(`${where}: original`, original, 2);
  const [m] = checkPoints(`${where}: map`, mapPoints, 2);
  if (m !== n) throw new InputError(where, `the map has ${m} points, the original ${n}; expected the same points.`);
  return n;
}

/**
 * Share of the k nearest neighbours in the original that are among the k nearest on the map, mean over points: 1 for a
 * map that keeps all, about k / (n - 1) for a random one.
 *
 * @param original [n, d] @param mapPoints [n, e], usually e = 2
 */
export async function neighbourPreservation(original: Points, mapPoints: Points, k: number): Promise<number> {
  const n = checkSameRows('neighbourPreservation', original, mapPoints);
  const a = await nearestNeighbours(original, null, k);
  const b = await nearestNeighbours(mapPoints, null, k);
  let kept = 0;
  for (let i = 0; i < n; i++) {
    const own = new Set(a.indices.subarray(i * k, (i + 1) * k));
    for (const j of b.indices.subarray(i * k, (i + 1) * k)) if (own.has(j)) kept++;
  }
  return kept / (n * k);
}

/**
 * Accuracy of the majority label among the k nearest others (leave one out); of labels with as many neighbours the one
 * with the nearest wins.
 *
 * @param points [n, d] an embedding or a map @param labels [n]
 */
export async function neighbourAccuracy(points: Points, labels: ArrayLike<number>, k: number): Promise<number> {
  const where = 'neighbourAccuracy';
  const [n] = checkPoints(`${where}: points`, points, 2);
  if (labels.length !== n) throw new InputError(where, `${labels.length} labels for ${n} points.`);
  const { indices } = await nearestNeighbours(points, null, k);
  let right = 0;
  for (let i = 0; i < n; i++) {
    const votes = new Map<number, number>(); // in the order of the nearest of each label
    for (const j of indices.subarray(i * k, (i + 1) * k)) votes.set(labels[j], (votes.get(labels[j]) ?? 0) + 1);
    let best = NaN;
    let most = 0;
    for (const [label, count] of votes) {
      if (count > most) {
        best = label;
        most = count;
      }
    }
    if (best === labels[i]) right++;
  }
  return right / n;
}

/**
 * Rank of a given partner among the neighbours of each query, e.g. of the original among the neighbours of an augmented
 * copy: 0 when no other point is nearer. Points as near as the partner do not count as nearer.
 *
 * @param points [n, d] @param queries [m, d] @param partners [m] rows of `points`
 * @returns [m] ranks, 0 to n - 1
 */
export async function partnerRanks(
  points: Points,
  queries: Points,
  partners: ArrayLike<number>,
  signal?: AbortSignal,
): Promise<Int32Array> {
  const where = 'partnerRanks';
  const [n, d] = checkPoints(`${where}: points`, points, 1);
  const m = checkQueries(where, queries, d);
  if (partners.length !== m) throw new InputError(where, `${partners.length} partners for ${m} queries.`);
  for (let i = 0; i < m; i++) checkCount(where, `partner ${i}`, partners[i], 0, n - 1);
  const ranks = new Int32Array(m);
  await forEachDistanceRow(
    queries,
    points,
    ({ query, squared, tolerance }) => {
      const own = squaredDistance(queries.data, query, points.data, partners[query], d);
      let nearer = 0;
      for (let j = 0; j < n; j++) {
        // The product's rounding decides nothing: what it leaves open is computed again.
        if (squared[j] > own + tolerance || j === partners[query]) continue;
        if (squared[j] < own - tolerance || squaredDistance(queries.data, query, points.data, j, d) < own) nearer++;
      }
      ranks[query] = nearer;
    },
    signal,
  );
  return ranks;
}

/**
 * Trustworthiness (Venna and Kaski 2001): 1 minus a penalty for neighbours on the map that are far in the original,
 *   T(k) = 1 - 2 / (n k (2n - 3k - 1)) sum_i sum_{j in map neighbours of i} max(0, rank_i(j) - k),
 * with rank 1 for the nearest in the original. 1 is perfect, a random map has about .5.
 *
 * @param original [n, d] @param mapPoints [n, 2] @param k below n / 2
 */
export async function trustworthiness(original: Points, mapPoints: Points, k: number): Promise<number> {
  const where = 'trustworthiness';
  const n = checkSameRows(where, original, mapPoints);
  checkCount(where, 'k', k, 1, Math.ceil(n / 2) - 1);
  const { indices } = await nearestNeighbours(mapPoints, null, k);
  let penalty = 0;
  const limits = new Float64Array(k);
  const nearer = new Int32Array(k);
  await forEachDistanceRow(original, original, ({ query, squared }) => {
    for (let j = 0; j < k; j++) limits[j] = squared[indices[query * k + j]];
    nearer.fill(0);
    for (let o = 0; o < n; o++) {
      if (o === query) continue;
      for (let j = 0; j < k; j++) if (squared[o] < limits[j]) nearer[j]++;
    }
    for (let j = 0; j < k; j++) penalty += Math.max(0, nearer[j] + 1 - k);
  });
  return 1 - (2 * penalty) / (n * k * (2 * n - 3 * k - 1));
}
