/** 08: the arithmetic of score against strength; pure. Letters: J strengths of one augmentation, in the order of its axis. */
import { type AugmentationId, augmentationInfo } from '../../audio/index.js';
import { mirexMatrix, type Ruler } from '../../keys/index.js';
import type { Reach, StrengthAxis } from './robustnessMeasurements.js';

/** Strengths whose effect goes by their ratio. */
const LOG_SCALE: ReadonlySet<AugmentationId> = new Set([
  'lowPass', 'highPass', 'bandStop', 'reverb', 'clipping', 'compression', 'mp3', 'opus', 'timeStretch',
]); // prettier-ignore
/** Fewer is harsher. */
const REVERSED: ReadonlySet<AugmentationId> = new Set(['whiteNoise', 'pinkNoise', 'lowPass', 'mp3', 'opus']);

/**
 * Places strengths from left to right. The clean audio lies where the neutral strength does; where that has no place (no
 * neutral strength, or 0 on a scale of ratios), one step before the mildest strength.
 *
 * @param strengths other than neutral, in any order, at least one
 */
export function strengthAxis(id: AugmentationId, strengths: readonly number[]): StrengthAxis {
  const { name, axisLabel, unit, neutral } = augmentationInfo(id);
  const scale = LOG_SCALE.has(id) ? 'log' : 'linear';
  const sign = REVERSED.has(id) ? -1 : 1;
  const place = (strength: number): number => sign * (scale === 'log' ? Math.log2(strength) : strength);
  const ordered = [...strengths].sort((a, b) => place(a) - place(b));
  const positions = ordered.map(place);
  const isNeutral = neutral !== null && Number.isFinite(place(neutral));
  const last = positions[positions.length - 1];
  const step = positions.length > 1 ? (last - positions[0]) / (positions.length - 1) : 1;
  const clean = { position: isNeutral ? place(neutral) : positions[0] - step, isNeutral };
  return { id, name, axisLabel, unit, scale, strengths: ordered, positions, clean };
}

/** The strength at a position of an axis. */
export function strengthAt({ id, scale }: StrengthAxis, position: number): number {
  const unsigned = REVERSED.has(id as AugmentationId) ? -position : position;
  return scale === 'log' ? 2 ** unsigned : unsigned;
}

/** Expected score of a key drawn blindly: the same for every reference key. */
export function chanceScore(ruler: Ruler): number {
  return mirexMatrix(ruler).reduce((sum, score) => sum + score, 0) / 576;
}

/**
 * Weights of the trapezoidal mean over an axis: [clean, strength 1, .. J], adding up to 1. The clean score has a part if
 * neutral has a place on the axis.
 */
export function areaWeights({ positions, clean }: StrengthAxis): Float64Array {
  const points = positions.map((position, j) => ({ position, index: j + 1 }));
  if (clean.isNeutral) points.push({ position: clean.position, index: 0 });
  points.sort((a, b) => a.position - b.position);
  const weights = new Float64Array(positions.length + 1);
  if (points.length === 1) weights[points[0].index] = 1;
  for (let i = 0; i + 1 < points.length; i++) {
    const half = (points[i + 1].position - points[i].position) / 2;
    weights[points[i].index] += half;
    weights[points[i + 1].index] += half;
  }
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** The strengths on one side of the clean audio, from it outwards, as places in the axis' order. */
export function sidesOf({ positions, clean }: StrengthAxis): { side: 'left' | 'right'; places: number[] }[] {
  const places = positions.map((_, j) => j);
  const left = places.filter((j) => positions[j] < clean.position).reverse();
  const right = places.filter((j) => positions[j] > clean.position);
  return [
    { side: 'left' as const, places: left },
    { side: 'right' as const, places: right },
  ].filter(({ places }) => places.length > 0);
}

/**
 * How far out half of the score above chance is lost for the first time, going outwards, by a straight line between two
 * strengths. 0 = at or before the mildest strength when the clean audio has no place of its own; Infinity = not reached.
 *
 * @param scores [J]
 * @returns distance from the clean position; NaN if the clean score is not above chance
 */
export function halfLost(
  axis: StrengthAxis,
  places: readonly number[],
  scores: ArrayLike<number>,
  cleanScore: number,
  chance: number,
): number {
  if (!(cleanScore > chance)) return NaN;
  const half = chance + (cleanScore - chance) / 2;
  let before = { distance: 0, score: cleanScore };
  for (const [i, place] of places.entries()) {
    const here = { distance: Math.abs(axis.positions[place] - axis.clean.position), score: scores[place] };
    if (here.score <= half) {
      if (i === 0 && !axis.clean.isNeutral) return 0;
      const share = (before.score - half) / (before.score - here.score);
      return before.distance + share * (here.distance - before.distance);
    }
    before = here;
  }
  return Infinity;
}

/** A distance from the clean position as a strength. */
export function reachOf(axis: StrengthAxis, side: 'left' | 'right', distance: number): Reach {
  if (distance === Infinity) return 'beyond';
  if (distance === 0) return 'before';
  return strengthAt(axis, axis.clean.position + (side === 'left' ? -distance : distance));
}
