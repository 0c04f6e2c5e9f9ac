import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Encoder, encoderConfig, loadCheckpoint, saveCheckpoint } from '../../lib/src/encoder/index.js';
import { float32, int32, readSafetensors, writeSafetensors, type StoredTensor } from '../../lib/src/store/index.js';
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
    const renamed = load((t) => {
      for (const [name, tensor] of [...t]) {
        t.delete(name);
        t.set(`module.${name}`, tensor);
      }
    });
    expect(renamed).toThrow(/to_patch_embedding.2.weight is missing; this is no SimpleViT checkpoint/);
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
