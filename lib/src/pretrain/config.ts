/** The one table of what a pretraining run can be told, its defaults, and the check of every field. */
import type { EncoderConfig } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { configId } from '../store/index.js';
import { keptCount, numTokens, PATCHINGS } from '../views/index.js';
import { parseProjectionHead } from './projectionHead.js';

export interface PretrainConfig {
  readonly encoder: EncoderConfig;
  /** What is learned: to tell the two views of a clip from other clips' views, or to draw the masked patches. */
  readonly objective: 'contrastive' | 'reconstruction';
  /** The papers speak of contrastive (NT-Xent) loss, the reference's code trains with SogCLR. */
  readonly loss: 'ntXent' | 'sogClr';
  /** tau of either loss. */
  readonly temperature: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** Pairs of views per step, B; clipsPerTrack of them come from each of batchPairs / clipsPerTrack tracks. */
  readonly batchPairs: number;
  /** Pairs drawn from each track of a batch; above 1, clips of one track are each other's negatives. */
  readonly clipsPerTrack: number;
  /** Share of tokens removed from each view, 0 <= maskRatio < 1. */
  readonly maskRatio: number;
  /** Largest distance of a pair's two clips in frames: 0 = one clip with two masks, null = anywhere in the track. */
  readonly maxFrameDistance: number | null;
  /** Each view is taken from the track shifted by one of these, or from the track itself; empty = no shift (the paper). */
  readonly pitchShifts: readonly number[];
  /** Patches of a batch's clips are mixed, one lambda ~ Beta(alpha, beta) and one permutation per batch; null = none. */
  readonly inputMixUp: { readonly alpha: number; readonly beta: number } | null;
  /** `adam` adds the weight decay to the gradient (the reference); `adamW` decays the weights themselves. */
  readonly optimizer: 'adam' | 'adamW';
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly warmUpSteps: number;
  readonly schedule: 'constant' | 'cosine';
  /** Limit of the gradient's global norm; null = none. */
  readonly clipNorm: number | null;
  /** `linear-<outputs>` (the reference), `mlp-<hidden>-<outputs>` (SimCLR's), or `none`. Dropped after pretraining. */
  readonly projectionHead: string;
  /** SogCLR's moving average; see `SogClrOptions`. Not read by NT-Xent. */
  readonly gamma: number;
  readonly gammaSchedule: 'constant' | 'cosine';
  readonly uInitialisation: 'reference' | 'perTrack';
  readonly seed: number;
  /** Steps between two checkpoints. */
  readonly checkpointEverySteps: number;
  /** Step counts after which the encoder is kept as step-<n>.safetensors; 0 = the random initialisation. */
  readonly snapshotSteps: readonly number[];
}

/** As the reference trains, but for the batch (there up to 4096) and the run's length, which the caller gives. */
export const PRETRAIN_DEFAULTS: Omit<PretrainConfig, 'encoder' | 'steps'> = {
  objective: 'contrastive',
  loss: 'sogClr',
  temperature: 0.1,
  batchPairs: 128,
  clipsPerTrack: 1,
  maskRatio: 0.9,
  maxFrameDistance: null,
  pitchShifts: [],
  inputMixUp: null,
  optimizer: 'adam',
  learningRate: 3e-4,
  weightDecay: 1e-5,
  warmUpSteps: 0,
  schedule: 'constant',
  clipNorm: null,
  projectionHead: 'linear-50',
  gamma: 0.9,
  gammaSchedule: 'constant',
  uInitialisation: 'reference',
  seed: 0,
  checkpointEverySteps: 100,
  snapshotSteps: [],
};

/**
 * A complete, checked configuration from what differs from the defaults.
 *
 * @throws InputError that names the field: unknown, missing or out of range
 */
export function pretrainConfig(
  fields: Partial<PretrainConfig> & Pick<PretrainConfig, 'encoder' | 'steps'>,
): PretrainConfig {
  const config: PretrainConfig = { ...PRETRAIN_DEFAULTS, ...fields };
  checkPretrainConfig(config);
  return config;
}

/** Identifies a run's outcome: two configurations with the same id and the same tracks train the same encoder. */
export function pretrainConfigId(config: PretrainConfig): string {
  return configId(outcomeFields(config));
}

/** The fields that the trained encoder depends on; how often something is saved is none. */
export function outcomeFields(config: PretrainConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).filter(([name]) => name !== 'checkpointEverySteps' && name !== 'snapshotSteps'),
  );
}

const isCount = (x: number): boolean => Number.isInteger(x) && x >= 1;
const isCountOrZero = (x: number): boolean => Number.isInteger(x) && x >= 0;

/** @throws InputError for the first field that is out of range */
export function checkPretrainConfig(config: PretrainConfig): void {
  for (const name of Object.keys(config)) {
    if (name !== 'encoder' && name !== 'steps' && !(name in PRETRAIN_DEFAULTS)) {
      const known = ['encoder', 'steps', ...Object.keys(PRETRAIN_DEFAULTS)].join(', ');
      throw new InputError(`pretrain config, field ${name}`, `there is no such field; known are ${known}`);
    }
  }
  const { encoder, batchPairs, clipNorm, maxFrameDistance } = config;
  check(config, 'objective', oneOf('contrastive', 'reconstruction'));
  check(config, 'loss', oneOf('ntXent', 'sogClr'));
  const lowest = config.loss === 'sogClr' ? 0.02 : 1e-3;
  check(config, 'temperature', [(x) => x >= lowest && x <= 100, `a number from ${lowest} to 100`]);
  check(config, 'steps', [isCount, 'a whole number >= 1']);
  check(config, 'batchPairs', [(x) => isCount(x) && x >= 2, 'a whole number >= 2, since a lone pair has no negatives']);
  check(config, 'clipsPerTrack', [
    (x) => isCount(x) && batchPairs % x === 0,
    `a whole number >= 1 that divides batchPairs = ${batchPairs}`,
  ]);
  check(config, 'maskRatio', [(x) => x >= 0 && x < 1, 'the share of tokens removed, from 0 to below 1']);
  if (maxFrameDistance !== null) {
    check(config, 'maxFrameDistance', [(x) => isCountOrZero(x!), 'whole frames >= 0, or null for anywhere']);
  }
  check(config, 'pitchShifts', [
    (x) => Array.isArray(x) && new Set(x).size === x.length && x.every((n) => Number.isInteger(n) && n !== 0),
    'different whole semitones other than 0, or none',
  ]);
  check(config, 'inputMixUp', [
    (x) => x === null || (x.alpha > 0 && x.beta > 0),
    'null or { alpha, beta } with numbers above 0',
  ]);
  check(config, 'optimizer', oneOf('adam', 'adamW'));
  check(config, 'learningRate', [(x) => x > 0 && Number.isFinite(x), 'a number above 0']);
  check(config, 'weightDecay', [(x) => x >= 0 && Number.isFinite(x), 'a number >= 0']);
  check(config, 'warmUpSteps', [isCountOrZero, 'a whole number >= 0']);
  check(config, 'schedule', oneOf('constant', 'cosine'));
  if (clipNorm !== null) check(config, 'clipNorm', [(x) => x! > 0, 'a number above 0, or null for no limit']);
  check(config, 'gamma', [(x) => x > 0 && x <= 1, 'a number above 0, at most 1']);
  check(config, 'gammaSchedule', oneOf('constant', 'cosine'));
  check(config, 'uInitialisation', oneOf('reference', 'perTrack'));
  check(config, 'seed', [Number.isInteger, 'a whole number']);
  check(config, 'checkpointEverySteps', [isCount, 'a whole number >= 1']);
  check(config, 'snapshotSteps', [
    (x) => x.every((n) => isCountOrZero(n) && n <= config.steps),
    `whole numbers from 0 to steps = ${config.steps}`,
  ]);
  parseProjectionHead(config.projectionHead, encoder.width);
  // Both throw for what does not fit.
  for (const patching of PATCHINGS[encoder.patches]) {
    const nTokens = numTokens(patching, encoder.nMels, encoder.clipFrames);
    const removesNone = keptCount(nTokens, config.maskRatio) === nTokens;
    if (config.objective === 'reconstruction' && removesNone)
      check(config, 'maskRatio', [() => false, 'at least one token removed, since those are what is reconstructed']);
  }
}

type Rule<T> = readonly [holds: (value: T) => boolean, expected: string];

const oneOf = <T extends string>(...choices: readonly T[]): Rule<T> => [
  (x) => choices.includes(x),
  `one of ${choices.join(', ')}`,
];

function check<K extends keyof PretrainConfig>(
  config: PretrainConfig,
  field: K,
  [holds, expected]: Rule<PretrainConfig[K]>,
): void {
  if (holds(config[field])) return;
  throw new InputError(
    `pretrain config, field ${field}`,
    `found ${JSON.stringify(config[field])}; expected ${expected}`,
  );
}
