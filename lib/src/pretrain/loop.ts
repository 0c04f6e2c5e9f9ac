/** The training loop: resumable bit for bit, stoppable at any step. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { saveCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { batchOfStep, checkTracks, stepsPerEpoch, type PretrainTrack } from './batches.js';
import { loadState, runMetadata, saveState } from './checkpoint.js';
import { checkPretrainConfig, type PretrainConfig } from './config.js';
import { appendLogLine, truncateLog, type PretrainLogLine } from './log.js';
import { learningRateAt } from './schedule.js';
import { disposeState, initialState, pretrainStep, type StepTimes } from './step.js';

export interface PretrainOptions {
  /** Folder of the run; made if it is not there. A run that was begun in it goes on. */
  readonly dir: string;
  /** Wall time in milliseconds, for the log. */
  readonly clock: () => number;
  /** Called after each step. */
  readonly onStep?: (line: PretrainLogLine, times: StepTimes) => void;
  /** On abort the step is finished, a checkpoint written, and the signal's reason thrown. */
  readonly signal?: AbortSignal;
}

export interface PretrainResult {
  /** The trained encoder without projection head or decoder. */
  readonly encoderPath: string;
  readonly logPath: string;
  readonly steps: number;
  /** Steps that an earlier call had done; 0 = a new run. */
  readonly resumedFrom: number;
}

/** Path of a snapshot of a run. */
export const snapshotPath = (dir: string, step: number): string => join(dir, `step-${step}.safetensors`);

/**
 * Pretrains an encoder. Needs `initBackend` first. Files in `dir`: encoder.safetensors at the end, checkpoint.safetensors
 * (everything, every `checkpointEverySteps` steps, on abort and at the end), step-<n>.safetensors (encoder alone),
 * log.jsonl (`PretrainLogLine`). Killed at any moment and called again, it ends with the same bytes on one backend.
 *
 * @throws InputError for a bad configuration or track, or a folder that holds another run; Error naming the step if loss
 *   or gradient is no longer a number (weights of that step are not saved); the signal's reason on abort
 */
export async function pretrain(
  config: PretrainConfig,
  tracks: readonly PretrainTrack[],
  { dir, clock, onStep, signal }: PretrainOptions,
): Promise<PretrainResult> {
  checkPretrainConfig(config);
  checkTracks(tracks, config);
  const nEpochs = Math.ceil(config.steps / stepsPerEpoch(config, tracks.length));
  const encoderPath = join(dir, 'encoder.safetensors');
  const logPath = join(dir, 'log.jsonl');
  const checkpointPath = join(dir, 'checkpoint.safetensors');

  const resumed = loadState(checkpointPath, config, tracks, nEpochs);
  const resumedFrom = resumed?.step ?? 0;
  const state = resumed?.state ?? initialState(config, tracks.length, nEpochs);
  const saveEncoder = (path: string, step: number): void =>
    saveCheckpoint(path, state.encoder, { metadata: runMetadata(config, tracks, step, 'encoder') });
  const snapshot = (step: number): void => {
    if (config.snapshotSteps.includes(step)) saveEncoder(snapshotPath(dir, step), step);
  };
  try {
    truncateLog(logPath, resumedFrom);
    if (!resumed) snapshot(0);
    let saved = resumedFrom;
    for (let step = resumedFrom; step < config.steps; step++) {
      // Gives a Ctrl-C handler its turn; the step itself never does.
      await nextTurn();
      if (signal?.aborted) {
        if (step > saved) saveState(checkpointPath, state, config, tracks, step);
        throw signal.reason;
      }
      const begin = clock();
      const batch = batchOfStep(config, tracks, step);
      const learningRate = learningRateAt(step, config);
      const { times, ...report } = pretrainStep(state, config, batch, learningRate, clock);
      if (!Number.isFinite(report.loss) || !Number.isFinite(report.gradientNorm)) {
        throw new InputError(
          `pretraining, step ${step + 1}`,
          `the loss is ${report.loss} and the gradient's norm ${report.gradientNorm}; the run diverged. The checkpoint ` +
            `of step ${saved} is kept. Lower learningRate, set clipNorm, or raise temperature or warmUpSteps`,
        );
      }
      const done = step + 1;
      const line = { step: done, epoch: batch.epoch, ...report, learningRate, milliseconds: clock() - begin };
      appendLogLine(logPath, line);
      snapshot(done);
      if (done % config.checkpointEverySteps === 0 || done === config.steps) {
        saveState(checkpointPath, state, config, tracks, done);
        saved = done;
      }
      onStep?.(line, times);
    }
    saveEncoder(encoderPath, config.steps);
    return { encoderPath, logPath, steps: config.steps, resumedFrom };
  } finally {
    disposeState(state);
  }
}
