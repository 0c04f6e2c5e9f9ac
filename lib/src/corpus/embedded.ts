/** The embedded corpus: composed pieces with exact labels, balanced over the 24 keys, split by material. */
import { InputError } from '../errors.js';
import { KEYS, type Mode } from '../keys/index.js';
import { createRng, type Rng } from '../tensor/index.js';
import { contourClass } from './cells.js';
import { composeFamily, composePiece, type Family } from './compose.js';
import { loopClass } from './progressions.js';
import { STYLES, type PieceRecipe } from './recipe.js';
import { SPLITS, type Split } from './split.js';
import { timbreClass } from './timbres.js';
import type { Corpus, Track } from './track.js';

export interface EmbeddedOptions {
  /** Pieces a split. Multiples of 24 are balanced exactly over the keys. */
  readonly sizes: Readonly<Record<Split, number>>;
  readonly seed: number;
  /**
   * In how many keys each train piece is given, as tracks of their own with the same instruments (default 1, at most
   * 12): pairs that differ in nothing but the key are hard negatives for pretraining.
   */
  readonly keysPerPiece?: number;
}

/** Sizes by preset. */
export const EMBEDDED_SIZES = {
  smoke: { train: 48, valid: 24, test: 24, testTimbre: 24 },
  laptop: { train: 480, valid: 96, test: 144, testTimbre: 144 },
  // The laptop's train split, so that a reader's own run can be put beside it; more tracks to judge by.
  study: { train: 480, valid: 192, test: 288, testTimbre: 288 },
} as const satisfies Record<string, Record<Split, number>>;

/** Rises whenever composer or renderer change what is heard, so that nothing stale comes out of a cache. */
const COMPOSER_VERSION = 2;

function labelsOf(recipe: PieceRecipe): Record<string, string | number> {
  const away = recipe.sections.find((section) => section.keyId !== recipe.keyId);
  const opening = recipe.sections[0].parts.length === 0 ? recipe.sections[0].bars : 0;
  const home = recipe.sections.find((section) => section.keyId === recipe.keyId && section.parts.length > 0);
  return {
    style: recipe.style,
    mode: recipe.mode,
    scale: home?.scale ?? '',
    tempo: recipe.tempo,
    tuningCents: recipe.tuningCents,
    modulatesTo: away ? KEYS[away.keyId].label : '',
    drumOpeningSeconds: Math.round(opening * recipe.beatsPerBar * (6000 / recipe.tempo)) / 100,
    progressions: recipe.loops.map((loop) => loop.join(' ')).join(' | '),
    progressionClasses: recipe.loops.map((loop) => loopClass(loop, recipe.mode)).join(' | '),
    cells: recipe.cells.map(contourClass).join(' | '),
    programs: recipe.parts.map((part) => part.program).join(' '),
    timbre: timbreClass(
      recipe.font,
      recipe.parts.map((part) => part.program),
    ),
    font: recipe.font,
    reverbWet: recipe.reverb.wet,
    noiseSnrDb: recipe.noiseSnrDb ?? '',
  };
}

function trackOf(recipe: PieceRecipe, split: Split, family: Family, id: string): Track {
  return {
    id,
    keyId: recipe.keyId,
    split,
    group: family.id,
    durationSeconds: recipe.durationSeconds,
    labels: labelsOf(recipe),
    source: { kind: 'composed', recipe },
  };
}

/** The same piece `semitones` higher, every section; instruments, times and chances stay. */
export function transposeRecipe(recipe: PieceRecipe, semitones: number): PieceRecipe {
  const move = (keyId: number): number => (((keyId + 2 * semitones) % 24) + 24) % 24;
  return {
    ...recipe,
    keyId: move(recipe.keyId),
    sections: recipe.sections.map((section) => ({ ...section, keyId: move(section.keyId) })),
  };
}

function composeSplit(rng: Rng, split: Split, size: number, keysPerPiece: number, seed: number): Track[] {
  const tracks: Track[] = [];
  const families: Record<Mode, Family[]> = { major: [], minor: [] };
  const nPieces = Math.ceil(size / keysPerPiece);
  let keys: Int32Array = new Int32Array(0);
  let styles: Int32Array = new Int32Array(0);
  for (let n = 0; n < nPieces; n++) {
    if (n % 24 === 0) keys = rng.fork(`keys ${n}`).permutation(24);
    if (n % STYLES.length === 0) styles = rng.fork(`styles ${n}`).permutation(STYLES.length);
    const pieceRng = rng.fork(n);
    const keyId = keys[n % 24];
    const mode: Mode = keyId & 1 ? 'minor' : 'major';
    // In training about two pieces share a family; elsewhere harmony is nearly always new, so that scores rest on more.
    const known = families[mode];
    if (known.length === 0 || pieceRng.uniform() < (split === 'train' ? 0.5 : 0.85)) {
      known.push(composeFamily(pieceRng.fork('family'), split, mode, known.length));
    }
    const family = pieceRng.pick(known.slice(-8));
    const name = `${split}-${String(n).padStart(4, '0')}`;
    const recipe = composePiece(pieceRng.fork('piece'), {
      seed: `${seed}/${name}`,
      split,
      style: STYLES[styles[n % STYLES.length]],
      keyId,
      family,
    });
    if (keysPerPiece === 1) {
      tracks.push(trackOf(recipe, split, family, name));
      continue;
    }
    const shifts = pieceRng
      .fork('shifts')
      .permutation(11)
      .slice(0, keysPerPiece - 1);
    for (const shift of [0, ...Array.from(shifts, (s) => s + 1)]) {
      const moved = transposeRecipe(recipe, shift);
      const id = `${name}-${KEYS[moved.keyId].label.replace(' ', '-')}`;
      if (tracks.length < size) tracks.push(trackOf(moved, split, family, id));
    }
  }
  return tracks;
}

/**
 * Composes the embedded corpus; nothing is rendered yet (`trackAudio` does that, track by track). The same options give
 * the same tracks, and a split's tracks do not depend on the other splits' sizes. Loops, melodic cells and combinations
 * of instruments of one split occur in no other.
 *
 * @throws InputError for sizes that are no counts, or `keysPerPiece` outside 1..12
 */
export function embeddedCorpus({ sizes, seed, keysPerPiece = 1 }: EmbeddedOptions): Corpus {
  if (!(Number.isInteger(keysPerPiece) && keysPerPiece >= 1 && keysPerPiece <= 12)) {
    throw new InputError('embedded corpus, keysPerPiece', `found ${keysPerPiece}, expected a whole number 1..12`);
  }
  const tracks = SPLITS.flatMap((split) => {
    const size = sizes[split];
    if (!(Number.isInteger(size) && size >= 0)) {
      throw new InputError(`embedded corpus, size of ${split}`, `found ${size}, expected a whole number from 0`);
    }
    return composeSplit(createRng(`${seed} ${split}`), split, size, split === 'train' ? keysPerPiece : 1, seed);
  });
  const config = { corpus: 'embedded', version: COMPOSER_VERSION, seed, sizes, keysPerPiece };
  return { name: 'embedded', tracks, config, skipped: [] };
}
