import { afterEach, describe, expect, it } from 'vitest';
import { currentBackend, initBackend, tf } from '../../lib/src/tensor/index.js';

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
});
