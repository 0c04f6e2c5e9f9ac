import { InputError } from '../errors.js';
import { RealFft } from './fft.js';
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

/** Frames of a signal: 1 + floor(nSamples / hopLength); frame t is centred on sample t * hopLength. */
export function frameCount(nSamples: number, hopLength: number = MEL.hopLength): number {
  return 1 + Math.floor(nSamples / hopLength);
}

/** Largest magnitude whose power surely stays finite in float32. Audio is -1..1; integers as floats pass as well. */
const MAX_MAGNITUDE = 1e12;

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
  assertFrames('melSpectrogram', samples, config.nFft, config.hopLength);
  const bank = bankOf(config);
  const { nMels, first, offset, weights } = bank;
  const nFrames = frameCount(samples.length, config.hopLength);
  const data = new Float32Array(nMels * nFrames);
  const isLog = options.scale === 'log1p';
  forEachFrame(samples, config.nFft, config.hopLength, (power, t) => {
    for (let m = 0; m < nMels; m++) {
      const begin = offset[m];
      const n = offset[m + 1] - begin;
      const bin = first[m];
      let sum = 0;
      for (let i = 0; i < n; i++) sum += weights[begin + i] * power[bin + i];
      data[m * nFrames + t] = isLog ? Math.log1p(sum) : sum;
    }
  });
  return { nMels, nFrames, data };
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
  assertFrames('powerSpectrogram', samples, nFft, hopLength);
  const nBins = nFft / 2 + 1;
  const nFrames = frameCount(samples.length, hopLength);
  const data = new Float32Array(nFrames * nBins);
  forEachFrame(samples, nFft, hopLength, (power, t) => data.set(power, t * nBins));
  return { nFrames, nBins, data };
}

/** The periodic Hann window of n samples: .5 - .5 cos(2 pi i / n). */
export function hannWindow(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n));
}

/** @throws InputError if these samples cannot be cut into frames, or hold NaN or infinities */
function assertFrames(where: string, samples: Float32Array, nFft: number, hopLength: number): void {
  if (!Number.isInteger(hopLength) || hopLength < 1)
    throw new InputError(where, `hopLength is ${hopLength}, a whole number of samples >= 1 was expected.`);
  const pad = nFft / 2;
  const n = samples.length;
  if (n <= pad)
    throw new InputError(
      where,
      `the audio has ${n} samples, at least ${pad + 1} are needed for one frame of ${nFft} with reflect padding.`,
    );
  for (let i = 0; i < n; i++) {
    if (!(Math.abs(samples[i]) <= MAX_MAGNITUDE))
      throw new InputError(
        where,
        `sample ${i} is ${samples[i]}, numbers between -${MAX_MAGNITUDE} and ${MAX_MAGNITUDE} were expected.`,
      );
  }
}

/** Calls `use(power [nFft/2+1], t)` for every frame; `power` is overwritten by the next frame. */
function forEachFrame(
  samples: Float32Array,
  nFft: number,
  hopLength: number,
  use: (power: Float64Array, t: number) => void,
): void {
  const fft = new RealFft(nFft);
  const pad = nFft / 2;
  const n = samples.length;
  const window = hannWindow(nFft);
  const frame = new Float64Array(nFft);
  const power = new Float64Array(fft.nBins);
  const nFrames = frameCount(n, hopLength);
  for (let t = 0; t < nFrames; t++) {
    const begin = t * hopLength - pad;
    if (begin >= 0 && begin + nFft <= n) {
      for (let i = 0; i < nFft; i++) frame[i] = samples[begin + i] * window[i];
    } else {
      for (let i = 0; i < nFft; i++) {
        let at = begin + i;
        if (at < 0) at = -at; // the edge sample itself is not repeated
        if (at >= n) at = 2 * (n - 1) - at;
        frame[i] = samples[at] * window[i];
      }
    }
    fft.power(frame, power);
    use(power, t);
  }
}

let paperBank: MelFilterBank | undefined;

/** The bank of a configuration; the paper's, which every track needs, is built once. */
function bankOf(config: MelConfig): MelFilterBank {
  return config === MEL ? (paperBank ??= melFilterBank(MEL)) : melFilterBank(config);
}
