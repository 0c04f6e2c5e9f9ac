/**
 * The two halves of a transformer's block, each one operation with its own gradient: what the gradient needs is kept, and
 * freed as soon as it has been used, where the tape would hold every value and every gradient to the end of the step.
 * Letters: R rows, B clips, N tokens, H heads, D head dimension.
 */
import { kernelsActive } from './backend.js';
import { runKernel } from './gradients.js';
import { KERNEL } from './kernel-names.js';
import { plainAttentionLayer, plainMlpLayer, type AttentionLayerWeights, type MlpLayerWeights } from './plain.js';
import { assertShape } from './shape.js';
import { tf } from './tf.js';

type Tensors = tf.Tensor[];

/**
 * tf.customGrad for an operation whose kept tensors are freed by its gradient.
 *
 * @param forward gives the value and what to keep
 * @param backward the gradients with respect to all inputs, from the value's and what was kept
 */
function operation(
  inputs: Tensors,
  forward: (inputs: Tensors) => { value: tf.Tensor; kept: Tensors },
  backward: (dy: tf.Tensor, kept: Tensors) => Tensors,
): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const { value, kept } = forward(args as Tensors);
    save(kept);
    const gradFunc = (dy: tf.Tensor, saved: Tensors): Tensors => {
      const gradients = tf.tidy(() => backward(dy, saved));
      tf.dispose(saved);
      return gradients;
    };
    return { value, gradFunc };
  });
  return op(...inputs);
}

const kernel = (name: string, inputs: Record<string, tf.Tensor>, attrs: object = {}): tf.Tensor =>
  runKernel(name, inputs, attrs)[0];

/** dy weight: the gradient of the input of a linear layer. */
const inputGradient = (dy: tf.Tensor, weight: tf.Tensor): tf.Tensor =>
  tf.matMul(dy as tf.Tensor2D, weight as tf.Tensor2D);

/** dy' x: the gradient of the weight of a linear layer. */
const weightGradient = (dy: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  tf.matMul(dy as tf.Tensor2D, x as tf.Tensor2D, true, false);

/**
 * Self-attention with its LayerNorm and the path around it: x + attention(LayerNorm(x) qkv') out'.
 *
 * @param x [B*N, width]
 * @param weights gain and bias [width], qkv [3*H*D, width], out [width, H*D]
 * @returns [B*N, width]
 */
export function attentionLayer(
  x: tf.Tensor2D,
  weights: AttentionLayerWeights,
  sizes: { readonly nClips: number; readonly nTokens: number; readonly numHeads: number },
  epsilon = 1e-5,
): tf.Tensor2D {
  const { nClips, nTokens, numHeads } = sizes;
  const [gain, bias, qkv, out] = weights;
  const [width, inner] = out.shape;
  assertShape('attentionLayer: x', x.shape, [nClips * nTokens, width]);
  assertShape('attentionLayer: [...gain, ...bias]', [...gain.shape, ...bias.shape], [width, width]);
  assertShape('attentionLayer: qkv', qkv.shape, [3 * inner, width]);
  if (inner % numHeads !== 0) throw new RangeError(`attentionLayer: ${inner} columns are not ${numHeads} heads`);
  if (!kernelsActive()) return tf.tidy(() => plainAttentionLayer(x, weights, nClips, nTokens, numHeads, epsilon));

  const forward = ([x, gain, bias, qkv, out]: Tensors): { value: tf.Tensor; kept: Tensors } => {
    const [normed, stats] = runKernel(KERNEL.layerNorm, { x, gain, bias }, { epsilon });
    const projected = kernel(KERNEL.linear, { x: normed, weight: qkv });
    const [heads, probs] = runKernel(KERNEL.attention, { qkv: projected }, sizes);
    const value = kernel(KERNEL.linear, { x: heads, weight: out, residual: x });
    return { value, kept: [x, gain, qkv, out, normed, stats, projected, heads, probs] };
  };
  const backward = (dy: tf.Tensor, kept: Tensors): Tensors => {
    const [x, gain, qkv, out, normed, stats, projected, heads, probs] = kept;
    const dProjected = kernel(KERNEL.attentionGrad, { qkv: projected, probs, dy: inputGradient(dy, out) }, sizes);
    const dNormed = inputGradient(dProjected, qkv);
    const [dx, dGain, dBias] = runKernel(KERNEL.layerNormGrad, { x, gain, stats, dy: dNormed, around: dy });
    return [dx, dGain, dBias, weightGradient(dProjected, normed), weightGradient(dy, heads)];
  };
  return operation([x, gain, bias, qkv, out], forward, backward) as tf.Tensor2D;
}

/**
 * The MLP of a block with its LayerNorm and the path around it: x + down(gelu(up(LayerNorm(x)))). The activation is not
 * kept but worked out once more beside its gradient, which costs next to nothing and saves the largest tensor.
 *
 * @param x [R, width]
 * @param weights gain and bias [width], up [hidden, width] with its bias, down [width, hidden] with its bias
 * @returns [R, width]
 */
export function mlpLayer(x: tf.Tensor2D, weights: MlpLayerWeights, epsilon = 1e-5): tf.Tensor2D {
  const [gain, bias, up, upBias, down, downBias] = weights;
  const [width, hidden] = down.shape;
  assertShape('mlpLayer: x', x.shape, ['R', width]);
  assertShape('mlpLayer: [...gain, ...bias]', [...gain.shape, ...bias.shape], [width, width]);
  assertShape('mlpLayer: [...up, ...upBias]', [...up.shape, ...upBias.shape], [hidden, width, hidden]);
  assertShape('mlpLayer: downBias', downBias.shape, [width]);
  if (!kernelsActive()) return tf.tidy(() => plainMlpLayer(x, weights, epsilon));

  const forward = ([x, gain, bias, up, upBias, down, downBias]: Tensors): { value: tf.Tensor; kept: Tensors } => {
    const [normed, stats] = runKernel(KERNEL.layerNorm, { x, gain, bias }, { epsilon });
    const before = kernel(KERNEL.linear, { x: normed, weight: up, bias: upBias });
    const after = kernel(KERNEL.gelu, { x: before });
    const value = kernel(KERNEL.linear, { x: after, weight: down, bias: downBias, residual: x });
    return { value, kept: [x, gain, up, down, normed, stats, before] };
  };
  const backward = (dy: tf.Tensor, [x, gain, up, down, normed, stats, before]: Tensors): Tensors => {
    const dAfter = inputGradient(dy, down);
    const [after, dBefore, dUpBias] = runKernel(KERNEL.geluAndGrad, { x: before, dy: dAfter });
    const dNormed = inputGradient(dBefore, up);
    const [dx, dGain, dBias] = runKernel(KERNEL.layerNormGrad, { x, gain, stats, dy: dNormed, around: dy });
    const dDownBias = kernel(KERNEL.columnSums, { x: dy });
    return [dx, dGain, dBias, weightGradient(dBefore, normed), dUpBias, weightGradient(dy, after), dDownBias];
  };
  return operation([x, gain, bias, up, upBias, down, downBias], forward, backward) as tf.Tensor2D;
}
