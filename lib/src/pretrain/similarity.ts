/**
 * The cosine similarities of a batch and the way back from them. Both contrastive losses are functions of one
 * [2B, 2B] matrix, so each states only its value and its gradient with respect to that matrix, and the gradient to the
 * projections is one product for both views. Letters: B pairs, D outputs of the projection head.
 */
import { assertShape, matMul, tf } from '../tensor/index.js';

/** What a loss says about the similarities: its value, and the gradient of its value with respect to each of them. */
export interface SimilarityCriterion {
  /** @param similarities [2B, 2B], rows and columns: the B first views, then the B second views */
  (similarities: tf.Tensor2D): { readonly loss: tf.Scalar; readonly gradient: tf.Tensor2D };
}

const NORM_FLOOR = 1e-12;

/** Rows of length 1 (L2; lengths below 1e-12 count as 1e-12, so a zero row stays zero), and the lengths [rows, 1]. */
function normaliseRows(h: tf.Tensor2D): { z: tf.Tensor2D; lengths: tf.Tensor2D } {
  const lengths = tf.maximum(tf.sqrt(tf.sum(tf.square(h), 1, true)), NORM_FLOOR) as tf.Tensor2D;
  return { z: tf.div(h, lengths), lengths };
}

/**
 * Applies a criterion to the cosine similarities of two views.
 * With G = dL/dS, S = z z' and z = h / |h|: dL/dz = (G + G') z and dL/dh = (dL/dz - z (z . dL/dz)) / |h|.
 *
 * @param hidden1 [B, D] projections of the first views, of any length
 * @param hidden2 [B, D] projections of the second views; row i of both belong together
 * @returns the loss, differentiable with respect to both
 */
export function lossOfSimilarities(
  hidden1: tf.Tensor2D,
  hidden2: tf.Tensor2D,
  criterion: SimilarityCriterion,
): tf.Scalar {
  const nPairs = hidden1.shape[0];
  assertShape('contrastive loss: hidden2', hidden2.shape, hidden1.shape);
  if (nPairs < 2) throw new RangeError(`contrastive loss: a batch needs at least 2 pairs, found ${nPairs}`);
  const op = tf.customGrad((first, second, save) => {
    const { z, lengths } = normaliseRows(tf.concat([first as tf.Tensor2D, second as tf.Tensor2D], 0));
    const { loss, gradient } = criterion(matMul(z, z, { transposeB: true }));
    (save as tf.GradSaveFunc)([z, lengths, gradient]);
    return {
      value: loss,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [unit, length, g] = saved as tf.Tensor2D[];
        const dz = matMul(tf.add(g, tf.transpose(g)), unit);
        const along = tf.sum(tf.mul(dz, unit), 1, true);
        const dh = tf.mul(tf.div(tf.sub(dz, tf.mul(unit, along)), length), dy) as tf.Tensor2D;
        return [tf.slice(dh, [0, 0], [nPairs, -1]), tf.slice(dh, [nPairs, 0], [nPairs, -1])];
      },
    };
  });
  return op(hidden1, hidden2) as tf.Scalar;
}

/** 1 where the column is the row's own clip [2B, 2B]. */
export const selfMask = (nPairs: number): tf.Tensor2D => shiftedIdentity(2 * nPairs, 0);

/** 1 where the column is the row's positive, the other view of the same pair [2B, 2B]. */
export const positiveMask = (nPairs: number): tf.Tensor2D => shiftedIdentity(2 * nPairs, nPairs);

/** Not tf.oneHot: on the wasm backend it writes integers into a float32 tensor. */
function shiftedIdentity(n: number, shift: number): tf.Tensor2D {
  const values = new Float32Array(n * n);
  for (let i = 0; i < n; i++) values[i * n + ((i + shift) % n)] = 1;
  return tf.tensor2d(values, [n, n]);
}
