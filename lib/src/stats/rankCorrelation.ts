/** Spearman's rank correlation. */
import { InputError } from '../errors.js';
import { mean } from './summary.js';

/**
 * Pearson's correlation of the ranks, equal values sharing the mean of theirs.
 * Reference: Spearman (1904), American Journal of Psychology 15; ties as in Kendall & Gibbons, section 3.8.
 *
 * @param a, b paired finite numbers, at least two pairs
 * @returns -1..1; null if all values of a or of b are equal, when there is no order to compare
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length || a.length < 2)
    throw new InputError('rankCorrelation', `${a.length} and ${b.length} values; expected two or more pairs`);
  const [x, y] = [ranks(a), ranks(b)];
  const [meanX, meanY] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - meanX) * (y[i] - meanY);
    xx += (x[i] - meanX) ** 2;
    yy += (y[i] - meanY) ** 2;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const out = new Float64Array(order.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let place = from; place < to; place++) out[order[place]] = (from + to + 1) / 2;
    from = to;
  }
  return out;
}
