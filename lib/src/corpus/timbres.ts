/**
 * Instruments: which General MIDI programs (0-based) may play a role, for training and for the unseen-timbre split.
 * Left out: programs that sound fifths, chords or noise, and those almost silent in one of the fonts
 * (9, 14, 47, 55, 78, 86, 106, 109, 112 and up).
 */
import type { Rng } from '../tensor/index.js';
import { splitOf, type Split } from './split.js';

export type Font = 'sonivox' | 'timgm6mb';

/** What a part does. */
export type Role = 'bass' | 'keys' | 'guitar' | 'power' | 'pad' | 'bow' | 'wind' | 'lead' | 'pluck';

/** Programs of train, valid and test. */
const SEEN: Record<Role, readonly number[]> = {
  bass: [32, 33, 34, 38],
  keys: [0, 1, 2, 4, 5, 6, 11, 16, 19],
  guitar: [24, 25, 27],
  power: [27, 29],
  pad: [48, 50, 52, 88, 89, 91, 95],
  bow: [40, 41, 42, 48],
  wind: [56, 57, 60, 65, 66, 68, 71, 73],
  lead: [11, 27, 65, 73, 80, 81, 87],
  pluck: [8, 10, 12, 13, 21, 22, 24, 105],
};

/** Programs of testTimbre: none is in SEEN, in any role. */
const UNSEEN: Record<Role, readonly number[]> = {
  bass: [35, 36, 37, 39, 43],
  keys: [3, 7, 17, 18, 20],
  guitar: [26, 28, 31],
  power: [30, 31],
  pad: [49, 51, 53, 54, 90, 92, 93, 94],
  bow: [43, 44, 45, 49],
  wind: [58, 59, 61, 64, 67, 69, 70, 72, 74, 75],
  lead: [62, 63, 79, 82, 84, 85],
  pluck: [15, 23, 46, 104, 107, 108],
};

/** Drum kits (program of the percussion channel) per font. */
const KITS: Record<Font, readonly number[]> = { sonivox: [0, 8, 32, 40], timgm6mb: [16, 24, 25, 48] };

export const fontOf = (split: Split): Font => (split === 'testTimbre' ? 'timgm6mb' : 'sonivox');

/** Every program that may sound in a split, ascending. */
export function programsOf(split: Split): number[] {
  return [...new Set(Object.values(split === 'testTimbre' ? UNSEEN : SEEN).flat())].sort((a, b) => a - b);
}

/** A piece's combination of instruments, as the split rule sees it: font and programs, in whatever order they play. */
export function timbreClass(font: Font, programs: readonly number[]): string {
  return `${font} ${[...programs].sort((a, b) => a - b).join('-')}`;
}

/** One program a role, or null if that combination belongs to another split. */
export function drawTimbres(rng: Rng, roles: readonly Role[], split: Split): number[] | null {
  const pools = split === 'testTimbre' ? UNSEEN : SEEN;
  const programs = roles.map((role) => rng.pick(pools[role]));
  // The font alone keeps testTimbre apart; among the sonivox splits the combination decides.
  const isAllowed = split === 'testTimbre' || splitOf(`timbre ${timbreClass('sonivox', programs)}`) === split;
  return isAllowed ? programs : null;
}

export const chooseKit = (rng: Rng, split: Split): number => rng.pick(KITS[fontOf(split)]);
