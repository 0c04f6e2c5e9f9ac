/** What every key detector is here, whoever made it: samples in, one key out. */
import { InputError } from '../errors.js';
import { NUM_KEYS } from '../keys/index.js';

/** What a detector says of one track. */
export interface KeyAnswer {
  /** 0..23 */
  readonly keyId: number;
  /**
   * How sure the detector is, larger = surer: a probability, a correlation, whatever it gives. Comparable between tracks
   * of one detector only, and no probability unless the detector says so. null where it gives none
   */
  readonly confidence: number | null;
  /** [24] logits, probabilities or correlations by key id, larger = likelier; null where it names one key only */
  readonly scores: readonly number[] | null;
}

export interface KeyDetector {
  /** as tables show it */
  readonly name: string;
  /** Hz, of the samples that `detect` takes */
  readonly sampleRate: number;
  /**
   * @param samples mono, at `sampleRate`, not normalised
   * @throws InputError if this audio gives no answer
   */
  detect(samples: Float32Array): Promise<KeyAnswer>;
  /** Frees what the detector holds. */
  dispose(): Promise<void>;
}

/** The answer of a detector that scores all keys: the largest score; of equal ones, the lower key id. */
export function answerOf(scores: ArrayLike<number>, confidenceOf: (keyId: number) => number): KeyAnswer {
  if (scores.length !== NUM_KEYS)
    throw new InputError('key scores', `${scores.length} found; expected ${NUM_KEYS}, one a key`);
  let keyId = 0;
  for (let id = 0; id < NUM_KEYS; id++) {
    if (!Number.isFinite(scores[id])) throw new InputError('key scores', `the score of key ${id} is ${scores[id]}`);
    if (scores[id] > scores[keyId]) keyId = id;
  }
  return { keyId, confidence: confidenceOf(keyId), scores: Array.from(scores) };
}
