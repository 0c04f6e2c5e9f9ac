import { rms } from './noise.js';

/** Multiplies by a gain in dB. */
export function amplify(samples: Float32Array, gainDb: number): Float32Array {
  const gain = Math.pow(10, gainDb / 20);
  return samples.map((sample) => gain * sample);
}

/**
 * Cuts off at plus and minus a threshold, chosen so that `share` of the samples other than 0 reach it
 * (rounded to whole samples; samples of equal size are cut together, to the same value).
 */
export function clip(samples: Float32Array, share: number): Float32Array {
  const sizes = samples.filter((sample) => sample !== 0).map(Math.abs);
  const nClipped = Math.round(share * sizes.length);
  if (nClipped === 0) return samples.slice();
  const threshold = sizes.sort()[sizes.length - nClipped];
  return samples.map((sample) => Math.max(-threshold, Math.min(threshold, sample)));
}

export interface CompressorOptions {
  /** dB over the RMS of the samples. */
  readonly thresholdDb: number;
  readonly attackMs: number;
  readonly releaseMs: number;
}

/** Seconds in which the held peak falls by 8.7 dB: long beside a period of most notes, so that the level has no ripple. */
const HOLD_SECONDS = 0.01;

/**
 * Compression: above the threshold the level (held peaks) rises by 1 / ratio dB per dB, hard knee, gain smoothed in dB
 * with one time constant each way. Then the RMS is made what it was, so that compression is not heard as a change of level.
 * Source: Giannoulis, Massberg, Reiss, "Digital dynamic range compressor design" (2012), the smooth branching detector
 * in the log domain.
 * @param sampleRate Hz
 */
export function compress(
  samples: Float32Array,
  ratio: number,
  { thresholdDb, attackMs, releaseMs }: CompressorOptions,
  sampleRate: number,
): Float32Array {
  const level = rms(samples);
  const out = new Float32Array(samples.length);
  if (level === 0) return out;
  const threshold = level * Math.pow(10, thresholdDb / 20);
  const slope = 1 - 1 / ratio;
  const attack = Math.exp(-1000 / (attackMs * sampleRate));
  const release = Math.exp(-1000 / (releaseMs * sampleRate));
  const fall = Math.exp(-1 / (HOLD_SECONDS * sampleRate));
  let peak = 0;
  let reduction = 0; // minus the natural log of the gain
  for (let i = 0; i < samples.length; i++) {
    peak = Math.max(Math.abs(samples[i]), fall * peak);
    const wanted = peak > threshold ? slope * Math.log(peak / threshold) : 0;
    const hold = wanted > reduction ? attack : release;
    reduction = hold * reduction + (1 - hold) * wanted;
    out[i] = samples[i] * Math.exp(-reduction);
  }
  const makeUp = level / rms(out);
  for (let i = 0; i < out.length; i++) out[i] *= makeUp;
  return out;
}
