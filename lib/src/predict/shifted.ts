/** A recording heard at other pitches, as a stream: for answers averaged over transpositions. */
import { applyAugmentation, SAMPLE_RATE } from '../audio/index.js';
import { transposeKey, NUM_KEYS } from '../keys/index.js';
import { createRng } from '../tensor/index.js';

/** One shift a pitch class, semitones: -6 and not +6. */
export const TWELVE_SHIFTS: readonly number[] = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, -6];

/** Samples shifted at once: a minute. */
const BLOCK = 60 * SAMPLE_RATE;
/** Samples on both sides that a block is shifted with, so that its ends are no ends. */
const MARGIN = SAMPLE_RATE;
/**
 * Samples over which one block fades into the next, against clicks: 20 ms, because the phases of the two differ, and
 * while both sound the level may dip.
 */
const FADE = SAMPLE_RATE / 50;

/**
 * The stream at another pitch, of the same length: `applyAugmentation` with `pitchShift`, block by block, each fading
 * into the next. Up to a minute it is one block, and the same bits.
 * @param semitones -12 to 12; 0 hands the pieces on
 */
export async function* shifted(
  samples: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  semitones: number,
): AsyncGenerator<Float32Array, void, undefined> {
  if (semitones === 0) return yield* samples;
  let held = new Float32Array(0); // from MARGIN before the running block on, or from the start
  let before = 0; // samples of `held` in front of the block
  let tail: Float32Array = new Float32Array(0); // of the block before: what fades out over the start of this one
  const next = async (isLast: boolean): Promise<Float32Array> => {
    const end = isLast ? held.length : before + BLOCK;
    const through = isLast ? end : end + MARGIN;
    const whole = await applyAugmentation(
      held.slice(0, through),
      { id: 'pitchShift', strength: semitones },
      createRng(0),
    );
    const out = whole.slice(before, end);
    for (let i = 0; i < Math.min(tail.length, out.length); i++) {
      const share = (i + 0.5) / tail.length;
      out[i] = share * out[i] + (1 - share) * tail[i];
    }
    tail = isLast ? new Float32Array(0) : whole.slice(end, end + FADE);
    held = held.slice(Math.max(0, end - MARGIN));
    before = Math.min(MARGIN, end);
    return out;
  };
  for await (const piece of samples) {
    const joined = new Float32Array(held.length + piece.length);
    joined.set(held);
    joined.set(piece, held.length);
    held = joined;
    while (held.length >= before + BLOCK + MARGIN) yield await next(false);
  }
  if (held.length > before) yield await next(true);
}

/**
 * Mean of clips' logits over shifts, each moved back to the recording's own key.
 * @param logits of each shift, [C, 24]
 */
export function meanOverShifts(logits: readonly Float32Array[], shifts: readonly number[]): Float32Array {
  const mean = new Float64Array(logits[0].length);
  logits.forEach((own, i) => {
    for (let at = 0; at < mean.length; at++) {
      const key = at % NUM_KEYS;
      mean[at] += own[at - key + transposeKey(key, shifts[i])] / shifts.length;
    }
  });
  return Float32Array.from(mean);
}
