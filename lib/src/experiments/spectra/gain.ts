/** 01: what a change of level does to the encoder's input. */
import { cutClip, melSpectrogram } from '../../mel/index.js';
import { patchify } from '../../views/index.js';
import type { GainMeasurement } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';
import { exampleTrack, firstClip } from '../features/tracks.js';

const GAINS = [-40, -30, -20, -10, -5, 0, 5, 10, 20];
const PATCH_VALUES = 256;
/** The reference's LayerNorm. */
const EPSILON = 1e-5;

/** The example clip at several levels, as vertical patches before and after the patch embedding's first LayerNorm. */
export function gain(run: Run): Promise<GainMeasurement> {
  const track = exampleTrack(run);
  return measured(run, 'gain', { track: track.id, gains: GAINS }, async (base) => {
    const samples = await firstClip(track);
    const patchesAt = (decibel: number, scale: 'power' | 'log1p'): Float32Array => {
      const factor = 10 ** (decibel / 20);
      const mel = cutClip(
        melSpectrogram(
          samples.map((x) => x * factor),
          { scale },
        ),
        0,
        196,
      );
      return patchify(mel.data, 1, 196, 'vertical');
    };
    const curve = (scale: 'power' | 'log1p', normalise: boolean): number[] => {
      const prepare = (patches: Float32Array): Float64Array =>
        normalise ? normalised(patches) : Float64Array.from(patches);
      const reference = prepare(patchesAt(0, scale));
      return GAINS.map((decibel) => relativeChange(prepare(patchesAt(decibel, scale)), reference));
    };
    return {
      ...base,
      gainsDecibel: GAINS,
      power: curve('power', true),
      log1p: curve('log1p', true),
      powerRaw: curve('power', false),
      log1pRaw: curve('log1p', false),
    };
  });
}

/** Each patch of 256 values with mean 0 and variance 1 (biased, epsilon 1e-5), as LayerNorm before its gain and bias. */
function normalised(patches: Float32Array): Float64Array {
  const out = new Float64Array(patches.length);
  for (let start = 0; start < patches.length; start += PATCH_VALUES) {
    const patch = patches.subarray(start, start + PATCH_VALUES);
    const mean = patch.reduce((a, b) => a + b, 0) / PATCH_VALUES;
    const variance = patch.reduce((a, b) => a + (b - mean) ** 2, 0) / PATCH_VALUES;
    patch.forEach((x, i) => (out[start + i] = (x - mean) / Math.sqrt(variance + EPSILON)));
  }
  return out;
}

/** |a - b| / |b|. */
function relativeChange(a: Float64Array, b: Float64Array): number {
  const length = (x: Float64Array): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  return rounded(length(a.map((v, i) => v - b[i])) / length(b));
}
