import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resample, type ResampleMethod } from '../../lib/src/audio/index.js';
import { filterPlain, polyphase, KERNELS } from '../../lib/src/audio/resample.js';
import { filterByKernel } from '../../lib/src/audio/resampleKernel.js';
import { readSafetensors } from '../../lib/src/store/index.js';
import { goldenPath, largestDifference, peakOf } from '../golden.js';

const { tensors } = readSafetensors(goldenPath('resample.safetensors'));
const sine = (hz: number, rate: number, n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** The formula of the reference, without phases: every output sample sums over all input samples within reach. */
function naiveSincHann(x: Float32Array, from: number, to: number): Float64Array {
  const cutoff = (0.99 * Math.min(from, to)) / from;
  return Float64Array.from({ length: Math.ceil((x.length * to) / from) }, (_, j) => {
    let sum = 0;
    x.forEach((sample, k) => {
      const t = (k - (j * from) / to) * cutoff;
      if (Math.abs(t) >= 6) return;
      const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
      sum += sample * cutoff * sinc * Math.cos((Math.PI * t) / 12) ** 2;
    });
    return sum;
  });
}

/** Level in dB of the sine of `hz` in the middle of `x` (by projection). */
function level(x: Float32Array, hz: number, rate: number): number {
  let re = 0;
  let im = 0;
  let weight = 0;
  x.forEach((sample, i) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / x.length);
    re += window * sample * Math.cos((2 * Math.PI * hz * i) / rate);
    im += window * sample * Math.sin((2 * Math.PI * hz * i) / rate);
    weight += window;
  });
  return 20 * Math.log10((2 * Math.hypot(re, im)) / weight);
}

describe('sinc-hann against torchaudio', () => {
  it.each([44100, 22050, 48000])('%i Hz: within 1e-7 of the peak of the float64 reference', (rate) => {
    const ours = resample(tensors.get(`in_${rate}`)!.data as Float32Array, rate, 16000);
    const golden = tensors.get(`out64_${rate}`)!.data;
    expect(largestDifference(ours, golden)).toBeLessThan(1e-7 * peakOf(golden)); // float32 rounding of the result
    // the reference in float32 is itself up to 7.3e-6 of the peak away from float64 (tests/golden/mel.json)
    expect(largestDifference(ours, tensors.get(`out_${rate}`)!.data)).toBeLessThan(8e-6 * peakOf(golden));
  });

  it('the comparison fails when one value is changed', () => {
    const changed = Float64Array.from(tensors.get('out64_44100')!.data);
    changed[777] += 1e-6;
    const ours = resample(tensors.get('in_44100')!.data as Float32Array, 44100, 16000);
    expect(largestDifference(ours, changed)).toBeGreaterThan(1e-7 * peakOf(changed));
  });

  it.each([
    [8000, 16000], [11025, 16000], [16000, 22050], [192000, 16000], [44101, 16000],
  ])('%i to %i Hz equals the formula', (from, to) => {
    const x = sine(440, from, 700);
    expect(largestDifference(resample(x, from, to), naiveSincHann(x, from, to))).toBeLessThan(2e-7);
  }); // prettier-ignore
});

describe('both methods', () => {
  it.each<[ResampleMethod, number, number]>([
    ['sinc-hann', -2.5, -9.5],
    ['kaiser', -1, -95],
  ])('%s: 1 kHz stays, 7.2 kHz at least %d dB, alias of 8.4 kHz at most %d dB', (method, passes, aliases) => {
    const n = 44100;
    expect(level(resample(sine(1000, 44100, n), 44100, 16000, method).subarray(1000, 15000), 1000, 16000)).toBeCloseTo(
      0,
      1,
    );
    expect(
      level(resample(sine(7200, 44100, n), 44100, 16000, method).subarray(1000, 15000), 7200, 16000),
    ).toBeGreaterThan(passes);
    expect(level(resample(sine(8400, 44100, n), 44100, 16000, method).subarray(1000, 15000), 7600, 16000)).toBeLessThan(
      aliases,
    );
  });

  it.each<ResampleMethod>(['sinc-hann', 'kaiser'])(
    '%s: a constant stays constant, lengths are rounded up, one sample works',
    (method) => {
      const ones = resample(new Float32Array(5000).fill(1), 44100, 16000, method);
      expect(ones.length).toBe(Math.ceil((5000 * 16000) / 44100));
      expect(Math.max(...ones.subarray(100, -100).map((x) => Math.abs(x - 1)))).toBeLessThan(
        method === 'kaiser' ? 1e-4 : 5e-3,
      );
      expect(resample(new Float32Array([1]), 44100, 16000, method).length).toBe(1);
      expect(resample(new Float32Array(0), 44100, 16000, method).length).toBe(0);
    },
  );

  it('equal rates return the input', () => {
    const x = sine(440, 16000, 100);
    expect(resample(x, 16000, 16000)).toBe(x);
  });

  it('rates that are none are refused', () => {
    expect(() => resample(new Float32Array(10), 0, 16000)).toThrow(/rate is 0 Hz/);
    expect(() => resample(new Float32Array(10), 44100.5, 16000)).toThrow(/44100.5/);
    expect(() => resample(new Float32Array(10), NaN, 16000)).toThrow(/NaN/);
    expect(() => resample(new Float32Array(10), 1_535_999, 1_535_998, 'kaiser')).toThrow(/two steps/);
  });
});

describe('the kernel', () => {
  it('gives the bits of the plain loop, for any ratio and length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 700 }),
        fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 3000, max: 20000 })),
        fc.constantFrom<ResampleMethod>('sinc-hann', 'kaiser'),
        (step, nPhases, n, method) => {
          const filters = polyphase(step, nPhases, KERNELS[method]);
          const samples = sine(1 + n / 7, 700, n);
          const nOut = Math.min(30000, Math.ceil((nPhases * n) / step));
          const [ours, plain] = [new Float32Array(nOut), new Float32Array(nOut)];
          const read = (first: number, into: Float32Array): void => {
            expect(first + into.length).toBeLessThanOrEqual(n);
            into.set(samples.subarray(first, first + into.length));
          };
          expect(filterByKernel({ length: n, read }, filters, ours)).toBe(true);
          filterPlain(samples, filters, plain);
          expect(Buffer.compare(Buffer.from(ours.buffer), Buffer.from(plain.buffer))).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leaves ratios with huge tables to the plain loop', () => {
    const filters = polyphase(44101, 16000, KERNELS['kaiser']);
    expect(filterByKernel({ length: 0, read: () => undefined }, filters, new Float32Array(0))).toBe(false);
  });
});
