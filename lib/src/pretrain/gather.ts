/** Patches of kept tokens, read straight from whole tracks: of a clip masked by 90 % only a tenth is ever touched. */
import { PATCH_SIZE, tokenGrid, type Patching } from '../views/index.js';
import type { ClipOfTrack } from './batches.js';

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
  let target = 0;
  clips.forEach(({ mel, start }, clip) => {
    const { data, nFrames } = mel;
    for (let k = 0; k < perClip; k++) {
      const token = kept ? kept[clip * perClip + k] : k;
      const firstFrame = start + (token % nColumns) * frames;
      const present = Math.max(0, Math.min(frames, nFrames - firstFrame));
      const firstBin = Math.floor(token / nColumns) * bins;
      for (let bin = 0; bin < bins; bin++) {
        const source = (firstBin + bin) * nFrames + firstFrame;
        for (let frame = 0; frame < present; frame++) patches[target + frame] = data[source + frame];
        target += frames;
      }
    }
  });
  return patches;
}
