import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../lib/src/tensor/index.js';
import { positivePair } from '../../lib/src/views/index.js';

describe('positive pairs', () => {
  it('stay inside the track and within the distance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 200 }),
        fc.option(fc.integer({ min: 0, max: 300 })),
        fc.integer(),
        (nFrames, clipFrames, maxFrameDistance, seed) => {
          const pair = positivePair(nFrames, clipFrames, createRng(seed), { maxFrameDistance });
          for (const start of pair) {
            expect(start).toBeGreaterThanOrEqual(0);
            expect(start).toBeLessThanOrEqual(Math.max(0, nFrames - clipFrames));
          }
          expect(Math.abs(pair[0] - pair[1])).toBeLessThanOrEqual(maxFrameDistance ?? nFrames);
          expect(positivePair(nFrames, clipFrames, createRng(seed), { maxFrameDistance })).toEqual(pair);
        },
      ),
    );
  });

  it('are the same clip at distance 0, [0, 0] in a short track', () => {
    const rng = createRng(3);
    for (let i = 0; i < 50; i++) {
      const [a, b] = positivePair(937, 196, rng, { maxFrameDistance: 0 });
      expect(a).toBe(b);
    }
    expect(positivePair(100, 196, rng)).toEqual([0, 0]);
  });

  it('without a limit are two independent uniform clips', () => {
    const rng = createRng(4);
    const counts = new Float64Array(25);
    for (let i = 0; i < 25_000; i++) {
      const [a, b] = positivePair(14, 10, rng, { maxFrameDistance: null });
      counts[a * 5 + b]++;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(160); // 5 deviations of 31
  });

  it('with a limit the second start is uniform within it, and reaches both ends', () => {
    const rng = createRng(5);
    const distances = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      const [a, b] = positivePair(1000, 100, rng, { maxFrameDistance: 3 });
      distances.add(b - a);
    }
    expect([...distances].sort((x, y) => x - y)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
  });

  it('refuses lengths and distances that mean nothing', () => {
    const rng = createRng(1);
    expect(() => positivePair(0, 196, rng)).toThrow(/0 frames/);
    expect(() => positivePair(Number.NaN, 196, rng)).toThrow(/NaN frames/);
    expect(() => positivePair(900, 196, rng, { maxFrameDistance: -1 })).toThrow(/maxFrameDistance.*-1 found/);
    expect(() => positivePair(900, 196, rng, { maxFrameDistance: 1.5 })).toThrow(/1.5 found/);
  });
});
