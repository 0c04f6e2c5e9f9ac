/** 07: do the maps of one encoder behave like what they stand for: chained, repeated, undone, seen by a key probe? */
import type { EmbeddingTable } from '../../embeddings/index.js';
import { CIRCLE_OF_FIFTHS, NUM_KEYS } from '../../keys/index.js';
import {
  applyMap,
  type AugmentationMap,
  clipLogits,
  commutatorNorm,
  composeMaps,
  type EmbeddingPairs,
  identityMap,
  invertMap,
  type LinearReadout,
  matrixOf,
  powerOfMap,
  shiftSums,
  type ShiftSums,
  trackSums,
} from '../../maps/index.js';
import { type Chain, chainName } from '../augmented/augmentedSets.js';
import { fitLinear, type FittedChain, type MapTables, stored, type StoredOf, type StoredSums } from './mapFits.js';
import { rounded } from '../run/run.js';

export interface CompositionResult {
  readonly chain: Chain;
  /** identity and direct are those of the chain's own maps */
  readonly sums: Readonly<Record<'first' | 'second' | 'composed' | 'reversed', StoredSums>>;
  readonly predictionGap: number;
  readonly matrixGap: number;
  readonly commutator: number;
  readonly orderGapOfMaps: number;
  readonly orderGapOfAudio: number | null;
}

export interface PowerResult {
  readonly semitones: number;
  readonly sums: StoredSums;
  readonly predictionGap: number;
}

export interface InverseResult {
  readonly semitones: number;
  readonly sums: Readonly<Record<'roundTrip' | 'byOpposite' | 'byInverse' | 'byDirect', StoredSums>>;
  readonly conditionNumber: number;
  readonly inverseRank: number;
}

export type StoredShiftSums = StoredOf<ShiftSums>;

export interface CycleResult {
  readonly label: string;
  readonly semitones: number;
  /** against the clean embedding; null unless the semitones are whole octaves */
  readonly sums: StoredSums | null;
  readonly shift: StoredShiftSums;
  /** [24][24] clips by the key before and after, along the circle of fifths */
  readonly moves: readonly (readonly number[])[];
}

export interface KeyShiftResult {
  readonly semitones: number;
  readonly shift: Readonly<Record<'map' | 'audio' | 'none', StoredShiftSums>>;
  /** by the map, and of really shifted audio */
  readonly moves: Readonly<Record<'map' | 'audio', readonly (readonly number[])[]>>;
}

/** Singular values below these shares of the largest are left out of an inverse; validation chooses. */
const CUTOFFS: readonly number[] = [1e-6, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.2, 0.3, 0.5];

/** The fitted chains of one encoder by name. */
export type FittedByName = ReadonlyMap<string, FittedChain>;

/** Two maps one after the other, on audio that had both augmentations. */
export function measureComposition(fitted: FittedChain, all: FittedByName): CompositionResult {
  const { chain, pairs, maps } = fitted;
  const [a, b] = chain.map((one) => all.get(chainName([one]))!.maps.linear);
  const [composed, reversed, direct] = [composeMaps(b, a), composeMaps(a, b), maps.linear];
  const sums = (map: AugmentationMap): StoredSums => stored(trackSums(map, pairs.test, { train: pairs.train }));
  const { clean, augmented } = pairs.test;
  const otherOrder = all.get(chainName([...chain].reverse()));
  return {
    chain,
    sums: { first: sums(a), second: sums(b), composed: sums(composed), reversed: sums(reversed) },
    predictionGap: ratioOfDistances(applyMap(composed, clean), applyMap(direct, clean), clean),
    matrixGap: ratioOfDistances(matrixOf(composed), matrixOf(direct), matrixOf(identityMap(direct.width))),
    commutator: rounded(commutatorNorm(b, a)),
    orderGapOfMaps: ratioOfDistances(applyMap(reversed, clean), applyMap(composed, clean), clean),
    orderGapOfAudio: otherOrder ? ratioOfDistances(otherOrder.pairs.test.augmented, augmented, clean) : null,
  };
}

/** shift(+-1) so often that it makes the shift of `semitones`, on audio that is really shifted so far. */
export function measurePower(semitones: number, shifts: ReadonlyMap<number, FittedChain>): PowerResult {
  const { pairs, maps } = shifts.get(semitones)!;
  const power = powerOfMap(shifts.get(Math.sign(semitones))!.maps.linear, Math.abs(semitones));
  const { clean } = pairs.test;
  return {
    semitones,
    sums: stored(trackSums(power, pairs.test, { train: pairs.train })),
    predictionGap: ratioOfDistances(applyMap(power, clean), applyMap(maps.linear, clean), clean),
  };
}

/** Four ways back from a shift of s semitones. */
export function measureInverse(semitones: number, shifts: ReadonlyMap<number, FittedChain>): InverseResult {
  const [there, opposite] = [shifts.get(semitones)!, shifts.get(-semitones)!];
  const back = { train: reversePairs(there.pairs.train), valid: reversePairs(there.pairs.valid) };
  const test = reversePairs(there.pairs.test);
  const mapped = { ...test, clean: applyMap(there.maps.linear, test.augmented) };
  const sums = (map: AugmentationMap, pairs: EmbeddingPairs): StoredSums =>
    stored(trackSums(map, pairs, { train: back.train, similarity: null }));
  const forth = there.maps.linear;
  const inverses = CUTOFFS.map((cutoff) => invertMap(forth, { cutoff }));
  const errors = inverses.map(({ map }) => squaredError(map, back.valid));
  const inverse = inverses[errors.indexOf(Math.min(...errors))];
  return {
    semitones,
    sums: {
      roundTrip: sums(opposite.maps.linear, mapped),
      byOpposite: sums(opposite.maps.linear, test),
      byInverse: sums(inverse.map, test),
      byDirect: sums(fitLinear(back, `back from ${semitones}`, 0 - semitones), test),
    },
    conditionNumber: rounded(inverses[0].conditionNumber),
    inverseRank: inverse.rank,
  };
}

/** Chains of semitone maps that add up to an octave, to nothing or to a fifth; those whose parts there are. */
const CYCLES: readonly { readonly label: string; readonly parts: readonly number[] }[] = [
  { label: '+1 then −1', parts: [1, -1] },
  { label: '+6 then −6', parts: [6, -6] },
  { label: '+6 twice', parts: [6, 6] },
  { label: '−6 twice', parts: [-6, -6] },
  { label: '+1, 12 times', parts: Array.from({ length: 12 }, () => 1) },
  { label: '−1, 12 times', parts: Array.from({ length: 12 }, () => -1) },
  { label: '+1 then +6', parts: [1, 6] },
];

/** What such chains make of the clean test clips. */
export function measureCycles(
  shifts: ReadonlyMap<number, FittedChain>,
  { clean }: MapTables,
  readout: LinearReadout,
): CycleResult[] {
  return CYCLES.filter(({ parts }) => parts.every((part) => shifts.has(part))).map(({ label, parts }) => {
    const map = parts
      .map((part) => shifts.get(part)!.maps.linear)
      .reduce((before, after) => composeMaps(after, before));
    const isOctave = map.labelShift % 12 === 0;
    const train = samePairs(clean.train);
    return {
      label,
      semitones: map.labelShift,
      sums: isOctave ? stored(trackSums(map, samePairs(clean.test), { train })) : null,
      ...keyMoves(clean.test, applyMap(map, clean.test.embeddings), readout, map.labelShift),
    };
  });
}

/** The probe's answer for a shifted clip against the one before: by the map, of the audio, and without anything. */
export function measureKeyShift(
  { pairs, maps }: FittedChain,
  { clean }: MapTables,
  readout: LinearReadout,
): KeyShiftResult {
  const semitones = maps.linear.labelShift;
  const by = (after: Float32Array) => keyMoves(clean.test, after, readout, semitones);
  const [map, audio] = [by(applyMap(maps.linear, clean.test.embeddings)), by(pairs.test.augmented)];
  return {
    semitones,
    shift: { map: map.shift, audio: audio.shift, none: by(clean.test.embeddings).shift },
    moves: { map: map.moves, audio: audio.moves },
  };
}

function keyMoves(
  table: EmbeddingTable,
  after: Float32Array,
  readout: LinearReadout,
  semitones: number,
): { shift: StoredShiftSums; moves: number[][] } {
  const [from, to] = [clipLogits(readout, table.embeddings), clipLogits(readout, after)];
  const sums = shiftSums(from, to, semitones, table);
  const placeOfKey = new Map(CIRCLE_OF_FIFTHS.map((keyId, place) => [keyId, place]));
  const moves = Array.from({ length: NUM_KEYS }, () => Array.from({ length: NUM_KEYS }, () => 0));
  for (let clip = 0; clip < table.nClips; clip++) {
    const keyIn = (logits: Float64Array): number => {
      const own = logits.subarray(clip * NUM_KEYS, (clip + 1) * NUM_KEYS);
      return placeOfKey.get(own.indexOf(Math.max(...own)))!;
    };
    moves[keyIn(from)][keyIn(to)]++;
  }
  return { shift: stored(sums), moves };
}

function reversePairs(pairs: EmbeddingPairs): EmbeddingPairs {
  return { ...pairs, clean: pairs.augmented, augmented: pairs.clean };
}

/** Pairs of every clip with itself. */
function samePairs({ embeddings, nClips: n, width, trackOf, trackIds }: EmbeddingTable): EmbeddingPairs {
  return { clean: embeddings, augmented: embeddings, n, width, trackOf, trackIds };
}

function squaredError(map: AugmentationMap, { clean, augmented }: EmbeddingPairs): number {
  return applyMap(map, clean).reduce((sum, value, i) => sum + (value - augmented[i]) ** 2, 0);
}

/** |a - b| / |b - origin|; 0 where b is the origin */
export function ratioOfDistances(a: ArrayLike<number>, b: ArrayLike<number>, origin: ArrayLike<number>): number {
  let [gap, change] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    gap += (a[i] - b[i]) ** 2;
    change += (b[i] - origin[i]) ** 2;
  }
  return change > 0 ? rounded(Math.sqrt(gap / change)) : 0;
}
