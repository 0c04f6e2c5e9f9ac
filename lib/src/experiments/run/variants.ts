/** What the presets pretrain beside their base: the base's setting at laptop size, and what differs from it. */
import type { PretrainConfig } from '../../pretrain/index.js';
import type { PretrainingVariant } from './presets.js';

/**
 * What is trained at laptop size. It departs from the reference where few steps and small batches ask for it; chosen by
 * probes on a corpus composed with another seed, whose tracks no preset uses.
 */
export const PRETRAINING: Omit<PretrainConfig, 'encoder' | 'seed' | 'steps' | 'snapshotSteps'> = {
  objective: 'contrastive',
  loss: 'ntXent',
  temperature: 0.1,
  batchPairs: 128,
  // Sixteen clips of each track in a batch: told apart by what they play, since their timbre is the same.
  clipsPerTrack: 16,
  maskRatio: 0.9,
  // Both views from one clip, with different masks: views far apart share timbre but not notes (notebook 02).
  maxFrameDistance: 0,
  pitchShifts: [],
  inputMixUp: null,
  optimizer: 'adamW',
  learningRate: 1e-3,
  weightDecay: 1e-4,
  warmUpSteps: 30,
  schedule: 'cosine',
  clipNorm: 1,
  projectionHead: 'mlp-128-128',
  gamma: 0.9,
  gammaSchedule: 'constant',
  uInitialisation: 'reference',
  checkpointEverySteps: 50,
};

/** Optimizer steps of the base. */
export const BASE_STEPS = 500;
/** Tokens that a vertical clip keeps at the base's mask ratio; other ratios get steps for as many tokens in all. */
const BASE_TOKENS = 10;

/** A mask ratio with the base's budget of tokens, since a step's time goes by the tokens that stay. */
function maskRatio(ratio: number, keptTokens: number): PretrainingVariant {
  const steps = Math.round((BASE_STEPS * BASE_TOKENS) / keptTokens);
  const percent = Math.round(100 * ratio);
  return {
    id: `mask-${percent}`,
    label: `mask ${percent} %`,
    changes: { maskRatio: ratio, steps, warmUpSteps: Math.round((PRETRAINING.warmUpSteps * steps) / BASE_STEPS) },
  };
}

/** Both views from one track, one pair a track: clips of one track cannot be negatives of a pair that lies across them. */
export function viewDistance(id: string, label: string, maxFrameDistance: number | null): PretrainingVariant {
  return { id, label, changes: { clipsPerTrack: 1, maxFrameDistance } };
}

export const ONE_CLIP: PretrainingVariant = {
  id: 'clips-1',
  label: 'one clip a track',
  changes: { clipsPerTrack: 1 },
  isCompared: true,
};
export const INPUT_MIXUP: PretrainingVariant = {
  id: 'input-mixup',
  label: 'input MixUp',
  changes: { inputMixUp: { alpha: 2, beta: 5 } },
};
/**
 * Masked as the method's own authors mask (75 %). A step reads 2.5 times the base's tokens and decodes every one: it takes
 * 4.7 times the processor time of a base's step, so it gets steps for as much time in all.
 */
export const RECONSTRUCTION: PretrainingVariant = {
  id: 'reconstruction',
  label: 'reconstruction',
  changes: { objective: 'reconstruction', maskRatio: 0.75, steps: 106, warmUpSteps: 6 },
};

/** One change each, with the base's budget. Frames: 31.25 are a second. */
export const ABLATIONS: readonly PretrainingVariant[] = [
  maskRatio(0.5, 49),
  maskRatio(0.75, 25),
  maskRatio(0.95, 5),
  viewDistance('within-1s', 'one clip a track, views within 1 s', 31),
  viewDistance('within-5s', 'one clip a track, views within 5 s', 156),
  { id: 'sogclr', label: 'one clip a track, SogCLR', changes: { clipsPerTrack: 1, loss: 'sogClr' } },
  { id: 'log1p', label: 'log mel', inputScale: 'log1p' },
  { id: 'pitch-shift', label: 'pitch shift added', changes: { pitchShifts: [-5, -3, -1, 1, 3, 5] } },
  RECONSTRUCTION,
  INPUT_MIXUP,
];
