/** 04: probes whose training audio is heard transposed as well, its keys moved with it, against probes without. */
import { existsSync } from 'node:fs';
import type { Split } from '../../corpus/index.js';
import type { EmbeddingTable } from '../../embeddings/index.js';
import type { ProbeConfig, ProbeData, TableVariant } from '../../probe/index.js';
import { pairedBootstrap } from '../../stats/index.js';
import { configId, readJson } from '../../store/index.js';
import { type Chain, chainShift, CLEAN, shiftChains } from '../augmented/augmentedSets.js';
import { augmentedEncoders, augmentedTracks, loadAugmented } from '../augmented/augmentedTables.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import { loadTable } from '../features/embeddingTables.js';
import type { PitchAugmentationMeasurement, PitchAugmentationRow } from './gridMeasurements.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import type { TestSplit } from '../measurements.js';
import { encoderTables, type ProbeOutcome, type TablePaths } from '../probing/probing.js';
import { keysOf, measured, rounded, type Run, STAGES_VERSION } from '../run/run.js';
import { drawnFor, FIFTH_ABOVE, intervalOver, trackHits, trackMeans } from '../probing/scores.js';
import { runStage, type Unit } from '../run/stages.js';

/** The paper's range. +6 is not in it: on pitch classes it is -6 again. */
const LOWEST = -6;
const HIGHEST = 5;

export const METHODS = ['linear', 'mlp'] as const;
export type PitchMethod = (typeof METHODS)[number];

/** One probe: the clean clips that it is trained on, with their transposed copies or none, and what judges it. */
export interface PitchUnit {
  readonly train: ProbeData;
  readonly variants: readonly TableVariant[];
  readonly tables: TablePaths;
  /** Key ids of the tables' tracks. */
  readonly keys: Readonly<Partial<Record<Split, readonly number[]>>>;
  readonly configs: readonly Partial<ProbeConfig>[];
  readonly path: string;
}

const JUDGES: readonly Split[] = ['valid', 'test', 'testTimbre'];

/** The semitone shifts of a preset that the paper has too. */
export function trainingShifts(run: Run): Chain[] {
  return shiftChains(run.preset).filter((chain) => {
    const shift = chainShift(chain);
    return shift >= LOWEST && shift <= HIGHEST;
  });
}

/**
 * The preset's configurations with so many epochs that a probe on these few clips makes as many steps as one on the
 * whole train split; both arms alike, since a batch takes each clip either as it is or as one of its copies.
 */
export function configsFor(
  configs: readonly Partial<ProbeConfig>[],
  wholeClips: number,
  ownClips: number,
): Partial<ProbeConfig>[] {
  return configs.map((config) => {
    const { batchSize = 64, epochs = 100 } = config;
    return {
      ...config,
      epochs: Math.round((epochs * Math.ceil(wholeClips / batchSize)) / Math.ceil(ownClips / batchSize)),
    };
  });
}

function outcomePath(run: Run, encoder: EncoderOfSeed, method: PitchMethod, chains: readonly Chain[]): string {
  const tables = encoderTables(run, encoder, ['train', ...JUDGES]);
  const id = configId({
    version: STAGES_VERSION,
    tables: Object.values(tables).map((path) => path.slice(run.cache.root.length)),
    keys: JUDGES.map((split) => [...keysOf(run, split)]),
    clips: [run.preset.augmented.clips, run.preset.augmented.tracks.train],
    chains,
    configs: run.preset.probes[method],
    seed: run.preset.probes.seeds[0],
    backend: run.backend,
  });
  return run.cache.path('pitch-augmentation', id, 'json');
}

/** Stage: a probe for each encoder and method, with the copies and without. The augmented tables must be there. */
export async function computePitchAugmentation(run: Run): Promise<void> {
  const chains = trainingShifts(run);
  const units = augmentedEncoders(run).flatMap((encoder) => {
    const paths = METHODS.flatMap((method) =>
      [[], chains].map((some) => ({ method, some, path: outcomePath(run, encoder, method, some) })),
    );
    if (paths.every(({ path }) => existsSync(path))) return [];
    const train = trainData(run, encoder);
    const wholeClips = loadTable(run, encoder, 'train').nClips;
    const variants = chains.map((chain) => ({
      table: loadAugmented(run, encoder, 'train', chain),
      labelShift: chainShift(chain),
    }));
    return paths.map(({ method, some, path }): Unit<PitchUnit> => {
      const configs = configsFor(run.preset.probes[method], wholeClips, train.table.nClips);
      const item: PitchUnit = {
        train,
        variants: some.length > 0 ? variants : [],
        tables: encoderTables(run, encoder, JUDGES),
        keys: Object.fromEntries(JUDGES.map((split) => [split, [...keysOf(run, split)]])),
        configs: configs.map((config) => ({ ...config, seed: run.preset.probes.seeds[0] })),
        path,
      };
      return { item, weight: configs.length, isDone: existsSync(path) };
    });
  });
  await runStage(run, 'pitch augmentation', units, new URL('./pitchTask.js', import.meta.url), 'pitchTask');
}

/** The clean clips of the tracks that are heard transposed, too. */
function trainData(run: Run, encoder: EncoderOfSeed): { table: EmbeddingTable; keyOfTrack: Int32Array } {
  const table = loadAugmented(run, encoder, 'train', CLEAN);
  return { table, keyOfTrack: Int32Array.from(augmentedTracks(run, 'train'), (track) => track.keyId ?? -1) };
}

/** Scores with and without transposed copies on the whole clean test splits; the stage must have run. */
export function pitchAugmentation(run: Run): Promise<PitchAugmentationMeasurement> {
  const chains = trainingShifts(run);
  return measured(run, 'pitch-augmentation', { chains }, (base) => {
    const encoders = augmentedEncoders(run);
    const ids = [...new Set(encoders.map(({ name }) => name.id))];
    return {
      ...base,
      trainTracks: augmentedTracks(run, 'train').length,
      trainClips: loadAugmented(run, encoders[0], 'train', CLEAN).nClips,
      semitones: chains.map(chainShift),
      validTracks: keysOf(run, 'valid').length,
      rows: ids.flatMap((id) => {
        const group = encoders.filter(({ name }) => name.id === id);
        return METHODS.flatMap((method) => TEST_SPLITS.map((split) => rowOf(run, group, method, split, chains)));
      }),
    };
  });
}

/** @param group encoders of one name, one a seed */
function rowOf(
  run: Run,
  group: readonly EncoderOfSeed[],
  method: PitchMethod,
  split: TestSplit,
  chains: readonly Chain[],
): PitchAugmentationRow {
  const reference = keysOf(run, split);
  const [without, withCopies] = [[], chains].map((some) =>
    group.map((encoder) => (readJson(outcomePath(run, encoder, method, some)) as ProbeOutcome).estimates[split]!),
  );
  const [a, b] = [withCopies, without].map((estimates) => trackMeans(reference, estimates, FIFTH_ABOVE));
  const { difference, low, high, pValue } = pairedBootstrap(a, b, { drawn: drawnFor(run, reference.length) });
  return {
    encoder: group[0].name,
    method,
    split,
    n: reference.length,
    seeds: group.length,
    without: intervalOver(run, b),
    with: intervalOver(run, a),
    accuracyWithout: intervalOver(run, trackHits(reference, without)),
    accuracyWith: intervalOver(run, trackHits(reference, withCopies)),
    difference: { estimate: rounded(difference, 5), low: rounded(low, 5), high: rounded(high, 5) },
    pBootstrap: rounded(pValue),
  };
}
