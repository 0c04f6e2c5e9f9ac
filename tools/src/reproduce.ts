/**
 * `npm run reproduce -- [--preset laptop|smoke|study|paper] [--data FILE] [--only 02,04] [--fresh] [--timeout S]`
 * Computes what the notebooks need, runs them and leaves figures, tables and numbers in figures/<preset>/. Changes no tracked file,
 * except with the preset `study`, whose folder is committed.
 */
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError } from 'keymyna';
import { missingFor, prepare } from 'keymyna/experiments';
import {
  cacheFolder,
  cacheLimit,
  dataFile,
  figuresFolder,
  parsePreset,
  progressBar,
  type Preset,
  type ProgressBar,
} from 'keymyna/notebook';
import { writeGallery, type Shown } from './gallery.js';
import { embedImages, Pictures } from './images.js';
import { runNotebook } from './runNotebook.js';
import { sideBySide } from './sideBySide.js';

export interface ReproduceOptions {
  readonly root: string;
  readonly preset: Preset;
  /** Numbers of the notebooks to run, `['02']`; empty for all. */
  readonly only: readonly string[];
  /** Compute everything anew: the preset's cache and figures are deleted first. */
  readonly fresh: boolean;
  /** Whether to compute ahead what the notebooks need, with progress in the terminal. */
  readonly prepare: boolean;
  /** Seconds that one cell may take; null for the preset's own limit. */
  readonly cellTimeout: number | null;
  readonly signal?: AbortSignal;
  readonly log: (line: string) => void;
}

const CELL_TIMEOUT = { smoke: 300, laptop: 3600, study: 7 * 86_400, paper: 30 * 86_400 } as const; // seconds

/** The notebooks to run, in order. @throws InputError if `only` names one that does not exist */
export function notebooksToRun(root: string, only: readonly string[]): string[] {
  const all = readdirSync(join(root, 'notebooks')).filter((name) => /^\d\d_.*\.ipynb$/.test(name)).sort(); // prettier-ignore
  const unknown = only.filter((number) => !all.some((name) => name.startsWith(`${number}_`)));
  if (unknown.length)
    throw new InputError(
      '--only',
      `there is no notebook ${unknown.join(', ')}; expected of ${all.map((name) => name.slice(0, 2)).join(', ')}.`,
    );
  return all.filter((name) => only.length === 0 || only.some((number) => name.startsWith(`${number}_`)));
}

/** Runs everything: the stages, then the notebooks side by side. @returns what is shown, and the failure of the notebook that stopped the run, if one did */
export async function reproduce(options: ReproduceOptions): Promise<{ shown: Shown[]; failure: string | null }> {
  const { root, preset, only, log, signal } = options;
  process.env.KEYMYNA_ROOT = root;
  process.env.KEYMYNA_PRESET = preset;
  process.env.KEYMYNA_CACHE = cacheFolder();
  const folder = figuresFolder();
  const executed = join(folder, 'notebooks');
  const names = notebooksToRun(root, only);
  const times: [string, number][] = [];
  const begin = performance.now();
  const timed = async <T>(stage: string, work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now();
    const entry: [string, number] = [stage, 0];
    times.push(entry);
    try {
      return await work();
    } finally {
      entry[1] = (performance.now() - start) / 1000;
    }
  };

  if (options.fresh) for (const path of [folder, cacheFolder()]) rmSync(path, { recursive: true, force: true });
  if (options.prepare) for (const [stage, seconds] of await prepareRun(options)) times.push([stage, seconds]);
  const pictures = new Pictures(folder, { log, signal });
  // Notebooks that find everything computed can run side by side; others would compute the same things twice.
  const atOnce = options.prepare ? availableParallelism() : 1;
  let failure: string | null;
  try {
    const result = await sideBySide(names, atOnce, log, async (name, logOne) => {
      const { failure: own } = await timed(name, () =>
        runNotebook(join(root, 'notebooks', name), join(executed, name), {
          cellTimeout: options.cellTimeout ?? CELL_TIMEOUT[preset],
          log: logOne,
          signal,
        }),
      );
      void pictures.draw();
      return own;
    });
    failure = result.failure;
    await timed('pictures after the last notebook', () => pictures.draw());
    for (const name of result.ran) embedImages(join(executed, name), folder);
  } finally {
    await pictures.close();
  }
  const images = await pictures.counts();
  const shown = await timed('gallery', () => writeGallery(folder, preset, executed));

  log(`\nFigures and tables in ${relative(root, folder)}:`);
  for (const { kind, id, caption } of shown) log(`  ${kind} ${id}: ${caption.split(/(?<=\.)\s/)[0]}`);
  log(`\nPictures: ${images.drawn ?? 'none (no browser)'} drawn, ${images.unchanged} unchanged`);
  log('Wall time (what runs side by side: each from its own start to its end)');
  times.push(['all', (performance.now() - begin) / 1000]);
  for (const [stage, seconds] of times) log(`  ${stage.padEnd(36)} ${seconds.toFixed(1).padStart(8)} s`);
  log(`\nOpen ${join(relative(root, folder), 'index.html')}`);
  return { shown, failure };
}

/** Computes what the notebooks need and is not in the cache. @returns the stages with their seconds */
async function prepareRun({ root, preset, log, signal }: ReproduceOptions): Promise<[string, number][]> {
  for (const line of missingFor(preset, root, dataFile())) log(line);
  let bar: { stage: string; progress: ProgressBar } | null = null;
  const onProgress = (stage: string, done: number, total: number, secondsLeft: number | null) => {
    if (bar?.stage !== stage) {
      bar?.progress.finish();
      bar = { stage, progress: progressBar(stage) };
      if (!process.stderr.isTTY) log(`prepare: ${stage}`); // the bar itself is for a terminal only
    }
    bar.progress(done, total, secondsLeft === null ? '' : `${Math.ceil(secondsLeft)} s left`);
  };
  const stages = await prepare(preset, {
    root,
    cacheDir: cacheFolder(),
    cacheLimit: cacheLimit(),
    dataFile: dataFile(),
    threads: availableParallelism(),
    onProgress,
    signal,
    clock: () => performance.now(),
  });
  (bar as { progress: ProgressBar } | null)?.progress.finish();
  return stages.map(({ stage, seconds }) => [`prepare: ${stage}`, seconds ?? 0]);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      preset: { type: 'string', default: process.env.KEYMYNA_PRESET || 'laptop' },
      data: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      fresh: { type: 'boolean', default: false },
      timeout: { type: 'string' },
    },
  });
  // Notebooks are processes of their own, in folders of their own.
  if (values.data !== undefined) process.env.KEYMYNA_DATA = resolve(values.data);
  const stop = new AbortController();
  process.once('SIGINT', () =>
    stop.abort(new Error('Stopped. What was computed is kept; the same command goes on from there.')),
  );
  const { failure } = await reproduce({
    root: join(import.meta.dirname, '../..'),
    preset: parsePreset(values.preset, '--preset'),
    only: values.only.flatMap((text) => text.split(',')).map((number) => number.padStart(2, '0')),
    fresh: values.fresh,
    prepare: true,
    cellTimeout: values.timeout === undefined ? null : Number(values.timeout),
    signal: stop.signal,
    log: console.log,
  });
  if (failure !== null) throw new Error(failure);
}

if (process.argv[1] === import.meta.filename)
  main().then(
    () => process.exit(0),
    (error: Error) => {
      console.error(error.message);
      process.exit(1);
    },
  );
