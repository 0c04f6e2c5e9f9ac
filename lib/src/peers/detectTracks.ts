/** Every system on every track: parallel over tracks, resumable through the cache. */
import type { Track } from '../corpus/index.js';
import { InputError } from '../errors.js';
import type { Cache } from '../store/index.js';
import { withOneBlasThread } from '../tensor/index.js';
import { parallelMap, type Progress } from '../workers/index.js';
import { detecting, type DetectTaskInit, type Outcome } from './detectTask.js';
import type { KeyAnswer } from './detector.js';
import { type DetectorSpec, identityOf, openDetector } from './systems.js';

/** What one system says of a list of tracks. Ids are the tracks'. */
export interface SystemAnswers {
  readonly name: string;
  readonly answers: ReadonlyMap<string, KeyAnswer>;
  /** why a track has no answer */
  readonly problems: ReadonlyMap<string, string>;
  /** what a reader should know of how the answers were read */
  readonly notes: readonly string[];
}

/** A system that could not be asked at all. */
export interface FailedSystem {
  readonly name: string;
  readonly reason: string;
}

export interface DetectOptions {
  /** default 1 */
  readonly threads?: number;
  /** keeps every answer by system and track; a run that was stopped goes on */
  readonly cache?: Cache;
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

/**
 * Asks every system about every track. A system that does not open (a missing package, a file that does not fit) is in
 * `failed`; a track that cannot be read, or that a system cannot do, is in that system's `problems`. Neither stops the
 * rest.
 * @throws `signal.reason` on abort; what was answered by then is in the cache
 */
export async function detectTracks(
  tracks: readonly Track[],
  systems: readonly DetectorSpec[],
  { threads = 1, cache, onProgress, signal }: DetectOptions = {},
): Promise<{ systems: SystemAnswers[]; failed: FailedSystem[] }> {
  const failed: FailedSystem[] = [];
  const ready: { spec: DetectorSpec; identity: unknown }[] = [];
  for (const spec of systems) {
    signal?.throwIfAborted();
    try {
      ready.push({ spec, identity: await identityOf(spec) });
      await (await openDetector(spec)).dispose(); // hours of work begin only for systems that open
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (ready.at(-1)?.spec === spec) ready.pop();
      failed.push({ name: spec.name, reason: error.message });
    }
  }
  const init: DetectTaskInit = { systems: ready, cacheRoot: cache?.root ?? null };
  const share = { threads: Math.min(threads, tracks.length), init, onProgress, signal };
  const outcomes = ready.length === 0 ? [] : await (share.threads > 1 ? inThreads : inThisThread)(tracks, share);
  return {
    systems: ready.map(({ spec }, place) =>
      answersOf(
        spec.name,
        tracks,
        outcomes.map((of) => of[place]),
      ),
    ),
    failed,
  };
}

interface Share extends Pick<DetectOptions, 'onProgress' | 'signal'> {
  readonly threads: number;
  readonly init: DetectTaskInit;
}

function inThreads(tracks: readonly Track[], share: Share): Promise<Outcome[][]> {
  const module = new URL('./detectTask.js', import.meta.url);
  return withOneBlasThread(() => parallelMap<Track, Outcome[]>(module, 'detectTask', tracks, share));
}

/** As `inThreads` with one thread, but what the detectors hold is given back. */
async function inThisThread(tracks: readonly Track[], { init, onProgress, signal }: Share): Promise<Outcome[][]> {
  const { detect, dispose } = detecting(init);
  const outcomes: Outcome[][] = [];
  try {
    for (const track of tracks) {
      signal?.throwIfAborted();
      outcomes.push(await detect(track));
      onProgress?.(outcomes.length, tracks.length);
      await new Promise(setImmediate); // templates work without a pause; signals must get their turn
    }
  } finally {
    await dispose();
  }
  return outcomes;
}

function answersOf(name: string, tracks: readonly Track[], outcomes: readonly Outcome[]): SystemAnswers {
  const answers = new Map<string, KeyAnswer>();
  const problems = new Map<string, string>();
  outcomes.forEach((outcome, i) => {
    if ('problem' in outcome) problems.set(tracks[i].id, outcome.problem);
    else answers.set(tracks[i].id, outcome);
  });
  return { name, answers, problems, notes: [] };
}
