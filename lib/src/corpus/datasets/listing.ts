/** What a data set's reader gives: its items as annotated, before any audio is opened. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import type { KeyLabel, OtherModes } from './labels.js';

/** One annotated track. */
export interface DatasetItem {
  readonly id: string;
  readonly label: KeyLabel;
  /** Path of the audio from the root, with `/`; null if there is none. */
  readonly audio: string | null;
  /** Where the audio was looked for, for messages. */
  readonly expectedAudio: string;
  /** md5 of the audio as published, lower case; null where none was. */
  readonly md5: string | null;
  readonly artist: string | null;
  /** Whatever else is known, by name. */
  readonly labels: Readonly<Record<string, string | number>>;
  /** Why this track is not part of the subset, if so. */
  readonly outside: string | null;
}

export const PROBLEM_KINDS = {
  'missing audio': true,
  'missing label': true,
  'unknown label': true,
  unreadable: true,
  checksum: true,
  annotation: true,
  count: true,
  leak: true,
  duplicate: false,
  'no checksum': false,
  'audio without label': false,
} as const;
export type ProblemKind = keyof typeof PROBLEM_KINDS;

/** Something found in a data set; `PROBLEM_KINDS` says whether it makes the set wrong or is worth knowing only. */
export interface DatasetProblem {
  readonly kind: ProblemKind;
  /** Track or file. */
  readonly id: string;
  readonly reason: string;
}

export interface DatasetListing {
  readonly items: readonly DatasetItem[];
  readonly problems: readonly DatasetProblem[];
}

/** Counts as published; null: looked for, not found. */
export interface PublishedCounts {
  /** Annotated tracks, with or without a key. */
  readonly listed: number | null;
  readonly major?: number;
  readonly minor?: number;
  readonly duplicateGroups?: number;
}

export interface Subset {
  readonly name: string;
  readonly what: string;
  /** Tracks with one key, as published; null: unknown. */
  readonly tracks: number | null;
}

/** A data set in its published layout. */
export interface DatasetReader {
  readonly name: string;
  readonly title: string;
  readonly layout: string;
  /** The first is the default. */
  readonly subsets: readonly Subset[];
  readonly published: PublishedCounts;
  /** @throws InputError if the root is no folder, or its annotations are not there */
  list(root: string, subset: string, otherModes: OtherModes): DatasetListing;
}

/** Largest annotation of one track, and of a whole set, bytes. */
export const MAX_LABEL_BYTES = 1 << 16;
export const MAX_TABLE_BYTES = 64 << 20;

/** Text of an annotation file. @throws InputError if it cannot be read or is larger than `maxBytes` */
export function annotationText(path: string, maxBytes: number): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new InputError(path, 'there is no such file');
  if (stat.size > maxBytes)
    throw new InputError(path, `has ${stat.size} bytes; an annotation of at most ${maxBytes} was expected`);
  return new TextDecoder().decode(readFileSync(path));
}

/** Names in a folder, sorted; none if there is no such folder. Hidden files are left out. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}

/** @throws InputError naming the folder and the layout that was expected */
export function assertRoot(root: string, layout: string): void {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory())
    throw new InputError(root, `is no folder; expected ${layout}`);
}

const AUDIO_FILE = /^(.+)\.(mp3|wav|flac|ogg|oga|opus|au)$/i;
/** Of two files with one name, the first ending here is taken: the form in which sets are published comes first. */
const ENDINGS = ['mp3', 'wav', 'flac', 'ogg', 'oga', 'opus', 'au'];

/** Audio files of folders below the root, by name without ending; paths from the root, with `/`. Not recursive. */
export function audioByStem(root: string, folders: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const rank = (path: string): number => ENDINGS.indexOf(path.slice(path.lastIndexOf('.') + 1).toLowerCase());
  for (const folder of folders) {
    for (const name of namesIn(join(root, folder))) {
      const stem = AUDIO_FILE.exec(name)?.[1];
      if (stem === undefined) continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      const known = found.get(stem);
      if (known === undefined || rank(path) < rank(known)) found.set(stem, path);
    }
  }
  return found;
}

/** Audio that no annotation names. */
export function withoutLabel(audio: ReadonlyMap<string, string>, stems: ReadonlySet<string>): DatasetProblem[] {
  return [...audio]
    .filter(([stem]) => !stems.has(stem))
    .map(([stem, path]) => ({
      kind: 'audio without label',
      id: stem,
      reason: `${path} has no annotation; it is not used`,
    }));
}

/** A published `<name>.md5`, or a problem that says why there is none. */
export function publishedMd5(
  root: string,
  file: string,
  id: string,
): { md5: string | null; problem: DatasetProblem | null } {
  const without = (reason: string): { md5: null; problem: DatasetProblem } => ({
    md5: null,
    problem: { kind: 'no checksum', id, reason },
  });
  let text: string;
  try {
    text = annotationText(join(root, file), MAX_LABEL_BYTES);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return without(`${file}: ${error.problem}`);
  }
  const md5 = /^\s*([0-9a-f]{32})(?:\s|$)/i.exec(text)?.[1];
  return md5 ? { md5: md5.toLowerCase(), problem: null } : without(`${file} holds no md5`);
}
