/** The size of a step's gradient, and its limit. */
import { tf } from '../tensor/index.js';

/** The Euclidean norm over all gradients together; NaN or Infinity if any of them is. */
export function globalNorm(gradients: ReadonlyMap<string, tf.Tensor>): number {
  const squares = tf.tidy(() => {
    const sums = Array.from(gradients.values(), (g) => tf.sum(tf.square(g)) as tf.Scalar);
    return tf.stack(sums).dataSync<'float32'>();
  });
  return Math.sqrt(squares.reduce((sum, x) => sum + x, 0));
}

/**
 * Scales all gradients by clipNorm / norm if their global norm exceeds clipNorm (Pascanu et al. 2013).
 *
 * @param norm the gradients' global norm
 * @returns the same map if nothing had to be done, else a new one; the caller disposes what differs
 */
export function clipByGlobalNorm(
  gradients: ReadonlyMap<string, tf.Tensor>,
  norm: number,
  clipNorm: number,
): ReadonlyMap<string, tf.Tensor> {
  if (!(norm > clipNorm)) return gradients;
  return new Map(Array.from(gradients, ([name, g]) => [name, tf.mul(g, clipNorm / norm)]));
}
