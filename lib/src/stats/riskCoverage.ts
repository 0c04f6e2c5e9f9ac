/** Abstention: how good are the answers that a system is surest of? */
import { InputError } from '../errors.js';

export interface RiskCoverage {
  /** [n] share of the answers that are kept, 1/n, 2/n, .. 1, the surest first */
  readonly coverage: Float64Array;
  /** [n] mean score of the answers kept */
  readonly score: Float64Array;
  /** [n] the confidence of the last answer kept: the threshold that keeps this share */
  readonly threshold: Float64Array;
  /** mean of 1 - score over the curve (AURC); the smaller, the better is confidence told from guess */
  readonly area: number;
  /** the area that the same scores would have in the best order: no confidence can do better */
  readonly bestArea: number;
}

/**
 * Risk against coverage: answers sorted by falling confidence, and the mean score of the first k for every k. Answers of
 * equal confidence cannot be told apart: each counts with the mean score of its equals, so their order does not matter.
 * Reference: El-Yaniv & Wiener, JMLR 11 (2010); the area as in Geifman, Uziel & El-Yaniv, ICLR 2019.
 *
 * @param confidence [n] any finite measure, larger = surer
 * @param scores [n] of each answer in 0..1: 0 or 1 for exact matches, or a graded score as MIREX's
 */
export function riskCoverage(confidence: ArrayLike<number>, scores: ArrayLike<number>): RiskCoverage {
  const n = confidence.length;
  if (n === 0) throw new InputError('riskCoverage', 'no answers; expected at least one');
  if (scores.length !== n)
    throw new InputError('riskCoverage', `${n} confidences and ${scores.length} scores; expected one pair per answer`);
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(confidence[i]))
      throw new InputError('riskCoverage', `confidence ${i} is ${confidence[i]}; expected finite numbers`);
    if (!(scores[i] >= 0 && scores[i] <= 1))
      throw new InputError('riskCoverage', `score ${i} is ${scores[i]}; expected a number in 0..1`);
  }
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => confidence[b] - confidence[a]);
  const threshold = Float64Array.from(order, (i) => confidence[i]);
  const sorted = Float64Array.from(order, (i) => scores[i]);
  shareAmongEquals(sorted, threshold);
  const score = runningMean(sorted);
  return {
    coverage: Float64Array.from({ length: n }, (_, k) => (k + 1) / n),
    score,
    threshold,
    area: areaOf(score),
    bestArea: areaOf(
      runningMean(
        Float64Array.from(sorted, (_, k) => scores[order[k]])
          .sort()
          .reverse(),
      ),
    ),
  };
}

/** Mean score of the surest `coverage` share of the answers: the least number of them that reaches it. */
export function scoreAtCoverage(curve: RiskCoverage, coverage: number): number {
  if (!(coverage > 0 && coverage <= 1))
    throw new InputError('scoreAtCoverage', `coverage ${coverage}; expected a share above 0 and up to 1`);
  // The curve's own numbers are compared, so that 0.3 of 10 answers is 3 answers and not 4 by rounding.
  const place = curve.coverage.findIndex((share) => share >= coverage - 1e-12);
  return curve.score[place];
}

function shareAmongEquals(sorted: Float64Array, confidence: Float64Array): void {
  for (let start = 0; start < sorted.length;) {
    let end = start + 1;
    while (end < sorted.length && confidence[end] === confidence[start]) end++;
    const equals = sorted.subarray(start, end);
    // Summed in ascending order: the same equals in another order give the same mean to the last bit.
    equals.fill(
      equals
        .slice()
        .sort()
        .reduce((sum, score) => sum + score, 0) / equals.length,
    );
    start = end;
  }
}

function runningMean(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value, k) => (sum += value) / (k + 1));
}

function areaOf(score: Float64Array): number {
  return score.reduce((sum, value) => sum + 1 - value, 0) / score.length;
}
