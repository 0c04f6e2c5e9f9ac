import { describe, expect, it } from 'vitest';
import { addOvertones, MEL, melCorners, melSpectrogram, transposeMel } from '../../lib/src/mel/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

const tone = (hz: number): Float32Array =>
  Float32Array.from({ length: 16000 }, (_, i) => Math.sin((2 * Math.PI * hz * i) / 16000));
const peak = (data: Float32Array): number => data.reduce((best, x, i) => (x > data[best] ? i : best), 0);

/** Mean over frames of each band. */
function profile({ nMels, nFrames, data }: { nMels: number; nFrames: number; data: Float32Array }): Float32Array {
  return Float32Array.from({ length: nMels }, (_, m) => data.subarray(m * nFrames, (m + 1) * nFrames).reduce((a, b) => a + b) / nFrames); // prettier-ignore
}

describe('transposeMel', () => {
  it.each([
    [1000, 1],
    [1000, -5],
    [440, 6],
    [3000, 12],
    [5000, -12],
  ])('a tone of %s Hz moved by %s semitones has the centre of a tone there', (hz, semitones) => {
    const there = hz * 2 ** (semitones / 12);
    const centres = melCorners(MEL).subarray(1);
    const moved = profile(transposeMel(melSpectrogram(tone(hz)), semitones));
    expect(Math.abs(peak(moved) - peak(profile(melSpectrogram(tone(there)))))).toBeLessThanOrEqual(1);
    const mean = moved.reduce((sum, power, m) => sum + power * centres[m], 0) / moved.reduce((a, b) => a + b);
    expect(Math.abs(1200 * Math.log2(mean / there))).toBeLessThan(50); // a quarter tone
  });

  it('by nothing is the mel itself; beyond the last band the last band goes on; a band stays a band', () => {
    const mel = { nMels: 128, nFrames: 2, data: new Float32Array(256).fill(3) };
    expect(transposeMel(mel, 0)).toBe(mel);
    for (const semitones of [-12, -1, 1, 12])
      expect([...new Set(transposeMel(mel, semitones).data)].map((x) => Math.round(x * 1e5) / 1e5)).toEqual([3]);
  });

  it('refuses bands whose frequencies it does not know', () => {
    expect(() => transposeMel({ nMels: 64, nFrames: 1, data: new Float32Array(64) }, 1)).toThrow(
      /the mel has 64 bands; the frequencies of 128 are known/,
    );
  });
});

describe('addOvertones', () => {
  it.each([2, 3, 4, 5])('a tone sounds at %s times its frequency too, and stays what it was', (multiple) => {
    const mel = melSpectrogram(tone(600));
    const shares = [2, 3, 4, 5].map((k) => (k === multiple ? 0.5 : 0));
    const added = profile(addOvertones(mel, shares)).map((power, m) => power - profile(mel)[m]);
    expect(Math.abs(peak(added) - peak(profile(melSpectrogram(tone(multiple * 600)))))).toBeLessThanOrEqual(1);
    expect(Math.abs(added[peak(profile(mel))])).toBeLessThan(1e-3 * Math.max(...added));
  });

  it('is linear in the shares; none leave a copy; nothing comes from below the first band', () => {
    const rng = createRng(1);
    const mel = { nMels: 128, nFrames: 3, data: Float32Array.from({ length: 128 * 3 }, () => rng.uniform()) };
    const none = addOvertones(mel, [0, 0]);
    expect(none).toEqual(mel);
    expect(none.data).not.toBe(mel.data);
    const [one, other, both] = [
      [0.5, 0],
      [0, 0.25],
      [0.5, 0.25],
    ].map((shares) => addOvertones(mel, shares).data);
    both.forEach((power, i) => expect(power).toBeCloseTo(one[i] + other[i] - mel.data[i], 5));
    // Twice the first band's frequency is reached in the second band or later.
    expect(one.slice(0, 3)).toEqual(mel.data.slice(0, 3));
  });

  it('refuses bands whose frequencies it does not know', () => {
    expect(() => addOvertones({ nMels: 64, nFrames: 1, data: new Float32Array(64) }, [1])).toThrow(/64 bands/);
  });
});
