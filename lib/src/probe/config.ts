/** What a probe is and how it is trained: one table of defaults, named protocols, the paper's grids. */
import { InputError } from '../errors.js';

/** A layer width (Linear + ReLU) or a dropout rate, e.g. `4096`, `'d0.9'`; the position in the list is literal. */
export type HiddenEntry = number | `d${number}`;

/** How the clips of a track become one key; see `decideTracks`. */
export type Decision = 'meanLogits' | 'vote' | 'meanProbabilities';

export interface ProbeConfig {
  /** what comes before the final Linear(24), in order; empty = linear probe */
  readonly hidden: readonly HiddenEntry[];
  /** Adam's, > 0 */
  readonly learningRate: number;
  /** Adam's L2 term (not decoupled), >= 0 */
  readonly weightDecay: number;
  /** clips per step */
  readonly batchSize: number;
  readonly epochs: number;
  /** one lambda ~ Beta(alpha, beta) and one permutation per batch; null = none */
  readonly mixUp: { readonly alpha: number; readonly beta: number } | null;
  /** `train`: fitted on train, applied to all; `perSplit`: each split by its own statistics (a published flaw) */
  readonly standardize: 'none' | 'train' | 'perSplit';
  /** which epoch is kept: best on validation, best on test (a published flaw), or the last */
  readonly selection: 'valid' | 'test' | 'last';
  /** the ruler that selection goes by: credit a fifth below as well (MIREX since 2017) or only above */
  readonly allowDescendingFifths: boolean;
  readonly decision: Decision;
  /** of initial weights, batch order, dropout and MixUp */
  readonly seed: number;
}

/** The paper's training (science: Adam 3e-4, 1e-5, batches of 64, 100 epochs) under the corrected protocol. */
export const PROBE_DEFAULTS: ProbeConfig = {
  hidden: [],
  learningRate: 3e-4,
  weightDecay: 1e-5,
  batchSize: 64,
  epochs: 100,
  mixUp: null,
  standardize: 'train',
  selection: 'valid',
  allowDescendingFifths: true,
  decision: 'meanLogits',
  seed: 0,
};

/** The fields in which the published protocol differs from ours; each can also be taken alone. */
export const PROTOCOLS = {
  corrected: { selection: 'valid', standardize: 'train', allowDescendingFifths: true },
  'as-published': { selection: 'test', standardize: 'perSplit', allowDescendingFifths: false },
} as const satisfies Record<string, Partial<ProbeConfig>>;

/**
 * A complete, checked configuration.
 * @param fields what differs from `PROBE_DEFAULTS`
 * @throws InputError naming the field: unknown, or out of its range
 */
export function probeConfig(fields: Partial<ProbeConfig> = {}): ProbeConfig {
  const unknown = Object.keys(fields).find((field) => !(field in PROBE_DEFAULTS));
  if (unknown !== undefined)
    throw new InputError(
      `probe config, field ${unknown}`,
      `unknown; expected one of ${Object.keys(PROBE_DEFAULTS).join(', ')}`,
    );
  const config: ProbeConfig = { ...PROBE_DEFAULTS, ...fields };
  const check = (field: keyof ProbeConfig, valid: boolean, expected: string): void => {
    if (!valid)
      throw new InputError(`probe config, field ${field}`, `${JSON.stringify(config[field])}; expected ${expected}`);
  };
  const positiveInteger = (value: number): boolean => Number.isInteger(value) && value > 0;
  check('learningRate', config.learningRate > 0 && Number.isFinite(config.learningRate), 'a number above 0');
  check('weightDecay', config.weightDecay >= 0 && Number.isFinite(config.weightDecay), 'a number of at least 0');
  check('batchSize', positiveInteger(config.batchSize), 'a positive integer');
  check('epochs', positiveInteger(config.epochs), 'a positive integer');
  check('seed', Number.isSafeInteger(config.seed), 'an integer');
  check(
    'mixUp',
    config.mixUp === null || (config.mixUp.alpha > 0 && config.mixUp.beta > 0),
    'null or { alpha, beta } above 0',
  );
  check('standardize', ['none', 'train', 'perSplit'].includes(config.standardize), '"none", "train" or "perSplit"');
  check('selection', ['valid', 'test', 'last'].includes(config.selection), '"valid", "test" or "last"');
  check(
    'decision',
    ['meanLogits', 'vote', 'meanProbabilities'].includes(config.decision),
    '"meanLogits", "vote" or "meanProbabilities"',
  );
  check('allowDescendingFifths', typeof config.allowDescendingFifths === 'boolean', 'true or false');
  for (const entry of config.hidden)
    check(
      'hidden',
      typeof entry === 'number' ? positiveInteger(entry) : isDropout(entry),
      'layer widths (positive integers) and dropout rates ("d0" to below "d1")',
    );
  return config;
}

function isDropout(entry: string): boolean {
  return /^d(0(\.\d+)?|\.\d+)$/.test(entry);
}

/** The share of activations that a dropout entry removes, 0 <= rate < 1. */
export function dropoutRate(entry: `d${number}`): number {
  return Number(entry.slice(1));
}

/**
 * The 28 architectures that the paper compares: widths 1024 to 8192 by dropout .75 to .99, one hidden layer (16), or
 * two equal ones without 8192 (12).
 */
export function architectureGrid(base: Partial<ProbeConfig> = {}): ProbeConfig[] {
  const dropouts = ['d0.75', 'd0.9', 'd0.95', 'd0.99'] as const;
  const one = [1024, 2048, 4096, 8192].flatMap((width) => dropouts.map((dropout) => [width, dropout] as const));
  const two = [1024, 2048, 4096].flatMap((width) => dropouts.map((dropout) => [width, dropout, width] as const));
  return [...one, ...two].map((hidden) => probeConfig({ ...base, hidden }));
}

/** The 160 trainings that the paper compares: batch size, learning rate, weight decay, MixUp. */
export function trainingGrid(base: Partial<ProbeConfig> = {}): ProbeConfig[] {
  return [32, 64, 128, 256, 512].flatMap((batchSize) =>
    [1e-4, 3e-4, 1e-3, 3e-3].flatMap((learningRate) =>
      [1e-5, 1e-4, 1e-3, 1e-2].flatMap((weightDecay) =>
        [null, { alpha: 2, beta: 5 }].map((mixUp) =>
          probeConfig({ ...base, batchSize, learningRate, weightDecay, mixUp }),
        ),
      ),
    ),
  );
}
