import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bootstrapInterval,
  drawResamples,
  holm,
  mcnemar,
  meanAndDeviation,
  pairedBootstrap,
  quantileOfSorted,
  rankCorrelation,
  resampledMeans,
} from '../../lib/src/stats/index.js';

/** The room imports nothing, so its tests bring their own generator (mulberry32). */
function uniformOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('bootstrapInterval', () => {
  // Efron & Tibshirani (1993), table 2.1: survival times of 16 mice in days.
  const treated = [94, 197, 16, 38, 99, 141, 23];
  const control = [52, 104, 146, 10, 51, 30, 40, 27, 46];

  test('finds the textbook standard error of the mice', () => {
    // Table 2.2: 23.36 for infinitely many resamples of the mean of the treated group.
    const mice = bootstrapInterval(treated, { uniform: uniformOf(1), resamples: 40_000 });
    expect(mice.estimate).toBeCloseTo(86.857, 3);
    expect(Math.abs(mice.standardError - 23.36)).toBeLessThan(0.3); // sampling error of 40,000 resamples: .08
    // The plug-in standard error sqrt((n-1)/n) * s/sqrt(n) with the table's 14.14 for the control group.
    const others = bootstrapInterval(control, { uniform: uniformOf(2), resamples: 40_000 });
    expect(Math.abs(others.standardError - 14.14 * Math.sqrt(8 / 9))).toBeLessThan(0.2);
  });

  test('law: covers the true mean about as often as it says', () => {
    const uniform = uniformOf(3);
    const trials = 400;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      // Scores as tracks have them: 0, .5 or 1.
      const values = Array.from({ length: 120 }, () => (uniform() < 0.6 ? 1 : uniform() < 0.5 ? 0.5 : 0));
      const { low, high } = bootstrapInterval(values, { uniform, resamples: 300 });
      if (low <= 0.7 && 0.7 <= high) covered++;
    }
    // .95 * 400 = 380, standard deviation 4.4; the percentile interval is a little narrow at n = 120.
    expect(covered).toBeGreaterThan(362);
    expect(covered).toBeLessThan(397);
  });

  test('law: the same seed gives the same interval, another seed another one', () => {
    const values = Array.from({ length: 50 }, (_, i) => (i * 7) % 11);
    const run = (seed: number) => bootstrapInterval(values, { uniform: uniformOf(seed) });
    expect(run(5)).toEqual(run(5));
    expect(run(5).low).not.toBe(run(6).low);
    expect(run(5)).toMatchObject({ resamples: 2000, level: 0.95 });
  });

  test('law: shifts and scales with the values, brackets the estimate, widens with the level', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 5, maxLength: 30 }), (values) => {
        const run = (sample: number[], level: number) =>
          bootstrapInterval(sample, { uniform: uniformOf(7), resamples: 200, level });
        const plain = run(values, 0.95);
        const moved = run(
          values.map((value) => 2 * value + 3),
          0.95,
        );
        expect(moved.low).toBeCloseTo(2 * plain.low + 3, 9);
        expect(moved.high).toBeCloseTo(2 * plain.high + 3, 9);
        expect(plain.low).toBeLessThanOrEqual(plain.estimate);
        expect(plain.high).toBeGreaterThanOrEqual(plain.estimate);
        expect(run(values, 0.5).high).toBeLessThanOrEqual(plain.high);
      }),
      { numRuns: 30 },
    );
  });

  test('law: drawn once and shared gives what drawing each time gives, to the bit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (values, resamples) => {
          const drawn = drawResamples(values.length, { uniform: uniformOf(9), resamples });
          const each = () => ({ uniform: uniformOf(9), resamples });
          const median = (sample: Float64Array) => sample.slice().sort()[sample.length >> 1];
          expect(bootstrapInterval(values, { drawn })).toEqual(bootstrapInterval(values, each()));
          expect(bootstrapInterval(values, { drawn, statistic: median })).toEqual(
            bootstrapInterval(values, { ...each(), statistic: median }),
          );
          const other = values.map((value) => Math.sin(value));
          expect(pairedBootstrap(values, other, { drawn })).toEqual(pairedBootstrap(values, other, each()));
          // The mean of each resample as plain loops have it.
          const plain = Array.from({ length: resamples }, (_, r) => {
            let sum = 0;
            for (let i = 0; i < values.length; i++) sum += values[drawn.draws[r * values.length + i]];
            return sum / values.length;
          });
          const mean = (sample: Float64Array) => sample.reduce((a, b) => a + b, 0) / sample.length;
          const interval = bootstrapInterval(values, { drawn, statistic: mean });
          expect(bootstrapInterval(values, { drawn })).toEqual(interval);
          expect(interval.low).toBe(quantileOfSorted(Float64Array.from(plain).sort(), 0.5 * (1 - 0.95)));
        },
      ),
      { numRuns: 60 },
    );
    const drawn = drawResamples(3, { uniform: uniformOf(1) });
    expect(() => bootstrapInterval([1, 2], { drawn })).toThrow(/resamples of 3 tracks; expected 2/);
  });

  test('takes any statistic', () => {
    const median = (sample: Float64Array) => quantileOfSorted(sample.slice().sort(), 0.5);
    expect(bootstrapInterval([1, 2, 30], { uniform: uniformOf(1), statistic: median }).estimate).toBe(2);
  });

  test('says what is wrong with its input', () => {
    const uniform = uniformOf(1);
    expect(() => bootstrapInterval([], { uniform })).toThrow(/no values/);
    expect(() => bootstrapInterval([1, NaN], { uniform })).toThrow(/value 1 is NaN/);
    expect(() => bootstrapInterval([1], { uniform, resamples: 0 })).toThrow(/resamples 0/);
    expect(() => bootstrapInterval([1], { uniform, level: 95 })).toThrow(/level 95/);
  });
});

describe('pairedBootstrap', () => {
  test('sees a small difference that is the same on every track, where the single intervals overlap', () => {
    const uniform = uniformOf(11);
    const b = Array.from({ length: 80 }, uniform);
    const a = b.map((value) => value + 0.02 + 0.01 * uniform());
    const result = pairedBootstrap(a, b, { uniform });
    expect(result.difference).toBeCloseTo(0.025, 2);
    expect(result.low).toBeGreaterThan(0.02);
    expect(result.pValue).toBeLessThan(0.002);
    expect(bootstrapInterval(b, { uniform }).high).toBeGreaterThan(bootstrapInterval(a, { uniform }).low);
  });

  test('law: swapping the systems mirrors the interval; equal systems give p = 1', () => {
    const a = [1, 0.5, 0, 1, 0.3, 1, 0, 0.2];
    const b = [0, 0.5, 0, 1, 1, 0.3, 0, 1];
    const forward = pairedBootstrap(a, b, { uniform: uniformOf(4) });
    const backward = pairedBootstrap(b, a, { uniform: uniformOf(4) });
    expect(backward.difference).toBeCloseTo(-forward.difference, 12);
    expect(backward.low).toBeCloseTo(-forward.high, 12);
    expect(backward.pValue).toBeCloseTo(forward.pValue, 12);
    expect(pairedBootstrap(a, a, { uniform: uniformOf(4) })).toMatchObject({
      difference: 0,
      low: 0,
      high: 0,
      pValue: 1,
    });
    expect(() => pairedBootstrap(a, [1], { uniform: uniformOf(4) })).toThrow(/8 and 1 values/);
  });

  test('law: under no difference p is below .05 about one time in twenty', () => {
    const uniform = uniformOf(21);
    let rejected = 0;
    for (let trial = 0; trial < 400; trial++) {
      const a = Array.from({ length: 60 }, uniform);
      const b = Array.from({ length: 60 }, uniform);
      if (pairedBootstrap(a, b, { uniform, resamples: 200 }).pValue < 0.05) rejected++;
    }
    expect(rejected).toBeGreaterThan(6);
    expect(rejected).toBeLessThan(38); // 20 expected, standard deviation 4.4
  });
});

describe('mcnemar', () => {
  /** `b` tracks only the first has right, `c` only the second, `same` both. */
  const answers = (b: number, c: number, same = 5): [boolean[], boolean[]] => [
    [...Array<boolean>(b).fill(true), ...Array<boolean>(c).fill(false), ...Array<boolean>(same).fill(true)],
    [...Array<boolean>(b).fill(false), ...Array<boolean>(c).fill(true), ...Array<boolean>(same).fill(true)],
  ];

  /** Slow twin in exact integers. */
  function twin(b: number, c: number): number {
    let term = 1n;
    let sum = 1n;
    const n = BigInt(b + c);
    for (let i = 1n; i <= BigInt(Math.min(b, c)); i++) {
      term = (term * (n - i + 1n)) / i;
      sum += term;
    }
    return Math.min(1, Number((2n * sum * 10n ** 18n) / 2n ** n) / 1e18);
  }

  test('finds the values of the sign-test table', () => {
    // Siegel, Nonparametric Statistics (1956), table D, one-tailed: N 12, x 2: .019; N 20, x 5: .021; N 10, x 1: .011.
    for (const [b, c, oneTailed] of [
      [10, 2, 0.019],
      [15, 5, 0.021],
      [9, 1, 0.011],
    ])
      expect(mcnemar(...answers(b, c)).pValue / 2).toBeCloseTo(oneTailed, 3);
    expect(mcnemar(...answers(10, 2)).pValue).toBeCloseTo(158 / 4096, 15);
  });

  test('agrees with exact integers, also for many tracks', () => {
    for (const [b, c] of [
      [0, 1],
      [3, 3],
      [150, 86],
      [400, 380],
      [700, 800],
    ]) {
      const result = mcnemar(...answers(b, c));
      expect(result).toMatchObject({ b, c, statistic: Math.min(b, c) });
      expect(Math.abs(result.pValue - twin(b, c))).toBeLessThan(1e-12);
    }
    expect(mcnemar(...answers(3000, 1000)).pValue).toBeGreaterThan(0);
  });

  test('is symmetric, ignores agreement, gives 1 without disagreement', () => {
    expect(mcnemar(...answers(7, 2, 0)).pValue).toBe(mcnemar(...answers(2, 7, 100)).pValue);
    expect(mcnemar(...answers(0, 0)).pValue).toBe(1);
    expect(() => mcnemar([true], [])).toThrow(/1 and 0 answers/);
    expect(() => mcnemar([], [])).toThrow(/no tracks/);
  });
});

test('meanAndDeviation uses n - 1 and knows that one run has no spread', () => {
  expect(meanAndDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ n: 8, mean: 5, deviation: Math.sqrt(32 / 7) });
  expect(meanAndDeviation([0.7])).toEqual({ n: 1, mean: 0.7, deviation: null });
  expect(() => meanAndDeviation([])).toThrow(/no values/);
  // Large offset: a one-pass formula loses every digit here.
  expect(meanAndDeviation([1e9 + 1, 1e9 + 2, 1e9 + 3]).deviation).toBe(1);
});

test('quantileOfSorted interpolates as definition 7', () => {
  expect(quantileOfSorted([1, 2, 3, 4], 0.25)).toBe(1.75);
  expect(quantileOfSorted([1, 2, 3, 4], 1)).toBe(4);
  expect(quantileOfSorted([5], 0.3)).toBe(5);
});

describe('holm', () => {
  test('multiplies the smallest by m, the next by m - 1, and never falls', () => {
    // By hand: .005 * 4, .01 * 3, .03 * 2, and .04 * 1 raised to the .06 before it.
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(10)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.6, 0.5])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
    expect(() => holm([0.1, NaN])).toThrow(/p-value 1 is NaN/);
  });

  test('law: between the p-value and Bonferroni, in the same order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (pValues) => {
        holm(pValues).forEach((adjusted, i) => {
          expect(adjusted).toBeGreaterThanOrEqual(pValues[i]);
          expect(adjusted).toBeLessThanOrEqual(Math.min(1, pValues.length * pValues[i]));
          holm(pValues).forEach((other, j) => pValues[i] < pValues[j] && expect(adjusted).toBeLessThanOrEqual(other));
        });
      }),
    );
  });
});

describe('rankCorrelation', () => {
  test('is 1 for any rising relation, -1 for a falling one, null without an order', () => {
    expect(rankCorrelation([1, 2, 3, 10], [1, 4, 9, 10000])).toBeCloseTo(1, 12);
    expect(rankCorrelation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
    expect(rankCorrelation([1, 1], [1, 2])).toBeNull();
    expect(() => rankCorrelation([1], [1])).toThrow(/two or more pairs/);
  });

  test('equal values share their rank', () => {
    // By hand: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4; products 4.5, squares 4.5 and 5.
    expect(rankCorrelation([1, 2, 2, 3], [1, 3, 2, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });
});

test('resampledMeans are the means of the drawn values', () => {
  const drawn = { n: 2, resamples: 5, draws: Uint16Array.from([0, 0, 0, 1, 1, 0, 1, 1, 0, 1]) };
  expect([...resampledMeans(Float64Array.from([1, 3]), drawn)]).toEqual([1, 2, 2, 3, 2]);
});
