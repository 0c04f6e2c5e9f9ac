/** All heavy stages of a preset; notebooks then only read. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { keepLimit } from '../../store/index.js';
import { computeAblationProbes } from '../pretraining/ablations.js';
import { augmentedPlan } from '../augmented/augmentedTables.js';
import { computeTsne } from '../tsne/augmentedTsneStage.js';
import { embeddingPlan } from '../features/embeddingTables.js';
import { featurePlan } from '../features/features.js';
import { computeGrids } from '../grid/grid.js';
import { computePitchAugmentation } from '../grid/pitchAugmentation.js';
import { computeMapProbes } from '../maps/mapProbes.js';
import { computeMaps } from '../maps/mapUnits.js';
import { computeMixUp } from '../mixup/mixUp.js';
import { presetOf } from './presets.js';
import { pretrainingPlan } from '../pretraining/pretraining.js';
import { computeProbes } from '../probing/probing.js';
import { computeRobustness } from '../robustness/robustnessSystems.js';
import { openRun, type Run, RECORDINGS_FOLDER, type RunOptions } from './run.js';
import { runStages, type StagePlan } from './stages.js';

export interface StageTime {
  readonly stage: string;
  /** Wall time from its first unit to the end of its last; null without a clock. */
  readonly seconds: number | null;
}

const features = (run: Run): StagePlan =>
  featurePlan(run, ['train', 'valid', 'test', 'testTimbre', ...(run.recordings ? (['recordings'] as const) : [])]);

async function probes(run: Run): Promise<void> {
  await computeProbes(run);
  await computeAblationProbes(run);
}

/** The stages that a run can be asked for one by one, in order. */
export const STAGES = {
  features: async (run: Run) => void (await runStages(run, [features(run)])),
  pretraining: async (run: Run) => void (await runStages(run, [pretrainingPlan(run)])),
  embeddings: async (run: Run) => void (await runStages(run, [embeddingPlan(run)])),
  augmented: async (run: Run) => void (await runStages(run, [augmentedPlan(run)])),
  probes,
  grid: computeGrids,
  pitchAugmentation: computePitchAugmentation,
  mixUp: computeMixUp,
  tsne: computeTsne,
  maps: async (run: Run) => {
    await computeMaps(run);
    await computeMapProbes(run);
  },
  robustness: computeRobustness,
} as const;

export type StageName = keyof typeof STAGES;

/** Runs one stage of a run; the stages before it must have run. */
export function runStageOf(run: Run, stage: StageName): Promise<void> {
  return STAGES[stage](run);
}

/**
 * Computes whatever the notebooks of a preset need and is not in the cache. The stages before the probes overlap where
 * threads would wait. Interrupted, it goes on where it was.
 *
 * @param preset smoke, laptop, study or paper
 * @throws the signal's reason on abort
 */
export async function prepare(preset: string, options: RunOptions): Promise<StageTime[]> {
  const run = await openRun(preset, options);
  options.signal?.throwIfAborted();
  const overlapping = ['features', 'pretraining', 'embeddings', 'augmented'] as const;
  const seconds = await runStages(run, [features(run), pretrainingPlan(run), embeddingPlan(run), augmentedPlan(run)]);
  options.signal?.throwIfAborted();
  const times: StageTime[] = overlapping.map((stage, i) => ({ stage, seconds: seconds[i] }));
  for (const stage of ['probes', 'grid', 'pitchAugmentation', 'mixUp', 'tsne', 'maps', 'robustness'] as const) {
    const begin = options.clock?.() ?? null;
    await runStageOf(run, stage);
    options.signal?.throwIfAborted();
    times.push({ stage, seconds: begin === null ? null : (options.clock!() - begin) / 1000 });
  }
  keepLimit(run.cache.root, options.cacheLimit);
  return times;
}

/**
 * What a preset would use but does not find, one sentence each; empty if nothing is missing.
 * @param dataFile that names the reader's own data; null: none
 */
export function missingFor(preset: string, root: string, dataFile: string | null = null): string[] {
  const { variants, name } = presetOf(preset);
  const missing: string[] = [];
  if (
    variants.some((variant) => variant.data && variant.data !== 'embedded') &&
    !existsSync(join(root, RECORDINGS_FOLDER))
  )
    missing.push(
      `No recordings in ${RECORDINGS_FOLDER}/: pretraining on real music is left out. Any audio files will do, in any folders below it.`,
    );
  if (name === 'paper' && dataFile === null)
    missing.push(
      'No data/user/paper.json: the embedded corpus is used instead of GiantSteps or Billboard, and encoders of size S are pretrained here, which takes days on a CPU (install @tensorflow/tfjs-node-gpu for a GPU). The file names your data sets and published weights; see "Your own data" in README.md.',
    );
  return missing;
}
