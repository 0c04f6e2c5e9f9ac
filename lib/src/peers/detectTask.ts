/** What one thread of `detectTracks` runs: all systems on one track after the other, known answers from the cache. */
import { statSync } from 'node:fs';
import type { Track } from '../corpus/index.js';
import { InputError } from '../errors.js';
import { Cache } from '../store/index.js';
import type { KeyAnswer, KeyDetector } from './detector.js';
import { type DetectorSpec, openDetector } from './systems.js';
import { soundOf } from './trackSound.js';

export interface DetectTaskInit {
  readonly systems: readonly { readonly spec: DetectorSpec; readonly identity: unknown }[];
  /** folder of the answers that are kept; null: none are */
  readonly cacheRoot: string | null;
}

/** An answer, or why there is none. */
export type Outcome = KeyAnswer | { readonly problem: string };

/** Systems at work, and the way to end them. */
export interface Detecting {
  /** Asks every system about a track, in their order. */
  detect(track: Track): Promise<Outcome[]>;
  dispose(): Promise<void>;
}

/** Called once per thread; the function it gives is called per track. */
export const detectTask = (init: unknown): Detecting['detect'] => detecting(init as DetectTaskInit).detect;

/** Detectors are opened when the first answer that is not known is asked of them. */
export function detecting({ systems, cacheRoot }: DetectTaskInit): Detecting {
  const cache = cacheRoot === null ? null : new Cache(cacheRoot);
  const opened = new Map<DetectorSpec, Promise<KeyDetector>>();
  const answer = async (spec: DetectorSpec, sound: ReturnType<typeof soundOf>): Promise<KeyAnswer> => {
    const opening = opened.get(spec) ?? openDetector(spec);
    opened.set(spec, opening);
    const detector = await opening;
    return detector.detect(await sound(detector.sampleRate));
  };
  return {
    detect: async (track) => {
      const sound = soundOf(track);
      const outcomes: Outcome[] = [];
      for (const { spec, identity } of systems) {
        const detect = (): Promise<KeyAnswer> => answer(spec, sound);
        try {
          outcomes.push(
            await (cache ? cache.json('key-answer', { identity, sound: contentOf(track) }, detect) : detect()),
          );
        } catch (error) {
          // A file or a system that fails must not stop the others; a fault of ours is told in the same place.
          outcomes.push({ problem: error instanceof Error ? error.message : String(error) });
        }
      }
      return outcomes;
    },
    dispose: async () => {
      for (const opening of await Promise.allSettled(opened.values()))
        if (opening.status === 'fulfilled') await opening.value.dispose();
    },
  };
}

/** What a track's sound depends on: the recipe, or the file as it is now and the cut. */
function contentOf({ source }: Track): unknown {
  if (source.kind === 'composed') return source;
  const stat = statSync(source.path, { throwIfNoEntry: false });
  if (!stat) throw new InputError(source.path, 'there is no such file; check the path.');
  return { ...source, size: stat.size, mtimeMs: stat.mtimeMs };
}
