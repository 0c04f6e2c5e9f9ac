/** Positive pairs: two clips of one track that the encoder shall map near each other. */
import { InputError } from '../errors.js';
import type { Rng } from '../tensor/index.js';

export interface PositivePairOptions {
  /**
   * Largest distance between the two starts, in frames: 0 takes the same clip twice (the views differ by their masks
   * only), null or undefined takes two independent uniform clips of the track, which may overlap (the reference's
   * default).
   */
  readonly maxFrameDistance?: number | null;
}

/**
 * First frames of two clips of one track. The first is uniform over all clips inside the track; the second is uniform
 * over those at most `maxFrameDistance` away from it. A track no longer than a clip gives [0, 0] (it is padded).
 *
 * @param nFrames frames of the track
 * @param clipFrames frames of a clip
 * @throws InputError for lengths below 1 or a distance that is not a whole number >= 0
 */
export function positivePair(
  nFrames: number,
  clipFrames: number,
  rng: Pick<Rng, 'int'>,
  { maxFrameDistance }: PositivePairOptions = {},
): [startA: number, startB: number] {
  if (!(nFrames >= 1 && clipFrames >= 1)) {
    throw new InputError(
      'positivePair',
      `a track of ${nFrames} frames and clips of ${clipFrames} found; both must be >= 1`,
    );
  }
  const lastStart = Math.max(0, nFrames - clipFrames);
  const startA = rng.int(lastStart + 1);
  if (maxFrameDistance === null || maxFrameDistance === undefined) return [startA, rng.int(lastStart + 1)];
  if (!(Number.isInteger(maxFrameDistance) && maxFrameDistance >= 0)) {
    throw new InputError(
      'maxFrameDistance',
      `${maxFrameDistance} found; expected whole frames >= 0, or null for clips anywhere in the track`,
    );
  }
  const first = Math.max(0, startA - maxFrameDistance);
  const last = Math.min(lastStart, startA + maxFrameDistance);
  return [startA, first + rng.int(last - first + 1)];
}
