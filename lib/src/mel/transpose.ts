/** Music moved in pitch on its mel spectrogram: much cheaper than on audio, and good enough to train on. */
import { InputError } from '../errors.js';
import { MEL, melCorners } from './filterBank.js';
import type { MelSpectrogram } from './spectrogram.js';

/** Where each band of a transposed mel comes from: between band `left` and the next, `share` of the way. */
interface Sources {
  readonly left: Int32Array;
  readonly share: Float64Array;
}

const known = new Map<number, Sources>();

/** Band m shows at f what sounded at f / 2^(semitones / 12); beyond the first and the last band, what they show. */
function sourcesOf(semitones: number): Sources {
  const found = known.get(semitones);
  if (found) return found;
  const centres = melCorners(MEL).subarray(1, MEL.nMels + 1);
  const left = new Int32Array(MEL.nMels);
  const share = new Float64Array(MEL.nMels);
  for (let m = 0; m < MEL.nMels; m++) {
    const hz = centres[m] / 2 ** (semitones / 12);
    while (left[m] < MEL.nMels - 2 && centres[left[m] + 1] <= hz) left[m]++;
    const [low, high] = [centres[left[m]], centres[left[m] + 1]];
    share[m] = Math.min(1, Math.max(0, (hz - low) / (high - low)));
  }
  const sources = { left, share };
  known.set(semitones, sources);
  return sources;
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
