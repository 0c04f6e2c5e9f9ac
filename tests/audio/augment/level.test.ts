import { describe, expect, it } from 'vitest';
import { applyAugmentation, rms } from '../../../lib/src/audio/index.js';
import { createRng } from '../../../lib/src/tensor/index.js';
import { difference, levelDb, RATE, sines, slope, tune } from './signals.js';

const rng = createRng(5);
const music = tune(2 * RATE);

describe('gain', () => {
  it.each([-60, -20, -0.5, 3, 40])('%d dB', async (strength) => {
    const out = await applyAugmentation(music, { id: 'gain', strength }, rng);
    expect(levelDb(out) - levelDb(music)).toBeCloseTo(strength, 5);
  });
});

describe('noise', () => {
  it.each(['whiteNoise', 'pinkNoise'] as const)('%s: the SNR is the strength', async (id) => {
    for (const strength of [40, 20, 0, -10]) {
      const noise = difference(await applyAugmentation(music, { id, strength }, rng), music);
      expect(levelDb(music) - levelDb(noise)).toBeCloseTo(strength, 2); // float32 sums
    }
  });

  it('one seed draws one noise for all strengths', async () => {
    const at = async (strength: number) =>
      difference(await applyAugmentation(music, { id: 'pinkNoise', strength }, rng), music);
    const [loud, soft] = [await at(0), await at(20)];
    expect(
      rms(
        difference(
          loud,
          soft.map((value) => 10 * value),
        ),
      ),
    ).toBeLessThan(1e-6 * 10); // float32 rounding
  });

  it.each([
    ['whiteNoise', 3, 0.3], // dB an octave: bands of equal width in octaves double their width in Hz
    ['pinkNoise', 0, 0.3],
  ] as const)('%s: octave bands rise by %d dB', async (id, rise, tolerance) => {
    const x = sines([30], 8 * RATE, 1e-4);
    const noise = difference(await applyAugmentation(x, { id, strength: -20 }, rng), x);
    const octaves = [125, 250, 500, 1000, 2000, 4000];
    const levels = [];
    for (const hz of octaves) {
      const above = await applyAugmentation(noise, { id: 'highPass', strength: hz / Math.SQRT2 }, rng);
      levels.push(levelDb(await applyAugmentation(above, { id: 'lowPass', strength: hz * Math.SQRT2 }, rng)));
    }
    expect(Math.abs(slope(octaves.map(Math.log2), levels) - rise)).toBeLessThan(tolerance);
  });
});

describe('clipping', () => {
  it.each([0.001, 0.03, 0.2, 0.9])('a share of %d reaches the threshold, the rest is untouched', async (strength) => {
    const out = await applyAugmentation(music, { id: 'clipping', strength }, rng);
    const threshold = out.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0);
    const clipped = out.filter((value) => Math.abs(value) === threshold).length;
    expect(clipped).toBe(Math.round(strength * music.filter((value) => value !== 0).length));
    out.forEach((value, i) => {
      if (Math.abs(value) < threshold && value !== music[i]) throw new Error(`sample ${i} was changed`);
    });
  });

  it('a track that is mostly silent is not silenced', async () => {
    const x = new Float32Array(1000);
    x.set([0.1, -0.2, 0.3, -0.4], 500);
    const out = await applyAugmentation(x, { id: 'clipping', strength: 0.5 }, rng);
    expect(Array.from(out.subarray(500, 504))).toEqual([0.1, -0.2, 0.3, -0.3].map(Math.fround));
  });
});

describe('compression', () => {
  /** One second at each level. */
  const steps = (levelsDb: readonly number[]): Float32Array => {
    const tone = sines([500], levelsDb.length * RATE, 1);
    return tone.map((value, i) => value * 10 ** (levelsDb[Math.floor(i / RATE)] / 20));
  };
  const levelsOut = (out: Float32Array): number[] =>
    Array.from({ length: out.length / RATE }, (_, k) => levelDb(out, (k + 0.6) * RATE, (k + 1) * RATE));

  it.each([2, 4, 20])('on a sweep of levels: 1 dB per dB below the threshold, 1 / %d above', async (ratio) => {
    const levels = [-60, -54, -48, -42, -18, -12, -6, 0];
    const x = steps(levels);
    const options = { thresholdDb: -30 - levelDb(x) }; // -30 dBFS, in dB over the RMS of the track
    const out = await applyAugmentation(x, { id: 'compression', strength: ratio, options }, rng);
    const measured = levelsOut(out);
    expect(slope(levels.slice(0, 4), measured.slice(0, 4))).toBeCloseTo(1, 2);
    expect(slope(levels.slice(4), measured.slice(4))).toBeCloseTo(1 / ratio, 2);
    // The knee: both lines meet where the held peaks of a sine (3 dB over its RMS of `levels` - 3) reach the threshold.
    const knee = levels[4] - (measured[4] - measured[0] - (levels[4] - levels[0])) / (1 / ratio - 1);
    expect(knee).toBeGreaterThan(-31);
    expect(knee).toBeLessThan(-26);
    expect(levelDb(out)).toBeCloseTo(levelDb(x), 4);
  });

  it('attack and release are time constants of the gain', async () => {
    const x = steps([-40, 0, -40]);
    const strength = 4;
    const options = { thresholdDb: -20 - levelDb(x), attackMs: 50, releaseMs: 200 };
    const out = await applyAugmentation(x, { id: 'compression', strength, options }, rng);
    const gain = (from: number): number => levelDb(out, from, from + 320) - levelDb(x, from, from + 320);
    const [rest, full] = [gain(0.9 * RATE), gain(1.95 * RATE)];
    // 20 ms windows, centred at one time constant after each step
    expect((gain(RATE + 0.04 * RATE) - rest) / (full - rest)).toBeCloseTo(1 - Math.exp(-1), 1);
    expect((gain(2 * RATE + 0.19 * RATE) - rest) / (full - rest)).toBeCloseTo(Math.exp(-1), 1);
  });

  it('does not depend on the level of the track', async () => {
    const softer = music.map((value) => value / 64);
    const [a, b] = [
      await applyAugmentation(music, { id: 'compression', strength: 8 }, rng),
      await applyAugmentation(softer, { id: 'compression', strength: 8 }, rng),
    ];
    expect(
      rms(
        difference(
          a,
          b.map((value) => 64 * value),
        ),
      ),
    ).toBeLessThan(1e-6 * rms(a));
  });
});
