import { InputError } from '../errors.js';

/** What a mel spectrogram is made with. */
export interface MelConfig {
  /** Hz. */
  readonly sampleRate: number;
  /** Samples a frame, and length of the periodic Hann window; a power of two. */
  readonly nFft: number;
  /** Samples from frame to frame. */
  readonly hopLength: number;
  readonly nMels: number;
  /** Lower end of the lowest band, Hz. */
  readonly fMin: number;
  /** Upper end of the highest band, Hz. */
  readonly fMax: number;
}

/** The setting of the paper (nnAudio's `MelSpectrogram(sr=16000, n_mels=128)`). */
export const MEL: MelConfig = { sampleRate: 16000, nFft: 2048, hopLength: 512, nMels: 128, fMin: 0, fMax: 8000 };

/** Triangular filters; each touches few bins: band m weighs bins first[m] .. first[m] + offset[m+1] - offset[m] - 1. */
export interface MelFilterBank {
  readonly nMels: number;
  /** nFft / 2 + 1 */
  readonly nBins: number;
  /** [nMels] first bin of each band */
  readonly first: Int32Array;
  /** [nMels + 1] where each band's weights start in `weights` */
  readonly offset: Int32Array;
  readonly weights: Float32Array;
}

// Slaney's scale (Auditory Toolbox, 1998): linear below 1 kHz, 15 mel; logarithmic above, 27 steps to a factor of 6.4.
const HZ_A_MEL = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / HZ_A_MEL;
const LOG_STEP = Math.log(6.4) / 27;

/** Slaney mel of a frequency in Hz. */
export function hzToMel(hz: number): number {
  return hz < BREAK_HZ ? hz / HZ_A_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

/** Frequency in Hz of a Slaney mel. */
export function melToHz(mel: number): number {
  return mel < BREAK_MEL ? mel * HZ_A_MEL : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}

/** The nMels + 2 corner frequencies of the bands, Hz: band m rises from corner m to m + 1 and falls to m + 2. */
export function melCorners(config: MelConfig): Float64Array {
  const low = hzToMel(config.fMin);
  const high = hzToMel(config.fMax);
  return Float64Array.from({ length: config.nMels + 2 }, (_, i) =>
    melToHz(low + ((high - low) * i) / (config.nMels + 1)),
  );
}

/**
 * Slaney's triangular mel filters with area norm 2 / (f[m+2] - f[m]), as `librosa.filters.mel` by default.
 * @throws InputError if a band is empty (too many bands for this nFft) or the frequencies make no sense
 */
export function melFilterBank(config: MelConfig = MEL): MelFilterBank {
  const { sampleRate, nFft, nMels, fMin, fMax } = config;
  if (!(fMin >= 0 && fMin < fMax && fMax <= sampleRate / 2))
    throw new InputError(
      'melFilterBank',
      `fMin ${fMin} and fMax ${fMax} Hz must satisfy 0 <= fMin < fMax <= ${sampleRate / 2}.`,
    );
  const nBins = nFft / 2 + 1;
  const corners = melCorners(config);
  const first = new Int32Array(nMels);
  const offset = new Int32Array(nMels + 1);
  const weights: number[] = [];
  for (let m = 0; m < nMels; m++) {
    const [low, center, high] = [corners[m], corners[m + 1], corners[m + 2]];
    const norm = 2 / (high - low);
    let isEmpty = true;
    for (let bin = 0; bin < nBins; bin++) {
      const hz = (bin * sampleRate) / nFft;
      // librosa rounds the triangle to float32 before it applies the norm; so do we
      const height = Math.fround(Math.max(0, Math.min((hz - low) / (center - low), (high - hz) / (high - center))));
      if (height === 0) continue;
      if (isEmpty) first[m] = bin;
      isEmpty = false;
      weights.push(Math.fround(height * norm));
    }
    if (isEmpty)
      throw new InputError(
        'melFilterBank',
        `band ${m} of ${nMels} holds no bin of nFft ${nFft}; use fewer bands or a larger nFft.`,
      );
    offset[m + 1] = weights.length;
  }
  return { nMels, nBins, first, offset, weights: Float32Array.from(weights) };
}

/** The bank as a matrix [nMels, nBins], row-major. */
export function denseFilterBank(bank: MelFilterBank): Float32Array {
  const dense = new Float32Array(bank.nMels * bank.nBins);
  for (let m = 0; m < bank.nMels; m++) {
    dense.set(bank.weights.subarray(bank.offset[m], bank.offset[m + 1]), m * bank.nBins + bank.first[m]);
  }
  return dense;
}
