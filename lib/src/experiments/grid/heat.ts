/** Spectrogram-like pictures as plain JSON, in steps that an eye can see. */
import { MEL, type MelSpectrogram, type PowerSpectrogram } from '../../mel/index.js';
import type { Heat } from '../measurements.js';
import { rounded } from '../run/run.js';

const FLOOR_DECIBEL = -80;
const SECONDS_PER_FRAME = MEL.hopLength / MEL.sampleRate;

/** Mel power in dB below its largest value, floored at -80 and rounded to 1; rows are bands, columns seconds. */
export function decibelHeat(mel: MelSpectrogram): Heat {
  const peak = mel.data.reduce((a, b) => Math.max(a, b), 0);
  return heatOf(mel, (power) => decibel(power, peak));
}

/** Any function of a mel spectrogram's cells as a picture. */
export function heatOf(mel: MelSpectrogram, value: (power: number) => number): Heat {
  return {
    rows: Array.from({ length: mel.nMels }, (_, band) => band),
    columns: frameSeconds(mel.nFrames),
    values: Array.from({ length: mel.nMels }, (_, band) =>
      Array.from(mel.data.subarray(band * mel.nFrames, (band + 1) * mel.nFrames), value),
    ),
  };
}

/** A power spectrum in the same dB; every `binStep` bins are joined to their largest, so that peaks stay visible. */
export function spectrumHeat(spectrum: PowerSpectrogram, hertzPerBin: number, binStep: number): Heat {
  const { nFrames, nBins, data } = spectrum;
  const peak = data.reduce((a, b) => Math.max(a, b), 0);
  const nRows = Math.floor(nBins / binStep);
  return {
    rows: Array.from({ length: nRows }, (_, row) => rounded(row * binStep * hertzPerBin)),
    columns: frameSeconds(nFrames),
    values: Array.from({ length: nRows }, (_, row) =>
      Array.from({ length: nFrames }, (_, frame) => {
        let loudest = 0;
        for (let bin = row * binStep; bin < (row + 1) * binStep; bin++)
          loudest = Math.max(loudest, data[frame * nBins + bin]);
        return decibel(loudest, peak);
      }),
    ),
  };
}

function decibel(power: number, peak: number): number {
  if (peak === 0) return FLOOR_DECIBEL;
  return Math.max(FLOOR_DECIBEL, Math.round(10 * Math.log10(Math.max(power / peak, 1e-12))));
}

function frameSeconds(nFrames: number): number[] {
  return Array.from({ length: nFrames }, (_, frame) => rounded(frame * SECONDS_PER_FRAME));
}
