import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import {
  denseFilterBank, hannWindow, hzToMel, MEL, melFilterBank, melSpectrogram, melToHz, powerSpectrogram, RealFft,
} from '../../lib/src/mel/index.js'; // prettier-ignore
import { readNpy, readSafetensors } from '../../lib/src/store/index.js';
import { goldenPath, largestDifference, peakOf } from '../golden.js';

const signal = readNpy(goldenPath('mel_signal.npy')).data as Float32Array;

/** The definition, for the twin: power of every bin of one frame. */
function naivePower(frame: ArrayLike<number>): number[] {
  const size = frame.length;
  return Array.from({ length: size / 2 + 1 }, (_, k) => {
    let re = 0;
    let im = 0;
    for (let n = 0; n < size; n++) {
      re += frame[n] * Math.cos((2 * Math.PI * ((k * n) % size)) / size);
      im -= frame[n] * Math.sin((2 * Math.PI * ((k * n) % size)) / size);
    }
    return re * re + im * im;
  });
}

describe('mel spectrogram against the reference', () => {
  const mel = melSpectrogram(signal);

  it.each([
    ['mel_truth_f64.npy', 100000],
    ['mel_nnaudio_f32.npy', 100000],
    ['mel_nnaudio_50000_f32.npy', 50000],
  ])('%s within 5e-6 of the peak', (name, nSamples) => {
    const golden = readNpy(goldenPath(name));
    const ours = melSpectrogram(signal.subarray(0, nSamples));
    expect([ours.nMels, ours.nFrames]).toEqual(golden.shape);
    expect(largestDifference(ours.data, golden.data)).toBeLessThan(5e-6 * peakOf(golden.data));
  });

  it('is far closer to the float64 truth than the tolerance: float32 rounding of the result only', () => {
    const truth = readNpy(goldenPath('mel_truth_f64.npy')).data;
    expect(largestDifference(mel.data, truth)).toBeLessThan(2e-7 * peakOf(truth));
  });

  it('the comparison fails when one value is changed', () => {
    const golden = readNpy(goldenPath('mel_nnaudio_f32.npy'));
    const changed = Float32Array.from(golden.data);
    changed[12345] += 1e-5 * peakOf(golden.data);
    expect(largestDifference(mel.data, changed)).toBeGreaterThan(5e-6 * peakOf(golden.data));
  });

  it('frames inside silence are exactly 0, and no others', () => {
    const isZero = (t: number): boolean =>
      Array.from({ length: 128 }, (_, m) => mel.data[m * 196 + t]).every((v) => v === 0);
    expect(Array.from({ length: 196 }, (_, t) => t).filter(isZero)).toEqual([120, 121, 122, 123]);
  });

  it('STFT power equals the float64 reference up to float32 rounding', () => {
    const { tensors } = readSafetensors(goldenPath('mel_stft_frames.safetensors'));
    const { data, nBins } = powerSpectrogram(signal, { nFft: 2048, hopLength: 512 });
    const golden = tensors.get('power_f64')!.data;
    tensors.get('frames')!.data.forEach((t, row) => {
      const expected = golden.subarray(row * nBins, (row + 1) * nBins);
      expect(largestDifference(data.subarray(t * nBins, (t + 1) * nBins), expected)).toBeLessThanOrEqual(
        1e-7 * peakOf(expected),
      );
    });
  });

  it('filter bank: bits of the reference up to float32 rounding', () => {
    const golden = readNpy(goldenPath('mel_filterbank_f32.npy'));
    const dense = denseFilterBank(melFilterBank());
    expect(golden.shape).toEqual([128, 1025]);
    expect(largestDifference(dense, golden.data)).toBeLessThan(1e-7 * peakOf(golden.data));
    expect(dense.every((weight, i) => weight > 0 === golden.data[i] > 0)).toBe(true);
  });
});

describe('laws', () => {
  it('RealFft equals the definition for every size', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 3, max: 8 })
          .chain((bits) =>
            fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2 ** bits, maxLength: 2 ** bits }),
          ),
        (values) => {
          const power = new Float64Array(values.length / 2 + 1);
          new RealFft(values.length).power(Float64Array.from(values), power);
          expect(largestDifference(power, naivePower(values))).toBeLessThan(1e-10);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('one frame of 2048 equals the definition', () => {
    const frame = Float64Array.from(signal.subarray(5000, 7048));
    const power = new Float64Array(1025);
    new RealFft(2048).power(frame, power);
    const naive = naivePower(frame);
    expect(largestDifference(power, naive)).toBeLessThan(1e-12 * peakOf(naive));
  });

  it('twice the amplitude is four times the power, and log1p is ln(1 + power)', () => {
    const short = signal.subarray(0, 4000);
    const { data } = melSpectrogram(short);
    const doubled = melSpectrogram(short.map((x) => 2 * x)).data;
    const logged = melSpectrogram(short, { scale: 'log1p' }).data;
    data.forEach((power, i) => {
      expect(doubled[i]).toBe(4 * power);
      expect(Math.abs(logged[i] - Math.log1p(power))).toBeLessThan(1e-6 * (1 + Math.log1p(power)));
    });
  });

  it('a shift by whole hops shifts the frames (away from the edges)', () => {
    const a = melSpectrogram(signal.subarray(0, 20480));
    const b = melSpectrogram(signal.subarray(512, 20480));
    for (let m = 0; m < 128; m++)
      for (let t = 3; t < 30; t++) expect(b.data[m * b.nFrames + t]).toBe(a.data[m * a.nFrames + t + 1]);
  });

  it('Hann is periodic and mel scale goes both ways', () => {
    const window = hannWindow(2048);
    expect(window[0]).toBe(0);
    expect(window[1024]).toBe(1);
    expect(window[2047]).toBeGreaterThan(0);
    expect(window[2047]).toBeCloseTo(window[1], 15);
    for (const hz of [0, 440, 999, 1000, 1001, 8000]) expect(melToHz(hzToMel(hz))).toBeCloseTo(hz, 8);
  });

  it.each([
    [2048, 5], [16000, 32], [480000, 938],
  ])('%i samples give %i frames', (n, nFrames) => expect(melSpectrogram(new Float32Array(n)).nFrames).toBe(nFrames)); // prettier-ignore

  it('1025 samples, the shortest input, give finite values', () => {
    const { data, nFrames } = melSpectrogram(signal.subarray(0, 1025));
    expect(nFrames).toBe(3);
    expect(data.every(Number.isFinite)).toBe(true);
  });
});

describe('bad input', () => {
  it.each([0, 1, 1024])('%i samples are too few', (n) => {
    expect(() => melSpectrogram(new Float32Array(n))).toThrow(InputError);
    expect(() => melSpectrogram(new Float32Array(n))).toThrow(/at least 1025/);
  });

  it.each([NaN, Infinity, -Infinity, 1e30])('a sample of %d is refused by its position', (bad) => {
    const samples = signal.slice(0, 5000);
    samples[1234] = bad;
    expect(() => melSpectrogram(samples)).toThrow(/sample 1234 is/);
  });

  it('settings that make no sense are refused', () => {
    expect(() => melFilterBank({ ...MEL, nMels: 1024 })).toThrow(/holds no bin/);
    expect(() => melFilterBank({ ...MEL, fMax: 9000 })).toThrow(/fMax/);
    expect(() => powerSpectrogram(signal, { nFft: 1000, hopLength: 512 })).toThrow(/power of two/);
    expect(() => powerSpectrogram(signal, { nFft: 1024, hopLength: 0 })).toThrow(/hopLength/);
  });
});
