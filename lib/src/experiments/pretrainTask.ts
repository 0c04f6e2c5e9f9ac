/** What a worker thread does for one pretraining job. */
import { pretrain } from '../pretrain/index.js';
import { initBackend } from '../tensor/index.js';
import { readMelShard } from './features.js';
import type { PretrainingUnit } from './pretraining.js';
import { type Span, type StageItem, stageTask, Stopped } from './stages.js';

/** Factory for `runStage`: a backend of its own for this thread, then job after job. */
export async function pretrainTask(init: unknown): Promise<(message: StageItem<PretrainingUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<PretrainingUnit>(init, async ({ job, melPaths, dir }, count, isStopped) => {
    const stop = new AbortController();
    const tracks = melPaths.flatMap(readMelShard);
    await pretrain(job.config, tracks, {
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
