/** 07: probes trained with maps, with really augmented audio and with neither, in the same number of steps. */
import { existsSync } from 'node:fs';
import type { EmbeddingTable } from '../../embeddings/index.js';
import type { AugmentationMap } from '../../maps/index.js';
import { transposeKey } from '../../keys/index.js';
import type { ProbeConfig } from '../../probe/index.js';
import { configId, readJson } from '../../store/index.js';
import {
  chainShift,
  CLEAN,
  type Chain,
  MAP_AUGMENTATIONS,
  robustnessChains,
  shiftChains,
} from '../augmented/augmentedSets.js';
import { augmentedTracks, loadAugmented } from '../augmented/augmentedTables.js';
import { loadTable, tablePath } from '../features/embeddingTables.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import type { ProbeTestId } from './mapProbeMeasurements.js';
import { loadRunMap, mainEncoders, mapResultPath } from './mapUnits.js';
import { keysOf, STAGES_VERSION, type Run } from '../run/run.js';
import { runStage, type Unit } from '../run/stages.js';

/** Rises whenever the code behind these probes changes what comes out of it. */
const MAP_PROBES_VERSION = 1;

/** What a probe is trained on and with. part: the tracks that have augmented audio; whole: the whole train split. */
export interface ProbeVariant {
  readonly id: string;
  readonly label: string;
  readonly trainOn: 'part' | 'whole';
  /** what a batch goes through with probability .8: nothing, its audio augmented, or a map */
  readonly by: 'none' | 'audio' | 'map' | 'mean';
  /** with the 15 augmentations that leave the key, or with the semitone shifts that move it */
  readonly what: 'augmentations' | 'shifts';
}

export const PROBE_VARIANTS: readonly ProbeVariant[] = [
  { id: 'part-none', label: 'none', trainOn: 'part', by: 'none', what: 'augmentations' },
  { id: 'part-audio', label: 'augmented audio', trainOn: 'part', by: 'audio', what: 'augmentations' },
  { id: 'part-maps', label: 'linear maps', trainOn: 'part', by: 'map', what: 'augmentations' },
  { id: 'part-means', label: 'mean shifts', trainOn: 'part', by: 'mean', what: 'augmentations' },
  { id: 'part-audio-shifts', label: 'pitch-shifted audio', trainOn: 'part', by: 'audio', what: 'shifts' },
  { id: 'part-map-shifts', label: 'semitone maps', trainOn: 'part', by: 'map', what: 'shifts' },
  { id: 'whole-none', label: 'none', trainOn: 'whole', by: 'none', what: 'augmentations' },
  { id: 'whole-maps', label: 'linear maps', trainOn: 'whole', by: 'map', what: 'augmentations' },
  { id: 'whole-map-shifts', label: 'semitone maps', trainOn: 'whole', by: 'map', what: 'shifts' },
];

/** Embeddings with the key of each track. */
export interface KeyedTable {
  readonly table: EmbeddingTable;
  readonly keyIds: readonly number[];
}

/** One way of hearing the train tracks. */
export interface HeardVariant {
  readonly labelShift: number;
  readonly audio: EmbeddingTable;
  readonly map: AugmentationMap;
}

/** All variants with one encoder, head and seed. */
export interface MapProbeUnit {
  readonly configs: readonly Partial<ProbeConfig>[];
  readonly seed: number;
  readonly part: KeyedTable;
  readonly whole: KeyedTable;
  readonly valid: KeyedTable;
  readonly heard: Readonly<Record<ProbeVariant['what'], readonly HeardVariant[]>>;
  readonly tests: Readonly<Record<ProbeTestId, readonly KeyedTable[]>>;
  readonly path: string;
}

/** Estimated keys: `[variant id][test id][table][track]`. */
export type MapProbeResult = Readonly<Record<string, Readonly<Record<ProbeTestId, readonly (readonly number[])[]>>>>;

export type MapProbeMethod = 'linear' | 'mlp';

/** One training of all variants: one a pretraining seed, with the first seed of the probe. */
export interface MapProbeSeed {
  readonly encoder: EncoderOfSeed;
  readonly seed: number;
}

export function mapProbeSeeds(run: Run): MapProbeSeed[] {
  return mainEncoders(run).map((encoder) => ({ encoder, seed: run.preset.probes.seeds[0] }));
}

/** Chains of each kind that probes are trained with. */
export function heardChains(run: Run, what: ProbeVariant['what']): Chain[] {
  return what === 'shifts' ? shiftChains(run.preset) : MAP_AUGMENTATIONS.map((one): Chain => [one]);
}

/** The first MLP of the preset alone: each configuration is trained once for every variant. */
function configsOf({ preset }: Run, method: MapProbeMethod): readonly Partial<ProbeConfig>[] {
  return method === 'linear' ? preset.probes.linear : preset.probes.mlp.slice(0, 1);
}

function outcomePath(run: Run, method: MapProbeMethod, { encoder, seed }: MapProbeSeed): string {
  const short = (path: string): string => path.slice(run.cache.root.length);
  const id = configId({
    version: [STAGES_VERSION, MAP_PROBES_VERSION],
    maps: short(mapResultPath(run, encoder)),
    tables: (['train', 'valid', 'test', 'testTimbre'] as const).map((split) => short(tablePath(run, encoder, split))),
    variants: PROBE_VARIANTS,
    configs: configsOf(run, method),
    seed,
  });
  return run.cache.path('map-probes', id, 'json');
}

/** What the stage found. */
export function mapProbeResult(run: Run, method: MapProbeMethod, of: MapProbeSeed): MapProbeResult {
  return readJson(outcomePath(run, method, of)) as MapProbeResult;
}

/** Trains what is missing; the maps must be there. */
export async function computeMapProbes(run: Run): Promise<void> {
  const tables = new Map<EncoderOfSeed, ReturnType<typeof unitTables>>();
  const tablesOf = (encoder: EncoderOfSeed): ReturnType<typeof unitTables> => {
    const known = tables.get(encoder) ?? unitTables(run, encoder);
    tables.set(encoder, known);
    return known;
  };
  const units = (['mlp', 'linear'] as const).flatMap((method) =>
    mapProbeSeeds(run).map((of): Unit<MapProbeUnit | null> => {
      const path = outcomePath(run, method, of);
      const isDone = existsSync(path);
      const { encoder, seed } = of;
      const item = isDone ? null : { configs: configsOf(run, method), seed, path, ...tablesOf(encoder) };
      return { item, weight: PROBE_VARIANTS.length * (method === 'mlp' ? 4 : 1), isDone };
    }),
  );
  await runStage(run, 'map probes', units, new URL('./mapProbeTask.js', import.meta.url), 'mapProbeTask');
}

/** The keys of the tracks of augmented tables, moved along with the audio. */
export function keysUnder(run: Run, split: 'train' | 'valid' | 'test' | 'testTimbre', chain: Chain): number[] {
  return augmentedTracks(run, split).map(({ keyId }) => transposeKey(keyId!, chainShift(chain)));
}

function unitTables(run: Run, encoder: EncoderOfSeed): Omit<MapProbeUnit, 'configs' | 'seed' | 'path'> {
  const whole = (split: 'train' | 'valid' | 'test' | 'testTimbre'): KeyedTable => ({
    table: loadTable(run, encoder, split),
    keyIds: [...keysOf(run, split)],
  });
  const augmented = (split: 'train' | 'test' | 'testTimbre', chain: Chain): KeyedTable => ({
    table: loadAugmented(run, encoder, split, chain),
    keyIds: keysUnder(run, split, chain),
  });
  const heard = (what: ProbeVariant['what']): HeardVariant[] =>
    heardChains(run, what).map((chain) => ({
      labelShift: chainShift(chain),
      audio: loadAugmented(run, encoder, 'train', chain),
      map: loadRunMap(run, encoder, chain),
    }));
  const timbreChains = robustnessChains(run.preset).filter((chain) => chain.length > 0 && chainShift(chain) === 0);
  return {
    part: augmented('train', CLEAN),
    whole: whole('train'),
    valid: whole('valid'),
    heard: { augmentations: heard('augmentations'), shifts: heard('shifts') },
    tests: {
      test: [whole('test')],
      testTimbre: [whole('testTimbre')],
      augmented: heardChains(run, 'augmentations').map((chain) => augmented('test', chain)),
      shifted: heardChains(run, 'shifts').map((chain) => augmented('test', chain)),
      timbreAugmented: timbreChains.map((chain) => augmented('testTimbre', chain)),
    },
  };
}
