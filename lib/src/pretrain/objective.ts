/** What is learned from a batch: the two objectives, each as a loss for the tape and what it says beside the loss. */
import type { Encoder } from '../encoder/index.js';
import { tf } from '../tensor/index.js';
import { PATCHINGS, removedTokens, numTokens, type Patching } from '../views/index.js';
import type { Batch } from './batches.js';
import type { PatchDecoder } from './decoder.js';
import { contrastiveMetrics, type ContrastiveMetrics } from './metrics.js';
import { patchesOfViews } from './mixing.js';
import type { ProjectionHead } from './projectionHead.js';

/** An objective on one batch whose patches have been cut. */
export interface Objective {
  /** The loss as a function of the weights; called once, inside a gradient. */
  readonly loss: () => tf.Scalar;
  /** What else the step says; called once, after the gradient. */
  readonly metrics: () => ContrastiveMetrics | null;
}

/** The contrastive loss of two projections, [B, D] each. */
export type PairLoss = (first: tf.Tensor2D, second: tf.Tensor2D) => tf.Scalar;

/**
 * Tells the other view of a pair from the views of other pairs. Hybrid is the mean of the losses of its two patchings,
 * square first, which share SogCLR's estimates as in the reference.
 */
export function contrast(encoder: Encoder, head: ProjectionHead, batch: Batch, pairLoss: PairLoss): Objective {
  const { kept, trackIds } = batch;
  const { clipFrames, patches: variant } = encoder.config;
  const nPairs = trackIds.length;
  const patchings = PATCHINGS[variant];
  const patches = Object.fromEntries(
    patchings.map((patching) => [patching, patchesOfViews(batch, clipFrames, patching, kept[patching])]),
  );
  const projections: [tf.Tensor2D, tf.Tensor2D][] = [];
  const loss = (): tf.Scalar => {
    // Both views run through the encoder in one call.
    const parts = encoder.forwardPatches(patches, 2 * nPairs, { kept });
    return meanOf(
      patchings.map((patching) => {
        const projected = head.forward(parts[patching]!); // [2B, D]
        const first = tf.keep(tf.slice(projected, [0, 0], [nPairs, -1]));
        const second = tf.keep(tf.slice(projected, [nPairs, 0], [nPairs, -1]));
        projections.push([first, second]);
        return pairLoss(first, second);
      }),
    );
  };
  const metrics = (): ContrastiveMetrics => {
    const ofPatchings = projections.map(([first, second]) => contrastiveMetrics(first, second));
    tf.dispose(projections);
    const mean = (field: keyof ContrastiveMetrics): number =>
      ofPatchings.reduce((sum, m) => sum + m[field], 0) / ofPatchings.length;
    return { accuracy: mean('accuracy'), alignment: mean('alignment'), uniformity: mean('uniformity') };
  };
  return { loss, metrics };
}

/**
 * Draws the removed patches from the kept ones (MAE, He et al. 2022): the mean squared error over removed tokens alone,
 * each patch log(1 + power) normalised by its own mean and deviation. The logarithm is that of the method's audio twin
 * (Huang et al. 2022): of power, the loudest band alone is nearly all of a patch's variance. Hybrid is the mean of the
 * errors of its patchings.
 */
export function reconstruction(encoder: Encoder, decoder: PatchDecoder, batch: Batch): Objective {
  const { kept, views } = batch;
  const { clipFrames, nMels, patches: variant } = encoder.config;
  const nClips = views.length;
  const cut = PATCHINGS[variant].map((patching) => {
    const ids = kept[patching]!;
    const removed = removedTokens(ids, nClips, numTokens(patching, nMels, clipFrames));
    const patches = patchesOfViews(batch, clipFrames, patching, ids);
    return { patching, ids, removed, patches, targets: targetsOf(batch, clipFrames, patching, removed) };
  });
  const patches = Object.fromEntries(cut.map((one) => [one.patching, one.patches]));
  const loss = (): tf.Scalar => {
    const parts = encoder.forwardTokens(patches, nClips, { kept });
    return meanOf(
      cut.map(({ patching, ids, removed, targets }) =>
        meanSquaredError(decoder.forward(patching, parts[patching]!, ids, removed, nClips), targets),
      ),
    );
  };
  return { loss, metrics: () => null };
}

function meanOf(losses: readonly tf.Scalar[]): tf.Scalar {
  return losses.length === 1 ? losses[0] : tf.div(tf.addN([...losses]), losses.length);
}

/** Added to a patch's variance, as in the method's code: a silent patch is all 0. */
const EPSILON = 1e-6;

/** The removed patches, log(1 + power), each with mean 0 and variance 1, [2B * removed, 256]. */
function targetsOf(batch: Batch, clipFrames: number, patching: Patching, removed: Int32Array): Float32Array {
  const values = patchesOfViews(batch, clipFrames, patching, removed);
  for (let i = 0; i < values.length; i++) values[i] = Math.log1p(values[i]);
  const area = values.length / removed.length;
  for (let begin = 0; begin < values.length; begin += area) {
    let [sum, squares] = [0, 0];
    for (let i = begin; i < begin + area; i++) sum += values[i];
    const mean = sum / area;
    for (let i = begin; i < begin + area; i++) squares += (values[i] - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / area + EPSILON);
    for (let i = begin; i < begin + area; i++) values[i] = scale * (values[i] - mean);
  }
  return values;
}

/** Mean of (predicted - target)^2 over all values. @param targets as many values as `predicted` */
function meanSquaredError(predicted: tf.Tensor2D, targets: Float32Array): tf.Scalar {
  const op = tf.customGrad((x, save) => {
    const gap = tf.sub(x as tf.Tensor2D, tf.tensor2d(targets, predicted.shape));
    (save as tf.GradSaveFunc)([gap]);
    return {
      value: tf.mean(tf.square(gap)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0], tf.mul(dy, 2 / targets.length)),
    };
  });
  return op(predicted) as tf.Scalar;
}
