/** The decoder of the reconstruction objective: drawn after the encoder while pretraining, thrown away afterwards. */
import { initialValues, positionsOf, transform, transformerShapes, type EncoderConfig, type TransformerSize } from '../encoder/index.js'; // prettier-ignore
import { InputError } from '../errors.js';
import { float32, type StoredTensor } from '../store/index.js';
import { linear, tf, type Rng } from '../tensor/index.js';
import { PATCH_SIZE, PATCHINGS, tokenGrid, type Patching } from '../views/index.js';

const DEPTH = 2;

/**
 * Light, as the method has it (He et al. 2022: 8 blocks of width 512 under an encoder of 24 of width 1024): two blocks of
 * half the encoder's width with as many heads.
 */
export function decoderSize({ width, numHeads }: EncoderConfig): TransformerSize {
  const narrow = 4 * numHeads * Math.max(1, Math.round(width / (8 * numHeads)));
  return { width: narrow, depth: DEPTH, numHeads, headDim: narrow / numHeads, mlpDim: 4 * narrow };
}

/** Names and shapes of one patching's decoder, without its prefix. */
function decoderShapes(config: EncoderConfig, patching: Patching): Map<string, readonly number[]> {
  const size = decoderSize(config);
  const [bins, frames] = PATCH_SIZE[patching];
  return new Map<string, readonly number[]>([
    ['input.weight', [size.width, config.width]],
    ['input.bias', [size.width]],
    ['mask_token', [size.width]],
    ...transformerShapes(size),
    ['output.weight', [bins * frames, size.width]],
    ['output.bias', [bins * frames]],
  ]);
}

const prefixOf = (patching: Patching): string => `decoder.${patching}.`;

/** A decoder with its weights; hybrid has one for each patching. */
export class PatchDecoder {
  private constructor(
    private readonly config: EncoderConfig,
    /** By checkpoint name, `decoder.<patching>.<parameter>`. */
    readonly weights: ReadonlyMap<string, tf.Variable>,
  ) {}

  /** A new decoder, initialised as the encoder is; the mask token begins at 0. */
  static init(config: EncoderConfig, rng: Rng): PatchDecoder {
    return PatchDecoder.build(config, (patching, shapes) => initialValues(shapes, rng.fork(patching)));
  }

  /**
   * A decoder from stored weights.
   *
   * @param where the file, named in errors
   * @throws InputError for a tensor that is missing or has another shape
   */
  static fromTensors(config: EncoderConfig, tensors: ReadonlyMap<string, StoredTensor>, where: string): PatchDecoder {
    return PatchDecoder.build(config, (patching, shapes) => {
      const values = Array.from(shapes, ([parameter, shape]): [string, Float32Array] => {
        const name = prefixOf(patching) + parameter;
        const stored = tensors.get(name);
        if (!stored) throw new InputError(where, `it lacks the tensor ${name} of the decoder`);
        if (stored.shape.join() !== shape.join()) {
          const found = `[${stored.shape.join(', ')}]`;
          throw new InputError(where, `tensor ${name} has shape ${found}; expected [${shape.join(', ')}]`);
        }
        return [parameter, Float32Array.from(stored.data)];
      });
      return new Map(values);
    });
  }

  private static build(
    config: EncoderConfig,
    valuesOf: (patching: Patching, shapes: Map<string, readonly number[]>) => ReadonlyMap<string, Float32Array>,
  ): PatchDecoder {
    const weights = new Map<string, tf.Variable>();
    for (const patching of PATCHINGS[config.patches]) {
      const shapes = decoderShapes(config, patching);
      const values = valuesOf(patching, shapes);
      for (const [name, shape] of shapes) {
        const variable = tf.tidy(() => tf.variable(tf.tensor(values.get(name)!, [...shape])));
        weights.set(prefixOf(patching) + name, variable);
      }
    }
    return new PatchDecoder(config, weights);
  }

  /**
   * What the removed tokens may have held. A clip is laid out as its kept tokens and then its removed ones, each with the
   * position embedding of its own place: the transformer knows no other order, so nothing has to be put back in place.
   * Letters: B clips, K kept and M removed tokens of each.
   *
   * @param encoded the encoder's tokens [B*K, width]
   * @param kept token ids [B, K]
   * @param removed token ids [B, M]
   * @returns [B*M, 256], rows in the order of `removed`
   */
  forward(
    patching: Patching,
    encoded: tf.Tensor2D,
    kept: Int32Array,
    removed: Int32Array,
    nClips: number,
  ): tf.Tensor2D {
    const { nMels, clipFrames } = this.config;
    const size = decoderSize(this.config);
    const [nRows, nColumns] = tokenGrid(patching, nMels, clipFrames);
    const [nKept, nRemoved] = [kept.length / nClips, removed.length / nClips];
    const weight = <R extends tf.Rank>(name: string): tf.Tensor<R> =>
      this.weights.get(prefixOf(patching) + name) as tf.Tensor as tf.Tensor<R>;
    const positions = (tokens: Int32Array): tf.Tensor2D =>
      tf.tensor2d(positionsOf(nRows, nColumns, size.width, tokens), [tokens.length, size.width]);
    return tf.tidy(() => {
      const seen = tf.add(linear(encoded, weight<tf.Rank.R2>('input.weight'), weight('input.bias')), positions(kept));
      const guessed = tf.add(positions(removed), weight('mask_token'));
      const tokens = tf.concat(
        [tf.reshape(seen, [nClips, nKept, size.width]), tf.reshape(guessed, [nClips, nRemoved, size.width])],
        1,
      );
      const nTokens = nKept + nRemoved;
      const own = new Map(Array.from(transformerShapes(size).keys(), (name) => [name, weight(name)]));
      const rows: tf.Tensor2D = tf.reshape(tokens, [nClips * nTokens, size.width]);
      const decoded = tf.reshape(transform(own, size, rows, { nClips, nTokens }), [nClips, nTokens, size.width]);
      const ofRemoved = tf.slice(decoded, [0, nKept, 0], [nClips, nRemoved, size.width]);
      const flat: tf.Tensor2D = tf.reshape(ofRemoved, [nClips * nRemoved, size.width]);
      return linear(flat, weight<tf.Rank.R2>('output.weight'), weight('output.bias'));
    });
  }

  toTensors(): Map<string, StoredTensor> {
    return new Map(Array.from(this.weights, ([name, w]) => [name, float32([...w.shape], w.dataSync<'float32'>())]));
  }

  dispose(): void {
    for (const w of this.weights.values()) w.dispose();
  }
}
