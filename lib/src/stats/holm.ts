/** Several tests at once: Holm's step-down correction. */
import { InputError } from '../errors.js';

/**
 * Adjusted p-values: the i-th smallest of m is multiplied by m - i (i from 0), never falls below the one before it, and
 * is at most 1. Rejecting those up to a level keeps the chance of any false rejection below it, whatever the tests have
 * to do with each other.
 * Reference: Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
 *
 * @param pValues in 0..1, in any order; the result is in the same order
 */
export function holm(pValues: readonly number[]): number[] {
  const bad = pValues.findIndex((p) => !(p >= 0 && p <= 1));
  if (bad >= 0) throw new InputError('holm', `p-value ${bad} is ${pValues[bad]}; expected a number from 0 to 1`);
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = pValues.map(() => 0);
  let largest = 0;
  order.forEach((place, i) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - i) * pValues[place]));
    adjusted[place] = largest;
  });
  return adjusted;
}
