/** Tracks and corpora: what is known of a recording, and the checks that every corpus must pass. */
import { InputError } from '../errors.js';
import { findLeaks, leakSentence } from './leaks.js';
import type { PieceRecipe } from './recipe.js';
import type { Split } from './split.js';

/** Where a track's sound comes from. `start` and `duration` in seconds, of the decoded file. */
export type TrackSource =
  | { readonly kind: 'file'; readonly path: string; readonly start?: number; readonly duration?: number }
  | { readonly kind: 'composed'; readonly recipe: PieceRecipe };

/** One item to embed or to judge: a recording, a part of one, or a composed piece. */
export interface Track {
  readonly id: string;
  /** 0..23 (2 * tonic + 1 if minor), or null without a label. */
  readonly keyId: number | null;
  readonly split: Split | null;
  /** What must not be shared between splits: an artist, a recording, a family of progressions. */
  readonly group: string;
  readonly durationSeconds: number;
  /** Whatever else is known, by name: style, mode, tuningCents, modulatesTo, ... */
  readonly labels: Readonly<Record<string, string | number>>;
  readonly source: TrackSource;
}

/** Something a reader met and left out. */
export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

export interface Corpus {
  readonly name: string;
  readonly tracks: readonly Track[];
  /** What `configId` hashes: everything that the tracks and their audio depend on. */
  readonly config: unknown;
  readonly skipped: readonly SkippedFile[];
}

/** What makes two tracks one recording: the same file, whatever part of it, or the same recipe. */
function soundOf({ source }: Track): string {
  return source.kind === 'file' ? source.path : `piece ${source.recipe.seed}`;
}

/**
 * Throws unless every id occurs once, no sound, no content (`labels.checksum`) and no group is in two splits, and keys
 * are 0..23.
 * @param options.allowLeakage lets sounds and groups stand in several splits, for those who must repeat such a split
 * @throws InputError naming the first track at fault
 */
export function validateCorpus(corpus: Corpus, options: { readonly allowLeakage?: boolean } = {}): void {
  const ids = new Set<string>();
  for (const track of corpus.tracks) {
    const where = `corpus ${corpus.name}, track ${track.id}`;
    if (ids.has(track.id)) throw new InputError(where, 'this id occurs twice; ids must be unique');
    ids.add(track.id);
    if (track.keyId !== null && !(Number.isInteger(track.keyId) && track.keyId >= 0 && track.keyId < 24)) {
      throw new InputError(where, `keyId is ${track.keyId}; expected 0..23 or null`);
    }
  }
  if (options.allowLeakage) return;
  const members = corpus.tracks.map((track) => ({
    id: track.id,
    split: track.split,
    group: track.group,
    sound: soundOf(track),
    checksum: typeof track.labels.checksum === 'string' ? track.labels.checksum : null,
  }));
  for (const leak of findLeaks(members)) {
    const advice =
      leak.kind === 'group' ? 'tracks of one artist or one progression belong in one split' : 'keep it in one';
    throw new InputError(`corpus ${corpus.name}, track ${leak.second.id}`, `${leakSentence(leak)}; ${advice}`);
  }
}
