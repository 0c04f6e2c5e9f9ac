/**
 * The detector that ships in data/checkpoints/: how it is trained, step by step, each step kept in the cache, so that a
 * run that was stopped goes on. Nothing is chosen by a test split.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedCorpus, keySpans, readFolder, type Corpus, type Split } from '../../corpus/index.js';
import { embedTracks } from '../../embeddings/index.js';
import { encoderConfig, loadCheckpoint, saveCheckpoint } from '../../encoder/index.js';
import { InputError } from '../../errors.js';
import {
  FINE_TUNE_DEFAULTS,
  fineTune,
  fineTuneConfig,
  fineTuneConfigId,
  type FineTuneConfig,
  type FineTuneTrack,
} from '../../finetune/index.js';
import { NUM_KEYS } from '../../keys/index.js';
import {
  MelShards,
  type MelSource,
  pretrain,
  pretrainConfig,
  pretrainConfigId,
  type PretrainConfig,
} from '../../pretrain/index.js';
import { loadProbe, saveProbe } from '../../probe/index.js';
import { fitTemperature } from '../../stats/index.js';
import { canonicalJson, configId } from '../../store/index.js';
import { featurePlan, featureShards, type FeatureSet, loadMels } from '../features/features.js';
import { presetOf } from '../run/presets.js';
import { keysOf, openRun, RECORDINGS_FOLDER, type Run, type RunOptions, tracksOf } from '../run/run.js';
import { runStages } from '../run/stages.js';

/** Everything that the model depends on; it stands in the metadata of its files. */
export interface ModelRecipe {
  readonly corpus: {
    readonly sizes: Readonly<Record<Split, number>>;
    readonly seed: number;
    readonly keysPerPiece: number;
  };
  /** Whether pretraining hears the recordings in data/user/open-music too; they must be there then. */
  readonly withRecordings: boolean;
  readonly pretraining: PretrainConfig;
  /**
   * Frames from clip to clip when the model is asked. On valid, clips that overlap by half answered better than
   * contiguous ones.
   */
  readonly clipHop: number;
  /** Rounds, each going on from the encoder of the one before it, with a new head. */
  readonly fineTuning: readonly [FineTuneConfig, ...FineTuneConfig[]];
}

const ENCODER = encoderConfig('vertical', 'small', { width: 256, numHeads: 4, mlpDim: 1024, inputScale: 'log1p' });

const ROUND = { warmUpSteps: 200, weightDecay: 0.02, checkpointEverySteps: 200 } as const;

/** The model in data/checkpoints/. */
export const SHIPPED_MODEL: ModelRecipe = {
  // A corpus of another seed than the presets': no piece of it is in their tables.
  corpus: { sizes: { train: 12288, valid: 384, test: 0, testTimbre: 0 }, seed: 20, keysPerPiece: 1 },
  withRecordings: true,
  pretraining: pretrainConfig({ ...presetOf('study').pretraining, encoder: ENCODER, steps: 600, snapshotSteps: [] }),
  clipHop: ENCODER.clipFrames / 2,
  fineTuning: [
    fineTuneConfig({ ...ROUND, steps: 7000, learningRate: 1e-3 }),
    // After the first round training pieces were answered better than those of valid: in other keys they are new ones.
    fineTuneConfig({
      ...ROUND,
      steps: 7500,
      learningRate: 8e-4,
      batchTracks: 64,
      clipsPerTrack: 1,
      augmentation: { ...FINE_TUNE_DEFAULTS.augmentation, semitones: [-5, 6] },
      seed: 1,
    }),
  ],
};

/** The run that features are kept under: the recipe's corpus and nothing of a preset's analyses. */
async function modelRun(recipe: ModelRecipe, options: RunOptions): Promise<Run> {
  const run = await openRun('smoke', options);
  const preset = { ...run.preset, corpus: recipe.corpus, variants: [] };
  const corpus = embeddedCorpus(recipe.corpus);
  return { ...run, preset, corpus, recordings: recipe.withRecordings ? await recordings(run) : null };
}

async function recordings({ cache, options, preset }: Run): Promise<Corpus> {
  const folder = join(options.root, RECORDINGS_FOLDER);
  if (!existsSync(folder))
    throw new InputError(folder, 'there is no such folder; node tools/fetch-open-music.mjs fills it (Debian, Ubuntu)');
  const onProgress = (done: number, total: number): void => options.onProgress?.('recordings', done, total, null);
  return readFolder(folder, { itemSeconds: preset.itemSeconds, cache, onProgress, signal: options.signal });
}

/** Where the files of a trained model are. */
export interface ModelFiles {
  readonly encoderPath: string;
  readonly headPath: string;
}

/** The model as it ships: its head's logits are divided by the temperature before they become probabilities. */
export interface ShippedFiles extends ModelFiles {
  readonly temperature: number;
  readonly clipHop: number;
}

/**
 * Trains the model, or what of it is missing in the cache.
 *
 * @returns files with everything that made them in their metadata, the head's temperature fitted on the valid split
 * @throws InputError if recordings are asked for and absent; the signal's reason on abort
 */
export async function trainShippedModel(recipe: ModelRecipe, options: RunOptions): Promise<ShippedFiles> {
  const run = await modelRun(recipe, options);
  await runStages(run, [featurePlan(run, ['train', 'valid', ...(run.recordings ? (['recordings'] as const) : [])])]);
  const train = storedMels(run, 'train');
  const start = await pretrained(run, recipe, train);
  const tracks: FineTuneTrack[] = tracksOf(run, 'train').map((track, i) => ({ ...train[i], keys: keySpans(track) }));
  const [first, ...others] = recipe.fineTuning;
  let tuned = await fineTuned(run, first, tracks, start);
  for (const round of others) tuned = await fineTuned(run, round, tracks, tuned.encoderPath);
  return calibrated(run, recipe, tuned);
}

/** The mels of a set, read from disk batch by batch: 12,000 tracks would fill 5 GB. */
function storedMels(run: Run, set: FeatureSet): MelSource[] {
  const shards = new MelShards();
  return featureShards(run, set).flatMap(({ melPath }) => shards.open(melPath).tracks);
}

const clock = (): number => performance.now();

/** @returns the path of the pretrained encoder */
async function pretrained(
  run: Run,
  { corpus, pretraining }: ModelRecipe,
  train: readonly MelSource[],
): Promise<string> {
  const data = { corpus, recordings: run.recordings?.config ?? null };
  const id = configId({ model: pretrainConfigId(pretraining), data, backend: run.backend });
  const dir = join(run.cache.root, 'model', `pretraining-${id}`);
  const path = join(dir, 'encoder.safetensors');
  if (existsSync(path)) return path;
  const tracks = run.recordings ? [...train, ...storedMels(run, 'recordings')] : train;
  const { onProgress, signal } = run.options;
  await pretrain(pretraining, tracks, {
    dir,
    clock,
    signal,
    onStep: ({ step }) => onProgress?.('pretraining', step, pretraining.steps, null),
  });
  return path;
}

async function fineTuned(
  run: Run,
  config: FineTuneConfig,
  tracks: readonly FineTuneTrack[],
  start: string,
): Promise<ModelFiles> {
  const id = configId({ model: fineTuneConfigId(config), start: start.slice(run.cache.root.length) });
  const dir = join(run.cache.root, 'model', `fine-tuning-${id}`);
  const files = { encoderPath: join(dir, 'encoder.safetensors'), headPath: join(dir, 'head.safetensors') };
  if (existsSync(files.headPath)) return files;
  const { onProgress, signal } = run.options;
  await fineTune(config, loadCheckpoint(start).encoder, tracks, {
    dir,
    clock,
    signal,
    onStep: ({ step }) => onProgress?.('fine-tuning', step, config.steps, null),
  });
  return files;
}

/** The files with the recipe in their metadata and the temperature in the head's. */
async function calibrated(run: Run, recipe: ModelRecipe, tuned: ModelFiles): Promise<ShippedFiles> {
  const dir = join(run.cache.root, 'model', `shipped-${configId({ recipe, backend: run.backend })}`);
  const files = { encoderPath: join(dir, 'encoder.safetensors'), headPath: join(dir, 'head.safetensors') };
  const { encoder } = loadCheckpoint(tuned.encoderPath);
  try {
    const probe = loadProbe(tuned.headPath);
    const { clipHop } = recipe;
    const logits = probe.trackLogits(await embedTracks(encoder, loadMels(run, 'valid'), { clipHop }));
    const temperature = fitTemperature({ logits, labels: keysOf(run, 'valid'), nClasses: NUM_KEYS });
    const metadata = { recipe: canonicalJson(recipe), backend: run.backend };
    saveCheckpoint(files.encoderPath, encoder, { metadata: { ...metadata, kind: 'encoder' } });
    saveProbe(files.headPath, probe, { ...metadata, kind: 'key head', temperature: String(temperature), clipHop: String(clipHop) }); // prettier-ignore
    return { ...files, temperature, clipHop };
  } finally {
    encoder.dispose();
  }
}
