/** Stage 'maps', first part: for each encoder the maps of every chain and what they are worth. */
import { existsSync } from 'node:fs';
import { type AugmentationMap, linearReadout, type LinearReadout, loadMap } from '../../maps/index.js';
import { configId, readJson } from '../../store/index.js';
import { type Chain, CLEAN, COMPOSITIONS, mapChains, shiftChains } from '../augmented/augmentedSets.js';
import { augmentedEncoders, loadAugmented } from '../augmented/augmentedTables.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import type { CompositionResult, CycleResult, InverseResult, KeyShiftResult, PowerResult } from './mapAlgebra.js';
import type { ChainResult, MapSplit, MapTables } from './mapFits.js';
import type { GradientRow, PairCounts } from './mapMeasurements.js';
import { checkpointOf } from '../pretraining/pretraining.js';
import { loadRunProbe } from '../probing/probing.js';
import { STAGES_VERSION, type Run } from '../run/run.js';
import { runStage, type Unit } from '../run/stages.js';

/** Rises whenever the code behind the stage changes what comes out of it. */
export const MAPS_VERSION = 2;

/** One encoder of one seed. */
export interface MapUnit {
  readonly tables: MapTables;
  /** of the encoder's linear key probe */
  readonly readout: LinearReadout;
  /** chains of which singular values and rank are wanted; the others are compositions */
  readonly singles: readonly Chain[];
  readonly compositions: readonly Chain[];
  /** chains whose maps are fitted by gradient as well; none for all encoders but one */
  readonly byGradient: readonly Chain[];
  readonly path: string;
  /** of each chain's linear map, in the order of `tables.chains` */
  readonly mapPaths: readonly string[];
}

export interface MapUnitResult {
  readonly pairs: PairCounts;
  readonly chains: readonly ChainResult[];
  readonly compositions: readonly CompositionResult[];
  readonly powers: readonly PowerResult[];
  readonly inverses: readonly InverseResult[];
  readonly cycles: readonly CycleResult[];
  readonly keyShifts: readonly KeyShiftResult[];
  readonly gradient: readonly GradientRow[];
}

/** All chains with a map. */
export function mappedChains(run: Run): Chain[] {
  return mapChains(run.preset).filter((chain) => chain.length > 0);
}

/** Chains of two augmentations among them. */
export function composedChains(run: Run): Chain[] {
  return mappedChains(run).filter((chain) => chain.length > 1);
}

/** The encoder of which the notebook shows single matrices and trains probes: the paper's patches, pretrained. */
export function mainEncoders(run: Run): EncoderOfSeed[] {
  return augmentedEncoders(run).filter(({ name }) => name.id === 'vertical-pretrained');
}

export function mapResultPath(run: Run, encoder: EncoderOfSeed): string {
  const id = configId({
    version: [STAGES_VERSION, MAPS_VERSION],
    corpus: run.corpus.config,
    augmented: run.preset.augmented,
    probes: [run.preset.probes.linear, run.preset.probes.seeds[0]],
    encoder: [
      encoder.name.id,
      encoder.seed,
      encoder.config,
      checkpointOf(run, encoder)?.slice(run.cache.root.length) ?? null,
    ],
    backend: run.backend,
  });
  return run.cache.path('maps', id, 'json');
}

/** What the stage found for an encoder. */
export function mapResult(run: Run, encoder: EncoderOfSeed): MapUnitResult {
  return readJson(mapResultPath(run, encoder)) as MapUnitResult;
}

/** Where the maps of an encoder are, by its result's path. */
function mapPaths(run: Run, resultPath: string, chains: readonly Chain[]): string[] {
  const id = configId(resultPath.slice(run.cache.root.length));
  const nameOf = (chain: Chain): string => chain.map(({ id, strength }) => `${id}${strength}`).join('-');
  return chains.map((chain) => run.cache.path('maps', `${id}-${nameOf(chain)}`, 'safetensors'));
}

/** The linear map of a chain for an encoder. The stage 'maps' must have run. */
export function loadRunMap(run: Run, encoder: EncoderOfSeed, chain: Chain): AugmentationMap {
  return loadMap(mapPaths(run, mapResultPath(run, encoder), [chain])[0]);
}

/** Computes what is missing. The augmented tables and the probes must be there. */
export async function computeMaps(run: Run): Promise<void> {
  const chains = mappedChains(run);
  const weight = chains.length;
  const units = augmentedEncoders(run).map((encoder): Unit<MapUnit | null> => {
    const path = mapResultPath(run, encoder);
    const isDone = [path, ...mapPaths(run, path, chains)].every((file) => existsSync(file));
    return { item: isDone ? null : mapUnit(run, encoder, chains), weight, isDone };
  });
  await runStage(run, 'maps', units, new URL('./mapTask.js', import.meta.url), 'mapTask');
}

/** Tables travel with the unit: they are read once here, and are some megabytes for an encoder. */
function mapUnit(run: Run, encoder: EncoderOfSeed, chains: readonly Chain[]): MapUnit {
  const [first] = mainEncoders(run);
  const isFirst = encoder.name.id === first.name.id && encoder.seed === first.seed;
  const { weights, standardizer } = loadRunProbe(run, encoder, 'linear');
  const path = mapResultPath(run, encoder);
  return {
    tables: mapTables(run, encoder, chains),
    readout: linearReadout(weights.get('0.weight')!.data, weights.get('0.bias')!.data, standardizer),
    singles: chains.filter((chain) => chain.length === 1),
    compositions: composedChains(run),
    byGradient: isFirst ? gradientChains(run) : [],
    path,
    mapPaths: mapPaths(run, path, chains),
  };
}

/** A filter, a noise and a shift: a change along few directions, one that no map can foretell, one that turns. */
function gradientChains(run: Run): Chain[] {
  const [filter, noise] = [COMPOSITIONS[0][0], COMPOSITIONS[0][1]];
  return [[filter], [noise], ...shiftChains(run.preset).slice(-1)];
}

function mapTables(run: Run, encoder: EncoderOfSeed, chains: readonly Chain[]): MapTables {
  const bySplit = <T>(of: (split: MapSplit) => T): Record<MapSplit, T> => ({
    train: of('train'),
    valid: of('valid'),
    test: of('test'),
  });
  return {
    chains,
    clean: bySplit((split) => loadAugmented(run, encoder, split, CLEAN)),
    augmented: bySplit((split) => chains.map((chain) => loadAugmented(run, encoder, split, chain))),
  };
}
