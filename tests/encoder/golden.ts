/** Golden files of the encoder, and how outputs are compared with them. */
import { expect } from 'vitest';
import type { StoredTensor } from '../../lib/src/store/index.js';
import { readSafetensors } from '../../lib/src/store/index.js';
import { initBackend, type tf } from '../../lib/src/tensor/index.js';
import { loadCheckpoint } from '../../lib/src/encoder/index.js';

export const VARIANTS = ['vertical', 'square', 'hybrid'] as const;
export type Variant = (typeof VARIANTS)[number];

/** The backends that are always there, wasm with and without the suite's own kernels. */
export const BACKENDS = {
  wasm: () => initBackend({ prefer: 'wasm' }),
  'plain wasm': () => initBackend({ prefer: 'wasm', accelerate: false, blas: false }),
  cpu: () => initBackend({ prefer: 'cpu' }),
} as const;
export const BACKEND_NAMES = Object.keys(BACKENDS) as (keyof typeof BACKENDS)[];

export const goldenPath = (name: string): string => new URL(`../golden/${name}`, import.meta.url).pathname;

/** Inputs and outputs of the reference's tiny encoder. */
export function goldenIo(variant: Variant): (name: string) => StoredTensor {
  const { tensors } = readSafetensors(goldenPath(`vit_tiny_${variant}.io.safetensors`));
  return (name) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`golden ${variant} has no tensor ${name}`);
    return tensor;
  };
}

/** The reference's tiny encoder itself. Its weights file has a linear head of 50 outputs. */
export const goldenEncoder = (variant: Variant, clipFrames?: number) =>
  loadCheckpoint(goldenPath(`vit_tiny_${variant}.weights.safetensors`), { patches: variant, numHeads: 2, clipFrames });

/** Largest deviation over the largest value of the reference. */
export function deviation(found: ArrayLike<number>, reference: ArrayLike<number>): number {
  expect(found.length).toBe(reference.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    worst = Math.max(worst, Math.abs(found[i] - reference[i])); // a NaN stays
    largest = Math.max(largest, Math.abs(reference[i]));
  }
  return worst / largest;
}

/** Values of a tensor that is then freed. */
export function take(tensor: tf.Tensor): Float32Array {
  const values = Float32Array.from(tensor.dataSync());
  tensor.dispose();
  return values;
}
