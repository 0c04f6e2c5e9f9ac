/** What a worker thread does for one pretraining job. */
import { pretrain, type PretrainTrack } from '../pretrain/index.js';
import { initBackend } from '../tensor/index.js';
import { readMelShard } from './features.js';
import type { PretrainingUnit } from './pretraining.js';
import { type Span, type StageItem, stageTask, Stopped } from './stages.js';

/** All tracks in memory: half a megabyte for each 30 s of a track, and as much for each of its shifted copies. */
function tracksOf(
  melPaths: PretrainingUnit['melPaths'],
  shifted: NonNullable<PretrainingUnit['shifted']> = [],
): PretrainTrack[] {
  const copies = shifted.map(({ semitones, melPaths }) => ({ semitones, tracks: melPaths.flatMap(readMelShard) }));
  return melPaths.flatMap(readMelShard).map((track, i) => ({
    ...track,
    shifted: new Map(copies.map(({ semitones, tracks }) => [semitones, tracks[i].mel])),
  }));
}

/** Factory for `runStage`: a backend of its own for this thread, then job after job. */
export async function pretrainTask(init: unknown): Promise<(message: StageItem<PretrainingUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<PretrainingUnit>(init, async ({ job, melPaths, shifted, dir }, count, isStopped) => {
    const stop = new AbortController();
    await pretrain(job.config, tracksOf(melPaths, shifted), {
      dir,
      // A thread gets no functions from outside; the time goes into the log alone, never into a result.
      clock: () => performance.now(),
      signal: stop.signal,
      onStep: ({ step }) => {
        count(step);
        if (isStopped()) stop.abort(new Stopped('pretraining'));
      },
    });
  });
}
