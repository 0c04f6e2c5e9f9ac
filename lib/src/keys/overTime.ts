/**
 * The key over time: a hidden Markov model over the 24 keys. What a probe says of each clip is smoothed by how music
 * moves from key to key; where the smoothed key changes, the piece modulates. Sums are in log space, float64.
 * Letters: C clips, K = 24 keys.
 */
import { InputError } from '../errors.js';
import { NUM_KEYS } from './key.js';
import { relation, type Relation } from './score.js';

/**
 * Probability that the next clip is in a key of this relation to the key of this clip. `fifth` is both fifths together,
 * half each; `other` is the 19 keys of no relation together. Only proportions count: they are divided by their sum.
 */
export interface KeyTransitions {
  readonly self: number;
  readonly fifth: number;
  readonly relative: number;
  readonly parallel: number;
  readonly other: number;
}

/** Keys that stand in a relation to a given one. */
const MEMBERS: { readonly [R in keyof KeyTransitions]: number } = {
  self: 1,
  fifth: 2,
  relative: 1,
  parallel: 1,
  other: NUM_KEYS - 5,
};

/**
 * For clips of about 6 s: a key lasts 20 clips on average, 2 minutes; of the changes, close keys take four fifths. A
 * prior by musical sense, fitted to nothing; for clips of another length see `transitionsFor`.
 */
export const KEY_TRANSITIONS: KeyTransitions = {
  self: 0.95,
  fifth: 0.02,
  relative: 0.015,
  parallel: 0.005,
  other: 0.01,
};

/** Every key follows every key equally often: then each clip stands for itself. */
export const UNIFORM_TRANSITIONS: KeyTransitions = MEMBERS;

/**
 * The same kinds of change, with a key lasting `clips` clips on average.
 * @param clips mean length of a key in clips, at least 1
 */
export function transitionsFor(clips: number, kinds: KeyTransitions = KEY_TRANSITIONS): KeyTransitions {
  if (!(clips >= 1 && Number.isFinite(clips)))
    throw new InputError('transitionsFor', `a key lasts ${clips} clips; a number of at least 1 is expected`);
  const { fifth, relative, parallel, other } = kinds;
  const leave = 1 / clips / (fifth + relative + parallel + other);
  return {
    self: 1 - 1 / clips,
    fifth: fifth * leave,
    relative: relative * leave,
    parallel: parallel * leave,
    other: other * leave,
  };
}

const KIND: { readonly [R in Relation]: keyof KeyTransitions } = {
  same: 'self',
  fifthAbove: 'fifth',
  fifthBelow: 'fifth',
  relative: 'relative',
  parallel: 'parallel',
  other: 'other',
};

/**
 * Transition probabilities, row-major [from, to], rows adding up to 1. Transposing both keys changes nothing.
 * @throws InputError for a negative or missing proportion, or all zero
 */
export function transitionMatrix(transitions: KeyTransitions = KEY_TRANSITIONS): Float64Array {
  const kinds = Object.keys(MEMBERS) as (keyof KeyTransitions)[];
  for (const kind of kinds)
    if (!(transitions[kind] >= 0 && Number.isFinite(transitions[kind])))
      throw new InputError('key transitions', `${kind} is ${transitions[kind]}; a number of at least 0 is expected`);
  const sum = kinds.reduce((total, kind) => total + transitions[kind], 0);
  if (sum === 0) throw new InputError('key transitions', 'all are 0; at least one must be above');
  return Float64Array.from({ length: NUM_KEYS * NUM_KEYS }, (_, cell) => {
    const kind = KIND[relation(Math.floor(cell / NUM_KEYS), cell % NUM_KEYS)];
    return transitions[kind] / sum / MEMBERS[kind];
  });
}

/** A change of key between two clips that follow each other. */
export interface Modulation {
  /** the first clip in the new key */
  readonly clip: number;
  readonly fromKey: number;
  readonly toKey: number;
}

export interface KeysOverTime {
  /** [C, K] probability of each key in each clip, given all clips (forward-backward) */
  readonly posteriors: Float64Array;
  /** [C] the most probable sequence of keys (Viterbi); of equally probable ones, the lower key id */
  readonly path: Int32Array;
  /** where `path` changes */
  readonly modulations: readonly Modulation[];
  /** log of the probability of all clips, up to a constant that the scores set */
  readonly logLikelihood: number;
}

/**
 * Keys of the clips of one track, in the order of time.
 *
 * @param logScores [C, K] log of how well each key explains each clip, up to a constant per clip: a probe's logits do, as
 *   their softmax is the probability of the key when all keys are equally frequent. Calibrated ones (divided by a
 *   temperature) make better posteriors
 * @throws InputError for no clips, or a score that is NaN or +Infinity, or a clip that no key explains
 */
export function keysOverTime(
  logScores: ArrayLike<number>,
  transitions: KeyTransitions = KEY_TRANSITIONS,
): KeysOverTime {
  const nClips = logScores.length / NUM_KEYS;
  if (!(Number.isInteger(nClips) && nClips > 0))
    throw new InputError('keysOverTime', `${logScores.length} scores; expected 24 for each of one or more clips`);
  for (let i = 0; i < logScores.length; i++)
    if (!(logScores[i] < Infinity))
      throw new InputError(`clip ${Math.floor(i / NUM_KEYS)}`, `the score of key ${i % NUM_KEYS} is ${logScores[i]}`);
  const logMatrix = transitionMatrix(transitions).map(Math.log);
  const { forward, path } = forwardAndBest(logScores, logMatrix, nClips);
  const last = forward.subarray((nClips - 1) * NUM_KEYS);
  const logLikelihood = logSum(last);
  if (logLikelihood === -Infinity)
    throw new InputError('keysOverTime', 'no sequence of keys explains the clips; a score or a transition is 0');
  const posteriors = posteriorsOf(logScores, logMatrix, forward, nClips);
  const modulations: Modulation[] = [];
  for (let clip = 1; clip < nClips; clip++)
    if (path[clip] !== path[clip - 1]) modulations.push({ clip, fromKey: path[clip - 1], toKey: path[clip] });
  return { posteriors, path, modulations, logLikelihood };
}

/** Log of the forward probabilities [C, K], and Viterbi's path; the first key is any, equally probable. */
function forwardAndBest(
  logScores: ArrayLike<number>,
  logMatrix: Float64Array,
  nClips: number,
): { forward: Float64Array; path: Int32Array } {
  const forward = new Float64Array(nClips * NUM_KEYS);
  const best = new Float64Array(nClips * NUM_KEYS);
  const from = new Int32Array(nClips * NUM_KEYS);
  const terms = new Float64Array(NUM_KEYS);
  for (let clip = 0; clip < nClips; clip++) {
    for (let key = 0; key < NUM_KEYS; key++) {
      const cell = clip * NUM_KEYS + key;
      if (clip === 0) {
        forward[cell] = best[cell] = logScores[cell] - Math.log(NUM_KEYS);
        continue;
      }
      const previous = (clip - 1) * NUM_KEYS;
      let [most, source] = [-Infinity, 0];
      for (let k = 0; k < NUM_KEYS; k++) {
        const step = logMatrix[k * NUM_KEYS + key];
        terms[k] = forward[previous + k] + step;
        if (best[previous + k] + step > most) [most, source] = [best[previous + k] + step, k];
      }
      forward[cell] = logScores[cell] + logSum(terms);
      best[cell] = logScores[cell] + most;
      from[cell] = source;
    }
  }
  const path = new Int32Array(nClips);
  for (let clip = nClips - 1; clip >= 0; clip--)
    path[clip] = clip === nClips - 1 ? argMax(best, clip * NUM_KEYS) : from[(clip + 1) * NUM_KEYS + path[clip + 1]];
  return { forward, path };
}

function posteriorsOf(
  logScores: ArrayLike<number>,
  logMatrix: Float64Array,
  forward: Float64Array,
  nClips: number,
): Float64Array {
  const posteriors = new Float64Array(nClips * NUM_KEYS);
  let backward = new Float64Array(NUM_KEYS); // log 1
  const terms = new Float64Array(NUM_KEYS);
  for (let clip = nClips - 1; clip >= 0; clip--) {
    const start = clip * NUM_KEYS;
    for (let key = 0; key < NUM_KEYS; key++) terms[key] = forward[start + key] + backward[key];
    const total = logSum(terms);
    for (let key = 0; key < NUM_KEYS; key++) posteriors[start + key] = Math.exp(terms[key] - total);
    const earlier = new Float64Array(NUM_KEYS);
    for (let key = 0; key < NUM_KEYS; key++) {
      for (let k = 0; k < NUM_KEYS; k++) terms[k] = logMatrix[key * NUM_KEYS + k] + logScores[start + k] + backward[k];
      earlier[key] = logSum(terms);
    }
    backward = earlier;
  }
  return posteriors;
}

/** log(sum of exp), without overflow; -Infinity if all are. */
function logSum(terms: Float64Array): number {
  let most = -Infinity;
  for (const term of terms) if (term > most) most = term;
  if (most === -Infinity) return -Infinity;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - most);
  return most + Math.log(sum);
}

function argMax(values: Float64Array, start: number): number {
  let best = 0;
  for (let key = 1; key < NUM_KEYS; key++) if (values[start + key] > values[start + best]) best = key;
  return best;
}
