/** NT-Xent, the normalised temperature-scaled cross entropy of SimCLR (Chen et al. 2020, equation 1). */
import { tf } from '../tensor/index.js';
import { lossOfSimilarities, positiveMask, selfMask } from './similarity.js';

/** Far below every logit, so that a clip's similarity with itself gets probability 0. */
const EXCLUDED = -1e9;

/**
 * mean over the 2B anchors of -log( exp(s_pos / tau) / sum over k != self of exp(s_k / tau) ), s = cosine similarity.
 * The positive is part of the denominator.
 *
 * @param z1 [B, D] projections of the first views (normalised here)
 * @param z2 [B, D] projections of the second views; row i belongs to row i of z1
 * @param temperature tau > 0
 * @returns the loss, differentiable with respect to both
 */
export function ntXent(z1: tf.Tensor2D, z2: tf.Tensor2D, temperature: number): tf.Scalar {
  if (!(temperature > 0)) throw new RangeError(`ntXent: the temperature must be above 0, found ${temperature}`);
  const nPairs = z1.shape[0];
  return lossOfSimilarities(z1, z2, (similarities) => {
    const positives = positiveMask(nPairs);
    const logits = tf.add(tf.div(similarities, temperature), tf.mul(selfMask(nPairs), EXCLUDED));
    const ofPositive = tf.sum(tf.mul(logits, positives), 1);
    const loss = tf.mean(tf.sub(tf.logSumExp(logits, 1), ofPositive)) as tf.Scalar;
    const gradient = tf.mul(tf.sub(tf.softmax(logits), positives), 1 / (2 * nPairs * temperature)) as tf.Tensor2D;
    return { loss, gradient };
  });
}
