/** Stage 1: every track rendered or decoded once, kept as mel spectrogram and chroma in shards of some tracks. */
import { existsSync } from 'node:fs';
import type { Corpus, Split, Track } from '../../corpus/index.js';
import { buildTable, type EmbeddingTable } from '../../embeddings/index.js';
import { CHROMA, MEL, type MelTrack } from '../../mel/index.js';
import { configId, namesInMetadata, readSafetensors, type StoredTensor } from '../../store/index.js';
import { pretrainingJobs } from '../pretraining/jobs.js';
import type { PretrainingData } from '../run/presets.js';
import type { Run } from '../run/run.js';
import type { StagePlan, Unit } from '../run/stages.js';

/** Rises whenever mel or chroma change. */
const FEATURES_VERSION = 1;
/** Rises whenever the shift changes. */
const SHIFTED_VERSION = 1;
const SHARD_TRACKS = 24;

/** Some tracks and the two files that hold what is known of their sound. */
export interface FeatureShard {
  readonly tracks: readonly Track[];
  readonly melPath: string;
  readonly chromaPath: string;
}

/** Some tracks and, for each number of semitones, the file that holds the mels of their shifted copies. */
export interface ShiftedShard {
  readonly tracks: readonly Track[];
  readonly copies: readonly { readonly semitones: number; readonly melPath: string }[];
}

/** Which tracks: a split of the embedded corpus, or the recordings. */
export type FeatureSet = Split | 'recordings';

/** Shards by run and set: their ids hash every recipe, and every table's id asks for them. */
const shardsOfRuns = new WeakMap<Run, Map<FeatureSet, readonly FeatureShard[]>>();

/** The shards of a set, in track order, whether they are there or not. */
export function featureShards(run: Run, set: FeatureSet): readonly FeatureShard[] {
  const known = shardsOfRuns.get(run) ?? new Map<FeatureSet, readonly FeatureShard[]>();
  shardsOfRuns.set(run, known);
  const shards = known.get(set) ?? shardsOf(run, set);
  known.set(set, shards);
  return shards;
}

function shardsOf(run: Run, set: FeatureSet): FeatureShard[] {
  const corpus: Corpus | null = set === 'recordings' ? run.recordings : run.corpus;
  if (!corpus) return [];
  const tracks = set === 'recordings' ? corpus.tracks : corpus.tracks.filter((track) => track.split === set);
  const shards: FeatureShard[] = [];
  for (let first = 0; first < tracks.length; first += SHARD_TRACKS) {
    const some = tracks.slice(first, first + SHARD_TRACKS);
    const id = configId({
      features: FEATURES_VERSION,
      mel: MEL,
      chroma: CHROMA,
      // Recordings are known by their content, wherever they lie and whatever lies beside them.
      ...(set === 'recordings' ? {} : { corpus: corpus.config }),
      tracks: some.map(({ id, source, labels }) =>
        source.kind === 'file'
          ? { id, checksum: labels.checksum, start: source.start, duration: source.duration }
          : { id, source },
      ),
    });
    shards.push({
      tracks: some,
      melPath: run.cache.path('features', `${id}-mel`, 'safetensors'),
      chromaPath: run.cache.path('features', `${id}-chroma`, 'safetensors'),
    });
  }
  return shards;
}

/** The shards of a set's copies, each shifted by so many semitones: one for each shard of the set, in the same order. */
export function shiftedShards(run: Run, set: FeatureSet, semitones: readonly number[]): ShiftedShard[] {
  return featureShards(run, set).map(({ tracks, melPath }) => ({
    tracks,
    copies: semitones.map((shift) => {
      const id = configId({ shifted: SHIFTED_VERSION, semitones: shift, of: melPath.slice(run.cache.root.length) });
      return { semitones: shift, melPath: run.cache.path('features', `${id}-shifted-mel`, 'safetensors') };
    }),
  }));
}

/** The shards of some sets as units. */
export function featurePlan(run: Run, sets: readonly FeatureSet[]): StagePlan<FeatureShard | ShiftedShard> {
  const units = sets
    .flatMap((set) => featureShards(run, set))
    .map((item) => ({
      item,
      weight: item.tracks.length,
      isDone: existsSync(item.melPath) && existsSync(item.chromaPath),
      makes: [item.melPath, item.chromaPath],
    }));
  return { stage: 'features', units: [...units, ...sets.flatMap((set) => shiftedUnits(run, set))] };
}

/** What pretraining jobs ask for beyond the tracks themselves: a track is rendered once for all shifts that are missing. */
function shiftedUnits(run: Run, set: FeatureSet): Unit<ShiftedShard>[] {
  const jobs = pretrainingJobs(run.preset, run.recordings !== null).filter(({ data }) => setsOf(data).includes(set));
  const semitones = [...new Set(jobs.flatMap(({ config }) => config.pitchShifts))];
  if (semitones.length === 0) return [];
  return shiftedShards(run, set, semitones).map(({ tracks, copies }) => {
    const missing = copies.filter(({ melPath }) => !existsSync(melPath));
    return {
      item: { tracks, copies: missing },
      // To shift a track takes about as long as to render it.
      weight: tracks.length * (1 + semitones.length),
      isDone: missing.length === 0,
      makes: copies.map(({ melPath }) => melPath),
    };
  });
}

/** The sets that a pretraining on such data listens to. */
export function setsOf(data: PretrainingData): readonly FeatureSet[] {
  if (data === 'both') return ['train', 'recordings'];
  return [data === 'real' ? 'recordings' : 'train'];
}

/** Mel spectrograms of a shard file. */
export function readMelShard(path: string): MelTrack[] {
  return inOrder(path).map(({ id, tensor }) => {
    const [nMels, nFrames] = tensor.shape;
    return { id, mel: { nMels, nFrames, data: tensor.data as Float32Array } };
  });
}

/** Mel spectrograms of all tracks of a set; the feature stage must have run. */
export function loadMels(run: Run, set: FeatureSet): MelTrack[] {
  return featureShards(run, set).flatMap((shard) => readMelShard(shard.melPath));
}

/** Chroma of a set: one row of 12 a clip, and one a whole track. */
export function loadChroma(run: Run, set: FeatureSet): { clips: EmbeddingTable; tracks: Float32Array[] } {
  const ids: string[] = [];
  const clips: Float32Array[] = [];
  const tracks: Float32Array[] = [];
  for (const shard of featureShards(run, set)) {
    const rows = inOrder(shard.chromaPath);
    for (const { id, tensor } of rows) {
      const data = tensor.data as Float32Array; // [1 + nClips, 12]: the whole track first
      ids.push(id);
      tracks.push(data.slice(0, 12));
      clips.push(data.slice(12));
    }
  }
  return { clips: buildTable(ids, clips, 12), tracks };
}

/** Tensors of a shard under their tracks' ids, in track order. */
function inOrder(path: string): { id: string; tensor: StoredTensor }[] {
  const { tensors, metadata } = readSafetensors(path);
  const ids = namesInMetadata(path, metadata, 'track_ids') ?? [];
  return ids.map((id, i) => ({ id, tensor: tensors.get(String(i))! }));
}
