/**
 * finetune/: encoder and head trained together on labelled tracks, the step after a frozen encoder's probe: for a
 * detector that is used, not for an analysis of what pretraining alone has learned.
 *
 * Import rule: notes, probe, pretrain, encoder, views, mel, corpus, keys, tensor, store, errors.
 */
export {
  FINE_TUNE_DEFAULTS,
  fineTuneConfig,
  fineTuneConfigId,
  type FineTuneConfig,
  type MelAugmentation,
} from './config.js';
export { labelledBatch, type FineTuneTrack, type LabelledBatch } from './batches.js';
export { augmentPatches, randomEqualiser } from './augmentation.js';
export {
  binaryCrossEntropy,
  disposeFineTuneState,
  fineTuneState,
  fineTuneStep,
  softCrossEntropy,
  type FineTuneReport,
} from './step.js';
export { fineTune, type FineTuneLogLine, type FineTuneOptions, type FineTuneResult } from './loop.js';
