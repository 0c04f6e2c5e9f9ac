/** Which chord sounds when: the sections' loops laid out on the piece's time line, in absolute pitch classes. */
import { chordOf, scaleOver } from './theory.js';
import type { PieceRecipe, Section } from './recipe.js';

/** A stretch with one chord. */
export interface ChordSpan {
  /** Beats from the start of the piece. */
  readonly start: number;
  readonly beats: number;
  /** Pitch class of the root and of all tones, 0..11, the root first. */
  readonly root: number;
  readonly tones: readonly number[];
  /** Pitch classes of the melody's scale here; the first is the section's tonic. */
  readonly scale: readonly number[];
  readonly section: Section;
  readonly sectionIndex: number;
  /** Bar within the section. */
  readonly bar: number;
}

const relativeMajor = (keyId: number): number => ((keyId >> 1) + (keyId & 1 ? 3 : 0)) % 12;

/** Spans never cross a bar line, so every part can work bar by bar. */
export function chordTrack(recipe: PieceRecipe): ChordSpan[] {
  const spans: ChordSpan[] = [];
  let sectionStart = 0;
  recipe.sections.forEach((section, sectionIndex) => {
    const loop = recipe.loops[section.material];
    const tonic = section.keyId >> 1;
    const isOwnMode = (section.keyId & 1) === (recipe.mode === 'minor' ? 1 : 0);
    // In a passage of the other mode the loop is heard from its relative key, so that its sound stays diatonic.
    const loopTonic = isOwnMode ? tonic : recipe.mode === 'major' ? relativeMajor(section.keyId) : (tonic + 9) % 12;
    const sectionBeats = section.bars * recipe.beatsPerBar;
    const step = Math.min(recipe.beatsPerChord, recipe.beatsPerBar);
    const isLastSection = sectionIndex === recipe.sections.length - 1;
    for (let beat = 0; beat < sectionBeats; beat += step) {
      const isClosing = isLastSection && recipe.hasCadence && beat >= sectionBeats - recipe.beatsPerBar;
      const chord = chordOf(
        isClosing ? (section.keyId & 1 ? 'i' : 'I') : loop[Math.floor(beat / recipe.beatsPerChord) % loop.length],
      );
      const base = isClosing ? tonic : loopTonic;
      const root = (base + chord.root) % 12;
      // scaleOver counts from the section's tonic, the chord from the loop's.
      const relative = { ...chord, root: (root - tonic + 12) % 12 };
      spans.push({
        start: sectionStart + beat,
        beats: Math.min(step, sectionBeats - beat),
        root,
        tones: chord.tones.map((tone) => (root + tone) % 12),
        scale: scaleOver(section.scale, relative).map((s) => (tonic + s) % 12),
        section,
        sectionIndex,
        bar: Math.floor(beat / recipe.beatsPerBar),
      });
    }
    sectionStart += sectionBeats;
  });
  return spans;
}

/** The MIDI note with pitch class `pitchClass` nearest to `center` (within 6 semitones; the lower of two). */
export function nearest(pitchClass: number, center: number): number {
  const up = (((pitchClass - center) % 12) + 12) % 12;
  return center + (up > 6 ? up - 12 : up);
}
