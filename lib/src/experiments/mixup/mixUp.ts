/**
 * Stage `mixUp`: probes trained with and without MixUp, on two amounts of data, several seeds each. A unit is one way of
 * training one probe on one encoder; it keeps the track logits of all its seeds, from which everything else follows.
 */
import { existsSync } from 'node:fs';
import type { Split } from '../../corpus/index.js';
import { NUM_KEYS } from '../../keys/index.js';
import type { ProbeConfig } from '../../probe/index.js';
import { configId, readSafetensors } from '../../store/index.js';
import { encodersOfRun } from '../features/embeddingTables.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import type { MixUpMethod, MixUpSize, MixUpWay } from './mixUpMeasurements.js';
import type { ExperimentPreset } from '../run/presets.js';
import { encoderTables, type TablePaths } from '../probing/probing.js';
import { keysOf, type Run, STAGES_VERSION } from '../run/run.js';
import { runStage, type Unit } from '../run/stages.js';

/** The ways of mixing: the paper's Beta(2, 5), its mirror, the common Beta(.2, .2) of the literature, and none. */
export const MIXUP_WAYS: readonly MixUpWay[] = [
  { id: 'none', label: 'no MixUp', mixUp: null },
  { id: 'beta-2-5', label: 'Beta(2, 5)', mixUp: { alpha: 2, beta: 5 } },
  { id: 'beta-5-2', label: 'Beta(5, 2)', mixUp: { alpha: 5, beta: 2 } },
  { id: 'beta-.2-.2', label: 'Beta(.2, .2)', mixUp: { alpha: 0.2, beta: 0.2 } },
];

export const MIXUP_SIZES: readonly MixUpSize[] = ['whole', 'quarter'];

/** One way of training one probe; a request for each seed of pretraining. */
export interface MixUpSetting {
  /** Name id of the encoders. */
  readonly encoder: string;
  readonly method: MixUpMethod;
  readonly size: MixUpSize;
  readonly way: MixUpWay;
}

/** What a worker thread gets. */
export interface MixUpUnit {
  readonly tables: TablePaths;
  readonly keys: Readonly<Partial<Record<Split, readonly number[]>>>;
  /** The first tracks of train. */
  readonly nTrain: number;
  readonly configs: readonly Partial<ProbeConfig>[];
  readonly seeds: readonly number[];
  /** How long one training takes, in any unit. */
  readonly cost: number;
  readonly path: string;
  /** Where the probe of the first seed is kept; null = it is not. */
  readonly probePath: string | null;
}

/** Track logits of all seeds. */
export interface MixUpOutcome {
  /** The configuration with the best mean validation score over seeds. */
  readonly config: ProbeConfig;
  /** The epoch kept, a seed each. */
  readonly epochs: readonly number[];
  /** By split: [seed] of [nTracks, 24]. */
  readonly logits: Readonly<Record<'valid' | 'test' | 'testTimbre', readonly Float32Array[]>>;
}

export const OUTCOME_SPLITS = ['valid', 'test', 'testTimbre'] as const;

/** How many tracks of train a size has: all, or the first quarter in whole rounds of the 24 keys (at least one). */
export function trainTracks(preset: Pick<ExperimentPreset, 'corpus'>, size: MixUpSize): number {
  const { train } = preset.corpus.sizes;
  return size === 'whole' ? train : Math.max(NUM_KEYS, NUM_KEYS * Math.floor(train / (4 * NUM_KEYS)));
}

/** Everything that is trained: both probes on the pretrained encoder, and what the preset has to compare them with. */
export function mixUpSettings(preset: ExperimentPreset): MixUpSetting[] {
  const [none] = MIXUP_WAYS;
  const grid = (encoder: string, methods: readonly MixUpMethod[]): MixUpSetting[] =>
    methods.flatMap((method) =>
      MIXUP_SIZES.flatMap((size) => MIXUP_WAYS.map((way) => ({ encoder, method, size, way }))),
    );
  return [
    ...grid('vertical-pretrained', ['linear', 'mlp']),
    ...(preset.mixUp.withRandom ? grid('vertical-random', ['linear']) : []),
    ...(preset.variants.some(({ id }) => id === 'input-mixup')
      ? [{ encoder: 'vertical-input-mixup', method: 'linear' as const, size: 'whole' as const, way: none }]
      : []),
  ];
}

/** Computes what is missing; the embeddings must have run. */
export async function computeMixUp(run: Run): Promise<void> {
  const units = mixUpSettings(run.preset).flatMap((setting) =>
    encodersNamed(run, setting.encoder).map((encoder): Unit<MixUpUnit> => {
      const item = mixUpUnit(run, encoder, setting);
      return { item, weight: item.cost * item.configs.length * item.seeds.length, isDone: isDone(item) };
    }),
  );
  units.sort((a, b) => b.weight - a.weight); // no thread is left with a long one at the end
  await runStage(run, 'mixUp', units, new URL('./mixUpTask.js', import.meta.url), 'mixUpTask');
}

function isDone({ path, probePath }: MixUpUnit): boolean {
  return existsSync(path) && (probePath === null || existsSync(probePath));
}

/** Encoders of a name, one a seed of pretraining. */
export function encodersNamed(run: Run, id: string): EncoderOfSeed[] {
  return encodersOfRun(run).filter(({ name }) => name.id === id);
}

const SPLITS: readonly Split[] = ['train', ...OUTCOME_SPLITS];

function mixUpUnit(run: Run, encoder: EncoderOfSeed, { method, size, way }: MixUpSetting): MixUpUnit {
  const { mixUp, seeds } = run.preset;
  const tables = encoderTables(run, encoder, SPLITS);
  const keys = Object.fromEntries(SPLITS.map((split) => [split, [...keysOf(run, split)]]));
  const configs = mixUp[method].map((config) => ({ ...config, mixUp: way.mixUp }));
  const nTrain = trainTracks(run.preset, size);
  const id = configId({
    version: STAGES_VERSION,
    tables: SPLITS.map((split) => tables[split]!.slice(run.cache.root.length)),
    keys,
    nTrain,
    configs,
    seeds: mixUp.seeds,
    backend: run.backend,
  });
  const isLookedAt = encoder.name.id === 'vertical-pretrained' && encoder.seed === seeds[0] && size === 'whole';
  return {
    tables,
    keys,
    nTrain,
    configs,
    seeds: mixUp.seeds,
    cost: nTrain * (method === 'mlp' ? 8 : 1),
    path: run.cache.path('mixup', id, 'safetensors'),
    probePath: isLookedAt ? run.cache.path('mixup-probe', id, 'safetensors') : null,
  };
}

/** The outcomes of a setting, one a seed of pretraining. The stage must have run. */
export function mixUpOutcomes(run: Run, setting: MixUpSetting): MixUpOutcome[] {
  return encodersNamed(run, setting.encoder).map((encoder) => {
    const { path, seeds } = mixUpUnit(run, encoder, setting);
    const { tensors, metadata } = readSafetensors(path);
    const logits = Object.fromEntries(
      OUTCOME_SPLITS.map((split) => {
        const { data, shape } = tensors.get(split)!;
        const length = shape[1] * NUM_KEYS;
        return [split, seeds.map((_, i) => (data as Float32Array).subarray(i * length, (i + 1) * length))];
      }),
    ) as unknown as MixUpOutcome['logits'];
    return { config: JSON.parse(metadata.config) as ProbeConfig, epochs: JSON.parse(metadata.epochs), logits };
  });
}

/** Path of the kept probe of a setting: pretrained vertical encoder, whole train split, first seeds. */
export function mixUpProbePath(run: Run, setting: MixUpSetting): string {
  return mixUpUnit(run, encodersNamed(run, setting.encoder)[0], setting).probePath!;
}
