import { InputError } from '../errors.js';

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

const KERNELS: Readonly<Record<ResampleMethod, Kernel>> = {
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
export function resample(
  samples: Float32Array,
  from: number,
  to: number,
  method: ResampleMethod = 'sinc-hann',
): Float32Array {
  for (const [name, rate] of [
    ['from', from],
    ['to', to],
  ] as const) {
    // prettier-ignore
    if (!Number.isInteger(rate) || rate < 1 || rate > 1_536_000)
      throw new InputError(`resample, ${name}`, `the rate is ${rate} Hz, a whole number from 1 to 1536000 was expected.`);
  }
  if (from === to) return samples;
  const divisor = greatestCommonDivisor(from, to);
  const step = from / divisor; // input samples a period
  const nPhases = to / divisor; // output samples a period
  const { taps, first, weights } = polyphase(step, nPhases, KERNELS[method]);

  const nOut = Math.ceil((nPhases * samples.length) / step);
  const out = new Float32Array(nOut);
  let origin = 0; // input sample that the running period starts at
  let phase = 0;
  for (let j = 0; j < nOut; j++) {
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
  return out;
}

/**
 * One short filter a phase. Phase p looks at input time p * step / nPhases (in input samples); the filter's zeros lie
 * 1 / cutoff input samples apart, cutoff = rollOff * min(step, nPhases) / step.
 */
function polyphase(
  step: number,
  nPhases: number,
  kernel: Kernel,
): { taps: number; first: Int32Array; weights: Float64Array } {
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
  return { taps, first, weights };
}
