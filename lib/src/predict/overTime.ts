/** The key over time of a prediction, in seconds: stretches of one key, and where the music modulates. */
import { keysOverTime, NUM_KEYS, transitionsFor } from '../keys/index.js';
import type { KeyPrediction } from './predict.js';

/** A stretch of one key. */
export interface KeySection {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly keyId: number;
  /** Mean over the stretch's clips of the probability of its key, given all clips. */
  readonly confidence: number;
}

export interface KeyCourse {
  /** Without gaps, from 0 to the end of the recording. */
  readonly sections: readonly KeySection[];
  /** [C, 24] probability of each key in each clip, given all clips */
  readonly posteriors: Float64Array;
}

/** How long a key lasts on average, seconds: a prior by musical sense, as `KEY_TRANSITIONS`. */
export const KEY_SECONDS = 120;

/**
 * Smooths the clips' answers by how music moves from key to key (`keysOverTime`). Between two clips of different keys the
 * change is put where the second one starts, for overlapping clips at the middle of what both hear.
 * @param temperature the model's, which logits are divided by
 * @param keySeconds how long a key lasts on average
 */
export function keyCourse(
  { moments: clips, durationSeconds }: Pick<KeyPrediction, 'moments' | 'durationSeconds'>,
  temperature: number,
  keySeconds: number = KEY_SECONDS,
): KeyCourse {
  const hop = clips.length > 1 ? clips[1].startSeconds - clips[0].startSeconds : clips[0].seconds;
  // Overlapping clips hear the same music more than once; it must not count more than once.
  const weight = Math.min(1, hop / clips[0].seconds) / temperature;
  const scores = new Float64Array(clips.length * NUM_KEYS);
  clips.forEach(({ logits }, clip) => logits.forEach((logit, key) => (scores[clip * NUM_KEYS + key] = logit * weight)));
  const { posteriors, path, modulations } = keysOverTime(scores, transitionsFor(Math.max(1, keySeconds / hop)));
  const firsts = [0, ...modulations.map(({ clip }) => clip), clips.length];
  const overlap = Math.max(0, clips[0].seconds - hop);
  const timeOf = (clip: number): number =>
    clip === 0 ? 0 : clip === clips.length ? durationSeconds : clips[clip].startSeconds + overlap / 2;
  const sections = firsts.slice(0, -1).map((first, i): KeySection => {
    const end = firsts[i + 1];
    const keyId = path[first];
    let sum = 0;
    for (let clip = first; clip < end; clip++) sum += posteriors[clip * NUM_KEYS + keyId];
    return { startSeconds: timeOf(first), endSeconds: timeOf(end), keyId, confidence: sum / (end - first) };
  });
  return { sections, posteriors };
}
