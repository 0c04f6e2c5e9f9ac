/** The encoder: weights under the reference's names, and the ways to run them. */
import { InputError } from '../errors.js';
import { float32, type StoredTensor } from '../store/index.js';
import { tf, type Rng } from '../tensor/index.js';
import { gatherPatches, PATCHINGS, type ClipOfTrack, type KeptTokens, type Patching } from '../views/index.js';
import { parameterShapes, parseEncoderConfig, type EncoderConfig, type InputScale } from './config.js';
import { checkedWeights, inferConfig, type ConfigOverrides } from './fromTensors.js';
import { encoderInput, patchesInput, type EncoderInput } from './input.js';
import { initialValues } from './initialValues.js';
import { embedAt, embedWithIntermediates, tokensOf, type Intermediates } from './simpleVit.js';

export interface ForwardOptions {
  /** Kept token ids `[nClips, nKept]` for each patching (`maskClips`); a patching that is absent keeps all. */
  readonly kept?: KeptTokens;
  /** Take the mean over tokens after this many blocks (0 .. depth), not normalised, in place of the final output. */
  readonly layer?: number;
  /** Frames of the clips given, if other than the configuration's. */
  readonly clipFrames?: number;
}

/** Embeddings of each patching, `[nClips, width]`; hybrid has both. */
export type EmbeddingParts = { readonly [P in Patching]?: tf.Tensor2D };

/**
 * SimpleViT with fixed position embedding and mean over tokens, in front of any head.
 * Differentiable with respect to `weights`; the input is data. Needs `initBackend` first.
 */
export class Encoder {
  private constructor(
    readonly config: EncoderConfig,
    /** Parameters under the reference's names, in its order. */
    readonly weights: ReadonlyMap<string, tf.Variable>,
  ) {}

  /** Width of an embedding: `width`, for hybrid twice that. */
  get outWidth(): number {
    return this.config.width * PATCHINGS[this.config.patches].length;
  }

  /**
   * A new encoder with PyTorch's default initialisation: Linear weights and biases uniform within 1 / sqrt(inputs),
   * LayerNorm gain 1 and bias 0. Each parameter draws from `rng.fork(name)`, so encoders of one seed share what they
   * have in common, and `rng` does not advance.
   */
  static init(config: EncoderConfig, rng: Rng): Encoder {
    parseEncoderConfig(config);
    return Encoder.of(config, initialValues(parameterShapes(config), rng));
  }

  /**
   * An encoder from named tensors (a checkpoint's). A linear head among them is left out.
   *
   * @param overrides what tensors alone do not tell: vertical or square, heads, clip length, input scale
   * @param where what to name in errors
   * @throws InputError for a missing or unknown tensor, a wrong shape, or a weight that is not finite
   */
  static fromTensors(
    tensors: ReadonlyMap<string, StoredTensor>,
    overrides: ConfigOverrides = {},
    where = 'encoder tensors',
  ): Encoder {
    const config = inferConfig(tensors, overrides, where);
    return Encoder.of(config, checkedWeights(tensors, config, where));
  }

  private static of(config: EncoderConfig, values: ReadonlyMap<string, Float32Array>): Encoder {
    const weights = new Map<string, tf.Variable>();
    for (const [name, shape] of parameterShapes(config)) {
      const initial = tf.tensor(values.get(name) as Float32Array, [...shape]);
      weights.set(name, tf.variable(initial));
      initial.dispose();
    }
    return new Encoder(config, weights);
  }

  /** The same weights at another input scale; takes this encoder's place, which must not be used any more. */
  withInputScale(inputScale: InputScale): Encoder {
    return new Encoder(parseEncoderConfig({ ...this.config, inputScale }), this.weights);
  }

  /** The weights, copied out, in the reference's order. */
  toTensors(): Map<string, StoredTensor> {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, weight] of this.weights) {
      tensors.set(name, float32(weight.shape, Float32Array.from(weight.dataSync())));
    }
    return tensors;
  }

  /**
   * Embeds clips.
   *
   * @param clips mel power `[nClips, 128, clipFrames]`; `inputScale` is applied here
   * @returns `[nClips, outWidth]`; hybrid is [square ; vertical]
   * @throws InputError for a wrong length, a value that is not finite, a token id or layer out of range
   */
  forward(clips: Float32Array, nClips: number, options: ForwardOptions = {}): tf.Tensor2D {
    return tf.tidy(() => {
      const parts = this.forwardParts(clips, nClips, options);
      const inOrder = PATCHINGS[this.config.patches].map((patching) => parts[patching] as tf.Tensor2D);
      return inOrder.length === 1 ? inOrder[0] : tf.concat(inOrder, 1);
    });
  }

  /**
   * As `forward`, read at several depths of one pass, from clips that are still in their tracks.
   *
   * @param layers 'output', or the mean over tokens after that many blocks, as `options.layer` of `forward`
   * @returns `[nClips, outWidth]` for each layer
   */
  forwardLayers(
    clips: readonly ClipOfTrack[],
    layers: readonly (number | 'output')[],
    { clipFrames = this.config.clipFrames }: Pick<ForwardOptions, 'clipFrames'> = {},
  ): tf.Tensor2D[] {
    for (const layer of layers) this.checkLayer(layer);
    return tf.tidy(() => {
      const parts = PATCHINGS[this.config.patches].map((patching) => {
        const patches = gatherPatches(clips, clipFrames, patching);
        const input = patchesInput(this.config, patching, patches, clips.length, clipFrames);
        return embedAt(this.weights, this.config, input, layers);
      });
      return layers.map((_, i) => (parts.length === 1 ? parts[0][i] : tf.concat([parts[0][i], parts[1][i]], 1)));
    });
  }

  /** As `forward`, with the patchings apart: pretraining hybrid takes the loss of each. */
  forwardParts(clips: Float32Array, nClips: number, options: ForwardOptions = {}): EmbeddingParts {
    const { kept = {}, layer, clipFrames = this.config.clipFrames } = options;
    if (layer !== undefined) this.checkLayer(layer);
    this.checkKept(kept);
    return tf.tidy(() => {
      const parts: { [P in Patching]?: tf.Tensor2D } = {};
      for (const patching of PATCHINGS[this.config.patches]) {
        const input = encoderInput(this.config, patching, clips, nClips, clipFrames, kept[patching]);
        [parts[patching]] = embedAt(this.weights, this.config, input, [layer ?? 'output']);
      }
      return parts;
    });
  }

  /**
   * As `forwardParts`, from patches that are cut already: pretraining cuts kept tokens straight from whole tracks.
   *
   * @param patches `[nClips * nKept, 256]` mel power of each patching, in the order of `kept`; scaled in place
   */
  forwardPatches(
    patches: { readonly [P in Patching]?: Float32Array },
    nClips: number,
    { kept = {}, clipFrames = this.config.clipFrames }: Omit<ForwardOptions, 'layer'> = {},
  ): EmbeddingParts {
    return tf.tidy(() => {
      const parts: { [P in Patching]?: tf.Tensor2D } = {};
      for (const [patching, input] of this.inputs(patches, nClips, kept, clipFrames))
        [parts[patching]] = embedAt(this.weights, this.config, input, ['output']);
      return parts;
    });
  }

  /**
   * As `forwardPatches`, but each token by itself: what the final norm gives, before the mean. A decoder reads these.
   *
   * @returns `[nClips * nKept, width]` of each patching, rows in the order of `kept`
   */
  forwardTokens(
    patches: { readonly [P in Patching]?: Float32Array },
    nClips: number,
    { kept = {}, clipFrames = this.config.clipFrames }: Omit<ForwardOptions, 'layer'> = {},
  ): EmbeddingParts {
    return tf.tidy(() => {
      const parts: { [P in Patching]?: tf.Tensor2D } = {};
      for (const [patching, input] of this.inputs(patches, nClips, kept, clipFrames))
        parts[patching] = tokensOf(this.weights, this.config, input);
      return parts;
    });
  }

  /** The inputs of every patching from patches that are cut already. */
  private inputs(
    patches: { readonly [P in Patching]?: Float32Array },
    nClips: number,
    kept: KeptTokens,
    clipFrames: number,
  ): [Patching, EncoderInput][] {
    this.checkKept(kept);
    return PATCHINGS[this.config.patches].map((patching) => {
      const cut = patches[patching];
      if (!cut) throw new InputError('patches', `lacks the ${patching} patches`);
      return [patching, patchesInput(this.config, patching, cut, nClips, clipFrames, kept[patching])];
    });
  }

  /**
   * Every stage of a forward pass, for figures and studies. The caller disposes them (`tf.dispose`, or a `tf.tidy`
   * around).
   *
   * @param options as `forward`; `patching` chooses the half of hybrid (square if not said)
   */
  intermediates(
    clips: Float32Array,
    nClips: number,
    options: Omit<ForwardOptions, 'layer'> & { patching?: Patching } = {},
  ): Intermediates {
    const { kept = {}, clipFrames = this.config.clipFrames, patching = PATCHINGS[this.config.patches][0] } = options;
    if (!PATCHINGS[this.config.patches].includes(patching)) {
      throw new InputError('patching', `'${patching}' asked of an encoder with ${this.config.patches} patches`);
    }
    this.checkKept(kept);
    const input = encoderInput(this.config, patching, clips, nClips, clipFrames, kept[patching]);
    return embedWithIntermediates(this.weights, this.config, input);
  }

  /** Frees the weights. */
  dispose(): void {
    for (const weight of this.weights.values()) weight.dispose();
  }

  private checkLayer(layer: number | 'output'): void {
    const { depth } = this.config;
    if (layer !== 'output' && !(Number.isInteger(layer) && layer >= 0 && layer <= depth))
      throw new InputError('layer', `${layer} found; this encoder has layers 0 (no block) to ${depth}`);
  }

  /** A mask for a patching that the encoder does not have would silently mask nothing. */
  private checkKept(kept: KeptTokens): void {
    const own: readonly string[] = PATCHINGS[this.config.patches];
    const stray = Object.keys(kept).find((patching) => kept[patching as Patching] && !own.includes(patching));
    if (stray)
      throw new InputError('kept', `has token ids for ${stray} patches; this encoder has ${own.join(' and ')}`);
  }
}
