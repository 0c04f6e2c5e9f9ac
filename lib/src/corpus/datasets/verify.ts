/** Checks a data set on disk against what was published: counts, labels, checksums, duplicates, durations. */
import { join } from 'node:path';
import { headerDuration } from '../../audio/index.js';
import { InputError } from '../../errors.js';
import { KEYS } from '../../keys/index.js';
import type { Cache } from '../../store/index.js';
import { checksumOf } from '../checksum.js';
import { findLeaks, leakSentence } from '../leaks.js';
import { examineRecording } from '../recordings.js';
import type { Split } from '../split.js';
import { splitsOf } from '../splitFile.js';
import type { SkippedFile } from '../track.js';
import { LABEL_QUIRKS, type LabelQuirk, type OtherModes } from './labels.js';
import { type DatasetItem, type DatasetProblem, type DatasetReader, PROBLEM_KINDS, type Subset } from './listing.js';
import { datasetOf, subsetOf } from './registry.js';

export interface VerifyOptions {
  /** The reader's first subset without. */
  readonly subset?: string;
  readonly otherModes?: OtherModes;
  /** Durations from headers; nothing is decoded, so damage inside a file is not found. */
  readonly quick?: boolean;
  /** CSV `id,split`. */
  readonly splits?: string;
  /** A leak between splits is then worth knowing only. */
  readonly allowLeakage?: boolean;
  /** Remembers checksums and durations, so that a run that was stopped goes on. */
  readonly cache?: Cache;
  readonly onProgress?: (done: number, total: number, note?: string) => void;
  readonly signal?: AbortSignal;
}

/** A track with one key whose audio is there and can be read. */
export interface VerifiedTrack {
  readonly item: DatasetItem;
  readonly path: string;
  readonly split: Split | null;
  /** md5 of the file. */
  readonly checksum: string;
  /** null where a header does not say. */
  readonly seconds: number | null;
}

export interface CountRow {
  readonly what: string;
  readonly found: number;
  /** null: unknown. */
  readonly published: number | null;
}

/** Tracks with the same content. */
export interface DuplicateGroup {
  readonly checksum: string;
  readonly ids: readonly string[];
  readonly isSameKey: boolean;
}

export interface DatasetReport {
  readonly reader: DatasetReader;
  readonly subset: Subset;
  readonly root: string;
  readonly counts: readonly CountRow[];
  readonly quirks: readonly { readonly quirk: LabelQuirk; readonly count: number; readonly example: string }[];
  /** Tracks that are no part of the subset, each with the reason; not a fault. */
  readonly leftOut: readonly { readonly id: string; readonly reason: string }[];
  readonly problems: readonly DatasetProblem[];
  readonly duplicates: readonly DuplicateGroup[];
  readonly tracks: readonly VerifiedTrack[];
  /** Whether any problem makes the set wrong. */
  readonly isWrong: boolean;
}

/** Shortest audio that is taken, seconds. */
const MIN_SECONDS = 1;

/**
 * Reads the annotations of a data set in its published layout and every audio file that they name. One bad track never
 * stops the rest.
 * @throws InputError if the set or subset is unknown, the root is no folder, or it holds no annotations
 */
export async function verifyDataset(name: string, root: string, options: VerifyOptions = {}): Promise<DatasetReport> {
  const reader = datasetOf(name);
  const subset = subsetOf(reader, options.subset);
  const listing = reader.list(root, subset.name, options.otherModes ?? 'left-out');
  const problems: DatasetProblem[] = [...listing.problems];
  const usable = listing.items.filter(({ label, outside }) => label.keyId !== null && outside === null);
  const checksums = new Map<string, string>();
  const read: Omit<VerifiedTrack, 'split'>[] = [];
  for (const [i, item] of usable.entries()) {
    options.signal?.throwIfAborted();
    const track = await examineItem(root, item, options, problems);
    if (track) {
      read.push(track);
      checksums.set(item.id, track.checksum);
    }
    options.onProgress?.(i + 1, usable.length, item.id);
  }
  const duplicates = duplicatesOf(listing.items, checksums);
  for (const { ids, isSameKey } of duplicates) {
    const keys = isSameKey ? '' : '; their labels differ';
    problems.push({ kind: 'duplicate', id: ids[0], reason: `has the same audio as ${ids.slice(1).join(', ')}${keys}` });
  }
  for (const { id, label } of listing.items)
    if (label.quirks.includes('unknown')) problems.push({ kind: 'unknown label', id, reason: label.reason! });
  const tracks = withSplits(read, options, problems);
  const counts = countsOf(reader, subset, listing.items, usable, read.length, duplicates.length);
  for (const { what, found, published } of counts)
    if (published !== null && found !== published)
      problems.push({ kind: 'count', id: what, reason: `${found} found, ${published} published` });
  return {
    reader,
    subset,
    root,
    counts,
    quirks: quirksOf(listing.items),
    leftOut: listing.items.flatMap(({ id, label, outside }) => {
      const reason = label.reason ?? outside;
      return reason === null ? [] : [{ id, reason }];
    }),
    problems,
    duplicates,
    tracks,
    isWrong: problems.some(({ kind }) => PROBLEM_KINDS[kind] && !(kind === 'leak' && options.allowLeakage)),
  };
}

async function examineItem(
  root: string,
  item: DatasetItem,
  options: VerifyOptions,
  problems: DatasetProblem[],
): Promise<Omit<VerifiedTrack, 'split'> | null> {
  const { id, audio, expectedAudio, md5 } = item;
  if (audio === null) {
    problems.push({ kind: 'missing audio', id, reason: `there is no ${expectedAudio}` });
    return null;
  }
  const path = join(root, audio);
  try {
    const checksum = await checksumOf(path, options);
    if (md5 !== null && md5 !== checksum) {
      const reason = `${audio} has md5 ${checksum}, published is ${md5}; it is another version or damaged, fetch it again`;
      problems.push({ kind: 'checksum', id, reason });
    }
    const seconds = await secondsOf(path, options);
    if (seconds !== null && seconds < MIN_SECONDS)
      throw new InputError(path, `only ${seconds.toFixed(2)} s long; at least ${MIN_SECONDS} s is needed`);
    return { item, path, checksum, seconds };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push({ kind: 'unreadable', id, reason: `${audio}: ${error.problem}` });
    return null;
  }
}

async function secondsOf(path: string, { quick, cache, signal }: VerifyOptions): Promise<number | null> {
  if (quick) return headerDuration(path)?.seconds ?? null;
  const { seconds, silentItems, problem } = await examineRecording(path, SILENCE_SECONDS, { cache, signal });
  if (problem !== null) throw new InputError(path, problem);
  if (silentItems.length * SILENCE_SECONDS >= seconds) throw new InputError(path, 'is silent from begin to end');
  return seconds;
}

/** Length of the parts that are looked at for silence; the same as in manifests, so that both share the cache. */
const SILENCE_SECONDS = 30;

/** Groups of the same content, by what was read or else by what was published, in the order of the items. */
function duplicatesOf(items: readonly DatasetItem[], checksums: ReadonlyMap<string, string>): DuplicateGroup[] {
  const byContent = new Map<string, DatasetItem[]>();
  for (const item of items) {
    const content = checksums.get(item.id) ?? item.md5;
    if (content === null) continue;
    if (!byContent.has(content)) byContent.set(content, []);
    byContent.get(content)!.push(item);
  }
  return [...byContent]
    .filter(([, group]) => group.length > 1)
    .map(([checksum, group]) => ({
      checksum,
      ids: group.map(({ id }) => id),
      isSameKey: new Set(group.map(({ label }) => label.keyId)).size === 1,
    }));
}

function withSplits(
  read: readonly Omit<VerifiedTrack, 'split'>[],
  options: VerifyOptions,
  problems: DatasetProblem[],
): VerifiedTrack[] {
  let splits: (Split | null)[] = read.map(() => null);
  if (options.splits !== undefined) {
    try {
      splits = splitsOf(options.splits, read.map(({ item }) => item.id)); // prettier-ignore
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push({ kind: 'annotation', id: 'splits', reason: error.message });
    }
  }
  const tracks = read.map((track, i) => ({ ...track, split: splits[i] }));
  const leaks = findLeaks(
    tracks.map(({ item, split, path, checksum }) => ({
      id: item.id,
      split,
      group: item.artist,
      sound: path,
      checksum,
    })),
  );
  for (const leak of leaks) problems.push({ kind: 'leak', id: leak.second.id, reason: leakSentence(leak) });
  return tracks;
}

function countsOf(
  reader: DatasetReader,
  subset: Subset,
  items: readonly DatasetItem[],
  usable: readonly DatasetItem[],
  nRead: number,
  nDuplicates: number,
): CountRow[] {
  const { listed, major, minor, duplicateGroups } = reader.published;
  const ofMode = (mode: string): number => usable.filter(({ label }) => KEYS[label.keyId!].mode === mode).length;
  return [
    { what: 'annotated', found: items.length, published: listed },
    { what: `${subset.name} (${subset.what})`, found: usable.length, published: subset.tracks },
    { what: 'major', found: ofMode('major'), published: major ?? null },
    { what: 'minor', found: ofMode('minor'), published: minor ?? null },
    { what: 'groups of the same audio', found: nDuplicates, published: duplicateGroups ?? null },
    { what: 'with audio that can be read', found: nRead, published: subset.tracks },
  ];
}

function quirksOf(items: readonly DatasetItem[]): { quirk: LabelQuirk; count: number; example: string }[] {
  return LABEL_QUIRKS.flatMap((quirk) => {
    const found = items.filter(({ label }) => label.quirks.includes(quirk));
    return found.length === 0 ? [] : [{ quirk, count: found.length, example: found[0].label.text }];
  });
}

/** What a report leaves out of the corpus, with the reasons: labels, subsets, and audio that cannot be used. */
export function skippedOf({ leftOut, problems }: DatasetReport): SkippedFile[] {
  const faults = problems.filter(({ kind }) => kind === 'missing audio' || kind === 'unreadable');
  return [...leftOut, ...faults].map(({ id, reason }) => ({ path: id, reason }));
}
