/** The keys of many files: over threads, resumable, and no bad file stops the rest. */
import { InputError } from '../errors.js';
import { initBackend, withOneBlasThread } from '../tensor/index.js';
import { parallelMap, type Progress } from '../workers/index.js';
import { answerFile } from './answer.js';
import { Journal } from './journal.js';
import { keyModelId, loadKeyModel, type KeyModelFiles, type KeyModelOptions } from './model.js';
import { type FileAnswer, problemOr, type PredictTaskInit } from './predictTask.js';

export interface PredictFilesOptions {
  readonly modelOptions?: KeyModelOptions;
  /** Worker threads, each with a model of its own and one BLAS thread; 1 = all in this thread. */
  readonly threads: number;
  /** Frames from one clip's start to the next's (default: the model's). */
  readonly clipHop?: number;
  /** Whether to average over twelve pitches. */
  readonly averageShifts?: boolean;
  /** Whether to smooth the keys over time, too. */
  readonly overTime?: boolean;
  /** JSON-lines file that keeps every answer as soon as it is there, and is read first; null = none. */
  readonly journal?: string | null;
  /** Called for each file that had to be asked, `total` of them, after its answer is kept. */
  readonly onProgress?: Progress;
  /** Seconds of the file that is being heard, in all if its header says so; where there is one thread only. */
  readonly onSeconds?: (done: number, total: number | null) => void;
  /** On abort the files that are being heard are finished (one thread: given up), and `signal.reason` is thrown. */
  readonly signal?: AbortSignal;
}

export interface PredictedFiles {
  /** In the order of the files. */
  readonly answers: readonly FileAnswer[];
  /** Files whose answer was known from the journal. */
  readonly known: number;
  readonly isCalibrated: boolean;
  readonly modelName: string;
}

/**
 * Asks for the key of every file.
 * @param model its files; loaded once in this thread, before any audio is read, so that a bad one is known at once
 * @throws InputError for a bad model or journal; what is wrong with a file is its answer
 */
export async function predictFiles(
  model: KeyModelFiles,
  paths: readonly string[],
  options: PredictFilesOptions,
): Promise<PredictedFiles> {
  const { modelOptions = {}, threads, onProgress, onSeconds, signal } = options;
  const { clipHop, averageShifts = false, overTime = false } = options;
  const asked = { clipHop, averageShifts, overTime };
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new InputError('predictFiles', `threads is ${threads}; a whole number of at least 1 was expected.`);
  await initBackend();
  const own = loadKeyModel(model, modelOptions);
  try {
    const journal = new Journal(options.journal ?? null, { model: keyModelId(own), ...asked });
    const ids = paths.map((path) => journal.idOf(path));
    const answers = ids.map((id) => journal.find(id));
    const open = [...paths.keys()].filter((index) => !answers[index]);
    let done = 0;
    const take = (at: number, answer: FileAnswer): void => {
      journal.add(ids[open[at]], answer);
      answers[open[at]] = answer;
      onProgress?.(++done, open.length);
    };
    if (threads === 1 || open.length <= 1) {
      for (const [at, index] of open.entries()) {
        const ask = { ...asked, signal, onProgress: onSeconds };
        take(at, await problemOr(paths[index], () => answerFile(own, paths[index], ask)));
      }
    } else {
      const init: PredictTaskInit = { files: model, modelOptions, ...asked };
      const items = open.map((index) => paths[index]);
      const module = new URL('./predictTask.js', import.meta.url);
      const run = { threads, init, signal, onResult: take };
      await withOneBlasThread(() => parallelMap<string, FileAnswer>(module, 'predictTask', items, run));
    }
    return {
      answers: answers as FileAnswer[],
      known: paths.length - open.length,
      isCalibrated: own.isCalibrated,
      modelName: own.name,
    };
  } finally {
    own.dispose();
  }
}
