/** 01: the mel filter bank. */
import { MEL, melCorners, melFilterBank } from '../../mel/index.js';
import type { FilterBankMeasurement } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';

const STEP = 12;

/** Centres and widths of all filters, and the curves of every twelfth. */
export function filterBank(run: Run): Promise<FilterBankMeasurement> {
  return measured(run, 'filter-bank', { mel: MEL, step: STEP }, (base) => {
    const corners = melCorners(MEL);
    const { nMels, first, offset, weights } = melFilterBank(MEL);
    const bands = Array.from({ length: nMels }, (_, band) => band);
    return {
      ...base,
      centres: bands.map((band) => rounded(corners[band + 1])),
      widths: bands.map((band) => rounded(corners[band + 2] - corners[band])),
      curves: bands
        .filter((band) => band % STEP === 0)
        .map((band) => {
          const inside = Array.from({ length: offset[band + 1] - offset[band] }, (_, i) => i);
          return {
            band,
            frequencies: [
              corners[band],
              ...inside.map((i) => ((first[band] + i) * MEL.sampleRate) / MEL.nFft),
              corners[band + 2],
            ].map((hertz) => rounded(hertz)),
            weights: [0, ...inside.map((i) => rounded(weights[offset[band] + i])), 0],
          };
        }),
    };
  });
}
