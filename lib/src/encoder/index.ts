/**
 * encoder/ : SimpleViT as the reference has it, in three patch variants and four named sizes, and its checkpoints in
 * safetensors under the reference's parameter names; published ones (also of PyTorch) are read.
 *
 * Import rule: tensor, views, store, mel (its setting), errors.
 */
export {
  ENCODER_SIZES,
  INPUT_SCALES,
  LOG_GAINS,
  encoderConfig,
  parameterCount,
  parameterShapes,
  parseEncoderConfig,
  transformerShapes,
  type EncoderConfig,
  type EncoderSize,
  type InputScale,
  type TransformerSize,
} from './config.js';
export { initialValues } from './initialValues.js';
export { positionsOf, sincos2d } from './positions.js';
export { transform, type BlockIntermediates, type ClipTokens, type Intermediates } from './simpleVit.js';
export { Encoder, type EmbeddingParts, type ForwardOptions } from './encoder.js';
export { type ConfigOverrides } from './fromTensors.js';
export { weightsId } from './weightsId.js';
export { loadCheckpoint, saveCheckpoint, type Checkpoint, type CheckpointExtras } from './checkpoints.js';
