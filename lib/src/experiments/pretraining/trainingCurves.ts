/** 03: the logs of pretraining, and what each run was given. */
import { parameterCount } from '../../encoder/index.js';
import type { PretrainConfig } from '../../pretrain/index.js';
import { keptCount, numTokens, PATCHINGS, type Patching } from '../../views/index.js';
import { isCompared, type PretrainingJob } from './jobs.js';
import type { BudgetMeasurement, TrainingCurves } from '../measurements.js';
import { jobsOf, logOf } from './pretraining.js';
import { measured, rounded, type Run } from '../run/run.js';

const POINTS = 60;

const comparedJobs = (run: Run): PretrainingJob[] => jobsOf(run).filter(({ name }) => isCompared(run.preset, name));

const contrastiveJobs = (run: Run): PretrainingJob[] =>
  comparedJobs(run).filter(({ config }) => config.objective === 'contrastive');

/** Loss, contrastive accuracy, alignment and uniformity of every contrastive job, each point a mean over some steps. */
export function trainingCurves(run: Run): Promise<TrainingCurves> {
  return measured(run, 'training-curves', { POINTS }, (base) => ({
    ...base,
    batchPairs: run.preset.pretraining.batchPairs,
    temperature: run.preset.pretraining.temperature,
    curves: contrastiveJobs(run).map((job) => {
      const groups = grouped(logOf(run, job), POINTS);
      const mean = (field: 'loss' | 'accuracy' | 'alignment' | 'uniformity'): number[] =>
        groups.map((lines) => rounded(lines.reduce((sum, line) => sum + line[field]!, 0) / lines.length));
      return {
        encoder: job.name,
        seed: job.seed,
        step: groups.map((lines) => lines[lines.length - 1].step),
        loss: mean('loss'),
        contrastiveAccuracy: mean('accuracy'),
        alignment: mean('alignment'),
        uniformity: mean('uniformity'),
        secondsPerStep: rounded(
          groups.flat().reduce((sum, line) => sum + line.milliseconds, 0) / (1000 * job.config.steps),
        ),
      };
    }),
  }));
}

/** At most `n` groups of neighbours of about equal size. */
function grouped<T>(lines: readonly T[], n: number): T[][] {
  const size = Math.max(1, Math.ceil(lines.length / n));
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, i) => lines.slice(i * size, (i + 1) * size));
}

/** Parameters, steps, pairs, tokens and time of the first seed of every job. */
export function budget(run: Run): Promise<BudgetMeasurement> {
  return measured(run, 'budget', {}, (base) => ({
    ...base,
    rows: comparedJobs(run)
      .filter((job) => job.seed === run.preset.seeds[0])
      .map(({ name, config, ...job }) => ({
        encoder: name,
        parameters: parameterCount(config.encoder),
        steps: config.steps,
        pairs: config.batchPairs,
        tokensPerClip: tokensPerClip(config),
        seconds: rounded(secondsOf(run, { name, config, ...job })),
      })),
  }));
}

/** Tokens of a clip that the encoder reads while pretraining; hybrid reads those of both patchings. */
export function tokensPerClip({ encoder, maskRatio }: PretrainConfig): number {
  const kept = (patching: Patching): number =>
    keptCount(numTokens(patching, encoder.nMels, encoder.clipFrames), maskRatio);
  return PATCHINGS[encoder.patches].reduce((sum, patching) => sum + kept(patching), 0);
}

/** Wall time of a finished job's steps. */
export function secondsOf(run: Run, job: PretrainingJob): number {
  return logOf(run, job).reduce((sum, line) => sum + line.milliseconds, 0) / 1000;
}
