/**
 * Logits as probabilities: softmax with temperature, confidence and margins, proper scores. All float64.
 *
 * Letters: n = answers (one per track), c = classes.
 */
import { InputError } from '../errors.js';

/** Answers to the same question: logits and the class that was right. */
export interface LogitAnswers {
  /** [n, c] row by row, finite */
  readonly logits: ArrayLike<number>;
  /** [n], integers in 0..c - 1 */
  readonly labels: ArrayLike<number>;
  /** c, at least 2 */
  readonly nClasses: number;
}

/** What each answer claims about itself and what came of it; every array is [n]. */
export interface Confidences {
  /** probability of the most probable class */
  readonly confidence: Float64Array;
  /** that class; the lowest of equals */
  readonly predicted: Int32Array;
  /** 1 where it is the label, else 0 */
  readonly correct: Float64Array;
  /** probability of the most probable class minus that of the second, 0..1 */
  readonly margin: Float64Array;
  /** the same of the logits (divided by the temperature), 0 or more */
  readonly logitMargin: Float64Array;
}

/**
 * p[k] = exp(z[k] / T) / sum_j exp(z[j] / T), with the largest logit taken off first so that nothing overflows.
 *
 * @param logits [c]
 * @param temperature above 0; above 1 flattens, below 1 sharpens, the order of the classes stays
 */
export function softmax(logits: ArrayLike<number>, temperature = 1): Float64Array {
  assertTemperature('softmax', temperature);
  const probabilities = new Float64Array(logits.length);
  let largest = -Infinity;
  for (let k = 0; k < logits.length; k++) largest = Math.max(largest, logits[k]);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += probabilities[k] = Math.exp((logits[k] - largest) / temperature);
  for (let k = 0; k < logits.length; k++) probabilities[k] /= sum;
  return probabilities;
}

/** Softmax of every row. @returns [n, c] */
export function probabilities(answers: LogitAnswers, temperature = 1): Float64Array {
  const n = assertAnswers('probabilities', answers);
  const { nClasses } = answers;
  const all = new Float64Array(n * nClasses);
  for (let i = 0; i < n; i++) all.set(softmax(rowOf(answers, i), temperature), i * nClasses);
  return all;
}

/** Confidence, correctness and margins of every answer. */
export function confidences(answers: LogitAnswers, temperature = 1): Confidences {
  const n = assertAnswers('confidences', answers);
  const confidence = new Float64Array(n);
  const predicted = new Int32Array(n);
  const correct = new Float64Array(n);
  const margin = new Float64Array(n);
  const logitMargin = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = rowOf(answers, i);
    let top = 0;
    for (let k = 1; k < row.length; k++) if (row[k] > row[top]) top = k;
    let second = top === 0 ? 1 : 0;
    for (let k = 0; k < row.length; k++) if (k !== top && row[k] > row[second]) second = k;
    const shares = softmax(row, temperature);
    confidence[i] = shares[top];
    predicted[i] = top;
    correct[i] = top === answers.labels[i] ? 1 : 0;
    margin[i] = shares[top] - shares[second];
    logitMargin[i] = (row[top] - row[second]) / temperature;
  }
  return { confidence, predicted, correct, margin, logitMargin };
}

/**
 * Negative log-likelihood of the label, -log p[y], of every answer in nats: a proper score (least in expectation for
 * the true probabilities). Its mean is the cross-entropy.
 *
 * @returns [n]
 */
export function negativeLogLikelihoods(answers: LogitAnswers, temperature = 1): Float64Array {
  const n = assertAnswers('negativeLogLikelihoods', answers);
  assertTemperature('negativeLogLikelihoods', temperature);
  return Float64Array.from({ length: n }, (_, i) => {
    const row = rowOf(answers, i);
    return logSumExp(row, 1 / temperature) - row[answers.labels[i]] / temperature;
  });
}

/**
 * Brier score of every answer, sum_k (p[k] - [k = y])^2, in 0..2: a proper score.
 * Reference: Brier (1950), Monthly Weather Review 78(1), the form for several classes.
 *
 * @returns [n]
 */
export function brierScores(answers: LogitAnswers, temperature = 1): Float64Array {
  const n = assertAnswers('brierScores', answers);
  return Float64Array.from({ length: n }, (_, i) => {
    const shares = softmax(rowOf(answers, i), temperature);
    let sum = 0;
    for (let k = 0; k < shares.length; k++) sum += (shares[k] - (k === answers.labels[i] ? 1 : 0)) ** 2;
    return sum;
  });
}

/** The logits of answer i, [c]. */
export function rowOf({ logits, nClasses }: LogitAnswers, i: number): Float64Array {
  return Float64Array.from({ length: nClasses }, (_, k) => logits[i * nClasses + k]);
}

function logSumExp(row: Float64Array, inverse: number): number {
  const largest = Math.max(...row);
  return largest * inverse + Math.log(row.reduce((sum, logit) => sum + Math.exp((logit - largest) * inverse), 0));
}

function assertTemperature(where: string, temperature: number): void {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new InputError(where, `temperature ${temperature}; expected a finite number above 0`);
}

/** Checks shapes and ranges. @returns n */
export function assertAnswers(where: string, { logits, labels, nClasses }: LogitAnswers): number {
  if (!Number.isInteger(nClasses) || nClasses < 2)
    throw new InputError(where, `${nClasses} classes; expected an integer of at least 2`);
  if (labels.length === 0) throw new InputError(where, 'no answers; expected at least one');
  if (logits.length !== labels.length * nClasses)
    throw new InputError(
      where,
      `${logits.length} logits for ${labels.length} labels; expected [${labels.length}, ${nClasses}]`,
    );
  for (let i = 0; i < logits.length; i++)
    if (!Number.isFinite(logits[i])) throw new InputError(where, `logit ${i} is ${logits[i]}; expected finite numbers`);
  for (let i = 0; i < labels.length; i++)
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < nClasses))
      throw new InputError(where, `label ${i} is ${labels[i]}; expected an integer in 0..${nClasses - 1}`);
  return labels.length;
}
