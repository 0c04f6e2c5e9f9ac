/** From an encoder's tokens to the notes that sound: the head that fine-tuning with `transcription` trains. */
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import type { Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { MEL } from '../mel/index.js';
import { float32, type StoredTensor } from '../store/index.js';
import { tf } from '../tensor/index.js';
import { type ClipOfTrack, gatherPatches, PATCH_SIZE } from '../views/index.js';

/** Frames of a vertical patch: what one token shows. */
export const TOKEN_FRAMES = PATCH_SIZE.vertical[1];
/** Length in time of a token of vertical patches. */
export const TOKEN_SECONDS = (TOKEN_FRAMES * MEL.hopLength) / MEL.sampleRate;

/** In front of its tensors in files that hold other heads too. */
export const TRANSCRIBER_PREFIX = 'transcriber.';

/** One linear layer, from a token to 36 logits (see `ACTIVITY_CHANNELS`). */
export class Transcriber {
  private constructor(
    /** Width of the tokens that it reads. */
    readonly width: number,
    private readonly weight: Float32Array,
    private readonly bias: Float32Array,
  ) {}

  /**
   * @param tensors `transcriber.weight` [36, width] and `transcriber.bias` [36], among others
   * @returns null if the file holds no transcriber
   * @throws InputError for one of the two alone, or another shape
   */
  static fromTensors(tensors: ReadonlyMap<string, StoredTensor>, where: string): Transcriber | null {
    const [weight, bias] = ['weight', 'bias'].map((part) => tensors.get(TRANSCRIBER_PREFIX + part));
    if (!weight && !bias) return null;
    const shapes = [weight, bias].map((tensor) => (tensor ? `[${tensor.shape.join(', ')}]` : 'missing'));
    if (
      !weight ||
      !bias ||
      weight.shape.length !== 2 ||
      weight.shape[0] !== ACTIVITY_CHANNELS ||
      bias.shape.join() !== `${ACTIVITY_CHANNELS}`
    )
      throw new InputError(
        where,
        `its transcriber's weight is ${shapes[0]} and its bias ${shapes[1]}; expected [${ACTIVITY_CHANNELS}, width] and [${ACTIVITY_CHANNELS}].`,
      );
    return new Transcriber(weight.shape[1], Float32Array.from(weight.data), Float32Array.from(bias.data));
  }

  toTensors(): Map<string, StoredTensor> {
    return new Map([
      [`${TRANSCRIBER_PREFIX}weight`, float32([ACTIVITY_CHANNELS, this.width], this.weight)],
      [`${TRANSCRIBER_PREFIX}bias`, float32([ACTIVITY_CHANNELS], this.bias)],
    ]);
  }

  /** The probabilities of tokens [R, width]: [R, 36]. */
  activity(tokens: tf.Tensor2D): Float32Array {
    return tf.tidy(() => {
      const weight = tf.tensor2d(this.weight, [ACTIVITY_CHANNELS, this.width]);
      const logits = tf.add(tf.matMul(tokens, weight, false, true), tf.tensor1d(this.bias));
      return Float32Array.from(tf.sigmoid(logits).dataSync<'float32'>());
    });
  }
}

/** Which notes sound in clips of the encoder's length, without mask: [nClips * nTokens, 36]. */
export function transcribeClips(
  encoder: Encoder,
  transcriber: Transcriber,
  clips: readonly ClipOfTrack[],
): Float32Array {
  const { clipFrames } = encoder.config;
  return tf.tidy(() => {
    const patches = { vertical: gatherPatches(clips, clipFrames, 'vertical', undefined) };
    return transcriber.activity(encoder.forwardTokens(patches, clips.length).vertical!);
  });
}
