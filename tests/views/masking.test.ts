import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../lib/src/tensor/index.js';
import { keptCount, maskClips, randomMasking, removalMask } from '../../lib/src/views/index.js';

const golden = JSON.parse(readFileSync(new URL('../golden/vit.json', import.meta.url), 'utf8')) as {
  mask_counts: Record<string, { masked: number; visible: number }>;
};

describe('random masking', () => {
  it('keeps as many tokens as the reference', () => {
    const counts = Object.entries(golden.mask_counts);
    expect(counts.map(([n]) => Number(n))).toEqual([48, 49, 96, 98]);
    for (const [n, { visible }] of counts) expect(keptCount(Number(n), 0.9)).toBe(visible);
    expect(keptCount(48, 0.9)).not.toBe(4);
  });

  it('rounds as Python int(ratio * N) does', () => {
    // computed with CPython: int(0.7 * 10) = 7, int(0.29 * 100) = 28, int(0.57 * 100) = 56, int(0.1 * 30) = 3
    expect(10 - keptCount(10, 0.7)).toBe(7);
    expect(100 - keptCount(100, 0.29)).toBe(28);
    expect(100 - keptCount(100, 0.57)).toBe(56);
    expect(30 - keptCount(30, 0.1)).toBe(3);
    expect(keptCount(98, 0)).toBe(98);
  });

  it('chooses distinct tokens in range, the right number for each clip', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.95, noNaN: true }),
        fc.integer(),
        (nClips, nTokens, maskRatio, seed) => {
          const nKept = keptCount(nTokens, maskRatio);
          const kept = randomMasking(nClips, nTokens, maskRatio, createRng(seed));
          expect(kept.length).toBe(nClips * nKept);
          for (let clip = 0; clip < nClips; clip++) {
            const own = [...kept.subarray(clip * nKept, (clip + 1) * nKept)];
            expect(new Set(own).size).toBe(nKept);
            expect(own.every((token) => token >= 0 && token < nTokens)).toBe(true);
          }
          const mask = removalMask(kept, nClips, nTokens); // 0 is keep
          expect(mask.filter((m) => m === 0).length).toBe(nClips * nKept);
        },
      ),
    );
  });

  it('is uniform over tokens, and over pairs of tokens', () => {
    const [nClips, nTokens] = [20_000, 12];
    const kept = randomMasking(nClips, nTokens, 0.75, createRng(1)); // keeps 3
    const single = new Float64Array(nTokens);
    const pairs = new Float64Array(nTokens * nTokens);
    for (let i = 0; i < kept.length; i++) single[kept[i]]++;
    for (let clip = 0; clip < nClips; clip++) {
      const own = [...kept.subarray(clip * 3, clip * 3 + 3)].sort((a, b) => a - b);
      for (const [a, b] of [
        [own[0], own[1]],
        [own[0], own[2]],
        [own[1], own[2]],
      ])
        pairs[a * nTokens + b]++;
    }
    // each token is kept by a quarter of the clips (deviation 61), each pair by 3/66 of them (deviation 29); 5 deviations
    for (const count of single) expect(Math.abs(count - nClips / 4)).toBeLessThan(310);
    const chosen = [...pairs].filter((_, i) => Math.floor(i / nTokens) < i % nTokens);
    expect(chosen.length).toBe(66);
    for (const count of chosen) expect(Math.abs(count - (nClips * 3) / 66)).toBeLessThan(150);
  });

  it('depends on the seed alone', () => {
    const draw = (seed: number) => randomMasking(4, 98, 0.9, createRng(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('masks both patchings of hybrid, independently', () => {
    const kept = maskClips('hybrid', 3, 192, 0.9, createRng(5));
    expect(kept.square?.length).toBe(30);
    expect(kept.vertical?.length).toBe(30);
    expect(kept.square).not.toEqual(kept.vertical);
    expect(Object.keys(maskClips('vertical', 3, 196, 0.9, createRng(5)))).toEqual(['vertical']);
    expect(maskClips('square', 3, 192, 0.9, createRng(5)).square).toEqual(kept.square);
  });

  it('refuses ratios that mean nothing or leave nothing', () => {
    for (const ratio of [-0.1, 1, 1.5, Number.NaN, 90]) {
      expect(() => randomMasking(1, 98, ratio, createRng(1))).toThrow(/maskRatio.*share of tokens removed/);
    }
    expect(() => keptCount(0, 0.5)).toThrow(/leaves none/);
  });
});
