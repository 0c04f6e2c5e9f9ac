/** Reader of a manifest: a CSV with one row a track. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { InputError } from '../errors.js';
import { parseKey } from '../keys/index.js';
import { parseCsv, type Cache } from '../store/index.js';
import { examineRecording } from './recordings.js';
import { SPLITS, type Split } from './split.js';
import { splitsOf } from './splitFile.js';
import { validateCorpus, type Corpus, type Track } from './track.js';

const OWN_COLUMNS = ['id', 'path', 'key', 'split', 'artist', 'start', 'duration'];

/** Largest manifest that is read, bytes. */
const MAX_BYTES = 256 << 20;

export interface ManifestOptions {
  /** CSV `id,split`, which takes the place of the column split. */
  readonly splits?: string;
  /** Lets a recording or an artist stand in several splits, for those who must repeat such a split. */
  readonly allowLeakage?: boolean;
  /** Leaves audio files alone: one that is missing or damaged is found when it is read, lengths not given are 0. */
  readonly unread?: boolean;
  /** Remembers the lengths of files, which are learned by decoding where `duration` is not given. */
  readonly cache?: Cache;
  /** Those lengths from headers where they are exact; that a file is damaged then shows when it is read. */
  readonly quick?: boolean;
  readonly onProgress?: (done: number, total: number, note?: string) => void;
  readonly signal?: AbortSignal;
}

function seconds(where: string, column: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || (column === 'duration' && value === 0)) {
    throw new InputError(`${where}, column ${column}`, `found "${text}", expected a number of seconds`);
  }
  return value;
}

/** One row, without its length; `line` is the row's, for messages. */
interface Row {
  readonly where: string;
  readonly track: Omit<Track, 'durationSeconds'>;
  readonly path: string;
  readonly start: number | undefined;
  readonly duration: number | undefined;
}

function readRow(where: string, fields: Record<string, string>, folder: string, unread: boolean): Row {
  const file = fields.path;
  if (!file) throw new InputError(`${where}, column path`, 'is empty, expected the path of an audio file');
  const path = isAbsolute(file) ? file : join(folder, file);
  if (!unread && (!existsSync(path) || !statSync(path).isFile())) {
    throw new InputError(`${where}, column path`, `there is no file ${path}; relative paths start at the manifest`);
  }
  const key = fields.key ? parseKey(fields.key) : null;
  if (fields.key && key === null) {
    throw new InputError(
      `${where}, column key`,
      `"${fields.key}" is no key; expected a tonic and a mode such as "Eb minor" or "F# major", or nothing`,
    );
  }
  if (fields.split && !SPLITS.includes(fields.split as Split)) {
    throw new InputError(
      `${where}, column split`,
      `"${fields.split}" is no split; expected ${SPLITS.join(', ')} or nothing`,
    );
  }
  const start = seconds(where, 'start', fields.start);
  const duration = seconds(where, 'duration', fields.duration);
  const others = Object.entries(fields).filter(([name]) => !OWN_COLUMNS.includes(name));
  const track = {
    id: fields.id || (start === undefined ? file : `${file}@${start}`),
    keyId: key?.id ?? null,
    split: (fields.split as Split) || null,
    group: fields.artist || path,
    labels: { ...Object.fromEntries(others), ...(fields.artist ? { artist: fields.artist } : {}) },
    source: {
      kind: 'file' as const,
      path,
      ...(start === undefined ? {} : { start }),
      ...(duration === undefined ? {} : { duration }),
    },
  };
  return { where, track, path, start, duration };
}

/** Ids, files, contents and artists against the rows above, so that the message can name both lines. */
function assertConsistent(rows: readonly Row[], allowLeakage: boolean): void {
  const ids = new Map<string, Row>();
  const files = new Map<string, Row>();
  const contents = new Map<string, Row>();
  const groups = new Map<string, Row>();
  for (const row of rows) {
    const { id, split, group } = row.track;
    const twin = ids.get(id);
    if (twin) {
      throw new InputError(
        row.where,
        `the id "${id}" was used before (${twin.where}); give each track an id of its own`,
      );
    }
    ids.set(id, row);
    if (split === null || allowLeakage) continue;
    const sameFile = files.get(row.path);
    if (sameFile && sameFile.track.split !== split) {
      throw new InputError(
        row.where,
        `${row.path} is in split ${split} here and in split ${sameFile.track.split} before (${sameFile.where}); ` +
          'keep a recording in one split',
      );
    }
    files.set(row.path, row);
    const checksum = String(row.track.labels.checksum ?? '');
    const sameContent = checksum === '' ? undefined : contents.get(checksum);
    if (sameContent && sameContent.track.split !== split) {
      throw new InputError(
        row.where,
        `${row.path} has the same content (checksum ${checksum}) as ${sameContent.path}, in split ${split} here and in ` +
          `split ${sameContent.track.split} before (${sameContent.where}); keep copies in one split`,
      );
    }
    contents.set(checksum, row);
    const sameGroup = groups.get(group);
    if (sameGroup && sameGroup.track.split !== split) {
      throw new InputError(
        row.where,
        `artist "${group}" is in split ${split} here and in split ${sameGroup.track.split} before ` +
          `(${sameGroup.where}); keep an artist in one split, or leave the column artist empty`,
      );
    }
    groups.set(group, row);
  }
}

/** The rows with the splits of a file. */
function withSplits(path: string, rows: readonly Row[]): Row[] {
  const splits = splitsOf(path, rows.map(({ track }) => track.id)); // prettier-ignore
  return rows.map((row, i) => ({ ...row, track: { ...row.track, split: splits[i] } }));
}

/**
 * Reads a manifest. Columns: `path` (from the manifest's folder, or absolute); and, each may be absent or empty: `key`
 * (`Eb minor`, `F# major`, ...), `split`, `artist` (the group that must not be in two splits), `start` and `duration`
 * in seconds, `id` (else the path, with `@start`), `checksum` (of the file: copies of one recording must not be in two
 * splits either). Other columns become labels.
 * @throws InputError naming file and line: unknown key or split, missing file, duplicate id, a file or an artist in two
 *   splits, a cut outside the file, a file that cannot be decoded
 */
export async function readManifest(csvPath: string, options: ManifestOptions = {}): Promise<Corpus> {
  let text: string;
  try {
    const { size } = statSync(csvPath);
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, at most ${MAX_BYTES} are read`);
    text = readFileSync(csvPath, 'utf8');
  } catch (error) {
    throw new InputError(csvPath, 'cannot be read; expected a CSV file with a column path', { cause: error });
  }
  const { columns, rows: lines } = parseCsv(text, csvPath);
  if (!columns.includes('path')) {
    throw new InputError(csvPath, `has columns ${columns.join(', ')}; a column path is needed`);
  }
  if (lines.length === 0) throw new InputError(csvPath, 'has no rows below its header; expected one row a track');
  const { unread = false } = options;
  const asWritten = lines.map(({ line, fields }) =>
    readRow(`${csvPath} line ${line}`, fields, dirname(csvPath), unread),
  );
  const rows = options.splits === undefined ? asWritten : withSplits(options.splits, asWritten);
  assertConsistent(rows, options.allowLeakage ?? false);

  const tracks: Track[] = [];
  for (const [i, { where, track, path, start = 0, duration }] of rows.entries()) {
    options.signal?.throwIfAborted();
    if (duration !== undefined || unread) {
      tracks.push({ ...track, durationSeconds: duration ?? 0 });
      continue;
    }
    const recording = await examineRecording(path, 30, options);
    if (recording.problem !== null) throw new InputError(where, `${path}: ${recording.problem}`);
    if (start >= recording.seconds) {
      throw new InputError(
        `${where}, column start`,
        `starts at ${start} s, but ${path} has ${recording.seconds.toFixed(2)} s`,
      );
    }
    tracks.push({ ...track, durationSeconds: recording.seconds - start });
    options.onProgress?.(i + 1, rows.length, path);
  }
  const config = { corpus: 'manifest', tracks: tracks.map(({ id, source }) => ({ id, source })) };
  const corpus = { name: csvPath, tracks, config, skipped: [] };
  validateCorpus(corpus, options);
  return corpus;
}
