/** What one thread of `predictFiles` runs: a model of its own, one file at a time. */
import { InputError } from '../errors.js';
import { initBackend } from '../tensor/index.js';
import { answerFile, type KeyAnswer } from './answer.js';
import { type KeyModelFiles, type KeyModelOptions, loadKeyModel } from './model.js';

export interface PredictTaskInit {
  readonly files: KeyModelFiles;
  readonly modelOptions: KeyModelOptions;
  readonly clipHop?: number;
  readonly averageShifts: boolean;
  readonly overTime: boolean;
}

/** An answer, or why there is none. */
export type FileAnswer = { readonly answer: KeyAnswer } | { readonly problem: string };

/** Called once per thread; the function it gives answers a file. A file that cannot be read is an answer, too. */
export async function predictTask(init: unknown): Promise<(path: string) => Promise<FileAnswer>> {
  const { files, modelOptions, ...options } = init as PredictTaskInit;
  await initBackend({ blasThreads: 1 });
  const model = loadKeyModel(files, modelOptions);
  return (path) => problemOr(path, () => answerFile(model, path, options));
}

/** @throws whatever is no fault of the file */
export async function problemOr(path: string, ask: () => Promise<KeyAnswer>): Promise<FileAnswer> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problem: error.where === path ? error.problem : error.message };
  }
}
