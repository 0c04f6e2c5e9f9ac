/** 10: listening to a folder of recordings. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { findAudio, type KeyModel, type KeyModelFiles, keyModelId, loadKeyModel } from '../../predict/index.js';
import { Cache, configId, fileSha256 } from '../../store/index.js';
import { currentBackend, initBackend, withOneBlasThread } from '../../tensor/index.js';
import { parallelMap } from '../../workers/index.js';
import { type PresetName, presetOf } from '../run/presets.js';
import { MANIFEST_NAME, Music } from './yourMusic.js';
import { demonstration, type Demonstration, relativeFile } from './yourMusicFiles.js';
import { readLabels } from './yourMusicLabels.js';
import type { MusicModel, MusicProblem } from './yourMusicMeasurements.js';
import { chooseModel } from './yourMusicModel.js';
import type { HeardClips } from './yourMusicOverTime.js';
import { listen, type Listened } from './yourMusicTask.js';

/** Where a reader's music is looked for, below the project's folder. */
export const MUSIC_FOLDER = join('data', 'user', 'music');

/** Rises when the same sound and model give other clips. */
const HEARD_VERSION = 3;
/** Fewer recordings are heard in this thread: starting others would take longer. */
const MANY = 8;

export interface MusicOptions {
  readonly preset: string;
  /** The project's folder. */
  readonly root: string;
  readonly cacheDir: string;
  /**
   * Folder of recordings; null: `data/user/music` (made if it is not there), and without a recording in it pieces of the
   * embedded corpus. Presets smoke and study take those pieces in any case, so that what they show can be shown again.
   */
  readonly folder?: string | null;
  /** Folder of a model; null: the one that ships. */
  readonly model?: string | null;
  /** Worker threads for a folder of many recordings; default 2. */
  readonly threads?: number;
  readonly onProgress?: (done: number, total: number, note?: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Listens to every recording of a folder. What was heard is kept in the cache by the content of file and model, so an
 * interrupted run goes on where it stopped and a file that was renamed is not heard again. A file that cannot be heard
 * is in `problems` and stops nothing.
 *
 * @throws InputError if there is no model, the folder is not there, or its manifest is damaged; the signal's reason on abort
 */
export async function openMusic(options: MusicOptions): Promise<Music> {
  const { name: preset } = presetOf(options.preset);
  await initBackend();
  const { files: modelFiles, origin } = chooseModel(options.model ?? null);
  const place = await musicPlace(preset, options);
  readLabels(join(place.folder, MANIFEST_NAME)); // a damaged manifest is told before hours of listening
  const { name: backend, accelerated, blas } = currentBackend();
  const backendName = [backend, accelerated ? 'accelerated' : '', blas ? 'blas' : ''].filter(Boolean).join('+');
  const model = loadKeyModel(modelFiles);
  try {
    const base = { heard: HEARD_VERSION, model: keyModelId(model), backend: backendName };
    const { heard, problems } = await hear(place, model, modelFiles, base, options);
    const { name, temperature, isCalibrated } = model;
    const info: MusicModel = { name, origin, temperature, isCalibrated };
    const source = { preset, configId: configId({ ...base, files: place.files }), backend: backendName };
    return new Music(place.folder, info, heard, [...place.problems, ...problems], place.demonstration, source);
  } finally {
    model.dispose();
  }
}

interface MusicPlace {
  readonly folder: string;
  /** From the folder, with `/`. */
  readonly files: readonly string[];
  readonly problems: readonly MusicProblem[];
  readonly demonstration: Demonstration | null;
}

async function musicPlace(preset: PresetName, options: MusicOptions): Promise<MusicPlace> {
  const { root, cacheDir, folder = null, onProgress } = options;
  const isFixed = preset === 'smoke' || preset === 'study';
  if (folder !== null || !isFixed) {
    const own = resolve(root, folder ?? MUSIC_FOLDER);
    if (folder === null) mkdirSync(own, { recursive: true });
    const found = findAudio([own]);
    if (folder !== null && found.files.length === 0)
      throw new InputError(own, found.problems[0]?.problem ?? 'no audio file was found');
    const files = found.files.map((path) => relativeFile(own, path));
    const problems = found.problems.map(({ path, problem }) => ({ file: relativeFile(own, path), problem }));
    if (files.length > 0) return { folder: own, files, problems, demonstration: null };
  }
  const pieces = await demonstration(preset, cacheDir, onProgress);
  return { folder: pieces.folder, files: [...pieces.labels.keys()].sort(), problems: [], demonstration: pieces };
}

/** Listens to what the cache does not have. Files of one content are heard once. */
async function hear(
  { folder, files }: MusicPlace,
  model: KeyModel,
  modelFiles: KeyModelFiles,
  base: object,
  { cacheDir, threads = 2, onProgress, signal }: MusicOptions,
): Promise<{ heard: Map<string, HeardClips>; problems: MusicProblem[] }> {
  const cache = new Cache(cacheDir);
  const configOf = new Map<string, { readonly audio: string }>();
  const problemOf = new Map<string, string>();
  const open = new Map<string, string>(); // path by content
  for (const [i, file] of files.entries()) {
    signal?.throwIfAborted();
    onProgress?.(i, files.length, `look at ${file}`);
    try {
      const config = { ...base, audio: await fileSha256(join(folder, file), signal) };
      configOf.set(file, config);
      if (!cache.has('your-music', configId(config), 'json') && !open.has(config.audio))
        open.set(config.audio, join(folder, file));
    } catch (error) {
      signal?.throwIfAborted();
      problemOf.set(file, `the file cannot be read (${(error as Error).message})`);
    }
  }

  const waiting = [...open];
  const failed = new Map<string, string>(); // problem by content
  let done = files.length - waiting.length;
  const kept: Promise<unknown>[] = [];
  const take = (at: number, result: Listened): void => {
    const [audio, path] = waiting[at];
    if ('problem' in result) failed.set(audio, result.problem);
    else kept.push(cache.json('your-music', { ...base, audio }, () => result.heard));
    onProgress?.(++done, files.length, relativeFile(folder, path));
  };
  try {
    if (threads === 1 || waiting.length < MANY) {
      for (const [at, [, path]] of waiting.entries()) take(at, await listen(model, path, signal));
    } else {
      const module = new URL('./yourMusicTask.js', import.meta.url);
      const paths = waiting.map(([, path]) => path);
      const run = { threads, init: modelFiles, signal, onResult: take };
      await withOneBlasThread(() => parallelMap<string, Listened>(module, 'listenTask', paths, run));
    }
  } finally {
    await Promise.all(kept); // also what was heard before a stop
  }

  const heard = new Map<string, HeardClips>();
  const problems: MusicProblem[] = [];
  for (const file of files) {
    const config = configOf.get(file);
    const problem = config ? failed.get(config.audio) : problemOf.get(file);
    if (problem !== undefined) problems.push({ file, problem });
    else
      heard.set(
        file,
        await cache.json<HeardClips>('your-music', config, () => {
          throw new InputError(join(folder, file), 'what was heard is no longer in the cache; run again');
        }),
      );
  }
  onProgress?.(files.length, files.length);
  return { heard, problems };
}
