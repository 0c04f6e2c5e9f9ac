/**
 * Kernels of the probes' heads, over a memory that each head owns (lib/src/probe/memory.ts). As in kernels.ts every
 * argument is a byte address, matrices are row-major, and SIMD goes without fused multiply-add.
 */
export { gemm, gemmScratchBytes } from './gemm';
export { columnSums, fillRows } from './rows';
export { adam } from './adam';
export { relu, reluGrad, multiply, maskOf } from './elementwise';
export { sortByUnit, keptForward, keptOutputs, keptGradients } from './kept';
export { linearLogits, linearGradients, adam64 } from './linearProbe';
