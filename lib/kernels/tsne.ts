/**
 * Kernels of t-SNE in AssemblyScript, over a memory of their own. Every argument is a byte address; numbers are float32
 * unless said otherwise. SIMD of 128 bits without fused multiply-add: the same bits come out on every machine.
 * Letters: n points, E entries of the sparse affinities, q = 1 / (1 + distance^2).
 */
export { buildTree, sortPoints } from './tsneTree';
export { attract, repelByTree, repelEachByTree, repelExactly, step, sum } from './tsneForces';
export { distances, nearest } from './tsneNeighbours';
