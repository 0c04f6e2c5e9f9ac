/** What a worker thread does for one pretraining job. */
import { statSync } from 'node:fs';
import { MelShards, pretrain, type MelSource, type PretrainTrack } from '../../pretrain/index.js';
import { initBackend } from '../../tensor/index.js';
import { readMelShard } from '../features/features.js';
import type { PretrainingUnit } from './pretraining.js';
import { type Span, type StageItem, stageTask, Stopped } from '../run/stages.js';

/** Mels that are held in memory, bytes: half a megabyte for each 30 s; more of them are read from disk batch by batch. */
const MEMORY_BYTES = 1e9;

/** The tracks of a job and their shifted copies. */
function tracksOf(
  melPaths: PretrainingUnit['melPaths'],
  shifted: NonNullable<PretrainingUnit['shifted']> = [],
): PretrainTrack[] {
  const all = [...melPaths, ...shifted.flatMap((copies) => copies.melPaths)];
  const isMuch = all.reduce((sum, path) => sum + statSync(path).size, 0) > MEMORY_BYTES;
  const shards = new MelShards();
  const read = (path: string): readonly MelSource[] => (isMuch ? shards.open(path).tracks : readMelShard(path));
  const copies = shifted.map(({ semitones, melPaths }) => ({ semitones, tracks: melPaths.flatMap(read) }));
  return melPaths.flatMap(read).map((track, i) => ({
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
