/**
 * SogCLR, the global contrastive loss made for small batches (Yuan et al. 2022), as LibAUC's GCLoss_v1 computes it and
 * the reference trains with it: a moving estimate u per track stands in for the negatives that the batch does not hold.
 */
import { assertShape, tf } from '../tensor/index.js';
import { lossOfSimilarities, positiveMask, selfMask } from './similarity.js';

export interface SogClrOptions {
  /** tau; below .02 exp(1 / tau) leaves the range that single precision can weigh. Default .1. */
  readonly temperature?: number;
  /** Smallest share of the new estimate in u, in (0, 1]. Default .9. */
  readonly gamma?: number;
  /**
   * `constant`: gamma from epoch 1 on; in epoch 0 the initialisation below applies.
   * `cosine`: from 1 to gamma over `gammaDecayEpochs`, with no special case for tracks met for the first time.
   */
  readonly gammaSchedule?: 'constant' | 'cosine';
  /** Length of the cosine in epochs; the reference passes the number of epochs. */
  readonly gammaDecayEpochs?: number;
  /** Floor of u in the weights. Default 1e-8. */
  readonly epsilon?: number;
  /**
   * What happens to a track that is met for the first time, whose u is still 0.
   * `reference`: u becomes the batch's estimate only if the whole batch is new and the epoch is 0; else u = gamma times
   * the estimate, which is too small, so that the track's first gradient is 1 / gamma times too large.
   * `perTrack`: u becomes the batch's estimate, whatever else the batch holds.
   */
  readonly uInitialisation?: 'reference' | 'perTrack';
}

/** gamma of an epoch under the cosine schedule: (1 - gamma) / 2 * (1 + cos(pi epoch / decayEpochs)) + gamma. */
export function cosineGamma(epoch: number, gamma: number, decayEpochs: number): number {
  return epoch >= decayEpochs ? gamma : ((1 - gamma) / 2) * (1 + Math.cos((Math.PI * epoch) / decayEpochs)) + gamma;
}

/** The loss with its state, one u per track of the training set. */
export class SogClr {
  /** The estimates, [nTracks]; 0 = not met yet. Part of a checkpoint. */
  readonly u: Float64Array;
  private readonly options: Required<SogClrOptions>;

  constructor(nTracks: number, options: SogClrOptions = {}) {
    this.u = new Float64Array(nTracks);
    this.options = {
      temperature: 0.1,
      gamma: 0.9,
      gammaSchedule: 'constant',
      gammaDecayEpochs: 10,
      epsilon: 1e-8,
      uInitialisation: 'reference',
      ...options,
    };
    const { temperature, gamma } = this.options;
    if (!(temperature >= 0.02))
      throw new RangeError(`SogClr: the temperature must be at least .02, found ${temperature}`);
    if (!(gamma > 0 && gamma <= 1)) throw new RangeError(`SogClr: gamma must be in (0, 1], found ${gamma}`);
  }

  /** The share of the new estimate for each track of a batch, before u is updated. */
  private shares(trackIds: Int32Array, epoch: number): number[] {
    const { gamma, gammaSchedule, gammaDecayEpochs, uInitialisation } = this.options;
    const cosine = gammaSchedule === 'cosine';
    const share = cosine ? cosineGamma(epoch, gamma, gammaDecayEpochs) : gamma;
    const isNew = Array.from(trackIds, (id) => this.u[id] === 0);
    if (uInitialisation === 'perTrack') return isNew.map((first) => (first ? 1 : share));
    const whole = !cosine && epoch === 0 && isNew.every(Boolean) ? 1 : share;
    return isNew.map(() => whole);
  }

  /**
   * One call of the loss; moves u of the batch's tracks. For anchor i of one side, over the 2(B-1) negatives of both
   * views (itself and its positive excluded):
   *   g = mean exp(s / tau),  u_new = (1 - gamma) u + gamma g,
   *   loss_i = -s_positive + mean( exp(s / tau) / max(u_new, epsilon) held fixed * s );
   * the loss is the mean over pairs of the sum of both sides, and the state becomes the mean of both sides' u_new.
   * The value is a surrogate and may be negative; with gamma = 1 its gradient is tau times that of the decoupled loss.
   *
   * @param hidden1 [B, D] projections of the first views (normalised here)
   * @param hidden2 [B, D] projections of the second views
   * @param trackIds [B] index of each pair's track; where a track has several pairs its u is their mean
   * @param epoch 0 in the first pass over the tracks
   */
  loss(hidden1: tf.Tensor2D, hidden2: tf.Tensor2D, trackIds: Int32Array, epoch: number): tf.Scalar {
    const nPairs = hidden1.shape[0];
    const nNegatives = 2 * (nPairs - 1);
    assertShape('SogClr: trackIds', [trackIds.length], [nPairs]);
    for (const id of trackIds) {
      if (!(id >= 0 && id < this.u.length)) {
        throw new RangeError(`SogClr: track index ${id} is outside 0 .. ${this.u.length - 1}`);
      }
    }
    return lossOfSimilarities(hidden1, hidden2, (similarities) => {
      const positives = positiveMask(nPairs);
      const isNegative = tf.sub(1, tf.add(selfMask(nPairs), positives));
      const terms = tf.mul(tf.exp(tf.div(similarities, this.options.temperature)), isNegative);
      const estimates = tf.div(tf.sum(terms, 1), nNegatives).dataSync<'float32'>();
      const fixed = tf.mul(terms, tf.tensor2d(this.update(estimates, trackIds, epoch), [2 * nPairs, 1]));
      const gradient = tf.div(tf.sub(tf.div(fixed, nNegatives), positives), nPairs) as tf.Tensor2D;
      // The surrogate is linear in the similarities, so its value is the gradient times the similarities.
      return { loss: tf.sum(tf.mul(gradient, similarities)) as tf.Scalar, gradient };
    });
  }

  /** Moves u by a batch's estimates [2B], first sides then second; returns the weights 1 / u_new [2B]. */
  private update(estimates: Float32Array, trackIds: Int32Array, epoch: number): Float32Array {
    const nPairs = trackIds.length;
    const shares = this.shares(trackIds, epoch);
    const weights = new Float32Array(2 * nPairs);
    const sums = new Map<number, { sum: number; n: number }>();
    trackIds.forEach((id, i) => {
      const sides = [i, nPairs + i].map((row) => (1 - shares[i]) * this.u[id] + shares[i] * estimates[row]);
      sides.forEach((side, s) => (weights[s * nPairs + i] = 1 / Math.max(side, this.options.epsilon)));
      const { sum, n } = sums.get(id) ?? { sum: 0, n: 0 };
      sums.set(id, { sum: sum + (sides[0] + sides[1]) / 2, n: n + 1 });
    });
    for (const [id, { sum, n }] of sums) this.u[id] = sum / n;
    return weights;
  }
}
