/** Which pitch classes sound when in a composed piece: what a listener who writes the notes down would have. */
import { arrange, DRUM_CHANNEL } from './arrange.js';
import type { PieceRecipe } from './recipe.js';

/** Three groups of twelve: pitch classes that sound, the pitch class of the lowest note, pitch classes that begin. */
export const ACTIVITY_CHANNELS = 36;

/** Rows of a constant length in time, from the start of the piece. */
export interface PitchClassActivity {
  readonly nBins: number;
  readonly binSeconds: number;
  /** [nBins, 36] shares of a bin's time in 1/255; of the third group, 255 where a note begins in the bin. */
  readonly data: Uint8Array;
}

/** The activity of a piece's pitched parts as composed: a note ends with its written length, whatever still rings. */
export function pitchClassActivity(recipe: PieceRecipe, binSeconds: number): PitchClassActivity {
  const nBins = Math.ceil(recipe.durationSeconds / binSeconds);
  const shares = new Float64Array(nBins * ACTIVITY_CHANNELS);
  const lowest = new Float64Array(nBins).fill(Infinity);
  const notes = arrange(recipe).filter(({ channel }) => channel !== DRUM_CHANNEL);
  const overlap = (bin: number, from: number, to: number): number =>
    (Math.min(to, (bin + 1) * binSeconds) - Math.max(from, bin * binSeconds)) / binSeconds;
  for (const { time, duration, note } of notes) {
    const end = Math.min(time + duration, recipe.durationSeconds);
    const first = Math.floor(time / binSeconds);
    for (let bin = first; bin < nBins && bin * binSeconds < end; bin++) {
      const share = overlap(bin, time, end);
      const own = bin * ACTIVITY_CHANNELS;
      shares[own + (note % 12)] += share;
      if (note < lowest[bin]) {
        lowest[bin] = note;
        shares.fill(0, own + 12, own + 24);
      }
      if (note === lowest[bin]) shares[own + 12 + (note % 12)] += share;
    }
    if (first < nBins) shares[first * ACTIVITY_CHANNELS + 24 + (note % 12)] = 1;
  }
  return { nBins, binSeconds, data: Uint8Array.from(shares, (share) => Math.round(255 * Math.min(1, share))) };
}
