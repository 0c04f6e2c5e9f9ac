/**
 * SimpleViT (Beyer, Zhai and Kolesnikov 2022) as Myna's vit.py has it, on packed rows: a batch of clips is one matrix
 * [R, width] with R = nClips * nTokens, the tokens of a clip on consecutive rows. Pure functions of weights and inputs.
 */
import { attention, attentionLayer, gelu, groupMeans, layerNorm, linear, mlpLayer, tf } from '../tensor/index.js';
import { patchEmbeddingPrefix, type EncoderConfig, type TransformerSize } from './config.js';
import type { EncoderInput } from './input.js';

export type Weights = ReadonlyMap<string, tf.Tensor>;

/** How rows are shared among clips. */
export type ClipTokens = Pick<EncoderInput, 'nClips' | 'nTokens'>;

/** What one block computes; all of [R, ...]. (A type, not an interface, so that `tf.tidy` takes it.) */
export type BlockIntermediates = {
  /** Queries, keys and values before attention, `[R, 3 * numHeads * headDim]`: q | k | v, heads inside each. */
  readonly qkv: tf.Tensor2D;
  /** What attention adds to its input, `[R, width]`. */
  readonly attentionOut: tf.Tensor2D;
  /** Input + attentionOut, `[R, width]`. */
  readonly afterAttention: tf.Tensor2D;
  /** What the MLP adds, `[R, width]`. */
  readonly mlpOut: tf.Tensor2D;
  /** The block's output, afterAttention + mlpOut, `[R, width]`. */
  readonly out: tf.Tensor2D;
};

/** Every stage of one forward pass, R = nClips * nTokens. The caller disposes them (`tf.dispose(intermediates)`). */
export type Intermediates = {
  readonly nTokens: number;
  /** Patches after `inputScale`, `[R, 256]`. */
  readonly patches: tf.Tensor2D;
  /** Patch embedding: LayerNorm, Linear, LayerNorm; `[R, width]`. */
  readonly embedded: tf.Tensor2D;
  /** embedded + position embedding, `[R, width]`: what enters block 0. */
  readonly tokens: tf.Tensor2D;
  readonly blocks: BlockIntermediates[];
  /** After the final LayerNorm, `[R, width]`. */
  readonly normalized: tf.Tensor2D;
  /** Mean over tokens: the embedding, `[nClips, width]`. */
  readonly pooled: tf.Tensor2D;
};

/**
 * Embeddings of one patching, read at several depths of one pass.
 *
 * @param layers 'output': the final LayerNorm and the mean over tokens; k (0 .. depth): the mean over tokens of what k
 *   blocks made, not normalised
 * @returns `[nClips, width]` for each layer
 */
export function embedAt(
  weights: Weights,
  config: EncoderConfig,
  input: EncoderInput,
  layers: readonly (number | 'output')[],
): tf.Tensor2D[] {
  return tf.tidy(() => {
    const found = new Map<number | 'output', tf.Tensor2D>();
    const deepest = layers.reduce<number>((most, k) => Math.max(most, k === 'output' ? config.depth : k), 0);
    let x = tf.tidy(() => patchEmbedding(weights, config, input).tokens);
    for (let k = 0; ; k++) {
      if (layers.includes(k)) found.set(k, meanOverTokens(x, input));
      if (k === deepest) break;
      // One tidy a block keeps the memory at that of one block; under a gradient the tape keeps what it needs.
      const next: tf.Tensor2D = tf.tidy(() => block(weights, config, k, x, input));
      x.dispose();
      x = next;
    }
    if (layers.includes('output')) found.set('output', meanOverTokens(finalNorm(weights, x), input));
    return layers.map((layer) => found.get(layer)!);
  });
}

/** Every token after the final LayerNorm, `[R, width]`: the output before its mean. */
export function tokensOf(weights: Weights, config: EncoderConfig, input: EncoderInput): tf.Tensor2D {
  return tf.tidy(() =>
    transform(
      weights,
      config,
      tf.tidy(() => patchEmbedding(weights, config, input).tokens),
      input,
    ),
  );
}

/**
 * The blocks and the final LayerNorm on tokens that have their positions. Disposes of `tokens`.
 *
 * @param weights under the names of `transformerShapes`
 * @param tokens `[R, width]`, R = nClips * nTokens
 * @returns `[R, width]`
 */
export function transform(
  weights: Weights,
  size: Pick<TransformerSize, 'depth' | 'numHeads'>,
  tokens: tf.Tensor2D,
  clips: ClipTokens,
): tf.Tensor2D {
  return tf.tidy(() => {
    let x = tokens;
    for (let k = 0; k < size.depth; k++) {
      const next: tf.Tensor2D = tf.tidy(() => block(weights, size, k, x, clips));
      x.dispose();
      x = next;
    }
    return finalNorm(weights, x);
  });
}

/** As `embedAt` the output, with everything on the way. */
export function embedWithIntermediates(weights: Weights, config: EncoderConfig, input: EncoderInput): Intermediates {
  return tf.tidy(() => {
    const { patches, embedded, tokens } = patchEmbedding(weights, config, input);
    const blocks: BlockIntermediates[] = [];
    for (let k = 0; k < config.depth; k++) {
      blocks.push(
        tf.tidy(() => blockWithIntermediates(weights, config, k, k === 0 ? tokens : blocks[k - 1].out, input)),
      );
    }
    const normalized = finalNorm(weights, blocks[config.depth - 1].out);
    const pooled = meanOverTokens(normalized, input);
    return { nTokens: input.nTokens, patches, embedded, tokens, blocks, normalized, pooled };
  });
}

function patchEmbedding(weights: Weights, config: EncoderConfig, input: EncoderInput) {
  const prefix = patchEmbeddingPrefix(config.patches, input.patching);
  const rows = input.nClips * input.nTokens;
  const patches = tf.tensor2d(input.patches, [rows, input.patches.length / rows]);
  const normalized = layerNorm(patches, vector(weights, `${prefix}.1.weight`), vector(weights, `${prefix}.1.bias`));
  const projected = linear(normalized, matrix(weights, `${prefix}.2.weight`), vector(weights, `${prefix}.2.bias`));
  const embedded = layerNorm(projected, vector(weights, `${prefix}.3.weight`), vector(weights, `${prefix}.3.bias`));
  const positions = tf.tensor1d(input.positions);
  // Positions of one clip are added to every clip.
  const perClip = tf.reshape(embedded, [-1, input.positions.length]);
  const tokens: tf.Tensor2D = tf.reshape(tf.add(perClip, positions), [rows, config.width]);
  return { patches, embedded, tokens };
}

/** The weights of block k as the two halves of a block take them. */
function blockWeights(weights: Weights, k: number) {
  const [a, m] = [`transformer.layers.${k}.0`, `transformer.layers.${k}.1.net`];
  return {
    attentionWeights: [
      vector(weights, `${a}.norm.weight`),
      vector(weights, `${a}.norm.bias`),
      matrix(weights, `${a}.to_qkv.weight`),
      matrix(weights, `${a}.to_out.weight`),
    ],
    mlpWeights: [
      vector(weights, `${m}.0.weight`),
      vector(weights, `${m}.0.bias`),
      matrix(weights, `${m}.1.weight`),
      vector(weights, `${m}.1.bias`),
      matrix(weights, `${m}.3.weight`),
      vector(weights, `${m}.3.bias`),
    ],
  } as const;
}

function block(
  weights: Weights,
  { numHeads }: Pick<TransformerSize, 'numHeads'>,
  k: number,
  x: tf.Tensor2D,
  { nClips, nTokens }: ClipTokens,
): tf.Tensor2D {
  const { attentionWeights, mlpWeights } = blockWeights(weights, k);
  return mlpLayer(attentionLayer(x, attentionWeights, { nClips, nTokens, numHeads }), mlpWeights);
}

/** As `block`, in single steps. */
function blockWithIntermediates(
  weights: Weights,
  config: EncoderConfig,
  k: number,
  x: tf.Tensor2D,
  { nClips, nTokens }: EncoderInput,
): BlockIntermediates {
  const { attentionWeights, mlpWeights } = blockWeights(weights, k);
  const [gain, bias, toQkv, toOut] = attentionWeights;
  const [mlpGain, mlpBias, up, upBias, down, downBias] = mlpWeights;
  const qkv = linear(layerNorm(x, gain, bias), toQkv);
  const attentionOut = linear(attention(qkv, nClips, nTokens, config.numHeads), toOut);
  const afterAttention: tf.Tensor2D = tf.add(x, attentionOut);
  const hidden = gelu(linear(layerNorm(afterAttention, mlpGain, mlpBias), up, upBias));
  const mlpOut = linear(hidden, down, downBias);
  return { qkv, attentionOut, afterAttention, mlpOut, out: tf.add(afterAttention, mlpOut) };
}

function finalNorm(weights: Weights, x: tf.Tensor2D): tf.Tensor2D {
  return layerNorm(x, vector(weights, 'transformer.norm.weight'), vector(weights, 'transformer.norm.bias'));
}

/** [R, width] -> [nClips, width]. */
function meanOverTokens(x: tf.Tensor2D, { nClips }: EncoderInput): tf.Tensor2D {
  return groupMeans(x, nClips);
}

function matrix(weights: Weights, name: string): tf.Tensor2D {
  return weights.get(name) as tf.Tensor2D;
}

function vector(weights: Weights, name: string): tf.Tensor1D {
  return weights.get(name) as tf.Tensor1D;
}
