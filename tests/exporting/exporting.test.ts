import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Encoder, encoderConfig, loadCheckpoint } from '../../lib/src/encoder/index.js';
import { exportOnnx, exportSafetensors } from '../../lib/src/exporting/index.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { MEL, type MelSpectrogram } from '../../lib/src/mel/index.js';
import { logitsOverPitches, noteTable } from '../../lib/src/notes/index.js';
import { loadKeyModel } from '../../lib/src/predict/index.js';
import { headParameterCount, loadProbe, Probe, probeConfig } from '../../lib/src/probe/index.js';
import { initialWeights } from '../../lib/src/probe/head.js';
import { readSafetensors, type StoredTensor } from '../../lib/src/store/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';
import { goldenEncoder, goldenIo, goldenPath, take, VARIANTS } from '../encoder/golden.js';
import { largestDifference } from '../golden.js';
import { randomMel, randomNoteProbe, randomTranscriber } from '../notes/models.js';
import { readOnnx, runOnnx, type Value } from './onnxReader.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-exporting-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));
beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

/** A head with a standardizer, whose logits are of some size. */
function headFor(width: number): Probe {
  const rng = createRng(4);
  const config = probeConfig({ hidden: ['d0.2', 16, 'd0.5'] });
  const weights = new Map<string, StoredTensor>();
  for (const [name, { shape, data }] of initialWeights(config.hidden, width, rng))
    weights.set(name, { dtype: 'F32', shape, data: Float32Array.from(data, (value) => 4 * value) });
  const mean = Float64Array.from({ length: width }, () => rng.normal());
  const scale = Float64Array.from({ length: width }, () => 0.3 + rng.uniform());
  return new Probe(config, width, weights, { mean, scale });
}

/** An encoder of short clips, so that loops stay short, and what reads its notes. */
function noteModel() {
  const encoder = Encoder.init(encoderConfig('vertical', 'tiny', { clipFrames: 16, inputScale: 'log1p30dB' }), createRng(2)); // prettier-ignore
  return { encoder, transcriber: randomTranscriber(encoder.outWidth), probe: randomNoteProbe() };
}

const tableOf = (embeddings: Float32Array, width: number) => {
  const nClips = embeddings.length / width;
  const trackIds = Array.from({ length: nClips }, (_, i) => `${i}`);
  return { width, nClips, embeddings, trackOf: Int32Array.from(trackIds, Number), trackIds };
};
const wide = (shape: readonly number[], data: ArrayLike<number>): Value => ({ shape, data: Float64Array.from(data) });

interface Runtime {
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(path: string): Promise<{ run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>> }>; // prettier-ignore
  };
}

/** ONNX Runtime, an optional peer of the suite, where it is installed (NODE_PATH is looked at too). */
function onnxRuntime(): Runtime | null {
  try {
    return createRequire(import.meta.url)('onnxruntime-node') as Runtime;
  } catch {
    return null;
  }
}

describe('ONNX', () => {
  it.each(VARIANTS)('of the reference’s encoder gives the golden embeddings (%s)', (variant) => {
    const { encoder } = goldenEncoder(variant);
    const io = goldenIo(variant);
    exportOnnx(at('golden.onnx'), { encoder });
    const model = readOnnx(readFileSync(at('golden.onnx')));
    const { shape, data } = io('input');
    const clips = data.subarray(0, 128 * encoder.config.clipFrames * 2) as Float32Array; // two clips: loops are slow
    const frames = shape[shape.length - 1];
    expect(frames).toBe(encoder.config.clipFrames);
    const embedding = runOnnx(model, { mel: wide([2, 128, frames], clips) }).get('embedding')!;
    const own = take(encoder.forward(clips, 2));
    expect(largestDifference(embedding.data, own)).toBeLessThan(1e-5);
    const golden = io(variant === 'hybrid' ? 'embed_hybrid_f64' : 'embed_f64').data as Float64Array;
    expect(largestDifference(embedding.data, golden.subarray(0, own.length))).toBeLessThan(1e-5);
    encoder.dispose();
  });

  it('of encoder and head gives embedding and logits; what it says about itself', () => {
    const encoder = Encoder.init(
      encoderConfig('vertical', 'tiny', { clipFrames: 8, inputScale: 'log1p' }),
      createRng(2),
    );
    const probe = headFor(encoder.outWidth);
    exportOnnx(at('both.onnx'), { encoder, probe, metadata: { license: 'MIT' } });
    const model = readOnnx(readFileSync(at('both.onnx')));
    expect([model.irVersion, model.opset]).toEqual([8, 17]);
    expect(model.inputs).toEqual([{ name: 'mel', shape: ['batch', 128, 8] }]);
    expect(model.outputs).toEqual([
      { name: 'embedding', shape: ['batch', 32] },
      { name: 'logits', shape: ['batch', 24] },
    ]);
    const { license, melScale, melConfig, keys, decision, encoderConfig: config } = model.metadata;
    expect({ license, melScale, decision }).toEqual({ license: 'MIT', melScale: 'power', decision: 'meanLogits' });
    expect(JSON.parse(melConfig)).toEqual(MEL);
    expect(JSON.parse(keys)).toEqual(KEYS.map(({ label }) => label));
    expect(JSON.parse(config)).toEqual(encoder.config);
    // Every parameter stands in the file under the reference's name and in its shape.
    for (const [name, tensor] of encoder.toTensors()) expect(model.constants.get(name)?.shape).toEqual(tensor.shape);
    for (const n of [1, 3]) {
      const clips = Float32Array.from({ length: n * 128 * 8 }, (_, i) => ((i * 7919) % 1013) ** 2 / 1e4);
      const outputs = runOnnx(model, { mel: wide([n, 128, 8], clips) });
      const own = take(encoder.forward(clips, n));
      expect(largestDifference(outputs.get('embedding')!.data, own)).toBeLessThan(1e-4);
      const logits = probe.clipLogits(tableOf(own, 32));
      expect(largestDifference(outputs.get('logits')!.data, logits)).toBeLessThan(1e-4);
      expect(Math.max(...logits)).toBeGreaterThan(1);
    }
    encoder.dispose();
  });

  it('of a head alone takes embeddings', () => {
    const probe = headFor(12);
    exportOnnx(at('head.onnx'), { probe });
    const model = readOnnx(readFileSync(at('head.onnx')));
    expect(model.inputs).toEqual([{ name: 'embedding', shape: ['batch', 12] }]);
    expect(model.outputs).toEqual([{ name: 'logits', shape: ['batch', 24] }]);
    const embeddings = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i) * 3);
    const logits = runOnnx(model, { embedding: wide([5, 12], embeddings) }).get('logits')!;
    expect(largestDifference(logits.data, probe.clipLogits(tableOf(embeddings, 12)))).toBeLessThan(1e-4);
  });

  it('of a head on notes takes windows and gives the logits that the suite gives', async () => {
    const { encoder, transcriber, probe } = noteModel();
    const before = tf.memory().numTensors;
    exportOnnx(at('notes.onnx'), { encoder, probe, transcriber, metadata: { clipHop: '392' } });
    const model = readOnnx(readFileSync(at('notes.onnx')));
    expect(model.inputs).toEqual([{ name: 'mel', shape: ['batch', 128, 784] }]);
    expect(model.outputs).toEqual([{ name: 'logits', shape: ['batch', 24] }]);
    expect(model.metadata).toMatchObject({ clipHop: '392', melScale: 'power' });
    const mels = [randomMel(784, 1), randomMel(784, 2)];
    const own = await logitsOfWindows(mels);
    expect(Math.max(...own) - Math.min(...own)).toBeGreaterThan(0.01);
    const { Tensor, InferenceSession } = onnxRuntime() ?? {};
    const flat = Float32Array.from(mels.flatMap(({ data }) => [...data]));
    const outputs = runOnnx(model, { mel: wide([2, 128, 784], flat) });
    expect(largestDifference(outputs.get('logits')!.data, own)).toBeLessThan(1e-4);
    if (InferenceSession && Tensor) {
      const session = await InferenceSession.create(at('notes.onnx'));
      const { logits } = await session.run({ mel: new Tensor('float32', flat, [2, 128, 784]) });
      expect(largestDifference(logits.data, own)).toBeLessThan(1e-4);
    }
    expect(tf.memory().numTensors).toBe(before);
    encoder.dispose();

    async function logitsOfWindows(windows: readonly MelSpectrogram[]): Promise<Float32Array> {
      const tracks = windows.map((mel, i) => ({ id: `${i}`, mel }));
      return logitsOverPitches(probe, (await noteTable(encoder, transcriber, tracks)).embeddings);
    }
  });

  it.runIf(onnxRuntime())('gives the same logits in ONNX Runtime, to 1e-4', async () => {
    const { Tensor, InferenceSession } = onnxRuntime()!;
    for (const variant of VARIANTS) {
      const { encoder } = goldenEncoder(variant);
      const probe = headFor(encoder.outWidth);
      exportOnnx(at('runtime.onnx'), { encoder, probe });
      const session = await InferenceSession.create(at('runtime.onnx'));
      const clips = goldenIo(variant)('input').data as Float32Array;
      const n = clips.length / 128 / encoder.config.clipFrames;
      const outputs = await session.run({ mel: new Tensor('float32', clips, [n, 128, encoder.config.clipFrames]) });
      const own = take(encoder.forward(clips, n));
      expect(largestDifference(outputs.embedding.data, own)).toBeLessThan(1e-5);
      const logits = probe.clipLogits(tableOf(own, encoder.outWidth));
      expect(largestDifference(outputs.logits.data, logits)).toBeLessThan(1e-4);
      encoder.dispose();
    }
  });
});

describe('safetensors', () => {
  it.each(VARIANTS)('of an encoder has the reference’s names and shapes, and loads again (%s)', (variant) => {
    const { encoder } = goldenEncoder(variant);
    exportSafetensors(at('encoder.safetensors'), { encoder });
    const { tensors, metadata } = readSafetensors(at('encoder.safetensors'));
    const golden = readSafetensors(goldenPath(`vit_tiny_${variant}.weights.safetensors`)).tensors;
    const reference = new Map([...golden].filter(([name]) => !name.startsWith('linear_head.')));
    expect(new Map(tensors)).toEqual(reference);
    expect(metadata.format).toBe('pt');
    const again = loadCheckpoint(at('encoder.safetensors')).encoder;
    expect(again.config).toEqual(encoder.config);
    again.dispose();
    encoder.dispose();
  });

  it('of encoder and head: both load again; the head reads raw embeddings', () => {
    const { encoder } = goldenEncoder('hybrid');
    const probe = headFor(encoder.outWidth);
    const embeddings = take(encoder.forward(goldenIo('hybrid')('input').data as Float32Array, 4));
    const logits = probe.clipLogits(tableOf(embeddings, 64));
    exportSafetensors(at('both.safetensors'), { encoder, probe });
    exportSafetensors(at('head.safetensors'), { probe });
    const checkpoint = loadCheckpoint(at('both.safetensors'));
    expect([...checkpoint.tensors.keys()]).toEqual(['head.1.weight', 'head.1.bias', 'head.4.weight', 'head.4.bias']);
    for (const name of ['both.safetensors', 'head.safetensors']) {
      const loaded = loadProbe(at(name));
      expect(loaded.config).toEqual({ ...probe.config, standardize: 'none' });
      expect(loaded.standardizer).toBeNull();
      expect(largestDifference(loaded.clipLogits(tableOf(embeddings, 64)), logits)).toBeLessThan(1e-4);
    }
    const alone = readSafetensors(at('head.safetensors')).tensors;
    expect([...alone.keys()]).toEqual(['1.weight', '1.bias', '4.weight', '4.bias']);
    const count = [...alone.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(count).toBe(headParameterCount(probe.config.hidden, 64));
    checkpoint.encoder.dispose();
    encoder.dispose();
  });
});

describe('a head on notes as safetensors', () => {
  it('loads again as a model, in one file or two', () => {
    const { encoder, transcriber, probe } = noteModel();
    exportSafetensors(at('notes.safetensors'), { encoder, transcriber, probe });
    exportSafetensors(at('notes-head.safetensors'), { transcriber, probe });
    for (const head of ['notes.safetensors', 'notes-head.safetensors']) {
      const model = loadKeyModel({ weights: at('notes.safetensors'), head: at(head) });
      expect(model.transcriber!.toTensors()).toEqual(transcriber.toTensors());
      expect(model.probe.standardizer).toBeNull();
      model.dispose();
    }
    encoder.dispose();
  });
});

describe('what cannot be exported', () => {
  it('is refused, and nothing is written', () => {
    const { encoder } = goldenEncoder('vertical');
    const perSplit = new Probe(
      probeConfig({ standardize: 'perSplit' }),
      32,
      initialWeights([], 32, createRng(1)),
      null,
    );
    const before = readdirSync(dir);
    for (const write of [exportOnnx, exportSafetensors]) {
      expect(() => write(at('never'), {})).toThrow(/never: neither an encoder nor a probe/);
      expect(() => write(at('never'), { encoder, probe: headFor(64) })).toThrow(
        /of width 32, the probe reads width 64/,
      );
      expect(() => write(at('never'), { encoder, probe: headFor(32), transcriber: randomTranscriber(32) })).toThrow(
        /the statistics of notes have width \d+, the probe reads width 32/,
      );
      expect(() =>
        write(at('never'), { encoder, probe: randomNoteProbe(), transcriber: randomTranscriber(31) }),
      ).toThrow(/tokens of width 32, the transcriber reads width 31/);
      expect(() => write(at('never'), { encoder, probe: perSplit })).toThrow(/statistics of each split/);
    }
    const ofNotes = { probe: randomNoteProbe(), transcriber: randomTranscriber(32) };
    expect(() => exportOnnx(at('never'), ofNotes)).toThrow(/windows of 784 frames.*give the encoder too/);
    const odd = Encoder.init(encoderConfig('vertical', 'tiny', { clipFrames: 192 }), createRng(0));
    expect(() => exportOnnx(at('never'), { encoder: odd, ...ofNotes })).toThrow(/this one's have 192 frames/);
    odd.dispose();
    expect(readdirSync(dir)).toEqual(before);
    encoder.dispose();
  });
});
