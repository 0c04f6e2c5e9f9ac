/** The one list of the 24 keys, in the one order; reading and transposing key names. */

export type Mode = 'major' | 'minor';

export interface Key {
  /** 0..23 = 2 * tonic + (minor ? 1 : 0): C major 0, C minor 1, Db major 2, ... B minor 23 */
  readonly id: number;
  /** pitch class 0..11, C = 0 */
  readonly tonic: number;
  readonly mode: Mode;
  /** as printed everywhere, with flats: `Eb minor` */
  readonly label: string;
}

export const NUM_KEYS = 24;

const TONIC_NAMES = ['C', 'Db', 'D', 'Eb', 'E', 'F', 'Gb', 'G', 'Ab', 'A', 'Bb', 'B'] as const;

/** The 24 keys; `KEYS[id].id === id`. */
export const KEYS: readonly Key[] = TONIC_NAMES.flatMap((name, tonic) => [
  { id: 2 * tonic, tonic, mode: 'major' as const, label: `${name} major` },
  { id: 2 * tonic + 1, tonic, mode: 'minor' as const, label: `${name} minor` },
]);

/**
 * Key ids around the circle of fifths, each major followed by its relative minor:
 * C major, A minor, G major, E minor, D major, B minor, ... F major, D minor.
 * In a confusion matrix of this order fifths and relatives lie beside the diagonal.
 */
export const CIRCLE_OF_FIFTHS: readonly number[] = Array.from({ length: 12 }, (_, step) => {
  const tonic = (7 * step) % 12;
  return [2 * tonic, 2 * ((tonic + 9) % 12) + 1];
}).flat();

/** The key of a pitch class (any integer, taken modulo 12) and a mode. */
export function keyOf(tonic: number, mode: Mode): Key {
  return KEYS[2 * modulo12(tonic) + (mode === 'minor' ? 1 : 0)];
}

/** The id of `keyId` moved by `semitones` (any integer, up is positive); the mode stays. */
export function transposeKey(keyId: number, semitones: number): number {
  const key = KEYS[assertKeyId('transposeKey', keyId)];
  return keyOf(key.tonic + semitones, key.mode).id;
}

const LETTER_PITCH: Record<string, number> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };
const KEY_NAME = /^([a-g])((?:[b#♭♯]|[\s-]*(?:flat|sharp))*)[\s:_-]*(major|maj|minor|min|m)$/i;

/**
 * Reads a key name: a letter in either case, flats or sharps (`b`, `#`, `♭`, `♯`, `-flat`, `-sharp`, also doubled or
 * enharmonic such as Cb, E#, B#), then a mode: `major`, `maj`, `M`, `minor`, `min`, `m`. Spaces around, and a space,
 * `:`, `_` or `-` between are accepted (`Eb minor `, `F♯:min`, `C#m`).
 *
 * @returns null for everything else: also for a tonic without a mode, and for several keys (`A major / B minor`);
 *   a guess here would be a silently wrong label
 */
export function parseKey(text: string): Key | null {
  const match = KEY_NAME.exec(text.trim());
  if (match === null) return null;
  const [, letter, accidentals, modeName] = match;
  let tonic = LETTER_PITCH[letter.toLowerCase()];
  for (const accidental of accidentals.toLowerCase().match(/flat|sharp|[b#♭♯]/g) ?? [])
    tonic += accidental === 'b' || accidental === '♭' || accidental === 'flat' ? -1 : 1;
  // A single letter is the only case-sensitive part: `CM` is C major, `Cm` is C minor.
  const isMinor = modeName === 'm' || modeName.toLowerCase().startsWith('min');
  return keyOf(tonic, isMinor ? 'minor' : 'major');
}

/** Returns `keyId` if it is one of 0..23, throws otherwise. */
export function assertKeyId(where: string, keyId: number): number {
  if (!Number.isInteger(keyId) || keyId < 0 || keyId >= NUM_KEYS)
    throw new RangeError(`${where}: key id ${keyId}; expected an integer from 0 (C major) to 23 (B minor)`);
  return keyId;
}

function modulo12(value: number): number {
  return ((value % 12) + 12) % 12;
}
