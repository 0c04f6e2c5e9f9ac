/**
 * pretrain/: from tracks to an encoder. Mel shards on disk, batches of masked positive pairs, projection head, contrastive losses, the decoder
 * of reconstruction, learning rate, metrics, log, checkpoints, and the loop that can be killed at any moment and goes on
 * where it was.
 *
 * Import rule: encoder, views, mel, corpus, tensor, store, errors.
 */
export {
  PRETRAIN_DEFAULTS,
  checkPretrainConfig,
  pretrainConfig,
  pretrainConfigId,
  type PretrainConfig,
} from './config.js';
export { batchOfStep, stepsPerEpoch, type Batch, type PretrainTrack } from './batches.js';
export { clipOf, isStored, type LeftOut, MelShards, type MelSource, type StoredMel } from './melShards.js';
export { melBytes, shardTracks, type ShardedTracks, type ShardTracksOptions, shardUnits } from './shardTracks.js';
export { patchesOfViews, type Mixing } from './mixing.js';
export { PatchDecoder } from './decoder.js';
export { ntXent } from './ntXent.js';
export { cosineGamma, SogClr, type SogClrOptions } from './sogClr.js';
export { ProjectionHead } from './projectionHead.js';
export { learningRateAt, type ScheduleConfig } from './schedule.js';
export { clipFactor } from './gradients.js';
export { contrastiveMetrics, type ContrastiveMetrics } from './metrics.js';
export {
  disposeState,
  gradientsOfBatch,
  initialEncoder,
  initialState,
  pretrainStep,
  type Gradients,
  type PretrainState,
  type StepMetrics,
  type StepReport,
  type StepTimes,
  type TrainingHead,
} from './step.js';
export { readLog, type PretrainLogLine } from './log.js';
export { pretrain, snapshotPath, type PretrainOptions, type PretrainResult } from './loop.js';
