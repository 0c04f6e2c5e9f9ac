import { describe, expect, it } from 'vitest';
import {
  arrange,
  chordOf,
  embeddedCorpus,
  loopClass,
  type PieceRecipe,
  programsOf,
  SPLITS,
  type Split,
  STYLES,
  type Track,
  transposeRecipe,
  validateCorpus,
} from '../../lib/src/corpus/index.js';
import { KEYS } from '../../lib/src/keys/index.js';

const SIZES = { train: 240, valid: 96, test: 96, testTimbre: 96 };
const corpus = embeddedCorpus({ sizes: SIZES, seed: 7 });
const tracksOf = (split: Split): Track[] => corpus.tracks.filter((track) => track.split === split);
const recipeOf = ({ source }: Track): PieceRecipe => {
  if (source.kind !== 'composed') throw new Error('expected a composed track');
  return source.recipe;
};
/** All values of a label in a split; labels that hold two values join them with ` | `. */
const valuesOf = (split: Split, label: string): Set<string> =>
  new Set(tracksOf(split).flatMap((track) => String(track.labels[label]).split(' | ')));

describe('the embedded corpus', () => {
  it('is balanced over the 24 keys and, nearly, over the styles', () => {
    for (const split of SPLITS) {
      const tracks = tracksOf(split);
      expect(tracks).toHaveLength(SIZES[split]);
      for (const key of KEYS) expect(tracks.filter((track) => track.keyId === key.id)).toHaveLength(SIZES[split] / 24);
      for (const style of STYLES) {
        const share = tracks.filter((track) => track.labels.style === style).length / tracks.length;
        expect(share).toBeGreaterThan(0.17);
        expect(share).toBeLessThan(0.23);
      }
    }
  });

  it.each(['progressionClasses', 'cells', 'timbre'])('shares no %s between splits', (label) => {
    for (const a of SPLITS) {
      expect(valuesOf(a, label).size).toBeGreaterThan(10);
      for (const b of SPLITS) {
        if (a === b) continue;
        const other = valuesOf(b, label);
        expect([...valuesOf(a, label)].filter((value) => other.has(value))).toEqual([]);
      }
    }
  });

  it('keeps the unseen-timbre programs out of training', () => {
    const seen = new Set(tracksOf('train').flatMap((track) => recipeOf(track).parts.map((part) => part.program)));
    for (const track of tracksOf('testTimbre')) {
      expect(recipeOf(track).font).toBe('timgm6mb');
      for (const part of recipeOf(track).parts) expect(seen.has(part.program)).toBe(false);
    }
    expect(programsOf('train').filter((program) => programsOf('testTimbre').includes(program))).toEqual([]);
  });

  it('passes validation, and a leak does not', () => {
    expect(() => validateCorpus(corpus)).not.toThrow();
    const [first] = tracksOf('train');
    const leak: Track = { ...tracksOf('test')[0], group: first.group };
    expect(() => validateCorpus({ ...corpus, tracks: [first, leak] })).toThrow(/group .* is in split train .* test/);
    expect(() => validateCorpus({ ...corpus, tracks: [first, first] })).toThrow(/twice/);
    expect(() => validateCorpus({ ...corpus, tracks: [first, { ...first, id: 'x', split: 'test' }] })).toThrow(
      /same audio/,
    );
  });

  it('has what makes keys hard to hear', () => {
    const recipes = corpus.tracks.map(recipeOf);
    const share = (test: (recipe: PieceRecipe) => boolean): number => recipes.filter(test).length / recipes.length;
    expect(share((r) => !/^[Ii](\b|maj|7)/.test(r.loops[0][0]))).toBeGreaterThan(0.4);
    expect(share((r) => r.loops.flat().some((n) => n.includes('/')))).toBeGreaterThan(0.1);
    expect(share((r) => r.sections.some((s) => s.keyId !== r.keyId))).toBeGreaterThan(0.15);
    expect(share((r) => r.sections[0].parts.length === 0)).toBeGreaterThan(0.05);
    expect(share((r) => r.parts.some((p) => p.pattern === 'power'))).toBeGreaterThan(0.08);
    expect(share((r) => r.parts.some((p) => p.pattern === 'pedal'))).toBeGreaterThan(0.08);
    expect(share((r) => r.parts.some((p) => p.pattern === 'riff'))).toBeGreaterThan(0.08);
    expect(share((r) => Math.abs(r.tuningCents) > 20)).toBeGreaterThan(0.2);
    for (const scale of ['mixolydian', 'dorian', 'harmonicMinor', 'naturalMinor', 'phrygian'])
      expect(share((r) => r.sections.some((s) => s.scale === scale))).toBeGreaterThan(0.005);
  });

  it('labels each piece with the key of its longest part', () => {
    for (const recipe of corpus.tracks.map(recipeOf)) {
      const bars = new Map<number, number>();
      for (const s of recipe.sections) if (s.parts.length > 0) bars.set(s.keyId, (bars.get(s.keyId) ?? 0) + s.bars);
      const longest = [...bars].sort((a, b) => b[1] - a[1])[0][0];
      expect(longest).toBe(recipe.keyId);
      expect(recipe.durationSeconds).toBeGreaterThanOrEqual(20);
      expect(recipe.durationSeconds).toBeLessThanOrEqual(30);
    }
  });

  it('is the same for the same seed, another for another, and recipes survive JSON', () => {
    expect(embeddedCorpus({ sizes: SIZES, seed: 7 })).toEqual(corpus);
    expect(JSON.parse(JSON.stringify(corpus))).toEqual(corpus);
    expect(embeddedCorpus({ sizes: SIZES, seed: 8 }).tracks[0]).not.toEqual(corpus.tracks[0]);
    const more = embeddedCorpus({ sizes: { ...SIZES, train: 24 }, seed: 7 });
    expect(more.tracks.filter((track) => track.split === 'test')).toEqual(tracksOf('test'));
  });

  it('gives a train piece in several keys with the same instruments', () => {
    const several = embeddedCorpus({
      sizes: { train: 48, valid: 0, test: 0, testTimbre: 0 },
      seed: 7,
      keysPerPiece: 4,
    });
    expect(several.tracks).toHaveLength(48);
    const four = several.tracks.slice(0, 4);
    expect(new Set(four.map((track) => track.keyId)).size).toBe(4);
    expect(new Set(four.map((track) => track.labels.timbre)).size).toBe(1);
    expect(() => validateCorpus(several)).not.toThrow();
  });

  it('refuses sizes that are no counts', () => {
    expect(() => embeddedCorpus({ sizes: { ...SIZES, test: -1 }, seed: 1 })).toThrow(/size of test.*-1/);
    expect(() => embeddedCorpus({ sizes: SIZES, seed: 1, keysPerPiece: 13 })).toThrow(/keysPerPiece/);
  });
});

describe('theory', () => {
  it('reads numerals', () => {
    expect(chordOf('V7/ii')).toMatchObject({ root: 9, tones: [0, 4, 7, 10] });
    expect(chordOf('bVII')).toMatchObject({ root: 10, tones: [0, 4, 7] });
    expect(chordOf('ii°')).toMatchObject({ root: 2, tones: [0, 3, 6] });
    expect(() => chordOf('H7')).toThrow(/H7/);
  });

  it('gives one class to a loop in any rotation and on both relative readings', () => {
    const classes = [
      loopClass(['vi', 'IV', 'I', 'V'], 'major'),
      loopClass(['I', 'V', 'vi', 'IV'], 'major'),
      loopClass(['i', 'bVI', 'bIII', 'bVII'], 'minor'),
    ];
    expect(new Set(classes).size).toBe(1);
    expect(loopClass(['I', 'IV', 'vi', 'V'], 'major')).not.toBe(classes[0]);
  });

  it('transposing a recipe moves every pitched note by the same interval (modulo octaves)', () => {
    const recipe = recipeOf(tracksOf('train')[2]);
    const moved = arrange(transposeRecipe(recipe, 5));
    const original = arrange(recipe);
    expect(original.length).toBeGreaterThan(50);
    const histogram = (notes: typeof original, shift: number): number[] => {
      const counts = new Array<number>(12).fill(0);
      for (const { note, channel } of notes) if (channel !== 9) counts[(note + shift) % 12]++;
      return counts.map((count) => count / notes.length);
    };
    const a = histogram(original, 5);
    const b = histogram(moved, 0);
    // Octaves and with them nearest chord tones may fall otherwise; the profile as a whole must move along.
    const difference = a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0);
    expect(difference).toBeLessThan(0.35);
  });
});
