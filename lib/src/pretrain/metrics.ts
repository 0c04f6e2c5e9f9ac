/** What a training step says about the embedding space besides its loss. Letters: B pairs, D outputs of the head. */
import { assertShape, matMul, tf } from '../tensor/index.js';

export interface ContrastiveMetrics {
  /** Share of the 2B anchors whose positive is the nearest of the other 2B - 1, 0 .. 1; chance is 1 / (2B - 1). */
  readonly accuracy: number;
  /** Mean squared distance of a pair on the unit sphere, 0 .. 4; lower is closer. */
  readonly alignment: number;
  /** log of the mean of exp(-2 |x - y|^2) over different clips of one view, mean of both views; -8 .. 0, lower is more even. */
  readonly uniformity: number;
}

const UNIFORMITY_T = 2;

/**
 * Contrastive accuracy, and alignment (alpha 2) and uniformity (t 2) of Wang and Isola 2020, on the unit sphere.
 *
 * @param hidden1 [B, D] projections of the first views
 * @param hidden2 [B, D] projections of the second views
 */
export function contrastiveMetrics(hidden1: tf.Tensor2D, hidden2: tf.Tensor2D): ContrastiveMetrics {
  assertShape('contrastiveMetrics: hidden2', hidden2.shape, hidden1.shape);
  const nPairs = hidden1.shape[0];
  const n = 2 * nPairs;
  const similarities = cosineSimilarities(hidden1, hidden2);

  let nearest = 0;
  let distance = 0;
  const spread = [0, 0];
  for (let i = 0; i < n; i++) {
    const row = similarities.subarray(i * n, (i + 1) * n);
    const positive = (i + nPairs) % n;
    if (row.every((similarity, j) => j === i || j === positive || similarity < row[positive])) nearest++;
    distance += 2 - 2 * row[positive];
    const view = i < nPairs ? 0 : 1;
    // exp(-t |x - y|^2) is symmetric: later clips of the same view only.
    for (let j = i + 1; j < (view + 1) * nPairs; j++) spread[view] += Math.exp(-UNIFORMITY_T * (2 - 2 * row[j]));
  }
  const pairsOfView = (nPairs * (nPairs - 1)) / 2;
  const uniformity = (Math.log(spread[0] / pairsOfView) + Math.log(spread[1] / pairsOfView)) / 2;
  return { accuracy: nearest / n, alignment: Math.max(0, distance / n), uniformity };
}

/** [2B, 2B], row-major. */
function cosineSimilarities(hidden1: tf.Tensor2D, hidden2: tf.Tensor2D): Float32Array {
  let values = new Float32Array();
  // Handed out past tidy, which would look through every element of a returned array for tensors.
  tf.tidy(() => {
    const h = tf.concat([hidden1, hidden2], 0);
    const z = tf.div(h, tf.maximum(tf.sqrt(tf.sum(tf.square(h), 1, true)), 1e-12)) as tf.Tensor2D;
    values = matMul(z, z, { transposeB: true }).dataSync<'float32'>() as Float32Array<ArrayBuffer>;
  });
  return values;
}
