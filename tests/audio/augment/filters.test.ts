import { describe, expect, it } from 'vitest';
import { type Augmentation, applyAugmentation, rms } from '../../../lib/src/audio/index.js';
import { decayTime } from '../../../lib/src/experiments/robustness/robustnessSounds.js';
import { createRng } from '../../../lib/src/tensor/index.js';
import { difference, impulse, levelAt, levelDb, RATE, slope, tune } from './signals.js';

const rng = createRng(9);
const response = (augmentation: Augmentation, n = RATE): Promise<Float32Array> =>
  applyAugmentation(impulse(n), augmentation, rng);

describe('low-pass and high-pass', () => {
  it.each([
    [60, 4], [500, 1], [500, 4], [1000, 5], [4000, 8], [7000, 2],
  ])('cut-off %d Hz, order %d: -3 dB there, the order times 6 dB an octave beyond', async (strength, order) => {
    for (const id of ['lowPass', 'highPass'] as const) {
      const h = await response({ id, strength, options: { order } });
      expect(levelAt(h, strength)).toBeCloseTo(10 * Math.log10(1 / 2), 2);
      expect(levelAt(h, id === 'lowPass' ? 0 : 8000)).toBeCloseTo(0, 3);
    }
    // |H|^2 = 1 / (1 + (w / wc)^(2 order)) in the frequencies of the bilinear transform
    const w = (hz: number): number => Math.tan((Math.PI * hz) / RATE);
    const low = await response({ id: 'lowPass', strength, options: { order } });
    for (const hz of [strength / 3, strength / 1.3, strength * 1.1])
      expect(levelAt(low, hz)).toBeCloseTo(-10 * Math.log10(1 + (w(hz) / w(strength)) ** (2 * order)), 2);
  }); // prettier-ignore
});

describe('band-stop', () => {
  it.each([
    [250, 1000, 4], [2000, 1000, 4], [5000, 1000, 3], [100, 400, 1],
  ])('%d Hz wide about %d Hz, order %d: -3 dB at both edges, nothing at the centre', async (strength, centreHz, order) => {
    const h = await response({ id: 'bandStop', strength, options: { centreHz, order } });
    const high = strength / 2 + Math.sqrt(strength ** 2 / 4 + centreHz ** 2);
    const low = high - strength;
    expect(low * high).toBeCloseTo(centreHz ** 2, 3);
    expect(levelAt(h, low)).toBeCloseTo(10 * Math.log10(1 / 2), 2);
    expect(levelAt(h, high)).toBeCloseTo(10 * Math.log10(1 / 2), 2);
    expect(levelAt(h, 0)).toBeCloseTo(0, 3);
    expect(levelAt(h, 8000)).toBeCloseTo(0, 3);
    expect(levelAt(h, centreHz)).toBeLessThan(order === 1 ? -20 : -40);
  }); // prettier-ignore
});

describe('tilt', () => {
  const octaves = [62.5, 125, 250, 500, 1000, 2000, 4000];

  it.each([-6, -3, -1.5, 0.1, 0.5, 3, 6])('%d dB an octave, level at 1 kHz kept', async (strength) => {
    const h = await response({ id: 'tilt', strength }, 4 * RATE);
    expect(levelAt(h, 1000)).toBeCloseTo(0, 3);
    expect(
      slope(
        octaves.map(Math.log2),
        octaves.map((hz) => levelAt(h, hz)),
      ),
    ).toBeCloseTo(strength, 1);
    for (let hz = 50; hz < 7000; hz *= 1.23)
      expect(Math.abs(levelAt(h, hz) - strength * Math.log2(hz / 1000))).toBeLessThan(0.25);
  });
});

describe('reverberation', () => {
  it.each([0.3, 0.6, 1, 2, 4])('RT60 %d s, in all and in bands, within 5 %%', async (strength) => {
    const h = await response({ id: 'reverb', strength, options: { wet: 1 } }, Math.ceil(1.6 * strength * RATE));
    expect(Math.abs(decayTime(h) / strength - 1)).toBeLessThan(0.05);
    for (const hz of [250, 4000]) {
      const above = await applyAugmentation(h, { id: 'highPass', strength: hz / Math.SQRT2 }, rng);
      const band = await applyAugmentation(above, { id: 'lowPass', strength: hz * Math.SQRT2 }, rng);
      expect(Math.abs(decayTime(band) / strength - 1)).toBeLessThan(0.12); // fewer modes in a band, so a less even fall
    }
  });

  it('the wet part is as loud as its share says, the dry part is scaled alone', async () => {
    const x = tune(2 * RATE);
    for (const wet of [0, 0.25, 0.8]) {
      const out = await applyAugmentation(x, { id: 'reverb', strength: 1, options: { wet } }, rng);
      const reverberation = difference(
        out,
        x.map((value) => (1 - wet) * value),
      );
      expect(rms(reverberation)).toBeCloseTo(wet * rms(x), 5);
    }
  });

  it('echoes are dense: no gap of 10 ms without one after 100 ms', async () => {
    const h = await response({ id: 'reverb', strength: 2, options: { wet: 1 } });
    for (let from = 0.1 * RATE; from < 0.5 * RATE; from += 160)
      expect(levelDb(h, from, from + 160) - levelDb(h, 0.1 * RATE, 0.5 * RATE)).toBeGreaterThan(-25);
  });
});
