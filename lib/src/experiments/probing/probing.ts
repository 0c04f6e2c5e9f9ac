/** Stage 4: probes. Quick ones on snapshots and layers, then the ones that are compared, chosen on validation. */
import { existsSync } from 'node:fs';
import type { Split } from '../../corpus/index.js';
import { saveEmbeddingTable } from '../../embeddings/index.js';
import { InputError } from '../../errors.js';
import { scoreKeys } from '../../keys/index.js';
import { headParameterCount, loadProbe, type Probe, type ProbeConfig } from '../../probe/index.js';
import { configId, readJson } from '../../store/index.js';
import {
  encodersOfRun,
  layersOf,
  melMeanPath,
  snapshotEncoders,
  tablePath,
  type TableLayer,
} from '../features/embeddingTables.js';
import { featureShards, loadChroma } from '../features/features.js';
import { type EncoderOfSeed, isBase, isCompared } from '../pretraining/jobs.js';
import type { TestSplit } from '../measurements.js';
import { STAGES_VERSION, keysOf, type Run } from '../run/run.js';
import { runStage } from '../run/stages.js';

/** Embedding tables by split, as paths. */
export type TablePaths = Readonly<Partial<Record<Split, string>>>;

/** One choice among configurations on one set of tables, with one seed. */
export interface ProbeUnit {
  readonly tables: TablePaths;
  /** Key ids of each split's tracks, as the tables have them. */
  readonly keys: Readonly<Partial<Record<Split, readonly number[]>>>;
  readonly configs: readonly Partial<ProbeConfig>[];
  readonly seed: number;
  /** Whether the flaws of the published protocol are measured as well. */
  readonly withFlaws: boolean;
  readonly path: string;
}

/** What a probe leaves: estimated keys in track order; scores follow from them. */
export interface ProbeOutcome {
  readonly config: ProbeConfig;
  readonly epoch: number;
  readonly estimates: Readonly<Partial<Record<Split, readonly number[]>>>;
  readonly flaws: null | {
    /** Configuration and epoch chosen by the split that is reported. */
    readonly chosenByTest: Readonly<Record<TestSplit, readonly number[]>>;
    /** The chosen probe with every split standardized by its own statistics. */
    readonly scalerPerSplit: Readonly<Record<TestSplit, readonly number[]>>;
  };
}

export type ProbeMethod = 'linear' | 'mlp' | 'quick';

/** A probe to train: what it reads, how, and its seed. */
export interface ProbeRequest {
  readonly tables: TablePaths;
  readonly method: ProbeMethod;
  readonly seed: number;
  readonly withFlaws: boolean;
}

/** The unit of a request, with the path of its outcome. */
export function probeUnit(run: Run, { tables, method, seed, withFlaws }: ProbeRequest): ProbeUnit {
  const { probes } = run.preset;
  // A quick probe is scored on validation itself, so nothing may be chosen there.
  const configs = method === 'quick' ? [{ ...probes.quick, selection: 'last' as const }] : probes[method];
  const splits = Object.keys(tables) as Split[];
  const keys = Object.fromEntries(splits.map((split) => [split, [...keysOf(run, split)]]));
  const names = Object.fromEntries(splits.map((split) => [split, tables[split]!.slice(run.cache.root.length)]));
  const id = configId({
    version: STAGES_VERSION,
    tables: names,
    keys,
    configs,
    seed,
    withFlaws,
    backend: run.backend,
  });
  return { tables, keys, configs, seed, withFlaws, path: run.cache.path('probes', id, 'json') };
}

/** The outcome of a request that has run. */
export function probeOutcome(run: Run, request: ProbeRequest): ProbeOutcome {
  return readJson(probeUnit(run, request).path) as ProbeOutcome;
}

/** Where the chosen probe of a unit is, beside its outcome. */
export function probePath(outcomePath: string): string {
  return outcomePath.replace(/json$/, 'safetensors');
}

/**
 * The probe of a base encoder (first probe seed), as it was chosen on validation. The probes must have run.
 *
 * @throws InputError if the encoder has no such probe
 */
export function loadRunProbe(run: Run, encoder: EncoderOfSeed, method: 'linear' | 'mlp'): Probe {
  const withFlaws = method === 'linear' && isBase(encoder);
  const tables = encoderTables(run, encoder, SPLITS);
  const path = probePath(probeUnit(run, { tables, method, seed: run.preset.probes.seeds[0], withFlaws }).path);
  if (!existsSync(path))
    throw new InputError(
      `probe of ${encoder.name.id}, seed ${encoder.seed}, ${method}`,
      "not found; run the stage 'probes' first",
    );
  return loadProbe(path);
}

/** Tables of an encoder by split. */
export function encoderTables(
  run: Run,
  encoder: EncoderOfSeed,
  splits: readonly Split[],
  layer?: TableLayer,
  step?: number,
): TablePaths {
  return Object.fromEntries(splits.map((split) => [split, tablePath(run, encoder, split, layer, step)]));
}

const SPLITS: readonly Split[] = ['train', 'valid', 'test', 'testTimbre'];
const QUICK_SPLITS: readonly Split[] = ['train', 'valid'];

/** The quick probe of a snapshot or layer. */
export function quickRequest(run: Run, encoder: EncoderOfSeed, layer?: TableLayer, step?: number): ProbeRequest {
  return {
    tables: encoderTables(run, encoder, QUICK_SPLITS, layer, step),
    method: 'quick',
    seed: run.preset.probes.seeds[0],
    withFlaws: false,
  };
}

/** One row of the comparison before scoring: what is probed, with every seed. */
export interface Representation {
  readonly id: string;
  readonly label: string;
  readonly family: 'spectrum' | 'random' | 'pretrained';
  readonly method: 'linear' | 'mlp';
  readonly requests: readonly ProbeRequest[];
  /** Further probe seeds on the first pretraining seed, for the worth of "one seed". */
  readonly moreSeeds: readonly ProbeRequest[];
}

/** Everything that is compared by probes. Layers are chosen here, so the quick probes must have run. */
export async function representations(run: Run): Promise<Representation[]> {
  const plain = await Promise.all([chromaTables(run), melMeanTables(run)]);
  const [chroma, melMean] = plain.map((tables) =>
    run.preset.probes.seeds.map((seed) => ({ tables, method: 'linear' as const, seed, withFlaws: false })),
  );
  return [
    {
      id: 'chroma-linear',
      label: 'chroma + linear probe',
      family: 'spectrum',
      method: 'linear',
      requests: chroma,
      moreSeeds: [],
    },
    {
      id: 'mel-mean-linear',
      label: 'log-mel mean + linear probe',
      family: 'spectrum',
      method: 'linear',
      requests: melMean,
      moreSeeds: [],
    },
    ...encoderGroups(run)
      .filter(([{ name }]) => isCompared(run.preset, name))
      .flatMap((group) => encoderRepresentations(run, group)),
  ];
}

/** Encoders of the same name, one a seed. */
export function encoderGroups(run: Run): EncoderOfSeed[][] {
  const groups = new Map<string, EncoderOfSeed[]>();
  for (const encoder of encodersOfRun(run))
    groups.set(encoder.name.id, [...(groups.get(encoder.name.id) ?? []), encoder]);
  return [...groups.values()];
}

/**
 * The probes of an encoder's seeds. With several pretraining seeds these are the seeds; with one, those of the probe.
 *
 * @param layer of each seed's encoder; without it the output
 */
export function probeRequests(
  run: Run,
  group: readonly EncoderOfSeed[],
  method: 'linear' | 'mlp',
  layer?: (encoder: EncoderOfSeed) => TableLayer,
): { requests: ProbeRequest[]; moreSeeds: ProbeRequest[] } {
  const { seeds } = run.preset.probes;
  const withFlaws = isBase(group[0]) && method === 'linear' && !layer;
  const request = (encoder: EncoderOfSeed, seed: number): ProbeRequest => ({
    tables: encoderTables(run, encoder, SPLITS, layer?.(encoder)),
    method,
    seed,
    withFlaws,
  });
  const isOne = group.length === 1;
  return {
    requests: isOne ? seeds.map((seed) => request(group[0], seed)) : group.map((encoder) => request(encoder, seeds[0])),
    moreSeeds: !isOne && withFlaws ? seeds.slice(1).map((seed) => request(group[0], seed)) : [],
  };
}

function encoderRepresentations(run: Run, group: readonly EncoderOfSeed[]): Representation[] {
  const { name } = group[0];
  const of = (
    method: 'linear' | 'mlp',
    layer: ((encoder: EncoderOfSeed) => TableLayer) | undefined,
    suffix: string,
    label: string,
  ): Representation => ({
    id: `${name.id}${suffix}-${method}`,
    label,
    family: name.origin,
    method,
    ...probeRequests(run, group, method, layer),
  });
  const rows = [of('linear', undefined, '', `${name.label}, linear probe`)];
  if (!isBase(group[0])) return rows;
  if (group.every((encoder) => layersOf(run, encoder).length > 1))
    rows.push(of('linear', (encoder) => bestLayer(run, encoder), '-layer', `${name.label}, best layer`));
  rows.push(of('mlp', undefined, '', `${name.label}, MLP probe`));
  return rows;
}

/** The layer whose quick probe scores highest on validation (the earliest of equals). */
export function bestLayer(run: Run, encoder: EncoderOfSeed): TableLayer {
  const reference = keysOf(run, 'valid');
  let best: { layer: TableLayer; score: number } | null = null;
  for (const layer of layersOf(run, encoder)) {
    const { estimates } = probeOutcome(run, quickRequest(run, encoder, layer));
    const score = scoreKeys(reference, estimates.valid!).weightedBothFifths;
    if (!best || score > best.score) best = { layer, score };
  }
  return best!.layer;
}

/** Trains what is missing: quick probes first, since they choose the layers that the others read. */
export async function computeProbes(run: Run): Promise<void> {
  const layers = encodersOfRun(run).flatMap((encoder) =>
    layersOf(run, encoder).map((layer) => quickRequest(run, encoder, layer)),
  );
  const snapshots = snapshotEncoders(run).flatMap((encoder) =>
    encoder.job!.config.snapshotSteps.map((step) => quickRequest(run, encoder, 'output', step)),
  );
  await trainProbes(run, 'quick probes', [...layers, ...snapshots]);
  const compared = await representations(run);
  await trainProbes(
    run,
    'probes',
    compared.flatMap(({ requests, moreSeeds }) => [...requests, ...moreSeeds]),
  );
}

/** Trains the probes that are missing, as units of a stage of this name. */
export async function trainProbes(run: Run, stage: string, requests: readonly ProbeRequest[]): Promise<void> {
  const units = requests.map((request) => {
    const item = probeUnit(run, request);
    return { item, weight: weightOf(item), isDone: existsSync(item.path) };
  });
  // The longest first, so that no thread is left with one alone.
  units.sort((a, b) => b.weight - a.weight);
  await runStage(run, stage, units, new URL('./probeTask.js', import.meta.url), 'probeTask');
}

/** About what a unit costs: a step's fixed part, then its parameters. */
function weightOf({ configs }: ProbeUnit): number {
  const width = 128; // of a small encoder; only progress goes by it
  return configs.reduce((sum, { hidden = [] }) => sum + 1 + Math.round(headParameterCount(hidden, width) / 20_000), 0);
}

async function melMeanTables(run: Run): Promise<TablePaths> {
  const paths = await Promise.all(SPLITS.map((split) => melMeanPath(run, split)));
  return Object.fromEntries(SPLITS.map((split, i) => [split, paths[i]]));
}

async function chromaTables(run: Run): Promise<TablePaths> {
  const paths = await Promise.all(
    SPLITS.map((split) => {
      const config = {
        chroma: STAGES_VERSION,
        features: featureShards(run, split).map((shard) => shard.chromaPath.slice(run.cache.root.length)),
      };
      return run.cache.file('chroma', config, 'safetensors', (path) =>
        saveEmbeddingTable(path, loadChroma(run, split).clips),
      );
    }),
  );
  return Object.fromEntries(SPLITS.map((split, i) => [split, paths[i]]));
}
