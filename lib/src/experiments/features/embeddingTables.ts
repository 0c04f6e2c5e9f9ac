/** Stage 3: embedding tables of every encoder, split and layer, and the tables that need no encoder. */
import { existsSync } from 'node:fs';
import { type EmbeddingTable, loadEmbeddingTable, melMeanTable, saveEmbeddingTable } from '../../embeddings/index.js';
import type { Split } from '../../corpus/index.js';
import { configId } from '../../store/index.js';
import { encoderSource, type EncoderSource } from '../augmented/encoderSource.js';
import { featureShards, loadMels } from './features.js';
import { encodersOf, type EncoderOfSeed, isBase } from '../pretraining/jobs.js';
import { pretrainingUnit } from '../pretraining/pretraining.js';
import { STAGES_VERSION, type Run } from '../run/run.js';
import type { StagePlan } from '../run/stages.js';

export type TableLayer = number | 'output';

/** One encoder on one split: the layers to read and a file for each. */
export interface EmbeddingUnit {
  readonly encoder: EncoderSource;
  readonly melPaths: readonly string[];
  readonly outputs: readonly { readonly layer: TableLayer; readonly path: string }[];
}

/** Every encoder of this run. */
export function encodersOfRun(run: Run): EncoderOfSeed[] {
  return encodersOf(run.preset, run.recordings !== null);
}

/** Where the table of an encoder (after `step` of its pretraining; default all), split and layer is. */
export function tablePath(
  run: Run,
  encoder: EncoderOfSeed,
  split: Split,
  layer: TableLayer = 'output',
  step?: number,
): string {
  const id = configId({
    version: STAGES_VERSION,
    encoder: encoder.job
      ? pretrainingUnit(run, encoder.job).dir.slice(run.cache.root.length)
      : { config: encoder.config, seed: encoder.seed },
    step: step ?? null,
    features: featureShards(run, split).map((shard) => shard.melPath.slice(run.cache.root.length)),
    layer,
    backend: run.backend,
  });
  return run.cache.path('embeddings', id, 'safetensors');
}

/** Layers that are probed one by one: all blocks, for the seeds that the preset names. */
export function layersOf(run: Run, encoder: EncoderOfSeed): TableLayer[] {
  if (!isBase(encoder) || !run.preset.layerSeeds.includes(encoder.seed)) return ['output'];
  return [...Array.from({ length: encoder.config.depth + 1 }, (_, layer) => layer), 'output'];
}

const ALL_SPLITS: readonly Split[] = ['train', 'valid', 'test', 'testTimbre'];

/** The tables as units, one for an encoder and a split. */
export function embeddingPlan(run: Run): StagePlan<EmbeddingUnit> {
  const whole = encodersOfRun(run).flatMap((encoder) =>
    ALL_SPLITS.map((split) => embeddingUnit(run, encoder, split, layersOf(run, encoder))),
  );
  const snapshots = snapshotEncoders(run).flatMap((encoder) =>
    encoder.job!.config.snapshotSteps.flatMap((step) =>
      (['train', 'valid'] as const).map((split) => embeddingUnit(run, encoder, split, ['output'], step)),
    ),
  );
  const units = [...whole, ...snapshots].map(({ item, weight }) => ({
    item,
    weight,
    isDone: item.outputs.every(({ path }) => existsSync(path)),
    reads: 'checkpoint' in item.encoder ? [...item.melPaths, item.encoder.checkpoint] : item.melPaths,
  }));
  // The longest first, so that no thread is left with a long one at the end; those of one split together.
  units.sort((a, b) => b.weight - a.weight || a.item.melPaths[0].localeCompare(b.item.melPaths[0]));
  return { stage: 'embeddings', units };
}

/** Pretrained encoders whose snapshots are looked at: the base jobs of every seed. */
export function snapshotEncoders(run: Run): EncoderOfSeed[] {
  return encodersOfRun(run).filter((encoder) => encoder.job?.published === null && isBase(encoder));
}

function embeddingUnit(
  run: Run,
  encoder: EncoderOfSeed,
  split: Split,
  layers: readonly TableLayer[],
  step?: number,
): { item: EmbeddingUnit; weight: number } {
  const shards = featureShards(run, split);
  return {
    item: {
      encoder: encoderSource(run, encoder, step),
      melPaths: shards.map((shard) => shard.melPath),
      outputs: layers.map((layer) => ({ layer, path: tablePath(run, encoder, split, layer, step) })),
    },
    weight: shards.reduce((sum, shard) => sum + shard.tracks.length, 0) * (encoder.config.patches === 'hybrid' ? 2 : 1),
  };
}

/** A table that the embedding stage made. */
export function loadTable(
  run: Run,
  encoder: EncoderOfSeed,
  split: Split,
  layer?: TableLayer,
  step?: number,
): EmbeddingTable {
  return loadEmbeddingTable(tablePath(run, encoder, split, layer, step));
}

/** Path of the log-mel mean table of a split, made if it is not there. */
export function melMeanPath(run: Run, split: Split): Promise<string> {
  const config = {
    melMean: STAGES_VERSION,
    features: featureShards(run, split).map((shard) => shard.melPath.slice(run.cache.root.length)),
  };
  return run.cache.file('mel-mean', config, 'safetensors', (path) =>
    saveEmbeddingTable(path, melMeanTable(loadMels(run, split))),
  );
}
