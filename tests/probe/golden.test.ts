import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { EmbeddingTable } from '../../lib/src/embeddings/index.js';
import {
  crossEntropy,
  decideTracks,
  headParameterCount,
  type HiddenEntry,
  mixRows,
  type ProbeConfig,
  softTargets,
  topKAccuracy,
  trainProbe,
} from '../../lib/src/probe/index.js';
import { headLayers } from '../../lib/src/probe/head.js';
import { scoreKeys } from '../../lib/src/keys/index.js';
import { readSafetensors, type StoredTensor } from '../../lib/src/store/index.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';

const path = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const { tensors } = readSafetensors(path('head.safetensors'));
const golden = JSON.parse(readFileSync(path('head.json'), 'utf8')) as {
  mixup: { lam: number; loss_f64: number };
  head: { batch_losses: number[] };
  head_mixup: {
    lam_and_perm_per_batch: [number, number[]][];
    loss_terms_CE_ya_then_CE_yb_per_batch: number[];
  };
  aggregation_case: { argmax_mean_logits: number; argmax_mean_probs: number };
  metrics_case: Record<'top_1' | 'top_5' | 'weighted' | 'fifth' | 'relative' | 'parallel' | 'other', number>;
  make_model_params: Record<string, { params: number; keys: Record<string, number[]> }>;
};

function stored(name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`golden tensor ${name} is missing`);
  return tensor;
}
const f32 = (name: string): Float32Array => Float32Array.from(stored(name).data);
const i32 = (name: string): Int32Array => Int32Array.from(stored(name).data);

function tableOf(split: 'train' | 'test'): EmbeddingTable {
  const [nClips, width] = stored(`${split}.embeddings`).shape;
  const nTracks = stored(`${split}.labels`).shape[0];
  return {
    embeddings: f32(`${split}.embeddings`),
    nClips,
    width,
    trackOf: i32(`${split}.index`),
    trackIds: Array.from({ length: nTracks }, (_, i) => `track ${i}`),
  };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

describe('MixUp', () => {
  const [yA, yB, partner] = [i32('mixup.y_a'), i32('mixup.y_b'), i32('mixup.perm')];
  const draw = { lambda: golden.mixup.lam, partner };

  test('mixes rows as the reference', () => {
    // One unit in the last place of values between 2 and 4: the reference rounds each product to float32.
    expect(largestDifference(mixRows(f32('mixup.x'), 8, draw), stored('mixup.mixed').data)).toBeLessThan(2.5e-7);
    expect([...partner].map((i) => yA[i])).toEqual([...yB]);
  });

  test('has the golden loss and gradient in float64', () => {
    const logits = Float64Array.from(stored('mixup.logits_f64').data);
    const { loss, gradient } = crossEntropy(logits, softTargets(yA, draw));
    expect(Math.abs(loss - golden.mixup.loss_f64)).toBeLessThan(1e-12);
    expect(largestDifference(gradient, stored('mixup.grad_logits_f64').data)).toBeLessThan(1e-14);
    // The comparison can fail: another lambda gives another loss and gradient.
    const other = crossEntropy(logits, softTargets(yA, { lambda: 1 - draw.lambda, partner }));
    expect(Math.abs(other.loss - golden.mixup.loss_f64)).toBeGreaterThan(1e-3);
    expect(largestDifference(other.gradient, stored('mixup.grad_logits_f64').data)).toBeGreaterThan(1e-3);
  });
});

describe.each(['cpu', 'wasm'] as const)('head training on %s', (backend) => {
  beforeAll(async () => {
    await initBackend({ prefer: backend });
  });

  const config: Partial<ProbeConfig> = {
    hidden: [16, 'd0.0', 12],
    learningRate: 3e-4,
    weightDecay: 1e-4,
    batchSize: 4,
    epochs: 3,
    standardize: 'none',
    selection: 'last',
  };
  const names = ['0.weight', '0.bias', '3.weight', '3.bias', '5.weight', '5.bias'];
  const initial = new Map(names.map((name) => [name, stored(`head.init.${name}`)]));
  const train = { table: tableOf('train'), keyOfTrack: i32('train.labels') };
  const sequential = (_: number, n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

  async function run(mixUp: boolean, weights = initial) {
    const losses: number[] = [];
    const draws = golden.head_mixup.lam_and_perm_per_batch;
    const probe = await trainProbe(
      { ...config, mixUp: mixUp ? { alpha: 5, beta: 2 } : null },
      { train },
      {
        weights,
        onStep: (loss) => losses.push(loss),
        draws: {
          order: sequential,
          mixUp: (step) => ({ lambda: draws[step][0], partner: Int32Array.from(draws[step][1]) }),
        },
      },
    );
    return { probe, losses };
  }

  test('follows the golden losses and weights over 3 epochs', async () => {
    const before = tf.memory().numTensors;
    const { probe, losses } = await run(false);
    expect(tf.memory().numTensors).toBe(before);
    expect(largestDifference(losses, golden.head.batch_losses)).toBeLessThan(2e-6);
    for (const name of names)
      expect(largestDifference(probe.weights.get(name)!.data, stored(`head.after3.${name}`).data), name).toBeLessThan(
        1e-6,
      );

    const test = tableOf('test');
    expect(largestDifference(probe.clipLogits(test), stored('head.test_logits').data)).toBeLessThan(2e-6);
    const { logits, estimated } = probe.decide(test);
    expect(largestDifference(logits, stored('head.test_song_logits').data)).toBeLessThan(2e-6);
    expect([...estimated]).toEqual([...i32('head.test_song_pred')]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('follows them with MixUp', async () => {
    const { probe, losses } = await run(true);
    const terms = golden.head_mixup.loss_terms_CE_ya_then_CE_yb_per_batch;
    const expected = golden.head_mixup.lam_and_perm_per_batch.map(
      ([lambda], step) => lambda * terms[2 * step] + (1 - lambda) * terms[2 * step + 1],
    );
    expect(largestDifference(losses, expected)).toBeLessThan(2e-6);
    for (const name of names)
      expect(
        largestDifference(probe.weights.get(name)!.data, stored(`head_mixup.after3.${name}`).data),
        name,
      ).toBeLessThan(1e-6);
  });

  test('the comparison fails from slightly different weights', async () => {
    const changed = new Map(initial);
    const data = f32('head.init.5.bias').map((value, i) => (i === 3 ? value + 1e-3 : value));
    changed.set('5.bias', { dtype: 'F32', shape: [24], data });
    const { losses } = await run(false, changed);
    expect(largestDifference(losses, golden.head.batch_losses)).toBeGreaterThan(2e-5);
  });
});

test('architectures have the reference names, shapes and parameter counts', () => {
  for (const [text, { params, keys }] of Object.entries(golden.make_model_params)) {
    const hidden = (text === '(linear)' ? [] : text.split(' ')).map((entry) =>
      entry.startsWith('d') ? (entry as HiddenEntry) : Number(entry),
    );
    expect(headParameterCount(hidden, 384), text).toBe(params);
    const own = headLayers(hidden, 384).flatMap((layer) =>
      layer.kind === 'linear'
        ? [
            [`${layer.name}.weight`, [layer.outputs, layer.inputs]],
            [`${layer.name}.bias`, [layer.outputs]],
          ]
        : [],
    );
    expect(Object.fromEntries(own)).toEqual(keys);
  }
});

test('a track is decided by the mean of its logits, where the mean of probabilities differs', () => {
  const table = { trackOf: Int32Array.of(0, 0), trackIds: ['a'] };
  const logits = f32('agg.logits');
  const mean = decideTracks(logits, table);
  expect(largestDifference(mean.logits, stored('agg.mean_logits').data)).toBeLessThan(1e-6);
  expect(mean.estimated[0]).toBe(golden.aggregation_case.argmax_mean_logits);
  expect(decideTracks(logits, table, 'meanProbabilities').estimated[0]).toBe(golden.aggregation_case.argmax_mean_probs);
});

test('the 36 songs of the reference score as there', () => {
  const targets = i32('metrics.targets');
  const logits = f32('metrics.song_logits');
  const trackIds = Array.from(targets, (_, i) => `${i}`);
  const { estimated } = decideTracks(logits, { trackOf: Int32Array.from(targets, (_, i) => i), trackIds });
  const score = scoreKeys(targets, estimated);
  const expected = golden.metrics_case;
  expect(score.n).toBe(36);
  expect(score.accuracy).toBeCloseTo(expected.top_1, 12);
  expect(score.weighted).toBeCloseTo(expected.weighted, 12);
  expect(score.shares.fifth).toBeCloseTo(expected.fifth, 12);
  expect(score.shares.relative).toBeCloseTo(expected.relative, 12);
  expect(score.shares.parallel).toBeCloseTo(expected.parallel, 12);
  expect(score.shares.other).toBeCloseTo(expected.other, 12);
  expect(topKAccuracy(logits, targets, 1)).toBeCloseTo(expected.top_1, 12);
  expect(topKAccuracy(logits, targets, 5)).toBeCloseTo(expected.top_5, 12);
});
