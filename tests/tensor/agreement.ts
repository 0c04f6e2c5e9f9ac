/** How an accelerated operation is compared with its plain twin: values and all gradients, under a random cotangent. */
import { expect } from 'vitest';
import { createRng, tf } from '../../lib/src/tensor/index.js';

/** Largest difference relative to the largest magnitude expected, at least `floor`. */
export function deviation(found: tf.Tensor, expected: tf.Tensor, floor = 1e-12): number {
  expect(found.shape).toEqual(expected.shape);
  const [a, b] = [found.dataSync(), expected.dataSync()];
  let worst = 0;
  let peak = floor;
  for (let i = 0; i < b.length; i++) {
    if (!Number.isFinite(a[i])) return Infinity;
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
    peak = Math.max(peak, Math.abs(b[i]));
  }
  return worst / peak;
}

const rng = createRng('tensor ops');

/** Standard normal numbers; every call draws new ones. */
export const normal = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    shape,
  );

export type Operation = (...xs: tf.Tensor[]) => tf.Tensor;

/**
 * @param ofValue largest relative deviation of the value
 * @param ofGradient of each gradient
 * @param floor magnitude that a gradient is compared with at least: the terms it is the sum of may cancel
 */
export function agrees(
  op: Operation,
  twin: Operation,
  xs: tf.Tensor[],
  { ofValue = 3e-6, ofGradient = 1e-5, floor = 1e-12 } = {},
): void {
  tf.tidy(() => {
    const [y, expected] = [op(...xs), twin(...xs)];
    expect(deviation(y, expected)).toBeLessThan(ofValue);
    const cotangent = normal(...y.shape);
    const found = tf.grads((...zs: tf.Tensor[]) => tf.sum(tf.mul(op(...zs), cotangent)))(xs);
    const wanted = tf.grads((...zs: tf.Tensor[]) => tf.sum(tf.mul(twin(...zs), cotangent)))(xs);
    wanted.forEach((g, i) => expect(deviation(found[i], g, floor)).toBeLessThan(ofGradient));
  });
}
