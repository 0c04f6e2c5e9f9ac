import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attention, gelu, initBackend, layerNorm, linear, matMul, tf } from '../../lib/src/tensor/index.js';
import { runKernel } from '../../lib/src/tensor/gradients.js';
import { KERNEL } from '../../lib/src/tensor/kernel-names.js';
import { plainAttention, plainGelu, plainLayerNorm, plainLinear, plainMatMul } from '../../lib/src/tensor/plain.js';
import { agrees, deviation, normal } from './agreement.js';

const SHAPES = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 16],
  [130, 33, 270],
  [257, 65, 17],
];

describe.each([
  ['wasm, own kernels', { prefer: 'wasm', blas: false }],
  ['wasm, with a BLAS where there is one', { prefer: 'wasm' }],
  ['wasm, plain', { prefer: 'wasm', accelerate: false }],
  ['cpu', { prefer: 'cpu' }],
] as const)('transformer operations: %s', (_, options) => {
  beforeAll(async () => {
    await initBackend(options);
  });
  let tensors: number;
  beforeEach(() => {
    tensors = tf.memory().numTensors;
  });
  afterAll(() => expect(tf.memory().numTensors).toBe(tensors));

  it.each(SHAPES)('matMul and its gradients, %i x %i x %i', (m, n, k) => {
    tf.tidy(() => {
      const a = normal(m, k);
      agrees(
        (x, y) => matMul(x as tf.Tensor2D, y as tf.Tensor2D),
        (x, y) => tf.matMul(x, y),
        [a, normal(k, n)],
      );
      const twin = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => plainMatMul(x as tf.Tensor2D, y as tf.Tensor2D, true);
      agrees((x, y) => matMul(x as tf.Tensor2D, y as tf.Tensor2D, { transposeB: true }), twin, [a, normal(n, k)]);
    });
  });

  it('batched products with all transpositions and one shared operand', () => {
    tf.tidy(() => {
      const naive = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
        tf.sum(tf.mul(tf.expandDims(a, 3), tf.expandDims(b, 1)), 2);
      const [a, b] = [normal(3, 5, 7), normal(3, 7, 6)];
      const expected = naive(a, b);
      const flip = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, 2, 1]);
      expect(deviation(tf.matMul(a, b), expected)).toBeLessThan(1e-6);
      expect(deviation(tf.matMul(flip(a), b, true, false), expected)).toBeLessThan(1e-6);
      expect(deviation(tf.matMul(a, flip(b), false, true), expected)).toBeLessThan(1e-6);
      expect(deviation(tf.matMul(flip(a), flip(b), true, true), expected)).toBeLessThan(1e-6);
      const shared = normal(1, 7, 6);
      expect(deviation(tf.matMul(a, shared), naive(a, tf.tile(shared, [3, 1, 1])))).toBeLessThan(1e-6);
    });
  });

  it.each(SHAPES)('linear and its gradients, %i rows, %i to %i', (rows, inputs, outputs) => {
    tf.tidy(() => {
      const xs = [normal(rows, inputs), normal(outputs, inputs), normal(outputs)];
      agrees(
        (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
        (x, w, b) => plainLinear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
        xs,
      );
      agrees(
        (x, w) => linear(x as tf.Tensor2D, w as tf.Tensor2D),
        (x, w) => plainLinear(x as tf.Tensor2D, w as tf.Tensor2D),
        xs.slice(0, 2),
      );
    });
  });

  it.each([
    [1, 3],
    [5, 32],
    [9, 130],
  ])('layerNorm and its gradients, %i rows of %i', (rows, width) => {
    tf.tidy(() =>
      agrees(
        (x, g, b) => layerNorm(x as tf.Tensor2D, g as tf.Tensor1D, b as tf.Tensor1D),
        (x, g, b) => plainLayerNorm(x as tf.Tensor2D, g as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
        [normal(rows, width), normal(width), normal(width)],
      ),
    );
  });

  it('layerNorm of a constant row is its bias, without NaN', () => {
    tf.tidy(() => {
      const y = layerNorm(tf.fill([2, 8], 3), tf.ones([8]), tf.fill([8], 0.25));
      expect(Array.from(y.dataSync())).toEqual(new Array(16).fill(0.25));
    });
  });

  it('gelu and its gradient, also far from zero', () => {
    tf.tidy(() =>
      agrees(
        (x) => gelu(x),
        (x) => plainGelu(x),
        [tf.concat([normal(101), tf.linspace(-12, 12, 50)])],
      ),
    );
  });

  it.each([
    [1, 1, 1, 4],
    [3, 10, 2, 16],
    [2, 49, 3, 8],
  ])('attention and its gradient, %i clips, %i tokens, %i heads of %i', (nClips, nTokens, numHeads, headDim) => {
    tf.tidy(() =>
      agrees(
        (x) => attention(x as tf.Tensor2D, nClips, nTokens, numHeads),
        (x) => plainAttention(x as tf.Tensor2D, nClips, nTokens, numHeads),
        [normal(nClips * nTokens, 3 * numHeads * headDim)],
      ),
    );
  });

  it('leaves no tensor behind', () => {
    const xs = tf.tidy(() => [normal(6, 12), normal(12), normal(12)]);
    const before = tf.memory().numTensors;
    const y = layerNorm(xs[0] as tf.Tensor2D, xs[1] as tf.Tensor1D, xs[2] as tf.Tensor1D);
    const z = attention(xs[0] as tf.Tensor2D, 2, 3, 2);
    const w = gelu(y);
    expect(tf.memory().numTensors).toBe(before + 3);
    tf.dispose([...xs, y, z, w]);
  });

  it('names both shapes when they do not fit', () => {
    tf.tidy(() => {
      expect(() => matMul(tf.zeros([2, 3]), tf.zeros([4, 5]))).toThrow(
        /expected shape \[m, k, k, n\], found \[2, 3, 4, 5\]/,
      );
      expect(() => attention(tf.zeros([6, 10]), 2, 3, 2)).toThrow(/10 columns/);
      expect(() => linear(tf.zeros([2, 3]), tf.zeros([4, 3]), tf.zeros([5]))).toThrow(
        /expected shape \[4\], found \[5\]/,
      );
    });
  });
});

// Denormal numbers cost many times as much as others, in wasm and in a BLAS: a trained encoder took 2.7 times as long.
it('attention that looks at one token alone has no denormal probability, and none in its gradient', async () => {
  await initBackend({ prefer: 'wasm', blas: false });
  const sizes = { nClips: 2, nTokens: 37, numHeads: 1 };
  const denormal = (values: ArrayLike<number>): number =>
    Array.from(values).filter((x) => x !== 0 && Math.abs(x) < 1.1754944e-38).length;
  tf.tidy(() => {
    const qkv = tf.mul(normal(2 * 37, 12), 40) as tf.Tensor2D; // logits hundreds apart
    const probs = runKernel(KERNEL.attention, { qkv }, sizes)[1].dataSync();
    expect(Math.min(...probs)).toBeLessThan(1e-20);
    expect(denormal(probs)).toBe(0);
    const expected = plainAttention(qkv, 2, 37, 1);
    expect(deviation(attention(qkv, 2, 37, 1), expected)).toBeLessThan(1e-6);
    const gradient = tf.grad((x) => tf.sum(tf.mul(attention(x as tf.Tensor2D, 2, 37, 1), 1e-4)))(qkv);
    expect(denormal(gradient.dataSync())).toBe(0);
  });
});
