import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYS } from '../../lib/src/keys/index.js';
import { loadProbe, Probe, probeConfig, saveProbe, type HiddenEntry } from '../../lib/src/probe/index.js';
import { headLayers, initialWeights } from '../../lib/src/probe/head.js';
import { float32, int32, writeSafetensors, type StoredTensor } from '../../lib/src/store/index.js';
import { createRng, initBackend } from '../../lib/src/tensor/index.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-heads-'));
const path = join(dir, 'head.safetensors');
afterAll(() => rmSync(dir, { recursive: true }));
beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

const tableOf = (rows: readonly number[][]) => ({
  width: rows[0].length,
  nClips: rows.length,
  embeddings: Float32Array.from(rows.flat()),
  trackOf: Int32Array.from(rows, (_, i) => i),
  trackIds: rows.map((_, i) => `track ${i}`),
});

/** Writes tensors as a head's state dict. */
function file(entries: Readonly<Record<string, readonly number[]>>, prefix = ''): string {
  const tensors = Object.entries(entries).map(([name, shape]): [string, StoredTensor] => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5);
    return [prefix + name, float32(shape, data)];
  });
  writeSafetensors(path, new Map(tensors));
  return path;
}

describe('the state dict of a head', () => {
  it('as PyTorch saved it is a probe with the logits of its definition', () => {
    const probe = loadProbe(new URL('../fixtures/torch/head.pth', import.meta.url).pathname);
    expect(probe.config).toMatchObject({ hidden: [6, 'd0'], standardize: 'none', decision: 'meanLogits' });
    expect(probe.width).toBe(8);
    const ramp = (n: number): number[] => Array.from({ length: n }, (_, i) => ((i % 97) - 48) * 0.01);
    const layer = (x: readonly number[], outputs: number): number[] => {
      const [weight, bias] = [ramp(outputs * x.length), ramp(outputs)];
      return bias.map((b, o) => x.reduce((sum, value, i) => sum + value * weight[o * x.length + i], b));
    };
    const rows = [
      [3, -1, 0.5, 2, -4, 1, 0, 7],
      [-2, 0, 1, 1, 1, -3, 5, -6],
    ];
    const expected = rows.flatMap((row) => layer(layer(row, 6).map((value) => Math.max(0, value)), 24)); // prettier-ignore
    const logits = probe.clipLogits(tableOf(rows));
    expect(expected.some((value) => Math.abs(value) > 0.5)).toBe(true);
    logits.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
  });

  it.each<[HiddenEntry[]]>([[[]], [[16]], [[16, 'd0']], [['d0', 16, 'd0', 'd0', 12]], [[16, 12, 'd0', 8]]])(
    'of %j is recognised by the places of its layers',
    (hidden) => {
      const weights = initialWeights(hidden, 10, createRng(3));
      for (const prefix of ['', 'head.', 'module.classifier.']) {
        writeSafetensors(path, new Map([...weights].map(([name, tensor]) => [prefix + name, tensor])));
        const probe = loadProbe(path);
        expect(probe.config.hidden).toEqual(hidden);
        expect([...probe.weights]).toEqual([...weights]);
        expect(headLayers(probe.config.hidden, 10).filter(({ kind }) => kind === 'linear')).toHaveLength(weights.size / 2); // prettier-ignore
      }
    },
  );

  it('of the published sizes loads: Linear(384, 2048), Linear(384, 4096), Linear(384, 24)', () => {
    expect(loadProbe(file({ '0.weight': [2048, 384], '0.bias': [2048], '3.weight': [24, 2048], '3.bias': [24] })).config.hidden).toEqual([2048, 'd0']); // prettier-ignore
    expect(loadProbe(file({ '0.weight': [4096, 384], '0.bias': [4096], '3.weight': [24, 4096], '3.bias': [24] })).width).toBe(384); // prettier-ignore
    expect(loadProbe(file({ weight: [24, 384], bias: [24] }, 'linear_head.')).config.hidden).toEqual([]);
  });

  it('in the other order of keys is read in ours when told so', () => {
    const bias = Float32Array.from({ length: 24 }, (_, i) => i);
    const weight = Float32Array.from({ length: 48 }, (_, i) => Math.floor(i / 2));
    writeSafetensors(path, new Map([['0.weight', float32([24, 2], weight)], ['0.bias', float32([24], bias)]])); // prettier-ignore
    const probe = loadProbe(path, { keyOrder: 'majorThenMinor' });
    const place = KEYS.map(({ tonic, mode }) => tonic + (mode === 'minor' ? 12 : 0));
    expect(Array.from(probe.weights.get('0.bias')!.data)).toEqual(place);
    expect(Array.from(probe.weights.get('0.weight')!.data)).toEqual(place.flatMap((p) => [p, p]));
    expect(Array.from(loadProbe(path).weights.get('0.bias')!.data)).toEqual([...bias]);
  });

  it('that is none is refused with the reason', () => {
    const refused = (shapes: Readonly<Record<string, readonly number[]>>, reason: RegExp) =>
      expect(() => loadProbe(file(shapes))).toThrow(reason);
    refused({ '0.weight': [24, 8], '0.bias': [23] }, /neither a probe .* nor the state dict of a head/);
    refused({ '0.weight': [25, 8], '0.bias': [25] }, /0\.weight: gives 25 logits; a head for keys gives 24/);
    refused({ '0.weight': [6, 8], '0.bias': [6], '2.weight': [24, 7], '2.bias': [24] }, /2\.weight: takes 7 values; what stands before it gives 6/); // prettier-ignore
    refused({ '0.weight': [6, 8], '0.bias': [6], '1.weight': [24, 6], '1.bias': [24] }, /is at place 1; after a Linear and its ReLU 2/); // prettier-ignore
    refused({ '99999999.weight': [24, 8], '99999999.bias': [24] }, /is at place 99999999/);
    refused({ '0.weight': [24, 8], '0.bias': [24], '1.running_mean': [24] }, /neither a probe/);
    refused({ 'a.0.weight': [6, 8], 'a.0.bias': [6], 'b.2.weight': [24, 6], 'b.2.bias': [24] }, /neither a probe/);
    refused({ 'to_patch_embedding.1.weight': [256], 'to_patch_embedding.1.bias': [256] }, /found to_patch_embedding/);
    refused({}, /found no tensors/);
    const nan = new Map([['0.weight', float32([24, 1], new Float32Array(24).fill(NaN))], ['0.bias', float32([24], new Float32Array(24))]]); // prettier-ignore
    writeSafetensors(path, nan);
    expect(() => loadProbe(path)).toThrow(/0\.weight: holds NaN at position 0/);
    writeSafetensors(path, new Map(nan).set('0.weight', int32([24, 1], new Int32Array(24))));
    expect(() => loadProbe(path)).toThrow(/is I32; expected floating/);
  });

  it('of ours is in our order of keys, and says so', () => {
    const probe = new Probe(probeConfig({ hidden: [], standardize: 'none' }), 4, initialWeights([], 4, createRng(1)), null); // prettier-ignore
    saveProbe(path, probe);
    expect(loadProbe(path).width).toBe(4);
    expect(() => loadProbe(path, { keyOrder: 'majorThenMinor' })).toThrow(/whose keys are interleaved/);
  });
});
