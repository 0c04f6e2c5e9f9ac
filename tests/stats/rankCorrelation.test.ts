import { describe, expect, it } from 'vitest';
import { rankCorrelation } from '../../lib/src/stats/index.js';

describe('rank correlation', () => {
  it('is 1 for any rising function, -1 for a falling one', () => {
    const values = [3, -1, 7, 2.5, 40];
    const rising = values.map((x) => Math.exp(x / 10));
    expect(rankCorrelation(values, rising)).toBeCloseTo(1, 14);
    expect(rankCorrelation(values, rising.map((x) => -x))).toBeCloseTo(-1, 14); // prettier-ignore
  });

  it('gives 1 - 6 sum(d^2) / (n (n^2 - 1)) without ties', () => {
    // Ranks 1..6 against 2, 1, 4, 3, 6, 5: sum of squares 6, so 1 - 36 / 210.
    expect(rankCorrelation([1, 2, 3, 4, 5, 6], [20, 10, 40, 30, 60, 50])).toBeCloseTo(1 - 36 / 210, 14);
  });

  it('lets equal values share their mean rank', () => {
    // Pearson of (1, 2.5, 2.5, 4) and (1, 2, 3, 4): 4.5 / sqrt(4.5 * 5); scipy.stats.spearmanr gives .9486832980505138.
    expect(rankCorrelation([1, 2, 2, 9], [1, 2, 3, 4])).toBeCloseTo(0.9486832980505138, 14);
  });

  it('is null without an order, and refuses single pairs', () => {
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(() => rankCorrelation([1], [2])).toThrow('two or more pairs');
    expect(() => rankCorrelation([1, 2], [2])).toThrow('2 and 1 values');
  });
});
