/** Stage: augmented audio, straight to embeddings and chroma; the audio and its mel are not kept. */
import { existsSync } from 'node:fs';
import type { Split, Track } from '../../corpus/index.js';
import { buildTable, type EmbeddingTable } from '../../embeddings/index.js';
import { InputError } from '../../errors.js';
import { configId, readSafetensors, type StoredTensor } from '../../store/index.js';
import { augmentedChains, type Chain, chainName } from './augmentedSets.js';
import { encodersOfRun } from '../features/embeddingTables.js';
import { type EncoderSource, encoderSource } from './encoderSource.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import { checkpointOf, pretrainingUnit } from '../pretraining/pretraining.js';
import { STAGES_VERSION, tracksOf, type Run } from '../run/run.js';
import type { StagePlan } from '../run/stages.js';

/** Tracks of one unit, and chains of one unit: a unit takes some seconds, and renders its tracks once. */
const SHARD_TRACKS = 12;
const UNIT_CHAINS = 12;

/** Some tracks under some chains; a file for each chain. */
export interface AugmentedUnit {
  readonly tracks: readonly Track[];
  /** Clips of each track that are heard. */
  readonly clips: number;
  readonly chains: readonly { readonly chain: Chain; readonly path: string }[];
  readonly encoders: readonly { readonly key: string; readonly source: EncoderSource }[];
}

const ANALYSED = ['vertical-pretrained', 'vertical-random', 'square-pretrained'];

/** The encoders whose augmented embeddings there are, seed by seed. */
export function augmentedEncoders(run: Run): EncoderOfSeed[] {
  return encodersOfRun(run).filter(
    ({ name, seed }) => ANALYSED.includes(name.id) && run.preset.augmented.seeds.includes(seed),
  );
}

/** The tracks of the augmented tables of a split, in order. */
export function augmentedTracks(run: Run, split: Split): readonly Track[] {
  return tracksOf(run, split).slice(0, run.preset.augmented.tracks[split]);
}

/** The stage: each split's tracks under its chains. */
export function augmentedPlan(run: Run): StagePlan<AugmentedUnit> {
  const encoders = augmentedEncoders(run).map((encoder) => ({
    key: encoderKey(encoder),
    source: encoderSource(run, encoder),
  }));
  const reads = encoders.flatMap(({ source }) => ('checkpoint' in source ? [source.checkpoint] : []));
  const units = (['train', 'valid', 'test', 'testTimbre'] as const).flatMap((split) =>
    shards(run, split).flatMap((tracks) =>
      inParts(augmentedChains(run.preset, split), UNIT_CHAINS).map((chains) => {
        const withPaths = chains.map((chain) => ({ chain, path: chainPath(run, tracks, chain) }));
        return {
          item: { tracks, clips: run.preset.augmented.clips, chains: withPaths, encoders },
          weight: tracks.length * chains.length,
          isDone: withPaths.every(({ path }) => existsSync(path)),
          reads,
        };
      }),
    ),
  );
  return { stage: 'augmented', units };
}

/**
 * The embeddings of a split's augmented tracks. Whatever the chain, row i is the same clip: of stretched audio the clips
 * begin where the clean ones begin in the music.
 *
 * @throws InputError if the chain is none of the split's, or the stage has not run
 */
export function loadAugmented(run: Run, encoder: EncoderOfSeed, split: Split, chain: Chain): EmbeddingTable {
  const tracks = augmentedTracks(run, split);
  let width = 0;
  const rows = shards(run, split).flatMap((some) => {
    const { data, shape } = tensorOf(run, split, some, chain, encoderKey(encoder));
    width = shape[1];
    const perTrack = data.length / some.length;
    return some.map((_, i) => (data as Float32Array).slice(i * perTrack, (i + 1) * perTrack));
  });
  return buildTable(
    tracks.map(({ id }) => id),
    rows,
    width,
  );
}

/** Chroma [12] of the heard part of each augmented track. @throws InputError as `loadAugmented` */
export function loadAugmentedChroma(run: Run, split: Split, chain: Chain): Float32Array[] {
  return shards(run, split).flatMap((some) => {
    const { data } = tensorOf(run, split, some, chain, 'chroma');
    return some.map((_, i) => (data as Float32Array).slice(12 * i, 12 * (i + 1)));
  });
}

function tensorOf(run: Run, split: Split, tracks: readonly Track[], chain: Chain, name: string): StoredTensor {
  const path = chainPath(run, tracks, chain);
  if (!existsSync(path)) {
    const isKnown = augmentedChains(run.preset, split).some((one) => JSON.stringify(one) === JSON.stringify(chain));
    throw new InputError(
      `augmented tables, split ${split}, ${chainName(chain)}`,
      isKnown ? "the stage 'augmented' has not run; run it first" : 'the preset has no such chain of this split',
    );
  }
  return readSafetensors(path).tensors.get(name)!;
}

function encoderKey({ name, seed }: EncoderOfSeed): string {
  return `${name.id}/${seed}`;
}

function shards(run: Run, split: Split): (readonly Track[])[] {
  return inParts(augmentedTracks(run, split), SHARD_TRACKS);
}

/** Where some tracks under a chain are; asked for often, so kept by run. */
function chainPath(run: Run, tracks: readonly Track[], chain: Chain): string {
  const id = configId({
    version: STAGES_VERSION,
    tracks: shardId(run, tracks),
    clips: run.preset.augmented.clips,
    chain,
    encoders: encodersId(run),
  });
  return run.cache.path('augmented', id, 'safetensors');
}

const encoderIds = new WeakMap<Run, unknown>();

function encodersId(run: Run): unknown {
  const known = encoderIds.get(run) ?? {
    backend: run.backend,
    encoders: augmentedEncoders(run).map((encoder) => [
      encoderKey(encoder),
      checkpointOf(run, encoder) === null
        ? { config: encoder.config, seed: encoder.seed }
        : pretrainingUnit(run, encoder.job!).dir.slice(run.cache.root.length),
    ]),
  };
  encoderIds.set(run, known);
  return known;
}

const shardIds = new WeakMap<Track, string>();

/** Recipes are long; their hash is remembered at the first track of the shard. */
function shardId(run: Run, tracks: readonly Track[]): string {
  const known =
    shardIds.get(tracks[0]) ??
    configId({ corpus: run.corpus.config, tracks: tracks.map(({ id, source }) => ({ id, source })) });
  shardIds.set(tracks[0], known);
  return known;
}

function inParts<T>(values: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}
