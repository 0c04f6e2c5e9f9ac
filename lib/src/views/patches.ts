/**
 * Patches and back. Shapes: clips [nClips, nMels, nFrames] and patches [nClips * nTokens, melBins * frames], both
 * row-major. Token order is row-major too (all frames of the lowest band row first); inside a patch the values run
 * frequency-major. This is "b c (h p1) (w p2) -> b (h w) (p1 p2 c)" of the reference, p1 = mel bins, p2 = frames.
 */
import { InputError } from '../errors.js';

/** One way of cutting a clip: tall patches that span all bands, or square ones. */
export type Patching = 'vertical' | 'square';

/** What an encoder looks at; `hybrid` cuts the same clip in both ways. */
export type PatchVariant = Patching | 'hybrid';

/** `[melBins, frames]` of one patch. */
export type PatchSize = readonly [melBins: number, frames: number];

/** Patch sizes of the paper. Both hold 256 values, so their patch embeddings have equal shapes. */
export const PATCH_SIZE: { readonly [P in Patching]: PatchSize } = { vertical: [128, 2], square: [16, 16] };

/** The patchings of a variant, in the order of the embedding's halves: hybrid is [square ; vertical]. */
export const PATCHINGS: { readonly [P in PatchVariant]: readonly Patching[] } = {
  vertical: ['vertical'],
  square: ['square'],
  hybrid: ['square', 'vertical'],
};

/**
 * The most frames, at most `nFrames`, that every patching of the variant divides: 196 stays 196 for vertical patches
 * and becomes 192 for square and hybrid.
 */
export function wholePatchFrames(patches: PatchVariant, nFrames: number): number {
  const step = Math.max(...PATCHINGS[patches].map((patching) => PATCH_SIZE[patching][1]));
  return Math.floor(nFrames / step) * step;
}

/**
 * Tokens of one clip.
 *
 * @param patch name of a patching or `[melBins, frames]`
 * @throws InputError when the patch size does not divide the clip
 */
export function numTokens(patch: Patching | PatchSize, nMels: number, nFrames: number): number {
  const [nRows, nColumns] = tokenGrid(patch, nMels, nFrames);
  return nRows * nColumns;
}

/**
 * Cuts clips into patches; with `kept`, only those, so that dropped tokens cost nothing.
 *
 * @param clips `[nClips, nMels, nFrames]`; nMels follows from the length
 * @param patch name of a patching or `[melBins, frames]`
 * @param kept token ids `[nClips, nKept]` from `randomMasking`; without it all tokens
 * @returns `[nClips * nKept, melBins * frames]`
 * @throws InputError for a length or a patch size that does not divide, or a token id out of range
 */
export function patchify(
  clips: Float32Array,
  nClips: number,
  nFrames: number,
  patch: Patching | PatchSize,
  kept?: Int32Array,
): Float32Array {
  const nMels = clips.length / (nClips * nFrames);
  if (!Number.isInteger(nMels) || nMels === 0) {
    throw new InputError('patchify', `${clips.length} values are not [${nClips} clips, nMels, ${nFrames} frames]`);
  }
  const { source, bins, frames, nRows } = layout(nClips, nMels, nFrames, patch, kept);
  const patches = new Float32Array(nRows * bins * frames);
  let target = 0;
  for (let row = 0; row < nRows; row++) {
    const corner = source(row);
    for (let bin = 0; bin < bins; bin++) {
      const start = corner + bin * nFrames;
      for (let frame = 0; frame < frames; frame++) patches[target++] = clips[start + frame];
    }
  }
  return patches;
}

/**
 * The inverse of `patchify`. With `kept`, cells of dropped tokens hold `fill` (a figure of what the encoder sees).
 *
 * @param patches `[nClips * nKept, melBins * frames]`
 * @returns `[nClips, nMels, nFrames]`
 * @throws InputError when the shapes do not fit
 */
export function unpatchify(
  patches: Float32Array,
  nClips: number,
  nFrames: number,
  patch: Patching | PatchSize,
  { nMels = 128, kept, fill = 0 }: { nMels?: number; kept?: Int32Array; fill?: number } = {},
): Float32Array {
  const { source, bins, frames, nRows } = layout(nClips, nMels, nFrames, patch, kept);
  if (patches.length !== nRows * bins * frames) {
    const expected = `[${nRows} patches, ${bins * frames}]`;
    throw new InputError('unpatchify', `${patches.length} values are not ${expected}`);
  }
  const clips = new Float32Array(nClips * nMels * nFrames).fill(fill);
  let next = 0;
  for (let row = 0; row < nRows; row++) {
    const corner = source(row);
    for (let bin = 0; bin < bins; bin++) {
      const start = corner + bin * nFrames;
      for (let frame = 0; frame < frames; frame++) clips[start + frame] = patches[next++];
    }
  }
  return clips;
}

/** Rows and columns of the token grid: `[nMels / melBins, nFrames / frames]`. */
export function tokenGrid(
  patch: Patching | PatchSize,
  nMels: number,
  nFrames: number,
): [nRows: number, nColumns: number] {
  const [bins, frames] = sizeOf(patch);
  if (!(nMels > 0 && nFrames > 0) || nMels % bins !== 0 || nFrames % frames !== 0) {
    throw new InputError(
      'numTokens',
      `a clip of ${nMels} bands x ${nFrames} frames cannot be cut into patches of ${bins} bands x ${frames} frames; ` +
        `both numbers must be multiples (wholePatchFrames gives the next shorter clip)`,
    );
  }
  return [nMels / bins, nFrames / frames];
}

function sizeOf(patch: Patching | PatchSize): PatchSize {
  return typeof patch === 'string' ? PATCH_SIZE[patch] : patch;
}

/** Where each row of patches begins in the clips: `source(row)` is the index of its lowest band and first frame. */
function layout(
  nClips: number,
  nMels: number,
  nFrames: number,
  patch: Patching | PatchSize,
  kept: Int32Array | undefined,
): { source: (row: number) => number; bins: number; frames: number; nRows: number } {
  const [bins, frames] = sizeOf(patch);
  const [nGridRows, nColumns] = tokenGrid(patch, nMels, nFrames);
  const nTokens = nGridRows * nColumns;
  const perClip = kept ? kept.length / nClips : nTokens;
  if (!Number.isInteger(perClip)) {
    throw new InputError('kept', `${kept?.length} token ids cannot be shared evenly by ${nClips} clips`);
  }
  const outside = kept?.find((token) => !(token >= 0 && token < nTokens));
  if (outside !== undefined) {
    throw new InputError(
      'kept',
      `token id ${outside} found, but a clip of ${nFrames} frames has tokens 0 to ${nTokens - 1}`,
    );
  }
  const source = (row: number): number => {
    const clip = Math.floor(row / perClip);
    const token = kept ? kept[row] : row % perClip;
    const gridRow = Math.floor(token / nColumns);
    return (clip * nMels + gridRow * bins) * nFrames + (token % nColumns) * frames;
  };
  return { source, bins, frames, nRows: nClips * perClip };
}
