/** 10: listening to one recording; in a thread of its own where there are many. */
import { InputError } from '../../errors.js';
import { NUM_KEYS } from '../../keys/index.js';
import { type ClipKeys, type KeyModel, type KeyModelFiles, loadKeyModel, predictFile } from '../../predict/index.js';
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
    const isFine = model.transcriber || model.clipHop % 2 !== 0 || model.clipHop <= model.clipFrames / 2;
    const stride = isFine ? 1 : 2;
    const clipHop = model.clipHop / stride;
    const { durationSeconds, clips, moments } = await predictFile(model, path, { clipHop, signal });
    const [first, second] = moments;
    const hopSeconds = second ? second.startSeconds - first.startSeconds : first.seconds / 2;
    const digits = (logits: ArrayLike<number>): number[] => Array.from(logits, (value) => rounded(value, 7));
    const whole = meanLogits(clips.filter((_, clip) => clip % stride === 0));
    const logits = moments.map((clip) => digits(clip.logits));
    return {
      heard: { seconds: durationSeconds, clipSeconds: first.seconds, hopSeconds, whole: digits(whole), logits },
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problem: error.where === path ? error.problem : error.message };
  }
}

/** [K] */
function meanLogits(clips: readonly ClipKeys[]): number[] {
  return Array.from(
    { length: NUM_KEYS },
    (_, k) => clips.reduce((sum, { logits }) => sum + logits[k], 0) / clips.length,
  );
}
