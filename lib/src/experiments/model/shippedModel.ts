/**
 * The detector that ships in data/checkpoints/: how it is trained, step by step, each step kept in the cache, so that a
 * run that was stopped goes on. Nothing is chosen by a test split.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedCorpus, keySpans, pitchClassActivity, readFolder, type Corpus } from '../../corpus/index.js';
import { loadCheckpoint, saveCheckpoint } from '../../encoder/index.js';
import { InputError } from '../../errors.js';
import { fineTune, fineTuneConfigId, type FineTuneConfig, type FineTuneTrack } from '../../finetune/index.js';
import { NUM_KEYS } from '../../keys/index.js';
import {
  BIN_FRAMES,
  logitsOverPitches,
  noteTable,
  TOKEN_SECONDS,
  Transcriber,
  WHOLE_WINDOWS,
} from '../../notes/index.js';
import { MelShards, type MelSource, pretrain, pretrainConfigId } from '../../pretrain/index.js';
import { decideTracks, loadProbe, type Probe, saveProbe } from '../../probe/index.js';
import { fitTemperature } from '../../stats/index.js';
import { canonicalJson, configId, readWeights } from '../../store/index.js';
import { featurePlan, featureShards, type FeatureSet, loadMels } from '../features/features.js';
import { composedRows, heardRows, trainNoteHead } from './noteHead.js';
import type { ModelRecipe } from './recipe.js';
import { keysOf, openRun, RECORDINGS_FOLDER, type Run, type RunOptions, tracksOf } from '../run/run.js';
import { runStages } from '../run/stages.js';

/** Rises whenever what `noteStatistics` gives changes. */
const STATISTICS_VERSION = 1;
/** Rises whenever `transcribe` hears otherwise. */
const HEARING_VERSION = 2;

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

/** What a round of fine-tuning leaves; the transcriber only where it was trained. */
interface TunedFiles {
  readonly encoderPath: string;
  readonly transcriberPath: string | null;
}

/** The model as it ships: its head's logits are divided by the temperature before they become probabilities. */
export interface ShippedFiles extends ModelFiles {
  readonly temperature: number;
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
  const tracks = fineTuneTracks(run, train);
  const [first, ...others] = recipe.fineTuning;
  let tuned = await fineTuned(run, first, tracks, start);
  for (const round of others) tuned = await fineTuned(run, round, tracks, tuned.encoderPath);
  if (!tuned.transcriberPath)
    throw new InputError('model recipe, field fineTuning', 'its last round has no transcription; the head reads notes');
  const listener = { encoderPath: tuned.encoderPath, transcriberPath: tuned.transcriberPath };
  return calibrated(run, recipe, listener, await noteHead(run, recipe, listener));
}

/** Train pieces with their keys over time and, by token, their notes. */
function fineTuneTracks(run: Run, mels: readonly MelSource[]): FineTuneTrack[] {
  return tracksOf(run, 'train').map((track, i) => ({
    ...mels[i],
    keys: keySpans(track),
    activity: track.source.kind === 'composed' ? pitchClassActivity(track.source.recipe, TOKEN_SECONDS) : undefined,
  }));
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
): Promise<TunedFiles> {
  const id = configId({ model: fineTuneConfigId(config), start: start.slice(run.cache.root.length) });
  const dir = join(run.cache.root, 'model', `fine-tuning-${id}`);
  const files = {
    encoderPath: join(dir, 'encoder.safetensors'),
    transcriberPath: config.transcription > 0 ? join(dir, 'transcriber.safetensors') : null,
  };
  if (existsSync(files.transcriberPath ?? join(dir, 'head.safetensors'))) return files;
  const { onProgress, signal } = run.options;
  await fineTune(config, loadCheckpoint(start).encoder, tracks, {
    dir,
    clock,
    signal,
    onStep: ({ step }) => onProgress?.('fine-tuning', step, config.steps, null),
  });
  return files;
}

/** An encoder and the head that writes down what it hears. */
interface Listener {
  readonly encoderPath: string;
  readonly transcriberPath: string;
}

const transcriberAt = (path: string): Transcriber => Transcriber.fromTensors(readWeights(path).tensors, path)!;

/** @returns the path of the head on notes, composed ones first, then those that are heard in the train pieces */
async function noteHead(run: Run, recipe: ModelRecipe, listener: Listener): Promise<string> {
  const { composed, onComposed, onHeard } = recipe.noteHead;
  const { onProgress, signal } = run.options;
  const head = async (stage: string, config: object, train: (progress: (done: number, total: number) => void) => Promise<Probe>): Promise<string> => {
    const path = join(run.cache.root, 'model', `note-head-${configId(config)}`, 'head.safetensors');
    if (!existsSync(path)) saveProbe(path, await train((done, total) => onProgress?.(stage, done, total, null)));
    return path;
  }; // prettier-ignore
  const first = { statistics: STATISTICS_VERSION, backend: run.backend, composed, onComposed };
  const onWritten = await head('note head, composed', first, (progress) =>
    trainNoteHead(onComposed, composedRows(composed), { signal, onProgress: progress }),
  );
  const second = {
    ...first,
    onHeard,
    hearing: HEARING_VERSION,
    listener: listener.encoderPath.slice(run.cache.root.length),
  };
  return head('note head, heard', second, async (progress) => {
    const { encoder } = loadCheckpoint(listener.encoderPath);
    try {
      const tracks = tracksOf(run, 'train');
      const rows = await heardRows(encoder, transcriberAt(listener.transcriberPath), tracks, storedMels(run, 'train'), {
        seed: recipe.corpus.seed,
        signal,
        onTrack: (done) => onProgress?.('notes', done, tracks.length, null),
      });
      return await trainNoteHead(onHeard, rows, { start: loadProbe(onWritten), signal, onProgress: progress });
    } finally {
      encoder.dispose();
    }
  });
}

/** The files with the recipe in their metadata and the temperature in the head's. */
async function calibrated(
  run: Run,
  recipe: ModelRecipe,
  { encoderPath, transcriberPath }: Listener,
  notePath: string,
): Promise<ShippedFiles> {
  const dir = join(run.cache.root, 'model', `shipped-${configId({ recipe, backend: run.backend })}`);
  const files = { encoderPath: join(dir, 'encoder.safetensors'), headPath: join(dir, 'head.safetensors') };
  const { encoder } = loadCheckpoint(encoderPath);
  try {
    const transcriber = transcriberAt(transcriberPath);
    const probe = loadProbe(notePath);
    const table = await noteTable(encoder, transcriber, loadMels(run, 'valid'));
    const { logits } = decideTracks(logitsOverPitches(probe, table.embeddings), table);
    const temperature = fitTemperature({ logits, labels: keysOf(run, 'valid'), nClasses: NUM_KEYS });
    const metadata = { recipe: canonicalJson(recipe), backend: run.backend };
    saveCheckpoint(files.encoderPath, encoder, { metadata: { ...metadata, kind: 'encoder' } });
    const ofHead = {
      ...metadata,
      kind: 'key head on notes',
      temperature: String(temperature),
      // For programs that hear windows one by one, as those that run an export.
      clipHop: String(WHOLE_WINDOWS.hop * BIN_FRAMES),
    };
    saveProbe(files.headPath, probe, ofHead, transcriber.toTensors());
    return { ...files, temperature };
  } finally {
    encoder.dispose();
  }
}
