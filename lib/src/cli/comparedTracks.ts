/** What `keymyna compare` compares on: tracks of a manifest, a data set or a folder, or a list of keys alone. */
import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { readDataset, readManifest, type Track } from '../corpus/index.js';
import { InputError } from '../errors.js';
import { estimatesSystems, type ReferenceKey } from '../peers/index.js';
import { findAudio } from '../predict/index.js';
import { type Cache, parseCsv, readText } from '../store/index.js';
import type { Progress } from '../workers/index.js';

export interface ComparedOptions {
  readonly dataset?: string;
  readonly subset?: string;
  readonly reference?: string;
  readonly splits?: string;
  readonly split?: string;
  readonly cache?: Cache;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

export interface Compared {
  /** tracks with a reference key; without audio where `hasAudio` is false */
  readonly tracks: readonly { readonly id: string; readonly path: string | null }[];
  /** the same tracks for detectors; empty where there is no audio */
  readonly audio: readonly Track[];
  readonly reference: readonly ReferenceKey[];
  /** what a reader should know of what was left out */
  readonly notes: readonly string[];
}

/**
 * @param path manifest CSV (column `path`), CSV of keys alone (`id,key`), folder of audio files, or a data set's folder
 * @throws InputError for what cannot be read, no reference keys, or a split without tracks
 */
export async function comparedTracks(path: string, options: ComparedOptions): Promise<Compared> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new InputError(path, 'there is no such file or folder');
  if (!stat.isDirectory() && options.dataset === undefined && !hasPathColumn(path)) return keysAlone(path, options);
  const notes: string[] = [];
  let tracks = stat.isDirectory() ? await tracksOfFolder(path, options, notes) : await tracksOfManifest(path, options);
  if (options.split !== undefined) {
    tracks = tracks.filter(({ split }) => split === options.split);
    if (tracks.length === 0) throw new InputError('option --split', `no track of ${path} is in split ${options.split}`);
  }
  const keys = keysOf(tracks, options.reference, notes);
  const labelled = tracks.filter(({ id }) => keys.has(id));
  if (labelled.length === 0)
    throw new InputError(path, 'no track has a key; give --reference with a CSV id,key, or keys in the manifest');
  if (labelled.length < tracks.length)
    notes.push(`${tracks.length - labelled.length} of ${tracks.length} tracks have no reference key and are left out`);
  return {
    tracks: labelled.map(({ id, source }) => ({ id, path: source.kind === 'file' ? source.path : null })),
    audio: labelled,
    reference: labelled.map(({ id }) => ({ id, keyId: keys.get(id)! })),
    notes,
  };
}

function hasPathColumn(path: string): boolean {
  return parseCsv(readText(path), path).columns.includes('path');
}

async function tracksOfFolder(path: string, options: ComparedOptions, notes: string[]): Promise<readonly Track[]> {
  const { dataset, subset, splits, cache, onProgress, signal } = options;
  if (dataset === undefined) {
    if (splits !== undefined || options.split !== undefined)
      throw new InputError('option --split', 'a folder has no splits; give a manifest or --dataset');
    return wholeFiles(path, notes);
  }
  const given = { subset, splits, quick: true, allowLeakage: true, cache, onProgress, signal };
  const { tracks, skipped } = await readDataset(dataset, path, given);
  if (skipped.length > 0)
    notes.push(
      `${skipped.length} tracks of ${dataset} cannot be used (keymyna data verify ${dataset} --root ${path} says why)`,
    );
  return tracks;
}

/** The audio files below a folder, whole; the path below it is a track's id. */
function wholeFiles(folder: string, notes: string[]): Track[] {
  const { files, problems } = findAudio([folder]);
  notes.push(...problems.map(({ path, problem }) => `left out: ${path}: ${problem}`));
  return files.map((path) => {
    const id = relative(folder, path).split(sep).join('/');
    const source = { kind: 'file', path } as const;
    return { id, keyId: null, split: null, group: id, durationSeconds: 0, labels: {}, source };
  });
}

async function tracksOfManifest(path: string, { dataset, splits, signal }: ComparedOptions): Promise<readonly Track[]> {
  if (dataset !== undefined)
    throw new InputError('option --dataset', `needs the folder of the data set; found ${path}`);
  // Nothing is trained here: splits that leak do no harm, and a bad file is reported when it is heard.
  return (await readManifest(path, { splits, signal, allowLeakage: true, unread: true })).tracks;
}

/** Keys of the tracks: of a CSV, else their own. */
function keysOf(tracks: readonly Track[], reference: string | undefined, notes: string[]): Map<string, number> {
  if (reference === undefined) return new Map(tracks.flatMap(({ id, keyId }) => (keyId === null ? [] : [[id, keyId]])));
  const named = tracks.map(({ id, source }) => ({ id, path: source.kind === 'file' ? source.path : null }));
  const [labels, ...more] = estimatesSystems({ kind: 'csv', name: null, path: reference }, named);
  if (more.length > 0)
    throw new InputError(reference, 'holds several columns of keys; expected the reference alone, as id,key');
  notes.push(...labels.notes.map((note) => `${reference}: ${note}`));
  return new Map([...labels.answers].map(([id, { keyId }]) => [id, keyId]));
}

/** A list of keys without audio: enough for the written answers of programs. */
function keysAlone(path: string, { reference, splits, split }: ComparedOptions): Compared {
  if (reference !== undefined || splits !== undefined || split !== undefined)
    throw new InputError(path, 'has no column path: it is a list of keys itself; leave out --reference and --split');
  const { rows, columns } = parseCsv(readText(path), path);
  if (!columns.includes('id') || !columns.includes('key'))
    throw new InputError(
      `${path} line 1`,
      `has the columns ${columns.join(', ')}; expected path (a manifest) or id,key`,
    );
  const tracks = rows.map(({ fields }) => ({ id: fields.id, path: null }));
  const [labels] = estimatesSystems({ kind: 'csv', name: null, path }, tracks);
  const labelled = tracks.flatMap(({ id }) => {
    const answer = labels.answers.get(id);
    return answer ? [{ id, keyId: answer.keyId }] : [];
  });
  const without = tracks.length - labelled.length;
  const notes = without > 0 ? [`${without} of ${tracks.length} rows of ${path} have no key and are left out`] : [];
  return { tracks: tracks.filter(({ id }) => labels.answers.has(id)), audio: [], reference: labelled, notes };
}
