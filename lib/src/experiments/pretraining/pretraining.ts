/** Stage 2: pretraining. Every job is a folder in the cache, resumable; two run at once, each with its own backend. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pretrainConfigId, readLog, snapshotPath, type PretrainLogLine } from '../../pretrain/index.js';
import { configId } from '../../store/index.js';
import { featureShards, setsOf, shiftedShards } from '../features/features.js';
import { type EncoderOfSeed, pretrainingJobs, type PretrainingJob } from './jobs.js';
import { publishedFolder } from '../run/readersData.js';
import { STAGES_VERSION, type Run } from '../run/run.js';
import type { StagePlan } from '../run/stages.js';

/** A job with the files that it reads and the folder that it fills. */
export interface PretrainingUnit {
  readonly job: PretrainingJob;
  readonly melPaths: readonly string[];
  /** Shards of the tracks' shifted copies, in the order of `melPaths`; absent where no view is shifted. */
  readonly shifted?: readonly { readonly semitones: number; readonly melPaths: readonly string[] }[];
  readonly dir: string;
}

/** The jobs that this run trains. */
export function jobsOf(run: Run): PretrainingJob[] {
  return pretrainingJobs(run.preset, run.recordings !== null).filter(({ published }) => published === null);
}

/** Where a job reads and writes. */
export function pretrainingUnit(run: Run, job: PretrainingJob): PretrainingUnit {
  if (job.published !== null) return { job, melPaths: [], dir: publishedFolder(run.cache, job.published) };
  const sets = setsOf(job.data);
  const melPaths = sets.flatMap((set) => featureShards(run, set)).map((shard) => shard.melPath);
  const { pitchShifts } = job.config;
  const copies = sets.flatMap((set) => shiftedShards(run, set, pitchShifts)).map((shard) => shard.copies);
  const shifted = pitchShifts.map((semitones, i) => ({ semitones, melPaths: copies.map((of) => of[i].melPath) }));
  const relative = (paths: readonly string[]): string[] => paths.map((path) => path.slice(run.cache.root.length));
  const id = configId({
    version: STAGES_VERSION,
    config: pretrainConfigId(job.config),
    snapshots: job.config.snapshotSteps,
    features: relative(melPaths),
    ...(shifted.length > 0 && { shifted: shifted.map((of) => relative(of.melPaths)) }),
    backend: run.backend,
  });
  const dir = run.cache.folder('pretraining', id);
  return { job, melPaths, ...(shifted.length > 0 && { shifted }), dir };
}

/** The jobs as units; one that was interrupted goes on. */
export function pretrainingPlan(run: Run): StagePlan<PretrainingUnit> {
  const units = jobsOf(run).map((job) => {
    const item = pretrainingUnit(run, job);
    const encoder = join(item.dir, 'encoder.safetensors');
    return {
      item,
      weight: job.config.steps,
      isDone: existsSync(encoder),
      reads: [...item.melPaths, ...(item.shifted ?? []).flatMap(({ melPaths }) => melPaths)],
      makes: [encoder, ...job.config.snapshotSteps.map((step) => snapshotPath(item.dir, step))],
    };
  });
  return { stage: 'pretraining', units };
}

/** Checkpoint of an encoder after so many steps (default: all); null for a random initialisation. */
export function checkpointOf(run: Run, encoder: EncoderOfSeed, step?: number): string | null {
  if (!encoder.job) return null;
  const { dir } = pretrainingUnit(run, encoder.job);
  return step === undefined ? join(dir, 'encoder.safetensors') : snapshotPath(dir, step);
}

/** Log of a finished job. */
export function logOf(run: Run, job: PretrainingJob): PretrainLogLine[] {
  return readLog(join(pretrainingUnit(run, job).dir, 'log.jsonl'));
}
