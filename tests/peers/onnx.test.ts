import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import type { Track } from '../../lib/src/corpus/index.js';
import { Encoder, encoderConfig, saveCheckpoint } from '../../lib/src/encoder/index.js';
import { exportOnnx } from '../../lib/src/exporting/index.js';
import { OnnxGraph, type PortShape } from '../../lib/src/exporting/onnxModel.js';
import { melSpectrogram } from '../../lib/src/mel/index.js';
import {
  detectTracks,
  modelDetector,
  onnxDetector,
  parseSystem,
  type DetectorSpec,
} from '../../lib/src/peers/index.js';
import { Probe, probeConfig, saveProbe } from '../../lib/src/probe/index.js';
import { initialWeights } from '../../lib/src/probe/head.js';
import { Cache, type StoredTensor } from '../../lib/src/store/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-onnx-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));
beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

const hasRuntime = ((): boolean => {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    console.warn('onnxruntime-node is not installed (NODE_PATH is looked at too): its tests are skipped');
    return false;
  }
})();

/** A chord of some pitches, so that clips differ. */
function chord(seed: number, seconds: number, rate = 16000): Float32Array {
  const rng = createRng(seed);
  const tones = Array.from({ length: 4 }, () => ({ hz: 110 * 2 ** (rng.int(36) / 12), until: 1 + rng.int(seconds) }));
  return Float32Array.from({ length: seconds * rate }, (_, i) =>
    tones.reduce(
      (sum, { hz, until }) => sum + (i < until * rate ? 0.2 * Math.sin((2 * Math.PI * hz * i) / rate) : 0),
      0,
    ),
  );
}

/** A head with a standardizer, whose logits are of some size. */
function headFor(width: number): Probe {
  const rng = createRng(4);
  const config = probeConfig({ hidden: ['d0.2', 16, 'd0.5'] });
  const weights = new Map<string, StoredTensor>();
  for (const [name, { shape, data }] of initialWeights(config.hidden, width, rng))
    weights.set(name, { dtype: 'F32', shape, data: Float32Array.from(data, (value) => 4 * value) });
  const mean = Float64Array.from({ length: width }, () => 0.3 * rng.normal());
  const scale = Float64Array.from({ length: width }, () => 0.3 + rng.uniform());
  return new Probe(config, width, weights, { mean, scale });
}

/** A model of one operation: rows of `size` inputs to 24 outputs by a weight [24, size]. */
function linearModel(
  path: string,
  input: PortShape,
  weight: Float32Array,
  before?: (graph: OnnxGraph) => string,
): void {
  const graph = new OnnxGraph();
  const rows = before?.(graph) ?? input.name;
  graph.add('Gemm', [rows, graph.floats('w', [24, weight.length / 24], weight)], { transB: 1 }, 'keys');
  writeFileSync(path, graph.model(path, [input], [{ name: 'keys', shape: [input.shape[0], 24] }], {}));
}
const describeModel = (path: string, input: object, output: object = {}): void =>
  writeFileSync(
    `${path}.json`,
    JSON.stringify({ input, output: { keys: 'interleaved', values: 'logits', ...output } }),
  );

describe.runIf(hasRuntime)('ONNX detectors', () => {
  it('a tiny encoder and head give the same keys and logits as the model itself, in threads too', async () => {
    const encoder = Encoder.init(encoderConfig('vertical', 'tiny'), createRng(0));
    const probe = headFor(encoder.outWidth);
    saveCheckpoint(at('encoder.safetensors'), encoder);
    saveProbe(at('head.safetensors'), probe, { temperature: '2.5' });
    exportOnnx(at('both.onnx'), { encoder, probe, metadata: { temperature: '2.5' } });
    exportOnnx(at('head.onnx'), { probe });
    encoder.dispose();
    // The head alone reads embeddings of the encoder that its description names.
    writeFileSync(
      at('head.json'),
      JSON.stringify({ input: { weights: 'encoder.safetensors' }, output: { temperature: 2.5 } }),
    );
    const tracks = Array.from({ length: 6 }, (_, i): Track => {
      const path = at(`${i}.wav`);
      writeFileSync(path, encodeWav(chord(i, 4 + 3 * i), 16000));
      return {
        id: `${i}`,
        keyId: null,
        split: null,
        group: '',
        durationSeconds: 0,
        labels: {},
        source: { kind: 'file', path },
      };
    });
    const specs = [
      `model:own=${at('encoder.safetensors')}+${at('head.safetensors')}`,
      `onnx:${at('both.onnx')}`,
      `onnx:${at('head.onnx')}`,
    ].map((text) => parseSystem(text) as DetectorSpec);
    const before = tf.memory().numTensors;
    const { systems, failed } = await detectTracks(tracks, specs);
    expect(failed).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
    expect(systems.map(({ name, answers }) => [name, answers.size])).toEqual([['own', 6], ['both', 6], ['head', 6]]); // prettier-ignore
    const [own, ...exported] = systems;
    expect(new Set([...own.answers.values()].map(({ keyId }) => keyId)).size).toBeGreaterThan(1);
    for (const [id, answer] of own.answers)
      for (const { answers } of exported) {
        const other = answers.get(id)!;
        expect(other.keyId).toBe(answer.keyId);
        expect(other.confidence).toBeCloseTo(answer.confidence!, 4);
        other.scores!.forEach((score, key) => expect(Math.abs(score - answer.scores![key])).toBeLessThan(1e-3));
      }
    const cache = new Cache(at('cache'));
    const threaded = await detectTracks(tracks, specs, { threads: 2, cache });
    expect(threaded.failed).toEqual([]);
    for (const [i, { answers, problems }] of threaded.systems.entries()) {
      expect([...problems]).toEqual([]);
      for (const [id, { keyId }] of answers) expect(keyId).toBe(systems[i].answers.get(id)!.keyId);
    }
  });

  it('audio: clips are cut, the last rest dropped, a short track padded, means over clips; the order of keys counts', async () => {
    const identity = Float32Array.from({ length: 24 * 24 }, (_, i) => (i % 25 === 0 ? 1 : 0));
    linearModel(at('audio.onnx'), { name: 'wave', shape: ['n', 24] }, identity);
    describeModel(at('audio.onnx'), { kind: 'audio', sampleRate: 22050 }, { keys: 'majorThenMinor' });
    const detector = await onnxDetector('audio', at('audio.onnx'));
    expect(detector.sampleRate).toBe(22050);
    const samples = new Float32Array(24 * 20 + 23); // more clips than go in at once
    for (let clip = 0; clip < 20; clip++) samples[24 * clip + 13] = 0.1 * clip;
    samples[samples.length - 1] = 100; // in the rest
    const { keyId, scores, confidence } = await detector.detect(samples);
    expect(keyId).toBe(3); // class 13 = the second minor key, Db minor
    expect(scores![3]).toBeCloseTo(0.95, 5);
    expect(confidence).toBeCloseTo(Math.exp(0.95) / (Math.exp(0.95) + 23), 5);
    expect((await detector.detect(Float32Array.of(0, 0, 5))).keyId).toBe(4); // class 2 = D major
    await detector.dispose();

    describeModel(at('audio.onnx'), { kind: 'audio', sampleRate: 16000, hop: 12, normalize: 'peak' });
    const hopping = await onnxDetector('audio', at('audio.onnx'));
    const pulse = new Float32Array(36);
    pulse[20] = -4; // in both clips, at 20 and at 8
    pulse[2] = 2;
    const answer = await hopping.detect(pulse);
    expect([answer.scores![20], answer.scores![8], answer.scores![2]]).toEqual([-0.5, -0.5, 0.25]);
    expect(answer.keyId).toBe(2);
    await hopping.dispose();
  });

  it('mel in either order, batches of fixed size, probabilities', async () => {
    const samples = chord(1, 5);
    const { data, nFrames } = melSpectrogram(samples, { scale: 'log1p' });
    const [clips, frames] = [Math.floor(nFrames / 32), 32];
    const weight = Float32Array.from({ length: 24 * 128 }, (_, i) => Math.sin(i));
    const expected = new Float64Array(24);
    for (let key = 0; key < 24; key++)
      for (let band = 0; band < 128; band++)
        for (let t = 0; t < clips * frames; t++)
          expected[key] += (weight[key * 128 + band] * data[band * nFrames + t]) / clips / frames;
    const check = async (shape: (number | string)[], time: number): Promise<void> => {
      const path = at('mel.onnx');
      linearModel(path, { name: 'mel', shape }, weight, (graph) => {
        const flat = graph.add('ReduceMean', ['mel'], { axes: [time], keepdims: 0 });
        return graph.add('Reshape', [flat, graph.ints([-1, 128])]);
      });
      describeModel(path, { kind: 'mel', scale: 'log1p', clip: frames });
      const detector = await onnxDetector('mel', path);
      const { scores } = await detector.detect(samples);
      scores!.forEach((score, key) => expect(Math.abs(score - expected[key])).toBeLessThan(1e-3));
      await detector.dispose();
    };
    await check(['n', 128, frames], 2);
    await check(['n', 't', 128], 1);
    await check([3, 1, 128, 't'], 3);
  });

  it('what does not fit is refused with a sentence', async () => {
    writeFileSync(at('text.onnx'), 'no model');
    await expect(onnxDetector('x', at('text.onnx'))).rejects.toThrow(/text\.onnx: this is no ONNX model/);
    const graph = new OnnxGraph();
    graph.add('NoSuchOperation', ['x'], {}, 'y');
    const port = { name: 'x', shape: ['n', 24] };
    writeFileSync(at('odd.onnx'), graph.model('odd', [port], [{ name: 'y', shape: ['n', 24] }], {}));
    await expect(onnxDetector('x', at('odd.onnx'))).rejects.toThrow(
      /odd\.onnx: nothing says what goes into this model/,
    );
    describeModel(at('odd.onnx'), { kind: 'audio', sampleRate: 16000 });
    await expect(onnxDetector('x', at('odd.onnx'))).rejects.toThrow(
      /odd\.onnx: onnxruntime-node does not load this model/,
    );
    linearModel(at('nan.onnx'), { name: 'x', shape: ['n', 24] }, new Float32Array(24 * 24).fill(NaN));
    describeModel(at('nan.onnx'), { kind: 'audio', sampleRate: 16000 });
    const detector = await onnxDetector('x', at('nan.onnx'));
    await expect(detector.detect(new Float32Array(24).fill(1))).rejects.toThrow(/the score of key 0 is NaN/);
    await detector.dispose();
  });
});

describe('a model of ours', () => {
  it('scales its input itself, once, and so does its export', async () => {
    const samples = chord(2, 7);
    const scoresOf = async (inputScale: 'power' | 'log1p'): Promise<readonly number[][]> => {
      const name = `scale-${inputScale}`;
      const encoder = Encoder.init(encoderConfig('vertical', 'tiny', { inputScale }), createRng(0));
      const probe = headFor(encoder.outWidth);
      saveCheckpoint(at(`${name}.safetensors`), encoder);
      saveProbe(at('scale-head.safetensors'), probe);
      exportOnnx(at(`${name}.onnx`), { encoder, probe });
      encoder.dispose();
      const detectors = [
        await modelDetector(name, { weights: at(`${name}.safetensors`), head: at('scale-head.safetensors') }),
      ];
      if (hasRuntime) detectors.push(await onnxDetector(name, at(`${name}.onnx`)));
      const all: number[][] = [];
      for (const detector of detectors) {
        all.push([...(await detector.detect(samples)).scores!]);
        await detector.dispose();
      }
      return all;
    };
    const isClose = (a: readonly number[], b: readonly number[]): boolean =>
      a.every((x, i) => Math.abs(x - b[i]) < 1e-3);
    const [power, ...powerExports] = await scoresOf('power');
    const [log, ...logExports] = await scoresOf('log1p');
    expect(isClose(power, log)).toBe(false);
    for (const scores of powerExports) expect(isClose(scores, power)).toBe(true);
    for (const scores of logExports) expect(isClose(scores, log)).toBe(true);
  });

  it('is refused if its head reads another width', async () => {
    const encoder = Encoder.init(encoderConfig('vertical', 'tiny'), createRng(0));
    saveCheckpoint(at('e.safetensors'), encoder);
    encoder.dispose();
    saveProbe(at('wide.safetensors'), headFor(48));
    const before = tf.memory().numTensors;
    await expect(modelDetector('m', { weights: at('e.safetensors'), head: at('wide.safetensors') })).rejects.toThrow(
      /wide\.safetensors: reads embeddings of width 48; those of .*e\.safetensors have width 32/,
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});
