import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  Encoder, encoderConfig, loadCheckpoint, parameterCount, parameterShapes, saveCheckpoint,
} from '../../lib/src/encoder/index.js'; // prettier-ignore
import { inferConfig } from '../../lib/src/encoder/fromTensors.js';
import { MEL } from '../../lib/src/mel/index.js';
import {
  float32,
  int32,
  readSafetensors,
  writeJson,
  writeSafetensors,
  type StoredTensor,
} from '../../lib/src/store/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';
import { goldenPath, take, VARIANTS } from './golden.js';

const folder = mkdtempSync(join(tmpdir(), 'keymyna-checkpoints-'));
const path = join(folder, 'encoder.safetensors');
const QKV = 'transformer.layers.1.0.to_qkv.weight';

let before = 0;
beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
  before = tf.memory().numTensors;
});
afterEach(() => expect(tf.memory().numTensors).toBe(before)); // a failed load leaves nothing behind
afterAll(() => rmSync(folder, { recursive: true }));

/** Tensors of a tiny encoder, changed by `edit`, written as a file without metadata of ours. */
function written(edit: (tensors: Map<string, StoredTensor>) => void, metadata: Record<string, string> = {}): string {
  const encoder = Encoder.init(encoderConfig('vertical', 'tiny'), createRng(1));
  const tensors = encoder.toTensors();
  encoder.dispose();
  edit(tensors);
  writeSafetensors(path, tensors, metadata);
  return path;
}

describe('checkpoints', () => {
  it.each(VARIANTS)('come back with weights, configuration and metadata (%s)', (patches) => {
    const config = encoderConfig(patches, 'tiny', { clipFrames: 96, inputScale: 'log1p', depth: 3 });
    const encoder = Encoder.init(config, createRng(1));
    const metadata = { step: '12', seed: '7', configId: 'abc', config: '{"loss":"ntXent"}' };
    saveCheckpoint(path, encoder, { metadata });
    const loaded = loadCheckpoint(path);
    expect(loaded.encoder.config).toEqual(config);
    expect(loaded.metadata).toMatchObject(metadata);
    expect(loaded.linearHead).toBeNull();
    expect([...loaded.encoder.weights.keys()]).toEqual([...encoder.weights.keys()]);
    expect(loaded.encoder.toTensors()).toEqual(encoder.toTensors());
    expect(new Set(readSafetensors(path).tensors.keys())).toEqual(new Set(encoder.weights.keys()));
    const clips = Float32Array.from({ length: 128 * 96 }, (_, i) => i % 7);
    expect(take(loaded.encoder.forward(clips, 1))).toEqual(take(encoder.forward(clips, 1)));
    loaded.encoder.dispose();
    encoder.dispose();
  });

  it('keep further tensors apart', () => {
    const encoder = Encoder.init(encoderConfig('square', 'tiny'), createRng(1));
    const tensors = new Map([
      ['projection_head.weight', float32([2, 32], new Float32Array(64).fill(3))],
      ['u', int32([2], Int32Array.of(1, 2))],
    ]);
    saveCheckpoint(path, encoder, { tensors });
    const loaded = loadCheckpoint(path);
    expect(new Map(loaded.tensors)).toEqual(tensors);
    loaded.encoder.dispose();
    const taken = new Map([[QKV, float32([1], new Float32Array(1))]]);
    expect(() => saveCheckpoint(path, encoder, { tensors: taken })).toThrow(/to_qkv.weight has a name of the encoder/);
    encoder.dispose();
  });

  it('of the reference load with their head apart; options say what tensors do not', () => {
    const file = goldenPath('vit_tiny_vertical.weights.safetensors');
    const { encoder, linearHead, metadata } = loadCheckpoint(file, { patches: 'vertical', numHeads: 2 });
    expect(encoder.config).toEqual(encoderConfig('vertical', 'tiny'));
    expect(encoder.weights.has('linear_head.weight')).toBe(false);
    expect(linearHead?.weight.shape).toEqual([50, 32]);
    expect(metadata.kind).toBe('vertical');
    encoder.dispose();
    const square = loadCheckpoint(file, {
      patches: 'square',
      numHeads: 1,
      clipFrames: 64,
      inputScale: 'log1p',
    }).encoder;
    expect(square.config).toMatchObject({ patches: 'square', headDim: 32, clipFrames: 64, inputScale: 'log1p' });
    square.dispose();
    expect(() => loadCheckpoint(file, { numHeads: 2 })).toThrow(/vertical or square\?.*equal shapes.*give patches/);
    expect(() => loadCheckpoint(file, { patches: 'vertical' })).toThrow(/96 rows.*heads of 64 values; give numHeads/);
    expect(() => loadCheckpoint(file, { patches: 'vertical', numHeads: 3 })).toThrow(/3 heads/);
    expect(() => loadCheckpoint(file, { patches: 'hybrid', numHeads: 2 })).toThrow(/lacks to_patch_embedding_b/);
    const hybrid = goldenPath('vit_tiny_hybrid.weights.safetensors');
    expect(() => loadCheckpoint(hybrid, { patches: 'square', numHeads: 2 })).toThrow(/so it is hybrid/);
  });

  it('take heads of 64 values unless told otherwise', () => {
    const encoder = Encoder.init(encoderConfig('vertical', 'small', { depth: 1 }), createRng(1));
    writeSafetensors(path, encoder.toTensors());
    const loaded = loadCheckpoint(path, { patches: 'vertical' }).encoder;
    expect(loaded.config).toEqual(encoder.config);
    loaded.dispose();
    encoder.dispose();
  });

  it('that are damaged are refused in one sentence', () => {
    const load = (edit: (tensors: Map<string, StoredTensor>) => void) => () =>
      loadCheckpoint(written(edit), { patches: 'vertical', numHeads: 2 });
    expect(load((t) => t.delete(QKV))).toThrow(`${path}: 1 tensors are missing: ${QKV}`);
    expect(load((t) => t.delete('to_patch_embedding.2.weight'))).toThrow(/to_patch_embedding.2.weight is missing/);
    expect(load((t) => t.set(QKV, float32([96, 16], new Float32Array(96 * 16))))).toThrow(
      `${path}: tensor ${QKV} has shape [96, 16]; expected [96, 32]`,
    );
    expect(load((t) => t.set(QKV, float32([96 * 32], new Float32Array(96 * 32))))).toThrow(
      /\[3072\]; expected \[96, 32\]/,
    );
    expect(load((t) => t.set('to_patch_embedding.2.weight', float32([32], new Float32Array(32))))).toThrow(/two dim/);
    expect(load((t) => t.set('cls_token', float32([1], new Float32Array(1))))).toThrow(
      /this encoder has not: cls_token/,
    );
    expect(load((t) => t.set(QKV, int32([96, 32], new Int32Array(96 * 32))))).toThrow(/is I32; expected floating/);
    expect(load((t) => t.set(QKV, float32([96, 32], new Float32Array(96 * 32).fill(NaN, 5, 6))))).toThrow(
      `${path}: tensor ${QKV} holds NaN at position 5`,
    );
    expect(load((t) => t.set('transformer.layers.999999999.x', float32([1], new Float32Array(1))))).toThrow(
      /block 999999999, but only/,
    );
  });

  it('behind a wrapper are found; what stands beside them is kept', () => {
    const renamed = (prefix: string, beside: readonly string[] = []) =>
      loadCheckpoint(
        written((t) => {
          for (const [name, tensor] of [...t]) {
            t.delete(name);
            t.set(prefix + name, tensor);
          }
          for (const name of beside) t.set(name, float32([1], new Float32Array(1)));
        }),
        { patches: 'vertical', numHeads: 2 },
      );
    for (const prefix of ['module.', 'model.', '_orig_mod.module.', 'module.encoder.']) {
      const { encoder, tensors } = renamed(prefix, ['head.0.bias']);
      expect(encoder.config).toEqual(encoderConfig('vertical', 'tiny'));
      expect([...tensors.keys()]).toEqual(['head.0.bias']);
      encoder.dispose();
    }
    expect(() => renamed('something.')).toThrow(/to_patch_embedding.2.weight is missing; this is no SimpleViT/);
    expect(() => renamed('module.', ['model.to_patch_embedding.2.weight'])).toThrow(/is missing; this is no SimpleViT/);
  });

  it('of PyTorch load as they are', () => {
    const file = new URL('../fixtures/torch/encoder.pth', import.meta.url).pathname;
    const { encoder, linearHead } = loadCheckpoint(file, { patches: 'vertical', numHeads: 1 });
    expect(encoder.config).toMatchObject({ width: 8, depth: 1, numHeads: 1, headDim: 4, mlpDim: 8, clipFrames: 196 });
    expect(linearHead?.weight.shape).toEqual([5, 8]);
    const gain = take(encoder.weights.get('transformer.norm.weight')!.clone());
    expect(Array.from(gain)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => Math.fround((i - 48) * 0.01)));
    encoder.dispose();
  });

  it('in shards give the same encoder', () => {
    const encoder = Encoder.init(encoderConfig('hybrid', 'tiny'), createRng(1));
    const tensors = [...encoder.toTensors()];
    const shards = ['a.safetensors', 'b.safetensors', 'c.safetensors'];
    shards.forEach((shard, i) => writeSafetensors(join(folder, shard), new Map(tensors.filter((_, k) => k % 3 === i))));
    const map = Object.fromEntries(tensors.map(([name], k) => [name, shards[k % 3]]));
    const index = join(folder, 'model.safetensors.index.json');
    writeJson(index, { weight_map: map });
    const loaded = loadCheckpoint(index, { numHeads: 2 }).encoder;
    expect(loaded.config).toEqual(encoder.config);
    expect(loaded.toTensors()).toEqual(encoder.toTensors());
    loaded.dispose();
    encoder.dispose();
  });

  it.each([
    ['B', 'hybrid'],
    ['B', 'vertical'],
    ['S', 'hybrid'],
  ] as const)('of size %s (%s) tell their configuration by their shapes', (size, patches) => {
    const config = encoderConfig(patches, size);
    // One shared buffer stands for the weights: only shapes are read.
    const data = new Float32Array(config.mlpDim * config.width);
    const tensors = new Map(
      [...parameterShapes(config)].map(([name, shape]) => {
        const length = shape.reduce((a, b) => a * b, 1);
        return [name, { dtype: 'F32', shape, data: data.subarray(0, length) } satisfies StoredTensor];
      }),
    );
    expect(inferConfig(tensors, patches === 'hybrid' ? {} : { patches }, 'x')).toEqual(config);
    if (size === 'B') expect(Math.round(parameterCount(config) / 1e6)).toBe(85);
  });

  it('of another mel spectrogram, patch or clip length are refused, with the reason', () => {
    const config = encoderConfig('vertical', 'tiny');
    const metadata = { encoderConfig: JSON.stringify(config) };
    const load = (changed: Partial<typeof MEL>) => () =>
      loadCheckpoint(written(() => undefined, { ...metadata, melConfig: JSON.stringify({ ...MEL, ...changed }) }));
    expect(load({ nFft: 1024, hopLength: 256 })).toThrow(
      /trained on mel spectrograms of nFft 1024, hopLength 256; here they have nFft 2048, hopLength 512.*without a sign/,
    );
    expect(load({ nMels: 96 })).toThrow(/nMels 96; here they have nMels 128/);
    load({})().encoder.dispose();
    const bands = written((t) => t.set('to_patch_embedding.2.weight', float32([32, 160], new Float32Array(5120))));
    expect(() => loadCheckpoint(bands)).toThrow(/hold 160 values, here they hold 256.*another number of bands/);
    const file = written(() => undefined, metadata);
    expect(() => loadCheckpoint(file, { clipFrames: 98 })).toThrow(
      /trained on clips of 196 frames, but clipFrames is 98/,
    );
    loadCheckpoint(file, { clipFrames: 196 }).encoder.dispose();
    const reference = goldenPath('vit_tiny_hybrid.weights.safetensors');
    expect(() => loadCheckpoint(reference, { numHeads: 2, clipFrames: 196 })).toThrow(
      /128 bands x 196 frames.*16 bands x 16/,
    );
  });

  it('of ours that lost their last block, or contradict their metadata, are refused', () => {
    const config = encoderConfig('vertical', 'tiny');
    const lost = written(
      (t) => [...t.keys()].filter((name) => name.includes('layers.1.')).forEach((name) => t.delete(name)),
      { encoderConfig: JSON.stringify(config) },
    );
    expect(() => loadCheckpoint(lost)).toThrow(/10 tensors are missing: transformer.layers.1.0.norm.weight/);
    const load = (metadata: Record<string, string>) => () => loadCheckpoint(written(() => undefined, metadata));
    expect(load({ encoderConfig: '{"patches"' })).toThrow(/metadata is not JSON/);
    expect(load({ encoderConfig: '{"patches":"square"}' })).toThrow(/metadata encoderConfig: lacks/);
    expect(load({ encoderConfig: JSON.stringify({ ...config, width: 64 }) })).toThrow(/has shape \[32, 256\]|expected/);
    expect(load({ encoderConfig: JSON.stringify(config), extraTensors: '["u"]' })).toThrow(/tensor u, which.*missing/);
    expect(load({ encoderConfig: JSON.stringify(config), extraTensors: '5' })).toThrow(/not a list of names/);
    const file = written(() => undefined, { encoderConfig: JSON.stringify(config) });
    expect(() => loadCheckpoint(file, { patches: 'square' })).toThrow(/saved with vertical patches/);
  });
});
