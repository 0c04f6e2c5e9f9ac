import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertShape, createRng, restoreRng } from '../../lib/src/tensor/index.js';

const moments = (xs: number[]): [number, number] => {
  const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
  return [mean, xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length];
};

describe('random numbers', () => {
  it('repeat by seed, differ between seeds, and continue from a stored state', () => {
    const draw = (rng = createRng(1)): number[] => [rng.uniform(), rng.normal(), rng.int(10), rng.beta(2, 5)];
    expect(draw()).toEqual(draw());
    expect(draw(createRng(2))).not.toEqual(draw());
    expect(draw(createRng('1'))).not.toEqual(draw());
    const rng = createRng(3);
    rng.normal(); // leaves a spare normal behind
    const state = JSON.parse(JSON.stringify(rng.state())) as ReturnType<typeof rng.state>;
    expect(draw(restoreRng(state))).toEqual(draw(rng));
  });

  it('forks independent streams without advancing the parent', () => {
    const rng = createRng(4);
    const [a, b, again] = [rng.fork('a'), rng.fork('b'), rng.fork('a')];
    expect(a.uniform()).toBe(again.uniform());
    expect(a.uniform()).not.toBe(b.uniform());
    expect(rng.uniform()).toBe(createRng(4).uniform());
    expect(createRng(4).fork(1).uniform()).not.toBe(createRng(4).fork('1').uniform());
  });

  it('has the moments of its distributions', () => {
    const rng = createRng(5);
    const n = 50_000;
    const sample = (draw: () => number): [number, number] => moments(Array.from({ length: n }, draw));
    // Tolerances: five standard errors.
    const [u, uv] = sample(() => rng.uniform());
    expect(Math.abs(u - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(uv - 1 / 12)).toBeLessThan(0.002);
    const [m, v] = sample(() => rng.normal());
    expect(Math.abs(m)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(v - 1)).toBeLessThan(0.04);
    for (const [a, b] of [
      [5, 2],
      [2, 5],
      [0.2, 0.2],
    ]) {
      const [mean, variance] = sample(() => rng.beta(a, b));
      const expected = (a * b) / ((a + b) ** 2 * (a + b + 1));
      expect(Math.abs(mean - a / (a + b))).toBeLessThan(5 * Math.sqrt(expected / n));
      expect(Math.abs(variance - expected)).toBeLessThan(0.05 * expected);
    }
  });

  it('permutes without loss, every order alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer(), (n, seed) => {
        expect([...createRng(seed).permutation(n)].sort((a, b) => a - b)).toEqual(
          Array.from({ length: n }, (_, i) => i),
        );
      }),
    );
    const rng = createRng(6);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = rng.permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(6000 * (5 / 36)));
  });

  it('refuses what has no meaning', () => {
    const rng = createRng(7);
    expect(() => rng.int(0)).toThrow(/positive integer/);
    expect(() => rng.pick([])).toThrow(/nothing to pick/);
    expect(() => rng.beta(0, 1)).toThrow(/must be positive/);
    expect(() => createRng(NaN)).toThrow(/finite/);
  });
});

describe('assertShape', () => {
  it('holds letters to one size and prints both shapes', () => {
    assertShape('f: x', [2, 3, 2], ['a', 3, 'a']);
    expect(() => assertShape('f: x', [2, 3, 4], ['a', 3, 'a'])).toThrow(
      'f: x: expected shape [a, 3, a], found [2, 3, 4]',
    );
    expect(() => assertShape('f: x', [2], [2, 2])).toThrow('expected shape [2, 2], found [2]');
  });
});
