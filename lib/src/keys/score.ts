/**
 * How an estimated key relates to the reference key, and what that is worth.
 *
 * | relation   | estimate against the reference                              | score |
 * |------------|-------------------------------------------------------------|-------|
 * | same       | same tonic, same mode                                       | 1.0   |
 * | fifthAbove | same mode, tonic a perfect fifth above (C major -> G major) | 0.5   |
 * | fifthBelow | same mode, tonic a perfect fifth below (C major -> F major) | 0.0, or 0.5 with `allowDescendingFifths` |
 * | relative   | other mode, same signature (C major -> A minor, C minor -> Eb major) | 0.3 |
 * | parallel   | other mode, same tonic (C major -> C minor)                 | 0.2   |
 * | other      | everything else                                             | 0.0   |
 *
 * Two rulers are in use and the field rarely says which: `allowDescendingFifths: false` is every mir_eval release up
 * to 0.8.2 (hence most published figures), `true` is MIREX since 2017. Both are always computed.
 */
import { InputError } from '../errors.js';
import { assertKeyId, KEYS, NUM_KEYS } from './key.js';

export type Relation = 'same' | 'fifthAbove' | 'fifthBelow' | 'relative' | 'parallel' | 'other';

export interface Ruler {
  /** credit .5 for an estimate a fifth below the reference too */
  readonly allowDescendingFifths: boolean;
}

/** The five shares of a key evaluation; they add up to 1. */
export interface Shares {
  readonly same: number;
  readonly fifth: number;
  readonly relative: number;
  readonly parallel: number;
  readonly other: number;
}

/** Key scores of `n` tracks; every figure lies in 0..1. */
export interface KeyScore {
  readonly n: number;
  /** mean MIREX score, a fifth counts only above the reference */
  readonly weighted: number;
  /** mean MIREX score, fifths count in both directions */
  readonly weightedBothFifths: number;
  /** exact match */
  readonly accuracy: number;
  readonly shares: Shares;
  readonly sharesBothFifths: Shares;
}

/** The relation of an estimated key id to the reference key id; see the table at the head of this file. */
export function relation(referenceKey: number, estimatedKey: number): Relation {
  const reference = KEYS[assertKeyId('relation (reference)', referenceKey)];
  const estimated = KEYS[assertKeyId('relation (estimated)', estimatedKey)];
  const interval = (estimated.tonic - reference.tonic + 12) % 12;
  if (reference.mode === estimated.mode) {
    if (interval === 0) return 'same';
    return interval === 7 ? 'fifthAbove' : interval === 5 ? 'fifthBelow' : 'other';
  }
  if (interval === 0) return 'parallel';
  return interval === (reference.mode === 'major' ? 9 : 3) ? 'relative' : 'other';
}

/** MIREX score of one estimate (0, .2, .3, .5 or 1); see the table at the head of this file. */
export function mirexScore(referenceKey: number, estimatedKey: number, { allowDescendingFifths }: Ruler): number {
  switch (relation(referenceKey, estimatedKey)) {
    case 'same':
      return 1;
    case 'fifthAbove':
      return 0.5;
    case 'fifthBelow':
      return allowDescendingFifths ? 0.5 : 0;
    case 'relative':
      return 0.3;
    case 'parallel':
      return 0.2;
    default:
      return 0;
  }
}

/** All scores, row-major [24 reference keys, 24 estimated keys]. */
export function mirexMatrix(ruler: Ruler): Float64Array {
  return Float64Array.from({ length: NUM_KEYS * NUM_KEYS }, (_, cell) =>
    mirexScore(Math.floor(cell / NUM_KEYS), cell % NUM_KEYS, ruler),
  );
}

/**
 * Scores key ids of the same tracks in the same order.
 * @throws InputError if the lists differ in length or are empty
 */
export function scoreKeys(reference: ArrayLike<number>, estimated: ArrayLike<number>): KeyScore {
  const n = assertPaired('scoreKeys', reference, estimated);
  const counts = countRelations(reference, estimated);
  let weighted = 0;
  let weightedBothFifths = 0;
  for (let i = 0; i < n; i++) {
    weighted += mirexScore(reference[i], estimated[i], { allowDescendingFifths: false });
    weightedBothFifths += mirexScore(reference[i], estimated[i], { allowDescendingFifths: true });
  }
  const shares = (fifths: number, other: number): Shares => ({
    same: counts.same / n,
    fifth: fifths / n,
    relative: counts.relative / n,
    parallel: counts.parallel / n,
    other: other / n,
  });
  return {
    n,
    weighted: weighted / n,
    weightedBothFifths: weightedBothFifths / n,
    accuracy: counts.same / n,
    shares: shares(counts.fifthAbove, counts.other + counts.fifthBelow),
    sharesBothFifths: shares(counts.fifthAbove + counts.fifthBelow, counts.other),
  };
}

/** Finer than the five shares: both fifths apart, and the chromatic neighbours that a mistuned analysis produces. */
export type ErrorKind = Relation | 'neighbour';

export interface ErrorTaxonomy {
  readonly n: number;
  readonly counts: Readonly<Record<ErrorKind, number>>;
  /** counts / n, adding up to 1 */
  readonly shares: Readonly<Record<ErrorKind, number>>;
}

/** Counts every kind of answer; `neighbour` = same mode, a semitone above or below (taken out of `other`). */
export function errorTaxonomy(reference: ArrayLike<number>, estimated: ArrayLike<number>): ErrorTaxonomy {
  const n = assertPaired('errorTaxonomy', reference, estimated);
  const counts: Record<ErrorKind, number> = { ...countRelations(reference, estimated), neighbour: 0 };
  for (let i = 0; i < n; i++) {
    const interval = (KEYS[estimated[i]].tonic - KEYS[reference[i]].tonic + 12) % 12;
    if (reference[i] % 2 === estimated[i] % 2 && (interval === 1 || interval === 11)) {
      counts.neighbour++;
      counts.other--;
    }
  }
  const shares = Object.fromEntries(Object.entries(counts).map(([kind, count]) => [kind, count / n]));
  return { n, counts, shares: shares as Record<ErrorKind, number> };
}

/** Number of tracks per (reference, estimated) pair, row-major [24, 24], rows and columns in the order of `order`. */
export function confusionMatrix(
  reference: ArrayLike<number>,
  estimated: ArrayLike<number>,
  order: readonly number[] = KEYS.map((key) => key.id),
): Int32Array {
  const n = assertPaired('confusionMatrix', reference, estimated);
  const placeOf = new Map(order.map((keyId, place) => [keyId, place]));
  if (order.length !== NUM_KEYS || placeOf.size !== NUM_KEYS)
    throw new RangeError(`confusionMatrix: order of ${order.length} keys; expected all ${NUM_KEYS} key ids once`);
  const matrix = new Int32Array(NUM_KEYS * NUM_KEYS);
  for (let i = 0; i < n; i++) {
    const row = placeOf.get(assertKeyId('confusionMatrix (reference)', reference[i]))!;
    const column = placeOf.get(assertKeyId('confusionMatrix (estimated)', estimated[i]))!;
    matrix[row * NUM_KEYS + column]++;
  }
  return matrix;
}

function countRelations(reference: ArrayLike<number>, estimated: ArrayLike<number>): Record<Relation, number> {
  const counts = { same: 0, fifthAbove: 0, fifthBelow: 0, relative: 0, parallel: 0, other: 0 };
  for (let i = 0; i < reference.length; i++) counts[relation(reference[i], estimated[i])]++;
  return counts;
}

function assertPaired(where: string, reference: ArrayLike<number>, estimated: ArrayLike<number>): number {
  if (reference.length !== estimated.length)
    throw new InputError(
      where,
      `${reference.length} reference keys and ${estimated.length} estimated keys; expected one estimate per track`,
    );
  if (reference.length === 0) throw new InputError(where, 'no tracks to score; expected at least one');
  return reference.length;
}
