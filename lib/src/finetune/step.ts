/** One optimizer step on encoder and head together: cross entropy of the keys, gradients, update. */
import type { Encoder } from '../encoder/index.js';
import { NUM_KEYS } from '../keys/index.js';
import { clipFactor, ProjectionHead } from '../pretrain/index.js';
import { Adam, assertShape, createRng, globalNorm, tf } from '../tensor/index.js';
import { PATCHINGS } from '../views/index.js';
import type { LabelledBatch } from './batches.js';
import type { FineTuneConfig } from './config.js';

/** Everything that a step changes. */
export interface FineTuneState {
  readonly encoder: Encoder;
  /** From embeddings to 24 logits. */
  readonly head: ProjectionHead;
  readonly optimizer: Adam;
}

/** Name of the key head by the head names of pretrain/. */
export const headName = ({ hidden }: Pick<FineTuneConfig, 'hidden'>): string =>
  hidden === 0 ? `linear-${NUM_KEYS}` : `mlp-${hidden}-${NUM_KEYS}`;

/** The state before the first step; takes `encoder` over. */
export function fineTuneState(
  config: FineTuneConfig,
  encoder: Encoder,
  head = ProjectionHead.init(headName(config), encoder.outWidth, createRng(config.seed).fork('key head')),
): FineTuneState {
  const { learningRate, weightDecay } = config;
  const parameters = new Map([...encoder.weights, ...head.weights]);
  return { encoder, head, optimizer: new Adam(parameters, { learningRate, weightDecay, decoupled: true }) };
}

export function disposeFineTuneState({ encoder, head, optimizer }: FineTuneState): void {
  encoder.dispose();
  head.dispose();
  optimizer.dispose();
}

/**
 * mean over clips of -sum over keys of target * log softmax(logits).
 *
 * @param logits [N, 24]
 * @param targets [N, 24], rows adding up to 1
 */
export function softCrossEntropy(logits: tf.Tensor2D, targets: Float32Array): tf.Scalar {
  assertShape('softCrossEntropy: logits', logits.shape, [targets.length / NUM_KEYS, NUM_KEYS]);
  const n = logits.shape[0];
  const op = tf.customGrad((x, save) => {
    const wanted = tf.tensor2d(targets, [n, NUM_KEYS]);
    const own = tf.sum(tf.mul(x as tf.Tensor2D, wanted), 1);
    const value = tf.mean(tf.sub(tf.logSumExp(x as tf.Tensor2D, 1), own));
    const gradient = tf.div(tf.sub(tf.softmax(x as tf.Tensor2D), wanted), n);
    (save as tf.GradSaveFunc)([gradient]);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0], dy) };
  });
  return op(logits) as tf.Scalar;
}

export interface FineTuneReport {
  readonly loss: number;
  /** Share of clips whose most probable key is the one that has most of the clip. */
  readonly accuracy: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
}

/**
 * Takes one step; if loss or gradient is not finite no weight has been changed, and the caller stops the run.
 */
export function fineTuneStep(
  { encoder, head, optimizer }: FineTuneState,
  config: FineTuneConfig,
  { patches, nClips, kept, targets }: LabelledBatch,
  learningRate: number,
): FineTuneReport {
  let answers = new Float32Array(0);
  const { value, grads } = tf.variableGrads(() => {
    const parts = encoder.forwardPatches(patches, nClips, { kept });
    const inOrder = PATCHINGS[encoder.config.patches].map((patching) => parts[patching]!);
    const logits = head.forward(inOrder.length === 1 ? inOrder[0] : tf.concat(inOrder, 1));
    answers = Float32Array.from(logits.dataSync<'float32'>());
    return softCrossEntropy(logits, targets);
  }, [...encoder.weights.values(), ...head.weights.values()]);
  const loss = value.dataSync()[0];
  value.dispose();
  const parameters = new Map([...encoder.weights, ...head.weights]);
  const gradients = new Map(Array.from(parameters, ([name, { name: id }]) => [name, grads[id]]));
  const gradientNorm = globalNorm(gradients.values());
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm))
    optimizer.step(gradients, learningRate, clipFactor(gradientNorm, config.clipNorm));
  tf.dispose([...gradients.values()]);
  return { loss, accuracy: agreement(answers, targets), gradientNorm };
}

/** Share of rows of [N, 24] whose largest value stands at the same place. */
function agreement(logits: Float32Array, targets: Float32Array): number {
  const largest = (values: Float32Array, row: number): number => {
    let best = row * NUM_KEYS;
    for (let i = best; i < (row + 1) * NUM_KEYS; i++) if (values[i] > values[best]) best = i;
    return best;
  };
  const n = targets.length / NUM_KEYS;
  let same = 0;
  for (let row = 0; row < n; row++) if (largest(logits, row) === largest(targets, row)) same++;
  return same / n;
}
