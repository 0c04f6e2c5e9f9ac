/**
 * The differentiable operations of a transformer on packed rows. Each uses the accelerated kernel where the backend has
 * one and TensorFlow.js operations elsewhere; values and gradients agree. Letters: R rows, B clips, N tokens, H heads.
 */
import { kernelsActive } from './backend.js';
import { KERNEL } from './kernel-names.js';
import { sumOfSquares } from './kernels.js';
import { plainAttention, plainGelu, plainGroupMeans, plainLayerNorm, plainLinear, plainMatMul } from './plain.js';
import { assertShape } from './shape.js';
import { tf } from './tf.js';

/** Runs one of the suite's kernels and returns its first output; what it keeps for the gradient lives on the tape. */
function run<T extends tf.Tensor>(name: string, inputs: Record<string, tf.Tensor>, attrs: tf.NamedAttrMap = {}): T {
  return tf.tidy(() => {
    const out: unknown = tf.engine().runKernel(name, inputs, attrs);
    return (Array.isArray(out) ? out[0] : out) as T;
  });
}

/**
 * Matrix product a [m, k] times b [k, n], or times b' when `transposeB` (then b is [n, k]).
 *
 * @returns [m, n]
 */
export function matMul(a: tf.Tensor2D, b: tf.Tensor2D, options: { transposeB?: boolean } = {}): tf.Tensor2D {
  const { transposeB = false } = options;
  assertShape(
    'matMul: [...a, ...b]',
    [...a.shape, ...b.shape],
    transposeB ? ['m', 'k', 'n', 'k'] : ['m', 'k', 'k', 'n'],
  );
  if (kernelsActive()) return tf.matMul(a, b, false, transposeB);
  return tf.tidy(() => plainMatMul(a, b, transposeB));
}

/**
 * A linear layer: x weight' + bias.
 *
 * @param x [R, in]
 * @param weight [out, in], the layout of PyTorch's Linear
 * @param bias [out], optional
 * @returns [R, out]
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  assertShape('linear: [...x, ...weight]', [...x.shape, ...weight.shape], ['R', 'in', 'out', 'in']);
  if (bias) assertShape('linear: bias', bias.shape, [weight.shape[0]]);
  if (kernelsActive()) return run(KERNEL.linear, bias ? { x, weight, bias } : { x, weight });
  return tf.tidy(() => plainLinear(x, weight, bias));
}

/**
 * Layer normalisation over the last axis with the biased variance (Ba, Kiros and Hinton 2016).
 *
 * @param x [R, width]
 * @param gain [width]
 * @param bias [width]
 */
export function layerNorm(x: tf.Tensor2D, gain: tf.Tensor1D, bias: tf.Tensor1D, epsilon = 1e-5): tf.Tensor2D {
  assertShape('layerNorm: [...x, ...gain, ...bias]', [...x.shape, ...gain.shape, ...bias.shape], ['R', 'w', 'w', 'w']);
  if (kernelsActive()) return run(KERNEL.layerNorm, { x, gain, bias }, { epsilon });
  return tf.tidy(() => plainLayerNorm(x, gain, bias, epsilon));
}

/** The exact Gaussian error linear unit, x Phi(x) (Hendrycks and Gimpel 2016); any shape. */
export function gelu<T extends tf.Tensor>(x: T): T {
  if (kernelsActive()) return run(KERNEL.gelu, { x });
  return tf.tidy(() => plainGelu(x));
}

/**
 * Multi-head self-attention inside each clip, softmax(q k' / sqrt headDim) v, straight from the packed projection.
 *
 * @param qkv [B*N, 3*H*headDim], the blocks q, k, v side by side and the heads side by side inside each
 * @returns [B*N, H*headDim]
 */
export function attention(qkv: tf.Tensor2D, nClips: number, nTokens: number, numHeads: number): tf.Tensor2D {
  assertShape('attention: qkv', qkv.shape, [nClips * nTokens, '3*H*headDim']);
  if (qkv.shape[1] % (3 * numHeads) !== 0) {
    throw new RangeError(`attention: ${qkv.shape[1]} columns cannot be cut into q, k, v of ${numHeads} heads each`);
  }
  if (kernelsActive()) {
    return run(KERNEL.attention, { qkv }, { nClips, nTokens, numHeads });
  }
  return tf.tidy(() => plainAttention(qkv, nClips, nTokens, numHeads));
}

/**
 * The mean of each of `groups` groups of as many consecutive rows.
 *
 * @param x [groups*N, width]
 * @returns [groups, width]
 */
export function groupMeans(x: tf.Tensor2D, groups: number): tf.Tensor2D {
  if (x.shape[0] % groups !== 0) throw new RangeError(`groupMeans: ${x.shape[0]} rows are not ${groups} equal groups`);
  if (kernelsActive()) return run(KERNEL.groupMeans, { x }, { groups });
  return tf.tidy(() => plainGroupMeans(x, groups));
}

/** The Euclidean norm over all numbers of all tensors together; NaN or Infinity if any of them is. */
export function globalNorm(tensors: Iterable<tf.Tensor>): number {
  const squares = kernelsActive() ? sumOfSquares : (x: tf.Tensor) => tf.tidy(() => tf.sum(tf.square(x)).dataSync()[0]);
  let sum = 0;
  for (const x of tensors) sum += squares(x);
  return Math.sqrt(sum);
}
