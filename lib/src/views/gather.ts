/** Patches of kept tokens, read straight from whole tracks: of a clip masked by 90 % only a tenth is ever touched. */
import type { MelSpectrogram } from '../mel/index.js';
import { PATCH_SIZE, tokenGrid, type Patching } from './patches.js';

/** A clip of a track's mel spectrogram that has not been copied out. */
export interface ClipOfTrack {
  readonly mel: MelSpectrogram;
  /** First frame; frames past the end of the mel are zero. */
  readonly start: number;
}

/**
 * Equals patchify(clips cut out of their tracks and padded with zero frames, kept).
 *
 * @param clips clips of tracks, all with the same number of bands
 * @param clipFrames frames of a clip
 * @param kept token ids [nClips, nKept]; without it all tokens
 * @returns [nClips * nKept, melBins * frames], inside a patch frequency-major
 */
export function gatherPatches(
  clips: readonly ClipOfTrack[],
  clipFrames: number,
  patching: Patching,
  kept?: Int32Array,
): Float32Array {
  const [bins, frames] = PATCH_SIZE[patching];
  const [nRows, nColumns] = tokenGrid(patching, clips[0].mel.nMels, clipFrames);
  const perClip = kept ? kept.length / clips.length : nRows * nColumns;
  const patches = new Float32Array(clips.length * perClip * bins * frames);
  const area = bins * frames;
  clips.forEach(({ mel, start }, clip) => {
    const { data, nFrames } = mel;
    const [first, last] = [clip * perClip, (clip + 1) * perClip];
    const tokenAt = (row: number): number => (kept ? kept[row] : row - first);
    const frameOf = (row: number): number => start + (tokenAt(row) % nColumns) * frames;
    const placeOf = (row: number): number => Math.floor(tokenAt(row) / nColumns) * bins * nFrames + frameOf(row);
    const copy = (row: number): void => {
      const present = Math.max(0, Math.min(frames, nFrames - frameOf(row)));
      let source = placeOf(row);
      for (let target = row * area; target < (row + 1) * area; target += frames, source += nFrames) {
        for (let frame = 0; frame < present; frame++) patches[target + frame] = data[source + frame];
      }
    };
    if (patching !== 'vertical' || perClip < 4) {
      for (let row = first; row < last; row++) copy(row);
      return;
    }
    for (let next = first; next < last; next += 4) {
      const row = Math.min(next, last - 4); // the last four may repeat some of the four before
      const end = Math.max(frameOf(row), frameOf(row + 1), frameOf(row + 2), frameOf(row + 3)) + frames;
      if (end > nFrames) for (let i = 0; i < 4; i++) copy(row + i);
      else {
        const [a, b, c, d] = [placeOf(row), placeOf(row + 1), placeOf(row + 2), placeOf(row + 3)];
        copyFour(data, nFrames, a, b, c, d, patches, row * area, area);
      }
    }
  });
  return patches;
}

/**
 * Four vertical patches, two frames of every band, to places `area` apart. Each band of each patch is a cache miss of
 * its own; side by side the misses of four patches are waited for at once.
 */
function copyFour(
  data: Float32Array,
  nFrames: number,
  a: number,
  b: number,
  c: number,
  d: number,
  patches: Float32Array,
  start: number,
  area: number,
): void {
  for (let target = start; target < start + area; target += 2) {
    patches[target] = data[a];
    patches[target + 1] = data[a + 1];
    patches[target + area] = data[b];
    patches[target + area + 1] = data[b + 1];
    patches[target + 2 * area] = data[c];
    patches[target + 2 * area + 1] = data[c + 1];
    patches[target + 3 * area] = data[d];
    patches[target + 3 * area + 1] = data[d + 1];
    a += nFrames;
    b += nFrames;
    c += nFrames;
    d += nFrames;
  }
}
