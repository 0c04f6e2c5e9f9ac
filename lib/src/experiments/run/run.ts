/** One preset on one machine: its corpora, its cache, its backend. Every experiment takes a `Run`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Corpus, embeddedCorpus, readFolder, type Split, type Track } from '../../corpus/index.js';
import { Cache, configId } from '../../store/index.js';
import { currentBackend, initBackend } from '../../tensor/index.js';
import type { Provenance } from '../measurements.js';
import { type ExperimentPreset, presetOf } from './presets.js';
import { presetFor, readersData } from './readersData.js';

/** Called as a stage goes on; `secondsLeft` is null until a first unit has been timed. */
export type StageProgress = (stage: string, done: number, total: number, secondsLeft: number | null) => void;

export interface RunOptions {
  /** The project's folder; recordings are looked for in `data/user/` below it. */
  readonly root: string;
  /** A reader's own data and weights: the JSON file that names them; see `readersData`. Default: the preset's corpus. */
  readonly dataFile?: string | null;
  /** Where results are kept, by configId. */
  readonly cacheDir: string;
  /** Bytes that the cache is cut to at the end of `prepare`, the longest unused results first; what the run used stays. */
  readonly cacheLimit?: number;
  /** Worker threads, one a core; default 2. */
  readonly threads?: number;
  readonly onProgress?: StageProgress;
  readonly signal?: AbortSignal;
  /** Milliseconds, for the time left; without it none is said. */
  readonly clock?: () => number;
}

export interface Run {
  readonly preset: ExperimentPreset;
  readonly cache: Cache;
  readonly corpus: Corpus;
  /** Whether the corpus is a reader's. */
  readonly isReaders: boolean;
  /** Unlabelled recordings of the user, cut into items; null where there are none. */
  readonly recordings: Corpus | null;
  /** Part of every id: results of different backends differ in the last digits. */
  readonly backend: string;
  readonly options: RunOptions & { readonly threads: number };
}

/**
 * Opens a preset: composes the corpus (nothing is rendered yet) or reads the reader's, and starts the backend.
 *
 * @param name smoke, laptop, study or paper
 * @throws InputError for an unknown preset, recordings that cannot be read, or a data file as `readersData`
 */
export async function openRun(name: string, options: RunOptions): Promise<Run> {
  const table = presetOf(name);
  await initBackend();
  const { name: backendName, accelerated, blas } = currentBackend();
  const cache = new Cache(options.cacheDir);
  const { dataFile = null, onProgress, signal } = options;
  const said = (done: number, total: number): void => onProgress?.('data', done, total, null);
  const own = dataFile === null ? null : await readersData(dataFile, table, { cache, onProgress: said, signal });
  const preset = own ? presetFor(table, own) : table;
  return {
    preset,
    cache,
    corpus: own?.corpus ?? embeddedCorpus(preset.corpus),
    isReaders: own?.corpus != null,
    recordings: await recordingsOf(preset, cache, options),
    backend: [backendName, accelerated ? 'accelerated' : '', blas ? 'blas' : ''].filter(Boolean).join('+'),
    options: { threads: 2, ...options },
  };
}

/** Folder of unlabelled recordings below the project's folder. */
export const RECORDINGS_FOLDER = join('data', 'user', 'open-music');

/** Lengths of files are learned by decoding and remembered in the cache. */
async function recordingsOf(preset: ExperimentPreset, cache: Cache, options: RunOptions): Promise<Corpus | null> {
  const folder = join(options.root, RECORDINGS_FOLDER);
  const wanted = preset.variants.some((variant) => variant.data && variant.data !== 'embedded');
  if (!wanted || !existsSync(folder)) return null;
  const onProgress = (done: number, total: number): void => options.onProgress?.('recordings', done, total, null);
  const { itemSeconds } = preset;
  return readFolder(folder, { itemSeconds, checksums: true, cache, onProgress, signal: options.signal });
}

/** Tracks of a split, in corpus order. */
export function tracksOf(run: Run, split: Split): readonly Track[] {
  return run.corpus.tracks.filter((track) => track.split === split);
}

/** `, seed 1` for the embedded corpus, for sentences that count its tracks. */
export function seedOf({ isReaders, preset }: Run): string {
  return isReaders ? '' : `, seed ${preset.corpus.seed}`;
}

/** Key ids of a split's tracks, in the same order. */
export function keysOf(run: Run, split: Split): Int32Array {
  return Int32Array.from(tracksOf(run, split), (track) => track.keyId ?? -1);
}

/** What every measurement of this run carries. `config` is all that this measurement depends on beyond the preset. */
export function provenance(run: Run, config: unknown): Provenance {
  const { name, published = {} } = run.preset;
  const weights = Object.entries(published).map(([patches, { id }]) => `${patches} ${id}`);
  return {
    preset: name,
    configId: configId(config),
    backend: run.backend,
    ...(run.isReaders && { music: run.corpus.name }),
    ...(weights.length > 0 && { weights: weights.join(', ') }),
  };
}

/** Everything that results of this run depend on. */
export function runConfig(run: Run): unknown {
  return {
    versions: [STAGES_VERSION, MEASUREMENTS_VERSION],
    preset: run.preset,
    corpus: run.corpus.config,
    recordings: run.recordings?.config ?? null,
    backend: run.backend,
  };
}

/** Rises whenever the code of a heavy stage changes what comes out of it; everything is computed anew then. */
export const STAGES_VERSION = 2;

/** Rises whenever the code of a measurement changes; the stages' results stay. */
const MEASUREMENTS_VERSION = 3;

/**
 * The measurement `name`, from the cache or computed now; the preset's whole table is part of its id, so that a changed
 * configuration never shows an old number.
 *
 * @param more what it depends on beyond the run, e.g. the track looked at
 */
export function measured<T extends Provenance>(
  run: Run,
  name: string,
  more: unknown,
  compute: (base: Provenance) => Promise<T> | T,
): Promise<T> {
  const config = { measurement: name, run: runConfig(run), more };
  return run.cache.json(`measurements-${name}`, config, () => compute(provenance(run, config)));
}

/** A number with so many significant digits: files stay small, and differences below them are noise. */
export function rounded(value: number, digits = 4): number {
  return Number(value.toPrecision(digits));
}
