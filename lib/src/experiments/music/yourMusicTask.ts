/** 10: listening to one recording; in a thread of its own where there are many. */
import { InputError } from '../../errors.js';
import { type KeyModel, type KeyModelFiles, loadKeyModel, predictFile } from '../../predict/index.js';
import { initBackend } from '../../tensor/index.js';
import { rounded } from '../run/run.js';
import type { HeardClips } from './yourMusicOverTime.js';

/** What was heard in a file, or why nothing was. */
export type Listened = { readonly heard: HeardClips } | { readonly problem: string };

/** Once per thread: loads the model; the function it gives takes the path of a file. */
export async function listenTask(files: unknown): Promise<(path: string) => Promise<Listened>> {
  await initBackend({ blasThreads: 1 });
  const model = loadKeyModel(files as KeyModelFiles);
  return (path) => listen(model, path);
}

/** @throws whatever is no fault of the file; the signal's reason on abort */
export async function listen(model: KeyModel, path: string, signal?: AbortSignal): Promise<Listened> {
  try {
    // Clips that overlap by half at least: the key over time is wanted finer than the answer for the whole may need.
    const stride = model.clipHop % 2 === 0 && model.clipHop > model.encoder.config.clipFrames / 2 ? 2 : 1;
    const clipHop = model.clipHop / stride;
    const { durationSeconds, clips } = await predictFile(model, path, { clipHop, signal });
    const [first, second] = clips;
    const hopSeconds = second ? second.startSeconds - first.startSeconds : first.seconds / 2;
    const logits = clips.map((clip) => Array.from(clip.logits, (value) => rounded(value, 7)));
    return { heard: { seconds: durationSeconds, clipSeconds: first.seconds, hopSeconds, stride, logits } };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problem: error.where === path ? error.problem : error.message };
  }
}
