/** Tunes, riffs and second voices, from cells. */
import type { Rng } from '../tensor/index.js';
import type { PlannedNote } from './accompaniment.js';
import { nearest, type ChordSpan } from './chordTrack.js';
import type { PieceRecipe } from './recipe.js';

/** MIDI notes of a scale (pitch classes) between two notes, ascending. */
function ladder(scale: readonly number[], low: number, high: number): number[] {
  const notes: number[] = [];
  for (let midi = low; midi <= high; midi++) if (scale.includes(midi % 12)) notes.push(midi);
  return notes;
}

const indexNear = (notes: readonly number[], target: number): number =>
  notes.reduce((best, midi, i) => (Math.abs(midi - target) < Math.abs(notes[best] - target) ? i : best), 0);

/** The spans of each bar, in order. */
function bars(spans: readonly ChordSpan[], beatsPerBar: number): ChordSpan[][] {
  const byBar = new Map<number, ChordSpan[]>();
  for (const span of spans) {
    const bar = Math.floor(span.start / beatsPerBar + 1e-9);
    byBar.set(bar, [...(byBar.get(bar) ?? []), span]);
  }
  return [...byBar.values()];
}

const spanAt = (bar: readonly ChordSpan[], beat: number): ChordSpan =>
  bar.filter((span) => span.start <= beat + 1e-9).at(-1) ?? bar[0];

/**
 * A tune: every bar places the section's cell on a chord tone near where the last bar ended; strong beats prefer chord
 * tones; each fourth bar breathes on a long note, the tonic if the chord has it.
 */
export function melody(recipe: PieceRecipe, spans: readonly ChordSpan[], center: number, rng: Rng): PlannedNote[] {
  const notes: PlannedNote[] = [];
  let last = center;
  for (const bar of bars(spans, recipe.beatsPerBar)) {
    const { section } = bar[0];
    const cell = recipe.cells[section.material];
    const barStart = bar[0].start;
    const anchor = nearest(rng.pick(bar[0].tones), Math.round((last + center) / 2));
    if (bar[0].bar % 4 === 3) {
      const tonic = section.keyId >> 1;
      const rest = bar[0].tones.includes(tonic) || rng.uniform() < 0.2 ? tonic : rng.pick(bar[0].tones);
      last = nearest(rest, last);
      notes.push({ beat: barStart, beats: recipe.beatsPerBar * 0.75, note: last, velocity: 96 });
      continue;
    }
    cell.rhythm.forEach(([onset, length], i) => {
      const beat = barStart + onset / 4;
      const span = spanAt(bar, beat);
      const steps = ladder(span.scale, center - 14, center + 14);
      const place = Math.min(steps.length - 1, Math.max(0, indexNear(steps, anchor) + cell.contour[i]));
      const strong = onset % 4 === 0 && rng.uniform() < 0.6;
      last = strong ? nearestTone(span, steps[place]) : steps[place];
      notes.push({ beat, beats: length / 4, note: last, velocity: onset % 4 === 0 ? 100 : 88 });
    });
  }
  return notes;
}

function nearestTone(span: ChordSpan, target: number): number {
  return span.tones
    .map((tone) => nearest(tone, target))
    .reduce((best, midi) => (Math.abs(midi - target) < Math.abs(best - target) ? midi : best));
}

/** A riff: the cell on the tonic's pentatonic scale, the same in every bar, whatever the chords do. */
export function riff(recipe: PieceRecipe, spans: readonly ChordSpan[], center: number): PlannedNote[] {
  return bars(spans, recipe.beatsPerBar).flatMap((bar) => {
    const { section, start } = bar[0];
    const tonic = section.keyId >> 1;
    const pentatonic = (section.keyId & 1 ? [0, 3, 5, 7, 10] : [0, 2, 4, 7, 9]).map((step) => (tonic + step) % 12);
    const steps = ladder(pentatonic, center - 14, center + 14);
    const cell = recipe.cells[section.material];
    // Every other riff turns around the fifth.
    const turn = cell.contour.length % 2 === 1 ? (tonic + 7) % 12 : tonic;
    const home = indexNear(steps, nearest(turn, center));
    return cell.rhythm.map(([onset, length], i) => ({
      beat: start + onset / 4,
      beats: Math.min(length, 4) / 4,
      note: steps[Math.min(steps.length - 1, Math.max(0, home + cell.contour[i]))],
      velocity: onset % 4 === 0 ? 100 : 86,
    }));
  });
}

/** A second voice in long notes: the chord tone nearest to the last one, with a passing note now and then. */
export function counter(spans: readonly ChordSpan[], center: number, rng: Rng): PlannedNote[] {
  let last = center;
  return spans.flatMap((span) => {
    const from = nearestTone(span, Math.round(0.7 * last + 0.3 * center) + rng.int(5) - 2);
    const half = span.beats / 2;
    const steps = ladder(span.scale, from - 4, from + 4);
    last = rng.uniform() < 0.5 ? from : steps[Math.min(steps.length - 1, indexNear(steps, from) + 1)];
    return [
      { beat: span.start, beats: half, note: from, velocity: 82 },
      { beat: span.start + half, beats: half, note: last, velocity: 76 },
    ];
  });
}
