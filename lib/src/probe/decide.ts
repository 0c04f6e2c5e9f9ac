/** From logits of clips to one key per track. Letters: C clips, T tracks, K = 24 keys. */
import type { EmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { NUM_KEYS } from '../keys/index.js';
import type { Decision } from './config.js';

export interface TrackDecisions {
  /** [T] estimated key ids */
  readonly estimated: Int32Array;
  /** [T, K] means of the clips' logits, whatever the decision: what confidence and top-k read */
  readonly logits: Float32Array;
}

/**
 * One key per track.
 * - `meanLogits` (the paper): argmax of the mean of the clips' raw logits
 * - `meanProbabilities`: argmax of the mean of the clips' softmax
 * - `vote`: the key that most clips name; of equally many the one with the larger mean logit
 *
 * @param clipLogits [C, K]
 * @throws InputError for a track without clips or a logit that is not finite
 */
export function decideTracks(
  clipLogits: Float32Array,
  table: Pick<EmbeddingTable, 'trackOf' | 'trackIds'>,
  decision: Decision = 'meanLogits',
): TrackDecisions {
  const { trackOf, trackIds } = table;
  if (clipLogits.length !== trackOf.length * NUM_KEYS)
    throw new InputError('decideTracks', `${clipLogits.length} logits; expected ${trackOf.length} clips x ${NUM_KEYS}`);
  const meanLogits = meanByTrack(clipLogits, trackOf, trackIds);
  const scores =
    decision === 'meanLogits'
      ? meanLogits
      : decision === 'meanProbabilities'
        ? meanByTrack(softmaxRows(clipLogits), trackOf, trackIds)
        : votes(clipLogits, trackOf, meanLogits);
  const estimated = Int32Array.from(trackIds, (_, track) => argMax(scores, track * NUM_KEYS));
  return { estimated, logits: Float32Array.from(meanLogits) };
}

/** Softmax of each row of [N, K]. */
export function softmaxRows(logits: ArrayLike<number>): Float64Array {
  const probabilities = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += NUM_KEYS) {
    let largest = -Infinity;
    for (let k = start; k < start + NUM_KEYS; k++) largest = Math.max(largest, logits[k]);
    let sum = 0;
    for (let k = start; k < start + NUM_KEYS; k++) sum += probabilities[k] = Math.exp(logits[k] - largest);
    for (let k = start; k < start + NUM_KEYS; k++) probabilities[k] /= sum;
  }
  return probabilities;
}

/** Share of rows whose reference key is among the `k` largest logits. @param logits [T, K] */
export function topKAccuracy(logits: ArrayLike<number>, reference: ArrayLike<number>, k: number): number {
  let hits = 0;
  for (let row = 0; row < reference.length; row++) {
    const own = logits[row * NUM_KEYS + reference[row]];
    let ahead = 0;
    for (let key = 0; key < NUM_KEYS; key++) {
      const other = logits[row * NUM_KEYS + key];
      // Of equal logits the lower id is first, as argmax takes it.
      if (other > own || (other === own && key < reference[row])) ahead++;
    }
    if (ahead < k) hits++;
  }
  return hits / reference.length;
}

function meanByTrack(rows: ArrayLike<number>, trackOf: Int32Array, trackIds: readonly string[]): Float64Array {
  const means = new Float64Array(trackIds.length * NUM_KEYS);
  const counts = new Int32Array(trackIds.length);
  trackOf.forEach((track, clip) => {
    counts[track]++;
    for (let k = 0; k < NUM_KEYS; k++) means[track * NUM_KEYS + k] += rows[clip * NUM_KEYS + k];
  });
  counts.forEach((count, track) => {
    if (count === 0) throw new InputError(`track ${trackIds[track]}`, 'has no clips in the embedding table');
  });
  for (let i = 0; i < means.length; i++) {
    means[i] /= counts[Math.floor(i / NUM_KEYS)];
    if (!Number.isFinite(means[i]))
      throw new InputError(
        `track ${trackIds[Math.floor(i / NUM_KEYS)]}`,
        `a logit is ${means[i]}; the probe's training diverged, lower its learning rate`,
      );
  }
  return means;
}

function votes(clipLogits: Float32Array, trackOf: Int32Array, meanLogits: Float64Array): Float64Array {
  const counts = new Float64Array(meanLogits.length);
  trackOf.forEach((track, clip) => counts[track * NUM_KEYS + argMax(clipLogits, clip * NUM_KEYS)]++);
  for (let start = 0; start < counts.length; start += NUM_KEYS) {
    const most = counts.subarray(start, start + NUM_KEYS).reduce((a, b) => Math.max(a, b));
    // Tied winners are told apart by their mean logit; all others can no longer win.
    for (let k = start; k < start + NUM_KEYS; k++) counts[k] = counts[k] === most ? meanLogits[k] : -Infinity;
  }
  return counts;
}

/** Place of the largest of 24 values from `start`, relative to it; the first of equal ones. */
function argMax(values: ArrayLike<number>, start: number): number {
  let best = 0;
  for (let k = 1; k < NUM_KEYS; k++) if (values[start + k] > values[start + best]) best = k;
  return best;
}
