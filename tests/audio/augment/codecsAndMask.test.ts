import { describe, expect, it } from 'vitest';
import { applyAugmentation } from '../../../lib/src/audio/index.js';
import { createRng } from '../../../lib/src/tensor/index.js';
import { difference, lag, levelDb, RATE, tune } from './signals.js';

const rng = createRng(13);
const music = tune(3 * RATE);
const snr = (out: Float32Array): number => levelDb(music, 2000) - levelDb(difference(out, music), 2000);

describe('codecs', () => {
  it.each([
    ['mp3', [8, 16, 24, 32, 64, 128]],
    ['opus', [6, 12, 24, 48, 96]],
  ] as const)('%s: aligned within half a sample, and the SNR falls with the bit rate', async (id, rates) => {
    const snrs: number[] = [];
    for (const strength of rates) {
      const out = await applyAugmentation(music, { id, strength }, rng);
      expect(out).toHaveLength(music.length);
      expect(Math.abs(lag(music, out, 8))).toBeLessThan(0.5); // MP3 0.1; Opus at 6 kbit/s, inside at 8 kHz, 0.4
      snrs.push(snr(out));
    }
    expect(snrs).toEqual([...snrs].sort((a, b) => a - b));
    expect(snrs.at(-1)! - snrs[0]).toBeGreaterThan(10);
  });

  it.each(['mp3', 'opus'] as const)('%s: a low bit rate loses the high band', async (id) => {
    const x = (await applyAugmentation(new Float32Array(2 * RATE).fill(1e-3), { id: 'whiteNoise', strength: -20 }, rng)); // prettier-ignore
    const high = async (strength: number): Promise<number> => {
      const out = await applyAugmentation(x, { id, strength }, rng);
      return levelDb(await applyAugmentation(out, { id: 'highPass', strength: 5000, options: { order: 8 } }, rng), 2000); // prettier-ignore
    };
    expect((await high(64)) - (await high(8))).toBeGreaterThan(6);
  });

  it.each(['mp3', 'opus'] as const)('%s: louder than full scale comes back as loud, not clipped', async (id) => {
    const loud = music.map((value) => 10 * value);
    const out = await applyAugmentation(loud, { id, strength: 64 }, rng);
    expect(levelDb(out, 2000) - levelDb(music, 2000)).toBeCloseTo(20, 0);
    expect(snr(out.map((value) => value / 10))).toBeGreaterThan(10);
  });
});

describe('time masking', () => {
  const x = music.map((value) => (value === 0 ? 1e-3 : value));
  const gaps = (out: Float32Array): number[] => {
    const lengths: number[] = [];
    out.forEach((value, i) => {
      if (value !== 0) return;
      if (i > 0 && out[i - 1] === 0) lengths[lengths.length - 1]++;
      else lengths.push(1);
    });
    return lengths;
  };

  it.each([0.01, 0.1, 0.5, 0.95])('a share of %d is silent, to the sample', async (strength) => {
    const out = await applyAugmentation(x, { id: 'timeMask', strength }, rng);
    expect(out.filter((value) => value === 0)).toHaveLength(Math.round(strength * x.length));
  });

  it('gaps are as long as asked; the rest is kept but for the fades', async () => {
    const out = await applyAugmentation(x, { id: 'timeMask', strength: 0.1, options: { gapSeconds: 0.1 } }, rng);
    // 0.3 s of 3 s in three gaps of 0.1 s; two that touch are one of twice the length
    const lengths = gaps(out);
    expect(lengths.every((length) => length % (0.1 * RATE) === 0)).toBe(true);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(0.3 * RATE);
    const faded = out.filter((value, i) => value !== 0 && value !== x[i]).length;
    expect(faded).toBeLessThanOrEqual(3 * 2 * 0.005 * RATE);
  });

  it('places differ with the seed and cover the whole track', async () => {
    const hit = new Float32Array(30);
    for (let seed = 0; seed < 200; seed++) {
      const out = await applyAugmentation(x.subarray(0, 3000), { id: 'timeMask', strength: 0.1 }, createRng(seed));
      for (let k = 0; k < 30; k++) hit[k] += out[k * 100 + 50] === 0 ? 1 : 0;
    }
    expect(Math.min(...hit.subarray(3, 27))).toBeGreaterThan(5);
  });
});
