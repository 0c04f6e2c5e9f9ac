import { InputError } from '../errors.js';
import { filterByKernel, type Polyphase, type SampleSource } from './resampleKernel.js';

/**
 * How samples are resampled.
 * 'sinc-hann': windowed sinc as torchaudio's `T.Resample` by default (6 zeros a side, roll-off .99, Hann window).
 * 'kaiser': 32 zeros a side, roll-off .94, Kaiser window with beta 9: aliases below -100 dB, -0.7 dB at .9 of the band.
 */
export type ResampleMethod = 'sinc-hann' | 'kaiser';

interface Kernel {
  readonly zeros: number;
  readonly rollOff: number;
  /** Window over u = -1..1. */
  readonly window: (u: number) => number;
}

export const KERNELS: Readonly<Record<ResampleMethod, Kernel>> = {
  'sinc-hann': { zeros: 6, rollOff: 0.99, window: (u) => Math.cos((Math.PI * u) / 2) ** 2 },
  kaiser: { zeros: 32, rollOff: 0.94, window: (u) => bessel0(9 * Math.sqrt(Math.max(0, 1 - u * u))) / bessel0(9) },
};

/** Modified Bessel function of the first kind, order 0, by its power series. */
function bessel0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/**
 * Resamples by a polyphase windowed sinc; output sample j lies at time j / to. Outside the signal there is silence.
 * Output length: ceil(to * length / from), as the reference. Equal rates return the input itself.
 * @param from rate of `samples`, Hz (whole number)
 * @param to rate wanted, Hz (whole number)
 * @throws InputError for rates that are no whole numbers from 1 to 1,536,000
 */
export function resample(samples: Float32Array, from: number, to: number, method?: ResampleMethod): Float32Array {
  const read = (first: number, into: Float32Array): void => into.set(samples.subarray(first, first + into.length));
  return resampleFrom({ length: samples.length, read }, from, to, method, samples);
}

/**
 * As `resample`, of a signal that is read piece by piece.
 * @param whole the signal as an array, where there is one
 */
export function resampleFrom(
  signal: SampleSource,
  from: number,
  to: number,
  method: ResampleMethod = 'sinc-hann',
  whole?: Float32Array,
): Float32Array {
  const all = (): Float32Array => {
    if (whole) return whole;
    const samples = new Float32Array(signal.length);
    signal.read(0, samples);
    return samples;
  };
  const filters = filtersBetween(from, to, method);
  if (filters === null) return all();
  const out = new Float32Array(outputLength(signal.length, filters));
  if (!filterByKernel(signal, filters, out)) filterPlain(all(), filters, out);
  return out;
}

/**
 * The filters between two rates; null if they are equal.
 * @throws InputError for rates that are no whole numbers from 1 to 1,536,000
 */
export function filtersBetween(from: number, to: number, method: ResampleMethod): Polyphase | null {
  for (const [name, rate] of [
    ['from', from],
    ['to', to],
  ] as const) {
    // prettier-ignore
    if (!Number.isInteger(rate) || rate < 1 || rate > 1_536_000)
      throw new InputError(`resample, ${name}`, `the rate is ${rate} Hz, a whole number from 1 to 1536000 was expected.`);
  }
  if (from === to) return null;
  const divisor = greatestCommonDivisor(from, to);
  return polyphase(from / divisor, to / divisor, KERNELS[method]);
}

/** Output samples of `n` input samples. */
export const outputLength = (n: number, { step, nPhases }: Polyphase): number => Math.ceil((nPhases * n) / step);

/**
 * Fills `out` with the filtered signal, silence outside the signal. The twin of `filterByKernel`.
 * @param start input sample that the first period starts at
 */
export function filterPlain(samples: Float32Array, filters: Polyphase, out: Float32Array, start = 0): void {
  const { step, nPhases, taps, first, weights } = filters;
  let origin = start; // input sample that the running period starts at
  let phase = 0;
  for (let j = 0; j < out.length; j++) {
    const begin = origin + first[phase];
    const from = Math.max(0, -begin);
    const until = Math.min(taps, samples.length - begin);
    const row = phase * taps;
    let sum = 0;
    for (let k = from; k < until; k++) sum += weights[row + k] * samples[begin + k];
    out[j] = sum;
    if (++phase === nPhases) {
      phase = 0;
      origin += step;
    }
  }
}

/**
 * One short filter a phase. Phase p looks at input time p * step / nPhases (in input samples); the filter's zeros lie
 * 1 / cutoff input samples apart, cutoff = rollOff * min(step, nPhases) / step.
 */
export function polyphase(step: number, nPhases: number, kernel: Kernel): Polyphase {
  const cutoff = (kernel.rollOff * Math.min(step, nPhases)) / step;
  const reach = kernel.zeros / cutoff;
  const taps = 2 * Math.ceil(reach) + 1;
  if (taps * nPhases > 30_000_000)
    throw new InputError(
      'resample',
      `rates in the ratio ${step} : ${nPhases} need a table that is too large; resample in two steps.`,
    );
  const first = new Int32Array(nPhases);
  const weights = new Float64Array(nPhases * taps);
  for (let p = 0; p < nPhases; p++) {
    const center = (p * step) / nPhases;
    first[p] = Math.ceil(center - reach);
    for (let k = 0; k < taps; k++) {
      const t = (first[p] + k - center) * cutoff;
      if (Math.abs(t) >= kernel.zeros) continue;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      weights[p * taps + k] = cutoff * sinc * kernel.window(t / kernel.zeros);
    }
  }
  return { step, nPhases, taps, first, weights };
}
