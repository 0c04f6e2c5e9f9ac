/** The five styles: ensembles, tempi, and how hard each makes the key to hear. */
import type { Rng } from '../tensor/index.js';
import type { BassPattern, Pattern, Style } from './recipe.js';
import type { Role } from './timbres.js';

/** A part before it has an instrument. */
export interface Desk {
  readonly role: Role;
  readonly pattern: Pattern;
  readonly center: number;
  readonly volume: number;
}

export interface StylePlan {
  readonly tempo: readonly [number, number];
  readonly triple: number;
  readonly swing: number;
  /** Chance of drums, of a drum-only opening (given drums), of leaving the key, of a closing tonic chord. */
  readonly drums: number;
  readonly drumOpening: number;
  readonly modulation: number;
  readonly cadence: number;
  /** First drum pattern and how many; see drums.ts. */
  readonly drumPatterns: readonly [number, number];
  /** Longest reverberation, seconds. */
  readonly reverb: number;
  readonly desks: (rng: Rng) => Desk[];
}

const desk = (role: Role, pattern: Pattern, center: number, volume: number): Desk => ({
  role,
  pattern,
  center,
  volume,
});

const bass = (rng: Rng, patterns: readonly BassPattern[], volume = 104): Desk =>
  desk('bass', rng.pick(patterns), 40, volume);

/** `desk` with a chance, as a list to spread. */
const maybe = (rng: Rng, chance: number, make: () => Desk): Desk[] => (rng.uniform() < chance ? [make()] : []);

export const STYLE_PLANS: Readonly<Record<Style, StylePlan>> = {
  // Loops, offbeat and rolling basses, riffs that ignore the chords, dominant or tonic pedals, few thirds.
  edm: {
    tempo: [112, 150],
    triple: 0,
    swing: 0.1,
    drums: 1,
    drumOpening: 0.4,
    modulation: 0.1,
    cadence: 0.08,
    drumPatterns: [0, 4],
    reverb: 1.6,
    desks: (rng) => [
      bass(rng, ['offbeat', 'rolling', 'octaves', 'eighths', 'pedal']),
      ...maybe(rng, 0.8, () => desk(rng.pick(['pad', 'keys']), rng.pick(['block', 'stab', 'pulse', 'power']), 60, 82)),
      desk('lead', rng.pick(['riff', 'riff', 'melody', 'arpeggio']), 72, 92),
      ...maybe(rng, 0.35, () => desk('pluck', rng.pick(['arpeggio', 'riff', 'counter']), 76, 78)),
    ],
  },
  // Power chords and riffs (rock), or keys, pad and a tune (pop).
  band: {
    tempo: [78, 156],
    triple: 0.04,
    swing: 0.15,
    drums: 1,
    drumOpening: 0.25,
    modulation: 0.3,
    cadence: 0.25,
    drumPatterns: [4, 4],
    reverb: 1.2,
    desks: (rng) => {
      const rock = rng.uniform() < 0.5;
      return [
        bass(rng, rock ? ['eighths', 'roots', 'pedal'] : ['roots', 'rootFifth', 'walking', 'eighths']),
        rock
          ? desk('power', rng.pick(['power', 'power', 'riff']), 50, 92)
          : desk(rng.pick(['guitar', 'keys']), rng.pick(['strum', 'pulse', 'block', 'arpeggio']), 60, 84),
        ...maybe(rng, 0.5, () => desk(rng.pick(['pad', 'keys']), rng.pick(['block', 'block', 'stab']), 62, 64)),
        ...maybe(rng, rock ? 0.7 : 0.9, () => desk(rng.pick(['lead', 'wind']), 'melody', 72, 96)),
        ...(rock ? [desk('guitar', rng.pick(['strum', 'counter', 'arpeggio']), 62, 58)] : []),
      ];
    },
  },
  // Drones, fiddle and flute tunes, modal scales, strummed or picked strings.
  folk: {
    tempo: [84, 150],
    triple: 0.4,
    swing: 0.3,
    drums: 0.15,
    drumOpening: 0.1,
    modulation: 0.25,
    cadence: 0.35,
    drumPatterns: [8, 2],
    reverb: 1,
    desks: (rng) => [
      desk(rng.pick(['guitar', 'pluck']), rng.pick(['strum', 'arpeggio', 'strum']), 57, 86),
      desk(rng.pick(['bow', 'wind', 'pluck']), 'melody', 74, 100),
      ...maybe(rng, 0.35, () => desk(rng.pick(['pluck', 'bow']), 'drone', 52, 70)),
      ...maybe(rng, 0.5, () => bass(rng, ['roots', 'rootFifth', 'pedal'], 92)),
      ...maybe(rng, 0.3, () => desk('wind', 'counter', 69, 72)),
    ],
  },
  // Three to five voices, functional harmony, most modulations.
  chamber: {
    tempo: [60, 126],
    triple: 0.3,
    swing: 0,
    drums: 0,
    drumOpening: 0,
    modulation: 0.5,
    cadence: 0.4,
    drumPatterns: [8, 1],
    reverb: 2.2,
    desks: (rng) => {
      const tune = rng.pick<Role>(['bow', 'wind']);
      return [
        desk(tune, 'melody', 74, 98),
        desk(rng.pick(['bow', 'wind']), 'counter', 67, 80),
        desk('bow', rng.pick(['block', 'pulse', 'alberti', 'block']), 58, 72),
        ...maybe(rng, 0.75, () => desk('bow', rng.pick(['roots', 'roots', 'rootFifth', 'walking', 'pedal']), 43, 88)),
      ];
    },
  },
  // Two hands.
  piano: {
    tempo: [62, 150],
    triple: 0.3,
    swing: 0.1,
    drums: 0,
    drumOpening: 0,
    modulation: 0.45,
    cadence: 0.35,
    drumPatterns: [8, 1],
    reverb: 1.5,
    desks: (rng) => [
      desk('keys', rng.pick(['alberti', 'stride', 'arpeggio', 'octaves', 'pulse', 'walking']), 48, 86),
      desk('keys', 'melody', 72, 102),
      ...maybe(rng, 0.4, () => desk('keys', rng.pick(['block', 'counter']), 60, 64)),
    ],
  },
};
