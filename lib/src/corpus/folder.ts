/** Reader of a folder of unlabelled recordings, for pretraining. */
import { readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { InputError } from '../errors.js';
import type { Cache } from '../store/index.js';
import { checksumOf } from './checksum.js';
import { examineRecording } from './recordings.js';
import type { Corpus, SkippedFile, Track } from './track.js';

/** Names of files that folders are searched for. */
export const AUDIO_ENDINGS = /\.(wav|flac|mp3|ogg|oga|opus)$/i;

export interface FolderOptions {
  /** Length of an item, seconds (default 30). A rest of at least half an item is an item too. */
  readonly itemSeconds?: number;
  /** Remembers the lengths of files, which are learned by decoding, and their checksums. */
  readonly cache?: Cache;
  /** Lengths from headers where they are exact; what is silent or damaged then shows when it is read (see below). */
  readonly quick?: boolean;
  /** Gives each track its file's md5 as the label `checksum`. */
  readonly checksums?: boolean;
  readonly onProgress?: (done: number, total: number, note?: string) => void;
  readonly signal?: AbortSignal;
}

/** One object for all tracks: a folder may hold a million. */
const NO_LABELS = {};

/** All audio files below `dir`, sorted by relative path with `/`, so that the order is the same on every machine. */
function audioFiles(dir: string): string[] {
  let entries;
  try {
    entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new InputError(dir, 'cannot be read as a folder; give the path of a folder that holds audio files', {
      cause: error,
    });
  }
  const paths = entries
    .filter((entry) => !entry.isDirectory() && AUDIO_ENDINGS.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'));
  return paths.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Reads wav, flac, mp3, ogg and opus files below `dir`, cut into items of `itemSeconds`; id `path@start`, group = the
 * file, no key, no split. Files that cannot be decoded or are shorter than a second, and silent items, are in `skipped`;
 * with `quick` only what the headers tell of is, nothing is decoded, and 100,000 files are listed in seconds.
 * @throws InputError if the folder cannot be read, or nothing in it can be used
 */
export async function readFolder(dir: string, options: FolderOptions = {}): Promise<Corpus> {
  const { itemSeconds = 30, cache, quick, onProgress, signal } = options;
  if (!(itemSeconds >= 1 && itemSeconds < Infinity)) {
    throw new InputError('readFolder, itemSeconds', `found ${itemSeconds}, expected a number of seconds from 1`);
  }
  const files = audioFiles(dir);
  const tracks: Track[] = [];
  const skipped: SkippedFile[] = [];
  for (const [i, file] of files.entries()) {
    signal?.throwIfAborted();
    const path = join(dir, file);
    const { seconds, silentItems, problem } = await examineRecording(path, itemSeconds, { cache, quick, signal });
    onProgress?.(i + 1, files.length, file);
    if (problem !== null || seconds < 1) {
      skipped.push({ path, reason: problem ?? `only ${seconds.toFixed(2)} s long; at least 1 s is needed` });
      continue;
    }
    const labels = options.checksums ? { checksum: await checksumOf(path, { cache, signal }) } : NO_LABELS;
    const whole = Math.floor(seconds / itemSeconds);
    const rest = seconds - whole * itemSeconds;
    const nItems = Math.max(1, whole + (rest >= itemSeconds / 2 ? 1 : 0));
    for (let item = 0; item < nItems; item++) {
      const start = item * itemSeconds;
      if (silentItems.includes(item)) {
        skipped.push({ path, reason: `silent from ${start} s to ${Math.min(seconds, start + itemSeconds)} s` });
        continue;
      }
      const duration = Math.min(itemSeconds, seconds - start);
      tracks.push({
        id: `${file}@${start}`,
        keyId: null,
        split: null,
        group: file,
        durationSeconds: duration,
        labels,
        source: { kind: 'file', path, start, duration },
      });
    }
  }
  if (tracks.length === 0) {
    const found = files.length === 0 ? 'no audio file was found' : `none of ${files.length} audio files can be used`;
    const first = skipped.length > 0 ? ` (${skipped[0].path}: ${skipped[0].reason})` : '';
    throw new InputError(dir, `${found}${first}; put wav, flac, mp3 or ogg files there`);
  }
  const config = {
    corpus: 'folder',
    itemSeconds,
    files: files.map((file) => ({ file, bytes: statSync(join(dir, file)).size })),
  };
  return { name: dir, tracks, config, skipped };
}
