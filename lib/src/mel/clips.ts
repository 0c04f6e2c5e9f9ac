import { InputError } from '../errors.js';
import type { MelSpectrogram } from './spectrogram.js';

/** Samples of a clip at 16 kHz: 6.25 s. */
export const CLIP_SAMPLES = 100000;

/** Frames of a clip by patch variant: 196, floored to a multiple of the time length of a 16x16 patch where there is one. */
export const CLIP_FRAMES = { vertical: 196, square: 192, hybrid: 192 } as const;

/**
 * First frames of the clips of a track: 0, hop, 2 hop, ... while the clip fits; the remainder is dropped.
 * A track shorter than a clip gives the one start 0 (its clip is padded).
 * @param hop frames from clip to clip; clipFrames = no overlap
 */
export function clipStarts(nFrames: number, clipFrames: number, hop: number = clipFrames): number[] {
  for (const [name, value] of [
    ['nFrames', nFrames],
    ['clipFrames', clipFrames],
    ['hop', hop],
  ] as const) {
    // prettier-ignore
    if (!Number.isInteger(value) || value < 1)
      throw new InputError('clipStarts', `${name} is ${value}, a whole number of frames >= 1 was expected.`);
  }
  if (nFrames <= clipFrames) return [0];
  return Array.from({ length: Math.floor((nFrames - clipFrames) / hop) + 1 }, (_, i) => i * hop);
}

/** One clip of `clipFrames` frames from frame `start`, copied; frames beyond the end are zero. */
export function cutClip(mel: MelSpectrogram, start: number, clipFrames: number): MelSpectrogram {
  const data = new Float32Array(mel.nMels * clipFrames);
  copyClip(mel, start, clipFrames, data);
  return { nMels: mel.nMels, nFrames: clipFrames, data };
}

/** As `cutClip`, into `out` [nMels, clipFrames]: a place in a batch. */
export function copyClip(mel: MelSpectrogram, start: number, clipFrames: number, out: Float32Array): void {
  const { nMels, nFrames, data } = mel;
  const end = Math.min(nFrames, start + clipFrames);
  if (end < start + clipFrames) out.fill(0, 0, nMels * clipFrames);
  for (let m = 0; m < nMels; m++) out.set(data.subarray(m * nFrames + start, m * nFrames + end), m * clipFrames);
}

/**
 * Cuts a track into clips as the reference: contiguous (or every `hop` frames), the remainder dropped; a shorter track
 * gives one clip, padded with zero frames at its end.
 */
export function cutClips(mel: MelSpectrogram, clipFrames: number, options: { hop?: number } = {}): MelSpectrogram[] {
  return clipStarts(mel.nFrames, clipFrames, options.hop ?? clipFrames).map((start) => cutClip(mel, start, clipFrames));
}
