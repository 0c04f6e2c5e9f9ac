/** A piece as plain data: everything `arrange` and `render` need, small enough to sit in a manifest. */
import type { Cell } from './cells.js';
import type { Mode } from '../keys/index.js';
import type { ScaleName } from './theory.js';
import type { Font, Role } from './timbres.js';

export type Style = 'edm' | 'band' | 'folk' | 'chamber' | 'piano';

export const STYLES: readonly Style[] = ['edm', 'band', 'folk', 'chamber', 'piano'];

/** How a part turns chords and cells into notes; `arrange` has one function for each. */
export type Pattern =
  | BassPattern
  | 'block'
  | 'pulse'
  | 'stab'
  | 'strum'
  | 'arpeggio'
  | 'alberti'
  | 'stride'
  | 'power'
  | 'drone'
  | 'melody'
  | 'riff'
  | 'counter';
export type BassPattern = 'roots' | 'eighths' | 'rootFifth' | 'octaves' | 'walking' | 'offbeat' | 'rolling' | 'pedal';

export interface Part {
  readonly role: Role;
  readonly pattern: Pattern;
  /** General MIDI program, 0-based. */
  readonly program: number;
  /** Middle of the part's register, a MIDI note number. */
  readonly center: number;
  /** MIDI volume (controller 7), 0..127. */
  readonly volume: number;
}

export interface Section {
  readonly bars: number;
  /** Key of these bars, 0..23 (2 * tonic + 1 if minor). */
  readonly keyId: number;
  readonly scale: ScaleName;
  /** Index into `loops` and `cells`. */
  readonly material: 0 | 1;
  /** Indices of the parts that play; empty = drums alone. */
  readonly parts: readonly number[];
  readonly hasDrums: boolean;
}

export interface PieceRecipe {
  readonly format: 'keymyna-piece-1';
  /** Seed of what the recipe does not spell out: humanised times, velocities, choices inside a pattern. */
  readonly seed: string;
  readonly style: Style;
  /** The label: key of the longest part of the piece. */
  readonly keyId: number;
  readonly mode: Mode;
  /** Quarter notes a minute. */
  readonly tempo: number;
  readonly beatsPerBar: 3 | 4;
  readonly beatsPerChord: number;
  /** Share of a sixteenth by which off-beat sixteenths come late, 0..0.5. */
  readonly swing: number;
  readonly durationSeconds: number;
  readonly font: Font;
  readonly parts: readonly Part[];
  readonly drums: { readonly kit: number; readonly pattern: number; readonly volume: number } | null;
  /** Two loops of Roman numerals; both belong to the piece's group. */
  readonly loops: readonly [readonly string[], readonly string[]];
  readonly cells: readonly [Cell, Cell];
  readonly sections: readonly Section[];
  /** Whether the last bar settles on the tonic chord. */
  readonly hasCadence: boolean;
  /** Shift of all pitched parts, cents, -40..40. */
  readonly tuningCents: number;
  /** `seconds` to fall by 60 dB; `wet` = reverberated share of the amplitude, 0..1. */
  readonly reverb: { readonly seconds: number; readonly wet: number };
  /** Pink noise under the music: RMS ratio in dB; null = none. */
  readonly noiseSnrDb: number | null;
  /** Peak of the finished audio, dBFS. */
  readonly peakDb: number;
}
