/** From a recipe to note events in seconds: what a MIDI file would hold. */
import { createRng, type Rng } from '../tensor/index.js';
import { BASS_FIGURES, CHORD_FIGURES, type Figure, type PlannedNote } from './accompaniment.js';
import { chordTrack, type ChordSpan } from './chordTrack.js';
import { DRUM_PATTERNS } from './drums.js';
import { counter, melody, riff } from './melodies.js';
import type { Part, PieceRecipe } from './recipe.js';

/** The channel of the percussion kit in General MIDI, 0-based. */
export const DRUM_CHANNEL = 9;

export interface NoteEvent {
  /** Seconds from the start. */
  readonly time: number;
  /** Seconds. */
  readonly duration: number;
  /** 0..15; parts have theirs in order, percussion has `DRUM_CHANNEL`. */
  readonly channel: number;
  /** MIDI note number, 0..127. */
  readonly note: number;
  /** 1..127 */
  readonly velocity: number;
}

function planPart(recipe: PieceRecipe, part: Part, spans: readonly ChordSpan[], rng: Rng): PlannedNote[] {
  if (part.pattern === 'melody') return melody(recipe, spans, part.center, rng);
  if (part.pattern === 'riff') return riff(recipe, spans, part.center);
  if (part.pattern === 'counter') return counter(spans, part.center, rng);
  const figure: Figure =
    part.pattern in BASS_FIGURES
      ? BASS_FIGURES[part.pattern as keyof typeof BASS_FIGURES]
      : CHORD_FIGURES[part.pattern as keyof typeof CHORD_FIGURES];
  return spans.flatMap((span) => figure(span, part.center, rng));
}

function planDrums(recipe: PieceRecipe): PlannedNote[] {
  if (!recipe.drums) return [];
  const sixteenths = recipe.beatsPerBar * 4;
  const notes: PlannedNote[] = [];
  let barStart = 0;
  for (const section of recipe.sections) {
    for (let bar = 0; bar < section.bars; bar++, barStart += recipe.beatsPerBar) {
      if (!section.hasDrums) continue;
      for (const [note, hits] of Object.entries(DRUM_PATTERNS[recipe.drums.pattern])) {
        for (let i = 0; i < sixteenths; i++) {
          if (hits[i] === '.') continue;
          notes.push({ beat: barStart + i / 4, beats: 0.2, note: Number(note), velocity: hits[i] === 'x' ? 104 : 64 });
        }
      }
    }
  }
  return notes;
}

/** Late off-beat sixteenths (swing), times off by some milliseconds, uneven velocities. */
function humanise(recipe: PieceRecipe, channel: number, planned: readonly PlannedNote[], rng: Rng): NoteEvent[] {
  const beatSeconds = 60 / recipe.tempo;
  return planned.flatMap(({ beat, beats, note, velocity }) => {
    const sixteenth = Math.round((beat % 1) * 4);
    const late = sixteenth % 2 === 1 ? recipe.swing / 4 : 0;
    const time = Math.max(0, (beat + late) * beatSeconds + 0.006 * rng.normal());
    const duration = Math.max(0.04, beats * beatSeconds * 0.97);
    const loudness = Math.round(velocity + 6 * rng.normal());
    if (time >= recipe.durationSeconds - 0.05) return [];
    return [{ time, duration, channel, note, velocity: Math.min(127, Math.max(20, loudness)) }];
  });
}

/**
 * All notes of a piece, by time (then channel, then note). The same recipe gives the same notes; each part draws from
 * its own generator, so that leaving one part out leaves the others as they were.
 */
export function arrange(recipe: PieceRecipe): NoteEvent[] {
  const rng = createRng(recipe.seed);
  const spans = chordTrack(recipe);
  const events = recipe.parts.flatMap((part, i) => {
    const partRng = rng.fork(i);
    const playing = spans.filter((span) => span.section.parts.includes(i));
    const channel = i < DRUM_CHANNEL ? i : i + 1;
    return humanise(recipe, channel, planPart(recipe, part, playing, partRng), partRng);
  });
  events.push(...humanise(recipe, DRUM_CHANNEL, planDrums(recipe), rng.fork('drums')));
  return events.sort((a, b) => a.time - b.time || a.channel - b.channel || a.note - b.note);
}
