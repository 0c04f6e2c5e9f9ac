import { afterEach, describe, expect, it } from 'vitest';
import { createRng, currentBackend, initBackend, tf, withOneBlasThread } from '../../lib/src/tensor/index.js';

afterEach(() => {
  delete process.env.KEYMYNA_BLAS;
  delete process.env.KEYMYNA_BACKEND;
});

describe('the choice of backend', () => {
  it('is wasm with own kernels where no native package is installed, and says why', async () => {
    const info = await initBackend();
    expect(info).toBe(currentBackend());
    expect(info.name === 'wasm' ? info.accelerated : true).toBe(true);
    expect(info.reason).toMatch(/@tensorflow\/tfjs-node/);
  });

  it('follows the option, then KEYMYNA_BACKEND', async () => {
    process.env.KEYMYNA_BACKEND = 'cpu';
    expect((await initBackend()).name).toBe('cpu');
    expect((await initBackend({ prefer: 'wasm' })).name).toBe('wasm');
  });

  it('refuses a backend that is none, and a native one that is not installed', async () => {
    process.env.KEYMYNA_BACKEND = 'abacus';
    await expect(initBackend()).rejects.toThrow(/"abacus".*auto, node-gpu, node, wasm, cpu/);
    const before = currentBackend();
    await initBackend({ prefer: 'node-gpu' }).then(
      (info) => expect(info.name).toBe('tensorflow-gpu'),
      (error: Error) =>
        expect(error.message).toMatch(/backend node-gpu: @tensorflow\/tfjs-node-gpu .*install it, or use auto/),
    );
    expect(tf.getBackend()).toBe(before.name);
  });

  it('takes no BLAS when told so, and names one that does not load', async () => {
    process.env.KEYMYNA_BLAS = 'none';
    expect((await initBackend({ prefer: 'wasm' })).blas).toBeNull();
    process.env.KEYMYNA_BLAS = '/no/such/libblas.so';
    await expect(initBackend({ prefer: 'wasm' })).rejects.toThrow(
      /KEYMYNA_BLAS: "\/no\/such\/libblas\.so" does not load/,
    );
    // A library that is there but is no BLAS.
    process.env.KEYMYNA_BLAS = 'libc.so.6';
    await expect(initBackend({ prefer: 'wasm' })).rejects.toThrow(/KEYMYNA_BLAS/);
  });

  it('multiplies to the same bits with one thread of the BLAS and with several', async () => {
    const rng = createRng('threads');
    const values = (n: number): Float32Array => Float32Array.from({ length: n }, () => rng.uniform() - 0.5);
    const shapes = [
      [640, 384, 384],
      [128, 512, 1280],
      [96, 256, 900],
      [333, 64, 1111],
      [257, 129, 65],
      [98, 98, 64],
    ];
    const operands = shapes.map(([m, n, k]) => [values(m * k), values(n * k)]);
    const products = async (blasThreads: number): Promise<Buffer> => {
      await initBackend({ prefer: 'wasm', blasThreads });
      const outcomes = shapes.flatMap(([m, n, k], i) =>
        tf.tidy(() => {
          const [a, b] = operands[i];
          const forward = tf.matMul(tf.tensor2d(a, [m, k]), tf.tensor2d(b, [n, k]), false, true);
          const back = tf.matMul(tf.tensor2d(a, [k, m]), tf.tensor2d(b, [k, n]), true, false);
          return [forward, back].map((x) => Buffer.from(x.dataSync().buffer));
        }),
      );
      return Buffer.concat(outcomes);
    };
    const one = await products(1);
    expect((await products(2)).equals(one)).toBe(true);
    expect((await products(3)).equals(one)).toBe(true);
  });

  it('gives the result of work that has the cores for itself, and its error', async () => {
    await initBackend({ prefer: 'wasm' });
    expect(await withOneBlasThread(() => Promise.resolve(3))).toBe(3);
    await expect(withOneBlasThread(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
