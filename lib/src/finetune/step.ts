/** One optimizer step on encoder and head together: cross entropy of the keys, gradients, update. */
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import type { Encoder } from '../encoder/index.js';
import { NUM_KEYS } from '../keys/index.js';
import { TRANSCRIBER_PREFIX } from '../notes/index.js';
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
  /** From a token to its 36 pitch class logits, where transcription is asked for. */
  readonly transcriber: ProjectionHead | null;
  readonly optimizer: Adam;
}

/** Name of the key head by the head names of pretrain/. */
export const headName = ({ hidden }: Pick<FineTuneConfig, 'hidden'>): string =>
  hidden === 0 ? `linear-${NUM_KEYS}` : `mlp-${hidden}-${NUM_KEYS}`;

/** Name of the head that writes notes down. */
export const TRANSCRIBER_NAME = `linear-${ACTIVITY_CHANNELS}`;

/** The heads of a state. */
type FineTuneHeads = Pick<FineTuneState, 'head' | 'transcriber'>;

/** The heads before the first step. */
function newHeads(config: FineTuneConfig, width: number): FineTuneHeads {
  const rng = createRng(config.seed);
  const transcriber =
    config.transcription > 0 ? ProjectionHead.init(TRANSCRIBER_NAME, width, rng.fork('transcriber')) : null;
  return { head: ProjectionHead.init(headName(config), width, rng.fork('key head')), transcriber };
}

/** The state before the first step, or with heads from a checkpoint; takes `encoder` over. */
export function fineTuneState(
  config: FineTuneConfig,
  encoder: Encoder,
  heads = newHeads(config, encoder.outWidth),
): FineTuneState {
  const { learningRate, weightDecay } = config;
  const optimizer = new Adam(parametersOf({ encoder, ...heads }), { learningRate, weightDecay, decoupled: true });
  return { encoder, ...heads, optimizer };
}

/** Everything that learns, by a name of its own. */
function parametersOf({ encoder, head, transcriber }: Omit<FineTuneState, 'optimizer'>): Map<string, tf.Variable> {
  const ofTranscriber = Array.from(
    transcriber?.weights ?? [],
    ([name, weight]) => [TRANSCRIBER_PREFIX + name, weight] as const,
  );
  return new Map([...encoder.weights, ...head.weights, ...ofTranscriber]);
}

export function disposeFineTuneState({ encoder, head, transcriber, optimizer }: FineTuneState): void {
  encoder.dispose();
  head.dispose();
  transcriber?.dispose();
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

/**
 * Mean over all entries of -(target * log p + (1 - target) * log(1 - p)), p = sigmoid(logits).
 *
 * @param logits [R, C]
 * @param targets [R, C] from 0 to 1
 */
export function binaryCrossEntropy(logits: tf.Tensor2D, targets: Float32Array): tf.Scalar {
  assertShape('binaryCrossEntropy: logits', logits.shape, [targets.length / logits.shape[1], logits.shape[1]]);
  const op = tf.customGrad((x, save) => {
    const wanted = tf.tensor2d(targets, logits.shape);
    // softplus(x) - target x
    const value = tf.mean(tf.sub(tf.softplus(x as tf.Tensor2D), tf.mul(x as tf.Tensor2D, wanted)));
    const gradient = tf.div(tf.sub(tf.sigmoid(x as tf.Tensor2D), wanted), targets.length);
    (save as tf.GradSaveFunc)([gradient]);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0], dy) };
  });
  return op(logits) as tf.Scalar;
}

export interface FineTuneReport {
  readonly loss: number;
  /** Mean binary cross entropy of the transcription; null without one. */
  readonly transcriptionLoss: number | null;
  /** Share of clips whose most probable key is the one that has most of the clip. */
  readonly accuracy: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
}

/**
 * Takes one step; if loss or gradient is not finite no weight has been changed, and the caller stops the run.
 */
export function fineTuneStep(
  state: FineTuneState,
  config: FineTuneConfig,
  { patches, nClips, kept, targets, activity }: LabelledBatch,
  learningRate: number,
): FineTuneReport {
  const { encoder, head, transcriber, optimizer } = state;
  const parameters = parametersOf(state);
  let answers = new Float32Array(0);
  let transcriptionLoss: number | null = null;
  const { value, grads } = tf.variableGrads(() => {
    if (!transcriber || !activity) {
      const parts = encoder.forwardPatches(patches, nClips, { kept });
      const inOrder = PATCHINGS[encoder.config.patches].map((patching) => parts[patching]!);
      return keyLoss(inOrder.length === 1 ? inOrder[0] : tf.concat(inOrder, 1));
    }
    const tokens = encoder.forwardTokens(patches, nClips, { kept }).vertical!;
    const [rows, width] = tokens.shape;
    const embedding: tf.Tensor2D = tf.mean(tf.reshape(tokens, [nClips, rows / nClips, width]), 1);
    const ofNotes = binaryCrossEntropy(transcriber.forward(tokens), activity);
    [transcriptionLoss] = ofNotes.dataSync<'float32'>();
    return tf.add(keyLoss(embedding), tf.mul(ofNotes, config.transcription));
  }, [...parameters.values()]);
  function keyLoss(embedding: tf.Tensor2D): tf.Scalar {
    const logits = head.forward(embedding);
    answers = Float32Array.from(logits.dataSync<'float32'>());
    return softCrossEntropy(logits, targets);
  }
  const loss = value.dataSync()[0];
  value.dispose();
  const gradients = new Map(Array.from(parameters, ([name, { name: id }]) => [name, grads[id]]));
  const gradientNorm = globalNorm(gradients.values());
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm))
    optimizer.step(gradients, learningRate, clipFactor(gradientNorm, config.clipNorm));
  tf.dispose([...gradients.values()]);
  return { loss, transcriptionLoss, accuracy: agreement(answers, targets), gradientNorm };
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
