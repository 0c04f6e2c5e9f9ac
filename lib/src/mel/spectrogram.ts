import { InputError } from '../errors.js';
import { analyseFrames, frameCount } from './frames.js';
import { MEL, melFilterBank, type MelConfig, type MelFilterBank } from './filterBank.js';

/** Power (or log1p of power) in mel bands: row-major [nMels, nFrames], so one band's course in time is contiguous. */
export interface MelSpectrogram {
  readonly nMels: number;
  readonly nFrames: number;
  readonly data: Float32Array;
}

/** A track's mel spectrogram under the track's id. */
export interface MelTrack {
  readonly id: string;
  readonly mel: MelSpectrogram;
}

/** Power spectrum frame by frame: row-major [nFrames, nBins]; bin k is at k * sampleRate / nFft Hz. */
export interface PowerSpectrogram {
  readonly nFrames: number;
  readonly nBins: number;
  readonly data: Float32Array;
}

/**
 * Mel spectrogram as the paper's reference (nnAudio): frames centred on every 512th sample, reflect padding, periodic
 * Hann window without normalisation, power, 128 Slaney bands with area norm. Computed in float64, stored in float32.
 *
 * @param samples mono audio at `config.sampleRate`; at least nFft / 2 + 1 samples (1025), as reflect padding needs them
 * @param options.scale 'power' (the reference, default) or 'log1p' = ln(1 + power)
 * @returns [nMels, 1 + floor(nSamples / hopLength)]
 * @throws InputError for fewer samples, NaN or infinities
 */
export function melSpectrogram(
  samples: Float32Array,
  options: { scale?: 'power' | 'log1p'; config?: MelConfig } = {},
): MelSpectrogram {
  const config = options.config ?? MEL;
  assertFrames('melSpectrogram', samples.length, config.nFft, config.hopLength);
  const data = analyseFrames('melSpectrogram', samples, config, bankOf(config));
  if (options.scale === 'log1p') for (let i = 0; i < data.length; i++) data[i] = Math.log1p(data[i]);
  return { nMels: config.nMels, nFrames: frameCount(samples.length, config.hopLength), data };
}

/**
 * Power spectrogram |STFT|^2 with the same framing, padding and window, for any power-of-two nFft.
 * @throws InputError for fewer than nFft / 2 + 1 samples, NaN or infinities
 */
export function powerSpectrogram(
  samples: Float32Array,
  options: { nFft: number; hopLength: number },
): PowerSpectrogram {
  const { nFft, hopLength } = options;
  assertFrames('powerSpectrogram', samples.length, nFft, hopLength);
  const data = analyseFrames('powerSpectrogram', samples, options, null);
  return { nFrames: frameCount(samples.length, hopLength), nBins: nFft / 2 + 1, data };
}

/** @throws InputError if `n` samples cannot be cut into frames */
export function assertFrames(where: string, n: number, nFft: number, hopLength: number): void {
  if (!Number.isInteger(hopLength) || hopLength < 1)
    throw new InputError(where, `hopLength is ${hopLength}, a whole number of samples >= 1 was expected.`);
  const pad = nFft / 2;
  if (n <= pad)
    throw new InputError(
      where,
      `the audio has ${n} samples, at least ${pad + 1} are needed for one frame of ${nFft} with reflect padding.`,
    );
}

let paperBank: MelFilterBank | undefined;

/** The bank of a configuration; the paper's, which every track needs, is built once. */
export function bankOf(config: MelConfig): MelFilterBank {
  return config === MEL ? (paperBank ??= melFilterBank(MEL)) : melFilterBank(config);
}
