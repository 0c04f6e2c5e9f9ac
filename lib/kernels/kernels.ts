/**
 * Kernels in AssemblyScript over the memory of the TensorFlow.js wasm backend. They own no memory: every argument is a
 * byte address in the shared heap, every matrix is row-major float32, scratch space is handed in by the caller.
 * SIMD of 128 bits without fused multiply-add, so that the same bits come out on every machine.
 */
export { gemm, gemmScratchBytes } from './gemm';
export { addToRows, columnSums, fillRows, groupMeans, groupMeansGrad } from './rows';
export { gelu, geluAndGrad, geluGrad } from './gelu';
export { layerNorm, layerNormGrad } from './layerNorm';
export { attention, attentionGrad, softmaxGradRows, softmaxRows } from './attention';
export { adam, sumOfSquares } from './adam';
