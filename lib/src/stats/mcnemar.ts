/** McNemar's test: do two systems differ in exact matches on the same tracks? */
import { InputError } from '../errors.js';

export interface McNemar {
  /** tracks that only a has right */
  readonly b: number;
  /** tracks that only b has right */
  readonly c: number;
  /** min(b, c): under the null hypothesis binomial with n = b + c and p = 1/2 */
  readonly statistic: number;
  /** exact, two-sided, in (0, 1] */
  readonly pValue: number;
}

/**
 * Exact McNemar test: p = min(1, 2 * P(X <= min(b, c))) with X ~ Binomial(b + c, 1/2). Tracks that both systems have
 * right, or both wrong, say nothing about the difference and do not enter. No discordant track gives p = 1.
 * Reference: McNemar (1947), Psychometrika 12; exact form as the sign test in Conover, Practical Nonparametric
 * Statistics, section 3.5.
 *
 * @param aCorrect, bCorrect whether each system has the track right; same tracks, same order
 */
export function mcnemar(aCorrect: readonly boolean[], bCorrect: readonly boolean[]): McNemar {
  if (aCorrect.length !== bCorrect.length)
    throw new InputError('mcnemar', `${aCorrect.length} and ${bCorrect.length} answers; expected one pair per track`);
  if (aCorrect.length === 0) throw new InputError('mcnemar', 'no tracks; expected at least one');
  let b = 0;
  let c = 0;
  aCorrect.forEach((correct, i) => {
    if (correct && !bCorrect[i]) b++;
    if (!correct && bCorrect[i]) c++;
  });
  const statistic = Math.min(b, c);
  return { b, c, statistic, pValue: Math.min(1, 2 * binomialHalfTail(statistic, b + c)) };
}

/** P(X <= k) for X ~ Binomial(n, 1/2), summed from the largest term in logarithms so that 2^-n cannot underflow. */
function binomialHalfTail(k: number, n: number): number {
  let logTerm = -n * Math.LN2; // log of C(n, 0) / 2^n
  for (let i = 1; i <= k; i++) logTerm += Math.log((n - i + 1) / i);
  // Downwards from C(n, k): the ratio of neighbours is i / (n - i + 1) < 1, so the sum is of shrinking terms.
  let relative = 1;
  let sum = 1;
  for (let i = k; i >= 1; i--) {
    relative *= i / (n - i + 1);
    sum += relative;
  }
  return Math.exp(logTerm + Math.log(sum));
}
