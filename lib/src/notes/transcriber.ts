/** From an encoder's tokens to the notes that sound: the head that fine-tuning with `transcription` trains. */
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import type { Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { MEL, type MelSpectrogram } from '../mel/index.js';
import { float32, type StoredTensor } from '../store/index.js';
import { tf } from '../tensor/index.js';
import { type ClipOfTrack, gatherPatches, PATCH_SIZE } from '../views/index.js';

/** Frames of a vertical patch: what one token shows. */
export const TOKEN_FRAMES = PATCH_SIZE.vertical[1];
/** Length in time of a token of vertical patches. */
export const TOKEN_SECONDS = (TOKEN_FRAMES * MEL.hopLength) / MEL.sampleRate;

/** In front of its tensors in files that hold other heads too. */
export const TRANSCRIBER_PREFIX = 'transcriber.';

/** Clips per forward pass: what a batch works on stays near the core. */
const BATCH_CLIPS = 16;

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

/** Which notes sound when in a recording: [floor(nFrames / 2), 36]. The last clip is padded, its rows beyond the end cut. */
export function transcribe(encoder: Encoder, transcriber: Transcriber, mel: MelSpectrogram): Float32Array {
  const { clipFrames } = encoder.config;
  const rows = Math.max(1, Math.floor(mel.nFrames / TOKEN_FRAMES));
  const clips = Array.from({ length: Math.ceil(mel.nFrames / clipFrames) }, (_, i) => ({ mel, start: i * clipFrames }));
  const activity = new Float32Array(((clips.length * clipFrames) / TOKEN_FRAMES) * ACTIVITY_CHANNELS);
  for (let first = 0; first < clips.length; first += BATCH_CLIPS) {
    const own = transcribeClips(encoder, transcriber, clips.slice(first, first + BATCH_CLIPS));
    activity.set(own, ((first * clipFrames) / TOKEN_FRAMES) * ACTIVITY_CHANNELS);
  }
  return activity.slice(0, rows * ACTIVITY_CHANNELS);
}
