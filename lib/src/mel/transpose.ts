/** Music moved in pitch on its mel spectrogram: much cheaper than on audio, and good enough to train on. */
import { InputError } from '../errors.js';
import { MEL, melCorners } from './filterBank.js';
import type { MelSpectrogram } from './spectrogram.js';

/** Where each band of a transposed mel comes from: between band `left` and the next, `share` of the way. */
interface Sources {
  readonly left: Int32Array;
  readonly share: Float64Array;
  /** First band whose source is not below the first one's centre. */
  readonly lowest: number;
}

const known = new Map<number, Sources>();

/** Band m shows at f what sounded at f / 2^(semitones / 12); beyond the first and the last band, what they show. */
function sourcesOf(semitones: number): Sources {
  const found = known.get(semitones);
  if (found) return found;
  const centres = melCorners(MEL).subarray(1, MEL.nMels + 1);
  const left = new Int32Array(MEL.nMels);
  const share = new Float64Array(MEL.nMels);
  const ratio = 2 ** (semitones / 12);
  for (let m = 0; m < MEL.nMels; m++) {
    const hz = centres[m] / ratio;
    while (left[m] < MEL.nMels - 2 && centres[left[m] + 1] <= hz) left[m]++;
    const [low, high] = [centres[left[m]], centres[left[m] + 1]];
    share[m] = Math.min(1, Math.max(0, (hz - low) / (high - low)));
  }
  const lowest = centres.findIndex((hz) => hz / ratio >= centres[0]);
  const sources = { left, share, lowest };
  known.set(semitones, sources);
  return sources;
}

/**
 * The mel power of the same music with further partials: the spectrum once more at whole multiples of its frequencies, as
 * if every instrument's overtones were stronger. Pitches stay where they are. Interpolated as `transposeMel` is; below
 * the first band nothing is known, and nothing is added from there.
 *
 * @param mel power, in the bands of `MEL`
 * @param shares power of the copy at 2, 3, ... times the frequencies, as shares of the original; 0 = none
 * @throws InputError for another number of bands
 */
export function addOvertones(mel: MelSpectrogram, shares: readonly number[]): MelSpectrogram {
  const { nMels, nFrames, data } = mel;
  const sounding = Float32Array.from(data);
  shares.forEach((amount, i) => {
    if (amount === 0) return;
    const semitones = 12 * Math.log2(i + 2);
    const { data: moved } = transposeMel(mel, semitones);
    const lowest = sourcesOf(semitones).lowest;
    for (let at = lowest * nFrames; at < nMels * nFrames; at++) sounding[at] += amount * moved[at];
  });
  return { nMels, nFrames, data: sounding };
}

/**
 * The mel power of the same music at another pitch, spectral envelope and all: linear interpolation between the centres
 * of the bands. An approximation: below 1 kHz bands lie some 23 Hz apart, so partials grow blurred by up to a band.
 *
 * @param mel power, in the bands of `MEL`
 * @param semitones up is positive; 0 gives `mel` itself
 * @throws InputError for another number of bands
 */
export function transposeMel(mel: MelSpectrogram, semitones: number): MelSpectrogram {
  if (semitones === 0) return mel;
  const { nMels, nFrames, data } = mel;
  if (nMels !== MEL.nMels)
    throw new InputError('transposeMel', `the mel has ${nMels} bands; the frequencies of ${MEL.nMels} are known.`);
  const { left, share } = sourcesOf(semitones);
  const moved = new Float32Array(data.length);
  for (let m = 0; m < nMels; m++) {
    const low = left[m] * nFrames;
    const to = m * nFrames;
    const b = share[m];
    for (let t = 0; t < nFrames; t++) moved[to + t] = (1 - b) * data[low + t] + b * data[low + nFrames + t];
  }
  return { nMels, nFrames, data: moved };
}
