/** Scales and chords in degrees, so that one progression serves all 24 keys. Note names never appear here. */
import { ChordType, Interval, RomanNumeral, Scale } from 'tonal';

/** The scales that melodies move in. `harmonicMinor` raises its seventh over dominants only, as players do. */
export type ScaleName = 'major' | 'mixolydian' | 'naturalMinor' | 'harmonicMinor' | 'dorian' | 'phrygian';

const TONAL_NAMES: Record<ScaleName, string> = {
  major: 'major',
  mixolydian: 'mixolydian',
  naturalMinor: 'aeolian',
  harmonicMinor: 'aeolian',
  dorian: 'dorian',
  phrygian: 'phrygian',
};

/** Semitones above the tonic of the seven degrees of a scale. */
export const SCALE_STEPS: Readonly<Record<ScaleName, readonly number[]>> = Object.fromEntries(
  Object.entries(TONAL_NAMES).map(([name, tonal]) => [
    name,
    Scale.get(`C ${tonal}`).intervals.map((interval) => Interval.semitones(interval)),
  ]),
) as unknown as Record<ScaleName, readonly number[]>;

/** A chord relative to the tonic of its key. */
export interface Chord {
  /** Semitones of the root above the tonic, 0..11. */
  readonly root: number;
  /** Semitones of the chord tones above the root, ascending, the first is 0. */
  readonly tones: readonly number[];
  /** Dominants (of the key or applied) pull the melody's seventh degree up in harmonic minor. */
  readonly isDominant: boolean;
}

const memory = new Map<string, Chord>();

function chordType(type: string, isUpper: boolean): string {
  if (type === '') return isUpper ? 'M' : 'm';
  if (type === '7') return isUpper ? '7' : 'm7';
  return type;
}

/**
 * The chord of a Roman numeral, relative to the major scale on the tonic, in both modes: `I`, `vi7`, `bVII`, `ii°`,
 * `Isus4`; `V7/ii` is the dominant seventh of the second degree.
 * @throws RangeError for a numeral that cannot be read
 */
export function chordOf(numeral: string): Chord {
  const known = memory.get(numeral);
  if (known) return known;
  const [applied, target] = numeral.split('/');
  const roman = RomanNumeral.get(applied);
  const type = ChordType.get(chordType(roman.chordType, roman.major === true));
  if (roman.empty || type.empty) throw new RangeError(`chordOf: cannot read the numeral "${numeral}"`);
  const base = target === undefined ? 0 : chordOf(target).root;
  const root = (Interval.semitones(roman.interval) + base) % 12;
  const tones = type.intervals.map((interval) => Interval.semitones(interval));
  const isDominant = roman.step === 4 && roman.major === true && (target !== undefined || roman.acc === '');
  const chord = { root, tones, isDominant };
  memory.set(numeral, chord);
  return chord;
}

/** `M`, `m`, `dim`, `aug` or `sus`: what is left of a chord when sevenths are taken away. */
export function triadQuality(chord: Chord): string {
  const third = chord.tones.includes(4) ? 'M' : chord.tones.includes(3) ? 'm' : 'sus';
  if (third === 'M' && chord.tones.includes(8)) return 'aug';
  return third === 'm' && chord.tones.includes(6) ? 'dim' : third;
}

/**
 * Semitones above the tonic of a melody's scale while `chord` sounds: the scale, bent to the chord. A degree a semitone
 * beside a chord tone that the scale lacks becomes that chord tone (so mixture and applied dominants are not fought
 * against), and harmonic minor raises its seventh over dominants.
 */
export function scaleOver(scale: ScaleName, chord: Chord): readonly number[] {
  const steps = [...SCALE_STEPS[scale]];
  if (scale === 'harmonicMinor' && chord.isDominant) steps[6] = 11;
  for (const tone of chord.tones) {
    const pitch = (chord.root + tone) % 12;
    if (steps.includes(pitch)) continue;
    const beside = steps.findIndex((step) => Math.abs(step - pitch) === 1 && step !== 0);
    if (beside > 0) steps[beside] = pitch;
  }
  return steps;
}
