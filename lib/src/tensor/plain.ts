/**
 * The operations of a transformer composed of TensorFlow.js operations: correct on every backend, the twin that the
 * tests compare the accelerated kernels with. Letters: R rows, B clips, N tokens, H heads, D head dimension.
 */
import { tf } from './tf.js';

/**
 * a [m, k] times b [k, n] (or [n, k] when `transposeB`). The products of the gradient are formed from explicitly
 * transposed operands, because the plain wasm backend multiplies transposed operands about ten times slower.
 */
export function plainMatMul(a: tf.Tensor2D, b: tf.Tensor2D, transposeB: boolean): tf.Tensor2D {
  const product = tf.customGrad((x, y, save) => {
    const [left, right] = [x as tf.Tensor2D, y as tf.Tensor2D];
    (save as tf.GradSaveFunc)([left, right]);
    const value = tf.matMul(left, transposeB ? tf.transpose(right) : right);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const d = dy as tf.Tensor2D;
        const [p, q] = saved as tf.Tensor2D[];
        return [
          tf.matMul(d, transposeB ? q : tf.transpose(q)),
          transposeB ? tf.matMul(tf.transpose(d), p) : tf.matMul(tf.transpose(p), d),
        ];
      },
    };
  });
  return product(a, b) as tf.Tensor2D;
}

/** x [R, in] times weight' plus bias, with weight [out, in] as checkpoints store it. */
export function plainLinear(x: tf.Tensor2D, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  const y = plainMatMul(x, weight, true);
  return bias ? tf.add(y, bias) : y;
}

/** (x - mean) / sqrt(variance + epsilon) * gain + bias over the last axis, with the biased variance. */
export function plainLayerNorm(x: tf.Tensor2D, gain: tf.Tensor1D, bias: tf.Tensor1D, epsilon: number): tf.Tensor2D {
  const centred = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gain), bias);
}

/** x * (1 + erf(x / sqrt 2)) / 2. */
export function plainGelu<T extends tf.Tensor>(x: T): T {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/** softmax(q k' / sqrt D) v for every clip and head, from packed rows [B*N, 3*H*D] = q | k | v, heads inside each. */
export function plainAttention(qkv: tf.Tensor2D, nClips: number, nTokens: number, numHeads: number): tf.Tensor2D {
  const inner = qkv.shape[1] / 3;
  const headDim = inner / numHeads;
  const rows = nClips * nTokens;
  const part = (block: number, head: number): tf.Tensor3D =>
    tf.reshape(tf.slice(qkv, [0, block * inner + head * headDim], [rows, headDim]), [nClips, nTokens, headDim]);
  const heads = Array.from({ length: numHeads }, (_, h) => {
    const scores = tf.mul(tf.matMul(part(0, h), part(1, h), false, true), headDim ** -0.5); // [B, N, N]
    return tf.reshape(tf.matMul(tf.softmax(scores), part(2, h)), [rows, headDim]);
  });
  return (numHeads === 1 ? heads[0] : tf.concat(heads, 1)) as tf.Tensor2D;
}

/** The mean of each of `groups` groups of consecutive rows. */
export function plainGroupMeans(x: tf.Tensor2D, groups: number): tf.Tensor2D {
  return tf.mean(tf.reshape(x, [groups, x.shape[0] / groups, x.shape[1]]), 1);
}

/** The weights of a block's attention: LayerNorm, the packed projection [3*H*D, width], the way back [width, H*D]. */
export type AttentionLayerWeights = readonly [gain: tf.Tensor1D, bias: tf.Tensor1D, qkv: tf.Tensor2D, out: tf.Tensor2D];

/** x + attention(LayerNorm(x)) */
export function plainAttentionLayer(
  x: tf.Tensor2D,
  [gain, bias, qkv, out]: AttentionLayerWeights,
  nClips: number,
  nTokens: number,
  numHeads: number,
  epsilon: number,
): tf.Tensor2D {
  const projected = plainLinear(plainLayerNorm(x, gain, bias, epsilon), qkv);
  return tf.add(x, plainLinear(plainAttention(projected, nClips, nTokens, numHeads), out));
}

/** The weights of a block's MLP: LayerNorm, Linear to the hidden layer and its bias, Linear back and its bias. */
export type MlpLayerWeights = readonly [
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  up: tf.Tensor2D,
  upBias: tf.Tensor1D,
  down: tf.Tensor2D,
  downBias: tf.Tensor1D,
];

/** x + down(gelu(up(LayerNorm(x)))) */
export function plainMlpLayer(
  x: tf.Tensor2D,
  [gain, bias, up, upBias, down, downBias]: MlpLayerWeights,
  epsilon: number,
): tf.Tensor2D {
  const hidden = plainGelu(plainLinear(plainLayerNorm(x, gain, bias, epsilon), up, upBias));
  return tf.add(x, plainLinear(hidden, down, downBias));
}
