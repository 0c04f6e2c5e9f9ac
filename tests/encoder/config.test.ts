import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  Encoder,
  encoderConfig,
  parameterCount,
  parameterShapes,
  parseEncoderConfig,
  sincos2d,
  type EncoderConfig,
} from '../../lib/src/encoder/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';
import { goldenPath } from './golden.js';

const paper = JSON.parse(readFileSync(goldenPath('vit_paper_shapes.json'), 'utf8')) as {
  configs: Record<string, { state_dict: Record<string, number[]>; backbone_params: number }>;
};

beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

describe('configuration', () => {
  it.each([
    ['vertical', 'vertical_128x196', 130, 21_375_872],
    ['square', 'square_128x192', 130, 21_375_872],
    ['hybrid', 'hybrid_128x192', 136, 21_475_840],
  ] as const)('S has the paper`s parameters, by name, order and shape (%s)', (patches, golden, nTensors, count) => {
    const shapes = parameterShapes(encoderConfig(patches, 'S'));
    const reference = Object.entries(paper.configs[golden].state_dict).filter(([name]) => !/^linear_head/.test(name));
    expect([...shapes]).toEqual(reference);
    expect(shapes.size + 2).toBe(nTensors); // the reference counts its linear head's two
    expect(parameterCount(encoderConfig(patches, 'S'))).toBe(count);
    expect(paper.configs[golden].backbone_params).toBe(count);
  });

  it.each([
    ['vertical', 21_375_872],
    ['hybrid', 21_475_840],
  ] as const)('an encoder built at size S has as many (%s)', (patches, count) => {
    const before = tf.memory().numTensors;
    const encoder = Encoder.init(encoderConfig(patches, 'S'), createRng(1));
    expect([...encoder.weights.values()].reduce((sum, weight) => sum + weight.size, 0)).toBe(count);
    expect(tf.memory().numTensors - before).toBe(encoder.weights.size);
    encoder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('has the paper`s clip lengths', () => {
    expect(encoderConfig('vertical', 'S').clipFrames).toBe(196);
    expect(encoderConfig('square', 'S').clipFrames).toBe(192);
    expect(encoderConfig('hybrid', 'S').clipFrames).toBe(192);
    expect(encoderConfig('vertical', 'S', { clipFrames: 98 }).clipFrames).toBe(98);
  });

  it('refuses what cannot be built, naming the field', () => {
    const good = encoderConfig('vertical', 'tiny');
    const bad = (fields: Record<string, unknown>) => () => parseEncoderConfig({ ...good, ...fields }, 'a.json');
    expect(bad({ patches: 'diagonal' })).toThrow(
      'a.json: patches is "diagonal"; expected vertical or square or hybrid',
    );
    expect(bad({ width: 30 })).toThrow(/width is 30.*multiple of 4/);
    expect(bad({ width: 4 })).toThrow(/at least 8/);
    expect(bad({ depth: 0 })).toThrow(/depth is 0; expected a whole number >= 1/);
    expect(bad({ numHeads: 1.5 })).toThrow(/numHeads is 1.5/);
    expect(bad({ mlpDim: '64' })).toThrow(/mlpDim is 64/);
    expect(bad({ nMels: 64 })).toThrow(/nMels is 64; expected 128/);
    expect(bad({ inputScale: 'dB' })).toThrow(/inputScale is "dB"/);
    expect(bad({ clipFrames: 195 })).toThrow(/195 frames/);
    expect(bad({ patches: 'hybrid' })).toThrow(/196 frames.*16 bands x 16 frames/);
    expect(bad({ heads: 2 })).toThrow(/unknown heads; known are/);
    expect(bad({ width: undefined })).toThrow(/lacks width/);
    expect(() => parseEncoderConfig(null)).toThrow(/not an object/);
    expect(() => encoderConfig('vertical', 'XL' as 'S')).toThrow(/'XL' found; expected one of tiny, small, S/);
    expect(() => encoderConfig('flat' as 'square', 'S')).toThrow(/patches is "flat"/);
  });
});

describe('initialisation', () => {
  const config: EncoderConfig = encoderConfig('hybrid', 'small', { depth: 1 });

  it('is PyTorch`s default', () => {
    const encoder = Encoder.init(config, createRng(1));
    const tensors = encoder.toTensors();
    encoder.dispose();
    for (const [name, { shape, data }] of tensors) {
      const weightShape = tensors.get(name.replace(/bias$/, 'weight'))!.shape;
      if (weightShape.length === 1) {
        expect(new Set(data), name).toEqual(new Set([name.endsWith('weight') ? 1 : 0]));
        continue;
      }
      const bound = 1 / Math.sqrt(weightShape[1]);
      const values = [...data].map((x) => x / bound);
      const [mean, square] = [1, 2].map((p) => values.reduce((sum, x) => sum + x ** p, 0) / values.length);
      expect(values.every((x) => Math.abs(x) <= 1 + 1e-6)).toBe(true);
      expect(Math.abs(mean), name).toBeLessThan(5 * Math.sqrt(1 / 3 / values.length));
      expect(Math.abs(square - 1 / 3), name).toBeLessThan(5 * Math.sqrt(4 / 45 / values.length));
      expect(shape).toEqual(parameterShapes(config).get(name));
    }
  });

  it('depends on the seed alone, and leaves the generator as it was', () => {
    const made = [1, 1, 2].map((seed) => {
      const rng = createRng(seed);
      const state = rng.state();
      const encoder = Encoder.init(config, rng);
      expect(rng.state()).toEqual(state);
      const { data } = encoder.toTensors().get('transformer.layers.0.0.to_qkv.weight')!;
      encoder.dispose();
      return data;
    });
    expect(made[0]).toEqual(made[1]);
    expect(made[0]).not.toEqual(made[2]);
  });
});

describe('position embedding', () => {
  it('is sine and cosine of column and row', () => {
    const embedding = sincos2d(3, 5, 16); // [15, 16]
    const omega = [1, 10000 ** (-1 / 3), 10000 ** (-2 / 3), 1e-4];
    for (const [row, column] of [
      [0, 0],
      [2, 4],
      [1, 3],
    ]) {
      const token = embedding.subarray((row * 5 + column) * 16);
      omega.forEach((w, k) => {
        expect(token[k]).toBeCloseTo(Math.sin(w * column), 6);
        expect(token[4 + k]).toBeCloseTo(Math.cos(w * column), 6);
        expect(token[8 + k]).toBeCloseTo(Math.sin(w * row), 6);
        expect(token[12 + k]).toBeCloseTo(Math.cos(w * row), 6);
      });
    }
  });
});

describe('forward', () => {
  it('refuses clips, tokens and layers that do not fit', () => {
    const encoder = Encoder.init(encoderConfig('vertical', 'tiny', { clipFrames: 4 }), createRng(1));
    const clips = new Float32Array(2 * 128 * 4).fill(1);
    const run =
      (options: Parameters<Encoder['forward']>[2], values = clips, nClips = 2) =>
      () =>
        encoder.forward(values, nClips, options);
    const before = tf.memory().numTensors;
    expect(run({}, clips, 3)).toThrow(/1024 values found; 3 clips of 128 bands x 4 frames have 1536/);
    expect(run({}, clips, 0)).toThrow(/0 clips/);
    expect(run({ clipFrames: 3 })).toThrow(/1024 values found/);
    expect(run({ layer: 3 })).toThrow(/layer: 3 found; this encoder has layers 0 \(no block\) to 2/);
    expect(run({ kept: { vertical: Int32Array.of(0, 2) } })).toThrow(/token id 2/);
    expect(run({ kept: { vertical: new Int32Array(0) } })).toThrow(/no token is kept/);
    expect(run({ kept: { square: Int32Array.of(0, 0) } })).toThrow(/token ids for square patches/);
    expect(() => encoder.intermediates(clips, 2, { patching: 'square' })).toThrow(/'square' asked/);
    const broken = clips.slice();
    broken[700] = Number.NaN;
    expect(run({}, broken)).toThrow('clip 1: its mel spectrogram holds NaN; expected finite power');
    expect(tf.memory().numTensors).toBe(before);
    encoder.dispose();
    const log = Encoder.init(encoderConfig('vertical', 'tiny', { clipFrames: 4, inputScale: 'log1p' }), createRng(1));
    expect(() =>
      log.forward(
        clips.map(() => -2),
        2,
      ),
    ).toThrow(/holds -2; expected finite power, not negative/);
    log.dispose();
  });
});
