/**
 * Is a probability worth its word? Reliability bins, expected calibration error, temperature scaling. All float64;
 * randomness comes in as an argument.
 *
 * Letters: n = answers (one per track), c = classes.
 */
import { InputError } from '../errors.js';
import { assertAnswers, type LogitAnswers, probabilities, rowOf, softmax } from './answers.js';

/** Bins of equal width on 0..1 (Guo et al.), or of as equal counts as ties allow (Nixon et al.). */
export type Binning = 'equalWidth' | 'equalMass';

export interface BinOptions {
  readonly binning: Binning;
  /** at least 1; default 15, as in the literature */
  readonly bins?: number;
}

export interface ReliabilityBin {
  readonly count: number;
  /** smallest and largest confidence found in the bin */
  readonly low: number;
  readonly high: number;
  /** mean confidence and share of correct answers */
  readonly confidence: number;
  readonly accuracy: number;
}

/**
 * Groups answers by confidence. Equal confidences always fall in the same bin, so the order of the answers does not
 * matter; bins without answers are left out.
 *
 * @param confidence [n] in 0..1
 * @param correct [n] 0 or 1
 * @returns bins with rising confidence
 */
export function reliabilityBins(
  confidence: ArrayLike<number>,
  correct: ArrayLike<number>,
  options: BinOptions,
): ReliabilityBin[] {
  const n = assertOutcomes('reliabilityBins', confidence, correct);
  const { binning, bins = 15 } = options;
  if (!Number.isInteger(bins) || bins < 1)
    throw new InputError('reliabilityBins', `bins ${bins}; expected an integer of at least 1`);
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => confidence[a] - confidence[b]);
  const groups: ReliabilityBin[] = [];
  let start = 0;
  for (let bin = 0; bin < bins; bin++) {
    let end = start;
    if (binning === 'equalWidth') {
      // (bin / bins, (bin + 1) / bins], as Guo et al.; a confidence of 0 joins the first bin.
      const upper = bin === bins - 1 ? Infinity : (bin + 1) / bins;
      while (end < n && confidence[order[end]] <= upper) end++;
    } else {
      end = Math.max(start, Math.round(((bin + 1) * n) / bins));
      while (end > start && end < n && confidence[order[end]] === confidence[order[end - 1]]) end++;
    }
    if (end > start) groups.push(summaryOf(order.subarray(start, end), confidence, correct));
    start = end;
  }
  return groups;
}

/**
 * Expected calibration error of the top label, sum over bins of (count / n) * |accuracy - confidence|, in 0..1.
 * At finite n it is above 0 even for honest probabilities: compare it with `calibratedErrors`.
 * Reference: Naeini, Cooper & Hauskrecht, AAAI 2015; Guo et al., ICML 2017 (15 bins of equal width).
 *
 * @param confidence [n] in 0..1
 * @param correct [n] 0 or 1
 */
export function expectedCalibrationError(
  confidence: ArrayLike<number>,
  correct: ArrayLike<number>,
  options: BinOptions,
): number {
  const bins = reliabilityBins(confidence, correct, options);
  const gaps = bins.reduce((sum, bin) => sum + bin.count * Math.abs(bin.accuracy - bin.confidence), 0);
  return Math.min(1, gaps / confidence.length); // a sum of shares may end an ulp above 1
}

/**
 * The calibration errors that perfectly calibrated answers with these confidences would show: each answer is right with
 * the probability that it claims. The level that an error has to exceed before it says anything.
 * Reference: consistency resampling, Bröcker & Smith (2007), Weather and Forecasting 22(3).
 *
 * @param confidence [n] in 0..1
 * @param options.repeats simulated data sets, default 500
 * @param options.uniform uniform numbers in [0, 1)
 * @returns [repeats] ascending
 */
export function calibratedErrors(
  confidence: ArrayLike<number>,
  options: BinOptions & { readonly uniform: () => number; readonly repeats?: number },
): Float64Array {
  const { uniform, repeats = 500 } = options;
  const correct = new Float64Array(confidence.length);
  return Float64Array.from({ length: repeats }, () => {
    for (let i = 0; i < correct.length; i++) correct[i] = uniform() < confidence[i] ? 1 : 0;
    return expectedCalibrationError(confidence, correct, options);
  }).sort();
}

/**
 * Class-wise calibration error: for each class the error of "the answer is this class" over all answers (with the
 * probability of that class as confidence), averaged over the classes.
 * Reference: Kull et al., NeurIPS 2019.
 */
export function classwiseCalibrationError(answers: LogitAnswers, options: BinOptions, temperature = 1): number {
  const shares = probabilities(answers, temperature);
  const { nClasses, labels } = answers;
  const n = labels.length;
  let sum = 0;
  for (let k = 0; k < nClasses; k++) {
    const ofClass = Float64Array.from({ length: n }, (_, i) => shares[i * nClasses + k]);
    const isClass = Float64Array.from({ length: n }, (_, i) => (labels[i] === k ? 1 : 0));
    sum += expectedCalibrationError(ofClass, isClass, options);
  }
  return sum / nClasses;
}

/** Temperatures that `fitTemperature` searches. */
export const TEMPERATURE_RANGE: readonly [number, number] = [0.01, 100];

/**
 * The temperature with the least mean negative log-likelihood, for validation answers. With b = 1 / T the likelihood is
 * convex: d/db = mean_i (sum_k p[k] z[k] - z[y]) rises with b, so its sign is bisected in log b. Answers that are all
 * right by any margin have no minimum: the lower end of the range is returned (the upper one for answers that are worse
 * than chance).
 * Reference: Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, ICML 2017.
 */
export function fitTemperature(answers: LogitAnswers): number {
  const n = assertAnswers('fitTemperature', answers);
  const rows = Array.from({ length: n }, (_, i) => rowOf(answers, i));
  const slope = (inverse: number): number =>
    rows.reduce((sum, row, i) => {
      const shares = softmax(row, 1 / inverse);
      return sum + row.reduce((expected, logit, k) => expected + shares[k] * logit, 0) - row[answers.labels[i]];
    }, 0);
  const [coldest, hottest] = TEMPERATURE_RANGE;
  if (slope(1 / coldest) <= 0) return coldest;
  if (slope(1 / hottest) >= 0) return hottest;
  let low = Math.log(1 / hottest);
  let high = Math.log(1 / coldest);
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (slope(Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(-(low + high) / 2);
}

function summaryOf(members: Uint32Array, confidence: ArrayLike<number>, correct: ArrayLike<number>): ReliabilityBin {
  let sum = 0;
  let right = 0;
  for (const i of members) {
    sum += confidence[i];
    right += correct[i];
  }
  return {
    count: members.length,
    low: confidence[members[0]],
    high: confidence[members[members.length - 1]],
    confidence: sum / members.length,
    accuracy: right / members.length,
  };
}

function assertOutcomes(where: string, confidence: ArrayLike<number>, correct: ArrayLike<number>): number {
  const n = confidence.length;
  if (n === 0) throw new InputError(where, 'no answers; expected at least one');
  if (correct.length !== n)
    throw new InputError(where, `${n} confidences and ${correct.length} outcomes; expected one pair per answer`);
  for (let i = 0; i < n; i++) {
    if (!(confidence[i] >= 0 && confidence[i] <= 1))
      throw new InputError(where, `confidence ${i} is ${confidence[i]}; expected a probability`);
    if (correct[i] !== 0 && correct[i] !== 1)
      throw new InputError(where, `outcome ${i} is ${correct[i]}; expected 0 or 1`);
  }
  return n;
}
