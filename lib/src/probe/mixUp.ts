/**
 * Cross-entropy against soft targets, and MixUp (Zhang et al. 2018) as soft targets:
 * lambda * CE(y_a) + (1 - lambda) * CE(y_b) is the cross-entropy against lambda * onehot(y_a) + (1 - lambda) * onehot(y_b).
 * Letters: N clips in the batch, K = 24 keys.
 */
import { NUM_KEYS } from '../keys/index.js';

/** One lambda and one partner for each clip of a batch. */
export interface MixUpDraw {
  /** share of the clip itself, 0..1; not folded to the larger share */
  readonly lambda: number;
  /** [N] place of the partner inside the batch */
  readonly partner: Int32Array;
}

/** lambda * x + (1 - lambda) * x[partner]. @param x [N, width] */
export function mixRows(x: Float32Array, width: number, { lambda, partner }: MixUpDraw): Float32Array {
  const mixed = new Float32Array(x.length);
  for (let row = 0; row < partner.length; row++)
    for (let column = 0; column < width; column++)
      mixed[row * width + column] = lambda * x[row * width + column] + (1 - lambda) * x[partner[row] * width + column];
  return mixed;
}

/** Targets [N, K] of key ids, mixed if a draw is given; each row adds up to 1. */
export function softTargets(keyIds: ArrayLike<number>, draw: MixUpDraw | null = null): Float64Array {
  const targets = new Float64Array(keyIds.length * NUM_KEYS);
  for (let row = 0; row < keyIds.length; row++) {
    targets[row * NUM_KEYS + keyIds[row]] += draw?.lambda ?? 1;
    if (draw !== null) targets[row * NUM_KEYS + keyIds[draw.partner[row]]] += 1 - draw.lambda;
  }
  return targets;
}

/**
 * Mean cross-entropy over the batch and its gradient with respect to the logits, (softmax - targets) / N.
 * @param logits, targets [N, K]
 */
export function crossEntropy(logits: Float64Array, targets: Float64Array): { loss: number; gradient: Float64Array } {
  const gradient = logits.slice();
  return { loss: crossEntropyInPlace(gradient, targets), gradient };
}

/** The mean cross-entropy; the logits [N, K] become its gradient. */
export function crossEntropyInPlace(logits: Float64Array, targets: Float64Array): number {
  const n = logits.length / NUM_KEYS;
  let loss = 0;
  for (let start = 0; start < logits.length; start += NUM_KEYS) {
    const end = start + NUM_KEYS;
    let largest = -Infinity;
    for (let k = start; k < end; k++) if (logits[k] > largest) largest = logits[k];
    let sum = 0;
    for (let k = start; k < end; k++) sum += exponentials[k - start] = Math.exp(logits[k] - largest);
    const logSum = largest + Math.log(sum);
    for (let k = start; k < end; k++) {
      loss += targets[k] * (logSum - logits[k]);
      logits[k] = (exponentials[k - start] / sum - targets[k]) / n;
    }
  }
  return loss / n;
}

const exponentials = new Float64Array(NUM_KEYS);
