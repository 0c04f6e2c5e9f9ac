/** Bass lines and chord figures: one function a pattern, from a chord span to notes in beats. */
import type { Rng } from '../tensor/index.js';
import { nearest, type ChordSpan } from './chordTrack.js';
import type { BassPattern } from './recipe.js';

/** A note before humanising; beats are counted from the start of the piece. */
export interface PlannedNote {
  readonly beat: number;
  readonly beats: number;
  readonly note: number;
  /** 0..127 */
  readonly velocity: number;
}

export type Figure = (span: ChordSpan, center: number, rng: Rng) => PlannedNote[];

const note = (span: ChordSpan, at: number, beats: number, midi: number, velocity: number): PlannedNote => ({
  beat: span.start + at,
  beats: Math.min(beats, span.beats - at),
  note: midi,
  velocity,
});

/** Times 0, step, 2 step, ... inside a span. */
function grid(span: ChordSpan, step: number, from = 0): number[] {
  const times: number[] = [];
  for (let at = from; at < span.beats - 1e-9; at += step) times.push(at);
  return times;
}

/** Close position around `center`, ascending. */
function voicing(span: ChordSpan, center: number): number[] {
  return span.tones.map((tone) => nearest(tone, center)).sort((a, b) => a - b);
}

const fifthOf = (span: ChordSpan): number => span.tones[2] ?? span.root;

/** A pedal stays on the section's tonic, or (about half of the sections) on its dominant. */
function pedalOf(span: ChordSpan): number {
  const tonic = span.section.keyId >> 1;
  return (span.sectionIndex + span.section.bars) % 2 === 1 ? (tonic + 7) % 12 : tonic;
}

export const BASS_FIGURES: Readonly<Record<BassPattern, Figure>> = {
  roots: (s, c) => [note(s, 0, s.beats, nearest(s.root, c), 96)],
  eighths: (s, c) => grid(s, 0.5).map((at) => note(s, at, 0.45, nearest(s.root, c), at % 1 === 0 ? 100 : 84)),
  rootFifth: (s, c) =>
    grid(s, 1).map((at) => note(s, at, 0.9, nearest(at % 2 === 0 ? s.root : fifthOf(s), c), at % 2 === 0 ? 100 : 86)),
  octaves: (s, c) =>
    grid(s, 0.5).map((at) => note(s, at, 0.4, nearest(s.root, c) + (at % 1 === 0 ? 0 : 12), at % 1 === 0 ? 98 : 88)),
  walking: (s, c, rng) =>
    grid(s, 1).map((at) => {
      const pitch = at === 0 ? s.root : rng.uniform() < 0.6 ? rng.pick(s.tones) : rng.pick(s.scale);
      return note(s, at, 0.9, nearest(pitch, c), at === 0 ? 100 : 88);
    }),
  offbeat: (s, c) => grid(s, 1, 0.5).map((at) => note(s, at, 0.45, nearest(s.root, c), 104)),
  rolling: (s, c) =>
    [0.25, 0.5, 0.75].flatMap((from) => grid(s, 1, from).map((at) => note(s, at, 0.22, nearest(s.root, c), 92))),
  pedal: (s, c) => grid(s, 0.5).map((at) => note(s, at, 0.45, nearest(pedalOf(s), c), at % 1 === 0 ? 98 : 82)),
};

const chordAt = (s: ChordSpan, at: number, beats: number, center: number, velocity: number): PlannedNote[] =>
  voicing(s, center).map((midi) => note(s, at, beats, midi, velocity));

export const CHORD_FIGURES = {
  block: (s, c) => chordAt(s, 0, s.beats, c, 84),
  pulse: (s, c) => grid(s, 0.5).flatMap((at) => chordAt(s, at, 0.4, c, at % 1 === 0 ? 86 : 72)),
  stab: (s, c) => grid(s, 1, 0.5).flatMap((at) => chordAt(s, at, 0.2, c, 94)),
  strum: (s, c, rng) =>
    grid(s, 0.5)
      .filter((at) => at % 1 === 0 || rng.uniform() < 0.7)
      .flatMap((at) =>
        [nearest(s.root, c - 9), ...voicing(s, c)].map((midi, string) => ({
          ...note(s, at, 0.48, midi, (at % 2 === 1 ? 92 : 80) - 2 * string),
          beat: s.start + at + 0.02 * string,
        })),
      ),
  arpeggio: (s, c) => {
    const up = voicing(s, c);
    const order = [...up, up[0] + 12, ...up.slice(1).reverse()];
    return grid(s, 0.5).map((at, i) => note(s, at, 0.6, order[i % order.length], at === 0 ? 92 : 80));
  },
  alberti: (s, c) => {
    const [low, middle, high] = voicing(s, c);
    const order = [low, high, middle, high];
    return grid(s, 0.5).map((at, i) => note(s, at, 0.5, order[i % 4], i % 4 === 0 ? 88 : 74));
  },
  stride: (s, c) =>
    grid(s, 1).flatMap((at) =>
      at % 2 === 0 ? [note(s, at, 0.9, nearest(s.root, c - 10), 94)] : chordAt(s, at, 0.5, c + 6, 78),
    ),
  // Root, fifth, octave: no third tells the mode.
  power: (s, c) => {
    const root = nearest(s.root, c - 4);
    return grid(s, 0.5).flatMap((at) =>
      [root, root + 7, root + 12].map((midi) => note(s, at, 0.46, midi, at % 1 === 0 ? 96 : 80)),
    );
  },
  drone: (s, c) => {
    const tonic = s.section.keyId >> 1;
    return [tonic, (tonic + 7) % 12].map((pitch) => note(s, 0, s.beats, nearest(pitch, c), 80));
  },
} satisfies Record<string, Figure>;
