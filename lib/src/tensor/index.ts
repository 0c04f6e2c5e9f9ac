/**
 * Tensors: the choice of backend, the differentiable operations of a transformer with their accelerated kernels,
 * shape checks, seeded random numbers and the Adam optimizer. Imports `store` only.
 */
export { tf } from './tf.js';
export {
  currentBackend,
  currentBlas,
  ensureBackend,
  initBackend,
  withOneBlasThread,
  type BackendInfo,
  type BackendOptions,
} from './backend.js';
export { type Blas } from './blas.js';
export { attention, gelu, globalNorm, groupMeans, layerNorm, linear, matMul } from './ops.js';
export { attentionLayer, mlpLayer } from './layers.js';
export { Adam, type AdamOptions } from './adam.js';
export { createRng, restoreRng, type Rng, type RngState } from './random.js';
export { assertShape } from './shape.js';
