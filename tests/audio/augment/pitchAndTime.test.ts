import { describe, expect, it } from 'vitest';
import { applyAugmentation, labelShift } from '../../../lib/src/audio/index.js';
import { chromagram, estimateTuning } from '../../../lib/src/mel/index.js';
import { createRng } from '../../../lib/src/tensor/index.js';
import { CHORD, lag, partial, RATE, sines, tune } from './signals.js';

const rng = createRng(11);
const chord = sines(CHORD, 3 * RATE);
const SPAN = 2.3 * RATE; // what `partial` looks at, from its beginning

describe('time stretch', () => {
  it.each([0.5, 0.8, 0.95, 1.002, 1.25, 2])('ratio %d: the length, and pitch and level kept', async (strength) => {
    const x = sines(CHORD, Math.ceil((SPAN + RATE) / Math.min(1, strength)));
    const out = await applyAugmentation(x, { id: 'timeStretch', strength }, rng);
    expect(out).toHaveLength(Math.round(strength * x.length));
    for (const hz of CHORD) {
      const { cents, amplitude } = partial(out, hz);
      expect(Math.abs(cents)).toBeLessThan(0.5);
      // At 2 the stretcher's blocks overlap half as much, and close partials beat a little.
      expect(Math.abs(20 * Math.log10(amplitude / 0.1))).toBeLessThan(strength === 2 ? 1.5 : 0.5);
    }
  });

  it.each([0.5, 0.8, 1.002, 1.25, 2])('ratio %d: onsets lie where they should, within 2 ms', async (strength) => {
    const x = new Float32Array(4 * RATE);
    const onsets = [0.5, 1, 1.5, 2, 2.5, 3, 3.5].map((seconds) => seconds * RATE);
    for (const at of onsets)
      for (let i = 0; i < 400; i++) x[at + i] = Math.exp(-i / 80) * Math.sin((2 * Math.PI * 1500 * i) / RATE);
    const out = await applyAugmentation(x, { id: 'timeStretch', strength }, rng);
    for (const at of onsets) {
      const from = Math.round(at * strength) - 1600;
      const around = out.subarray(from, from + 3200);
      const half = around.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0) / 2;
      expect(Math.abs(around.findIndex((value) => Math.abs(value) > half) - 1600)).toBeLessThan(32);
    }
  });

  it('a long track is stretched in pieces without a seam', async () => {
    const x = sines([300], 1.2e6);
    const out = await applyAugmentation(x, { id: 'timeStretch', strength: 0.8 }, rng);
    for (const from of [200_000, 400_000, 500_000, 900_000]) {
      const { cents, amplitude } = partial(out, 300, from);
      expect(Math.abs(cents)).toBeLessThan(0.1);
      expect(amplitude).toBeCloseTo(0.1, 3);
    }
  });
});

describe('pitch shift', () => {
  it.each([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6])('%d semitones, within 2 cents', async (strength) => {
    const out = await applyAugmentation(chord, { id: 'pitchShift', strength }, rng);
    expect(out).toHaveLength(chord.length);
    for (const hz of CHORD) {
      const { cents, amplitude } = partial(out, hz * 2 ** (strength / 12), 0.3 * RATE);
      expect(Math.abs(cents)).toBeLessThan(2);
      expect(Math.abs(20 * Math.log10(amplitude / 0.1))).toBeLessThan(1);
    }
  });

  it('keeps the tempo: envelopes before and after are not shifted', async () => {
    const x = tune(4 * RATE);
    const envelope = (y: Float32Array): Float32Array => {
      let mean = 0;
      return y.map((value) => (mean += 0.005 * (Math.abs(value) - mean)));
    };
    for (const strength of [-6, 6]) {
      const out = await applyAugmentation(x, { id: 'pitchShift', strength }, rng);
      expect(Math.abs(lag(envelope(x), envelope(out), 100))).toBeLessThan(0.004 * RATE); // the blocks are 128 ms long
    }
  });
});

describe('pitch classes', () => {
  const rotated = (chroma: Float32Array, semitones: number) => chroma.map((_, k) => chroma[(((k - semitones) % 12) + 12) % 12]); // prettier-ignore
  const cosine = (a: Float32Array, b: Float32Array): number => {
    const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, k) => sum + value * y[k], 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };

  it('the chroma of a shifted track is the chroma rotated by labelShift, and by no other step', async () => {
    const before = chromagram(chord);
    for (const strength of [-6, -1, 4]) {
      const shift = labelShift({ id: 'pitchShift', strength });
      const after = chromagram(await applyAugmentation(chord, { id: 'pitchShift', strength }, rng));
      const likeness = Array.from({ length: 12 }, (_, k) => cosine(after, rotated(before, k)));
      expect(likeness[(shift + 12) % 12]).toBeGreaterThan(0.95);
      expect(likeness.filter((value) => value > 0.95)).toHaveLength(1);
    }
  });
});

describe('tuning shift', () => {
  it.each([-50, -25, -10, -3, 2, 5, 10, 25, 50])('%d cents, within 0.5; length and level kept', async (strength) => {
    const out = await applyAugmentation(chord, { id: 'tuning', strength }, rng);
    expect(out).toHaveLength(chord.length);
    for (const hz of CHORD) {
      const { cents, amplitude } = partial(out, hz * 2 ** (strength / 1200), 0.3 * RATE);
      expect(Math.abs(cents)).toBeLessThan(0.5);
      expect(Math.abs(20 * Math.log10(amplitude / 0.1))).toBeLessThan(0.5);
    }
  });

  it('the tuning estimate of the key templates finds it', async () => {
    const before = estimateTuning(chord);
    for (const strength of [-30, 15, 30]) {
      const out = await applyAugmentation(chord, { id: 'tuning', strength }, rng);
      expect(estimateTuning(out) - before).toBeCloseTo(strength, -0.5); // 8192-point peaks: within 1.6 cents
    }
  });
});
