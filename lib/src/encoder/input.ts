/** From clips to what the transformer reads: patches of kept tokens and their positions, as typed arrays. */
import { InputError } from '../errors.js';
import { PATCH_SIZE, patchify, tokenGrid, type Patching } from '../views/index.js';
import { LOG_GAINS, type EncoderConfig } from './config.js';
import { positionsOf } from './positions.js';

/** One patching of a batch of clips, R = nClips * nTokens rows. */
export interface EncoderInput {
  readonly patching: Patching;
  readonly nClips: number;
  /** Tokens of each clip that are given (the kept ones, or all). */
  readonly nTokens: number;
  /** `[R, 256]` after `inputScale`. */
  readonly patches: Float32Array;
  /** Position embeddings of the same tokens, `[R, width]`, or `[nTokens, width]` if all clips have the same tokens. */
  readonly positions: Float32Array;
}

/**
 * Cuts, scales and checks clips. Only kept tokens are cut: patch embedding works on every token alone, so this equals
 * the reference's embedding of all tokens followed by dropping some.
 *
 * @param clips `[nClips, 128, clipFrames]` mel power
 * @param kept token ids `[nClips, nKept]`; all tokens without it
 * @throws InputError for a wrong length, a token id out of range or a value that is not finite
 */
export function encoderInput(
  config: EncoderConfig,
  patching: Patching,
  clips: Float32Array,
  nClips: number,
  clipFrames: number,
  kept?: Int32Array,
): EncoderInput {
  const { nMels } = config;
  if (!(Number.isInteger(nClips) && nClips >= 1)) throw new InputError('clips', `${nClips} clips; expected 1 or more`);
  if (clips.length !== nClips * nMels * clipFrames) {
    throw new InputError(
      'clips',
      `${clips.length} values found; ${nClips} clips of ${nMels} bands x ${clipFrames} frames have ` +
        `${nClips * nMels * clipFrames}. For clips of another length give clipFrames`,
    );
  }
  const patches = patchify(clips, nClips, clipFrames, patching, kept);
  return patchesInput(config, patching, patches, nClips, clipFrames, kept);
}

/**
 * As `encoderInput`, from patches that are cut already.
 *
 * @param patches `[nClips * nKept, 256]` mel power, the tokens of `kept` in its order; scaled in place
 */
export function patchesInput(
  config: EncoderConfig,
  patching: Patching,
  patches: Float32Array,
  nClips: number,
  clipFrames: number,
  kept?: Int32Array,
): EncoderInput {
  const { nMels, width } = config;
  const [nRows, nColumns] = tokenGrid(patching, nMels, clipFrames);
  const [bins, frames] = PATCH_SIZE[patching];
  const nPatches = kept ? kept.length : nClips * nRows * nColumns;
  if (patches.length !== nPatches * bins * frames) {
    throw new InputError('patches', `${patches.length} values are not [${nPatches} patches, ${bins * frames}]`);
  }
  scaleInPlace(patches, config.inputScale, nClips);
  const nTokens = kept ? kept.length / nClips : nRows * nColumns;
  if (nTokens === 0) throw new InputError('kept', 'no token is kept; the mean over none is not defined');
  return { patching, nClips, nTokens, patches, positions: positionsOf(nRows, nColumns, width, kept) };
}

/** Applies the input scale and refuses what would become a NaN embedding. */
function scaleInPlace(patches: Float32Array, scale: EncoderConfig['inputScale'], nClips: number): void {
  if (scale === 'power' && allFinite(patches)) return;
  const gain = scale === 'power' ? 0 : LOG_GAINS[scale];
  for (let i = 0; i < patches.length; i++) {
    const value = gain > 0 ? Math.log1p(gain * patches[i]) : patches[i];
    if (!Number.isFinite(value)) {
      const clip = Math.floor(i / (patches.length / nClips));
      const expected = gain > 0 ? 'finite power, not negative' : 'finite power';
      throw new InputError(`clip ${clip}`, `its mel spectrogram holds ${patches[i]}; expected ${expected}`);
    }
    patches[i] = value;
  }
}

/** Whether no value is NaN or infinite: zero times any other is zero. One branch at the end, not one for each value. */
function allFinite(values: Float32Array): boolean {
  let [even, odd] = [0, 0];
  for (let i = 0; i + 1 < values.length; i += 2) {
    even += values[i] * 0;
    odd += values[i + 1] * 0;
  }
  const last = values.length % 2 === 1 ? values[values.length - 1] * 0 : 0;
  return even + odd + last === 0;
}
