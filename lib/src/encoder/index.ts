/**
 * encoder/ : SimpleViT as the reference has it, in three patch variants and three named sizes, and its checkpoints in
 * safetensors under the reference's parameter names.
 *
 * Import rule: tensor, views, store, errors.
 */
export {
  ENCODER_SIZES,
  encoderConfig,
  parameterCount,
  parameterShapes,
  parseEncoderConfig,
  type EncoderConfig,
  type EncoderSize,
} from './config.js';
export { sincos2d } from './positions.js';
export { type BlockIntermediates, type Intermediates } from './simpleVit.js';
export { Encoder, type EmbeddingParts, type ForwardOptions } from './encoder.js';
export { type ConfigOverrides } from './fromTensors.js';
export { loadCheckpoint, saveCheckpoint, type Checkpoint, type CheckpointExtras } from './checkpoints.js';
