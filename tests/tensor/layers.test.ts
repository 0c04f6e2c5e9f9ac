/** The halves of a transformer's block, and every operation at random shapes, against their plain twins. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KERNEL } from '../../lib/src/tensor/kernel-names.js';
import { runKernel } from '../../lib/src/tensor/gradients.js';
import {
  attention,
  attentionLayer,
  gelu,
  groupMeans,
  initBackend,
  layerNorm,
  linear,
  matMul,
  mlpLayer,
  tf,
} from '../../lib/src/tensor/index.js';
import {
  plainAttention,
  plainAttentionLayer,
  plainGelu,
  plainGroupMeans,
  plainLayerNorm,
  plainLinear,
  plainMatMul,
  plainMlpLayer,
  type AttentionLayerWeights,
  type MlpLayerWeights,
} from '../../lib/src/tensor/plain.js';
import { agrees, deviation, normal } from './agreement.js';

type Matrix = tf.Tensor2D;
type Vector = tf.Tensor1D;

/** Sizes around the widths of vectors, tiles and blocks, and single rows. */
const size = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.constantFrom(31, 32, 33, 64, 65));

/** Rows of few numbers that happen to be nearly constant lose digits in both, and gradients cancel. */
const THROUGH_LAYER_NORM = { ofValue: 1e-5, ofGradient: 2e-4, floor: 1 };

const small = (x: tf.Tensor): tf.Tensor => tf.mul(x, 0.3);

describe.each([
  ['own kernels', { prefer: 'wasm', blas: false }],
  ['a BLAS where there is one', { prefer: 'wasm' }],
] as const)('operations at random shapes, %s', (_, options) => {
  let tensors = 0;
  beforeAll(async () => {
    await initBackend(options);
    tensors = tf.memory().numTensors;
  });
  afterAll(() => expect(tf.memory().numTensors).toBe(tensors));

  const holds = (property: (m: number, n: number, k: number) => void): void => {
    const check = (m: number, n: number, k: number): void => tf.tidy(() => property(m, n, k));
    fc.assert(fc.property(size, size, size, check), { numRuns: 25, examples: [[1, 1, 1], [1, 17, 1], [65, 1, 64], [1, 16, 2], [10, 16, 3], [7, 64, 2], [40, 32, 1]] }); // prettier-ignore
  };

  it('matMul', () => {
    holds((m, n, k) => {
      const xs = [normal(m, k), normal(n, k)];
      agrees(
        (a, b) => matMul(a as Matrix, b as Matrix, { transposeB: true }),
        (a, b) => plainMatMul(a as Matrix, b as Matrix, true),
        xs,
      );
    });
  });

  it('linear', () => {
    holds((m, n, k) => {
      agrees(
        (x, w, b) => linear(x as Matrix, w as Matrix, b as Vector),
        (x, w, b) => plainLinear(x as Matrix, w as Matrix, b as Vector),
        [normal(m, k), normal(n, k), normal(n)],
      );
    });
  });

  it('layerNorm', () => {
    holds((rows, width) => {
      if (width < 3) return; // A row of two is +-1 wherever it is not constant: its gradient is rounding.
      agrees(
        (x, g, b) => layerNorm(x as Matrix, g as Vector, b as Vector),
        (x, g, b) => plainLayerNorm(x as Matrix, g as Vector, b as Vector, 1e-5),
        [normal(rows, width), normal(width), normal(width)],
        THROUGH_LAYER_NORM,
      );
    });
  });

  it('gelu', () => {
    // With the numbers from 1 to 4 among them: a small value alone, far below zero, is all rounding.
    holds((m, n) => agrees(gelu, plainGelu, [tf.concat([tf.mul(normal(m * n), 4), tf.linspace(1, 4, 4)])]));
  });

  it('attention, also with as many tokens as go through the BLAS', () => {
    holds((nTokens, headDim, n) => {
      const [nClips, numHeads] = [1 + (n % 3), 1 + (n % 2)];
      const sizes = [nClips, nTokens, numHeads] as const;
      agrees(
        (x) => attention(x as Matrix, ...sizes),
        (x) => plainAttention(x as Matrix, ...sizes),
        [small(normal(nClips * nTokens, 3 * numHeads * headDim))],
        { ofValue: 1e-5, ofGradient: 5e-5, floor: 0.1 },
      );
    });
  });

  it('attentionLayer', () => {
    holds((nTokens, headDim, n) => {
      const [nClips, numHeads, width] = [1 + (n % 3), 1 + (n % 2), 3 + (n % 17)];
      const inner = numHeads * headDim;
      const weights = [normal(width), normal(width), small(normal(3 * inner, width)), normal(width, inner)];
      agrees(
        (x, ...w) => attentionLayer(x as Matrix, w as unknown as AttentionLayerWeights, { nClips, nTokens, numHeads }),
        (x, ...w) =>
          plainAttentionLayer(x as Matrix, w as unknown as AttentionLayerWeights, nClips, nTokens, numHeads, 1e-5),
        [normal(nClips * nTokens, width), ...weights],
        THROUGH_LAYER_NORM,
      );
    });
  });

  it('mlpLayer', () => {
    holds((rows, hidden, n) => {
      const width = 3 + n;
      const weights = [normal(width), normal(width), normal(hidden, width), normal(hidden), normal(width, hidden), normal(width)]; // prettier-ignore
      agrees(
        (x, ...w) => mlpLayer(x as Matrix, w as unknown as MlpLayerWeights),
        (x, ...w) => plainMlpLayer(x as Matrix, w as unknown as MlpLayerWeights, 1e-5),
        [normal(rows, width), ...weights],
        THROUGH_LAYER_NORM,
      );
    });
  });

  it('groupMeans', () => {
    holds((groups, rows, width) => {
      agrees(
        (x) => groupMeans(x as Matrix, groups),
        (x) => plainGroupMeans(x as Matrix, groups),
        [normal(groups * rows, width)],
        { floor: 0.1 },
      );
      if (groups > 1) expect(() => groupMeans(tf.zeros([groups * rows + 1, width]), groups)).toThrow(/equal groups/);
    });
  });

  it('a linear layer on top of a residual, with and without bias', () => {
    holds((m, n, k) => {
      const [x, weight, bias, residual] = [normal(m, k), normal(n, k), normal(n), normal(m, n)];
      const product = plainLinear(x as Matrix, weight as Matrix);
      const without = runKernel(KERNEL.linear, { x, weight, residual })[0];
      expect(deviation(without, tf.add(product, residual))).toBeLessThan(3e-6);
      const withBias = runKernel(KERNEL.linear, { x, weight, bias, residual })[0];
      expect(deviation(withBias, tf.addN([product, residual, tf.add(tf.zeros([m, n]), bias)]))).toBeLessThan(3e-6);
    });
  });

  it('frees what the halves of a block keep for the gradient, with and without a gradient', () => {
    const weights = tf.tidy(() => [
      [normal(8), normal(8), normal(24, 8), normal(8, 8)],
      [normal(8), normal(8), normal(16, 8), normal(16), normal(8, 16), normal(8)],
    ]);
    const [attentionWeights, mlpWeights] = weights as unknown as [AttentionLayerWeights, MlpLayerWeights];
    const x = tf.tidy(() => normal(6, 8)) as Matrix;
    const before = tf.memory();
    const f = (input: tf.Tensor): tf.Tensor2D =>
      mlpLayer(attentionLayer(input as Matrix, attentionWeights, { nClips: 2, nTokens: 3, numHeads: 2 }), mlpWeights);
    tf.dispose(tf.tidy(() => f(x)));
    expect(tf.memory().numTensors).toBe(before.numTensors);
    tf.dispose(tf.tidy(() => tf.grad((input) => tf.sum(f(input)))(x)));
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    expect(tf.memory().numBytes).toBe(before.numBytes);
    tf.dispose([x, ...weights.flat()]);
  });
});

it('the halves of a block name the shapes that do not fit', () => {
  tf.tidy(() => {
    const v = tf.zeros([4]) as Vector;
    const weights = [v, v, tf.zeros([12, 4]), tf.zeros([4, 4])] as unknown as AttentionLayerWeights;
    const sizes = { nClips: 2, nTokens: 3, numHeads: 2 };
    expect(() => attentionLayer(tf.zeros([5, 4]), weights, sizes)).toThrow(/expected shape \[6, 4\], found \[5, 4\]/);
    expect(() => attentionLayer(tf.zeros([6, 4]), weights, { ...sizes, numHeads: 3 })).toThrow(/4 columns .* 3 heads/);
    const mlp = [v, v, tf.zeros([8, 4]), tf.zeros([7]), tf.zeros([4, 8]), v] as unknown as MlpLayerWeights;
    expect(() => mlpLayer(tf.zeros([6, 4]), mlp)).toThrow(/expected shape \[8, 4, 8\], found \[8, 4, 7\]/);
  });
});
