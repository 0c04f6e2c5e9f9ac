/** Four pretraining steps of the reference: losses, gradients, estimates and parameters. */
import { describe, expect, it } from 'vitest';
import { Encoder, encoderConfig } from '../../lib/src/encoder/index.js';
import type { MelSpectrogram } from '../../lib/src/mel/index.js';
import {
  disposeState,
  gradientsOfBatch,
  initialState,
  pretrainConfig,
  pretrainStep,
  ProjectionHead,
  type Batch,
} from '../../lib/src/pretrain/index.js';
import { readJson, readSafetensors, type StoredTensor } from '../../lib/src/store/index.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';

type Variant = 'vertical' | 'hybrid';
interface Figures {
  epochs_of_steps: number[];
  log_f64: { loss: number }[];
  u_f64: Record<string, number[]>;
  N_dataset: number;
}
const figures = readJson('tests/golden/vit.json') as Record<`pretrain_${Variant}`, Figures>;

/** Largest absolute difference; NaN counts as infinitely far. */
function difference(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  counts: (i: number) => boolean = () => true,
): number {
  expect(found.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs(found[i] - expected[i]);
    if (counts(i)) worst = Math.max(worst, Number.isNaN(gap) ? Infinity : gap);
  }
  return worst;
}
const peak = (x: ArrayLike<number>): number => Array.from(x).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

function load(variant: Variant) {
  const { tensors } = readSafetensors(`tests/golden/pretrain_tiny_${variant}.safetensors`);
  const under = (prefix: string): Map<string, StoredTensor> =>
    new Map(
      Array.from(tensors)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  const init = under('init.');
  const config = pretrainConfig({
    encoder: encoderConfig(variant, 'tiny', { clipFrames: 64 }),
    steps: 4,
    batchPairs: 6,
    projectionHead: 'linear-24',
  });
  const encoder = Encoder.fromTensors(init, { patches: variant, clipFrames: 64, numHeads: 2 });
  const head = ProjectionHead.fromTensors('linear-24', 32, init, 'golden');
  const state = initialState(config, figures[`pretrain_${variant}`].N_dataset, 2, { encoder, head });
  const mels = ['input_a', 'input_b'].flatMap((name) => {
    const data = tensors.get(name)!.data as Float32Array;
    return Array.from({ length: 6 }, (_, i): MelSpectrogram => {
      return { nMels: 128, nFrames: 64, data: data.slice(i * 128 * 64, (i + 1) * 128 * 64) };
    });
  });
  const ids = (step: number, name: string): Int32Array => {
    return Int32Array.from([
      ...tensors.get(`step${step}.${name}_a`)!.data,
      ...tensors.get(`step${step}.${name}_b`)!.data,
    ]);
  };
  const batch = (step: number): Batch => ({
    views: mels.map((mel) => ({ mel, start: 0 })),
    // vis is the primary patching's choice, vis2 that of the additional one.
    kept:
      variant === 'vertical'
        ? { vertical: ids(step, 'vis') }
        : { square: ids(step, 'vis'), vertical: ids(step, 'vis2') },
    trackIds: tensors.get('index')!.data as Int32Array,
    epoch: figures[`pretrain_${variant}`].epochs_of_steps[step],
  });
  return { config, state, batch, grad0: under('grad0.'), after0: under('after0.'), after3: under('after3.') };
}

const clock = (): number => 0;

describe.each([
  ['wasm', 'vertical'],
  ['wasm', 'hybrid'],
  ['cpu', 'vertical'],
  ['cpu', 'hybrid'],
] as const)('four steps on %s, %s', (prefer, variant) => {
  it("has the reference's gradient of every parameter in step 0", async () => {
    await initBackend({ prefer });
    const { config, state, batch, grad0 } = load(variant);
    const { gradients } = gradientsOfBatch(state, config, batch(0), clock);
    expect([...gradients.keys()].sort()).toEqual([...grad0.keys()].sort());
    const largest = Math.max(...Array.from(grad0.values(), ({ data }) => peak(data)));
    for (const [name, { data, shape }] of grad0) {
      const found = gradients.get(name)!;
      expect(found.shape).toEqual(shape);
      // Single against single precision: 1e-5 of the tensor's peak, or of the largest gradient where all are tiny.
      const limit = Math.max(1e-5 * peak(data), 1e-6 * largest);
      expect(difference(found.dataSync(), data), name).toBeLessThan(limit);
    }
    tf.dispose([...gradients.values()]);
    disposeState(state);
  });

  it('follows the reference: losses, estimates, parameters', async () => {
    await initBackend({ prefer });
    const { config, state, batch, grad0, after0, after3 } = load(variant);
    const { log_f64, u_f64 } = figures[`pretrain_${variant}`];
    const counts: number[] = [];
    for (let step = 0; step < 4; step++) {
      const report = pretrainStep(state, config, batch(step), config.learningRate, clock);
      expect(Math.abs(report.loss - log_f64[step].loss)).toBeLessThan(1e-5);
      expect(difference(state.sogClr!.u, u_f64[`step${step}`]) / peak(u_f64[`step${step}`])).toBeLessThan(1e-5);
      const after = step === 0 ? after0 : step === 3 ? after3 : null;
      for (const [name, weight] of [...state.encoder.weights, ...state.head.weights]) {
        const expected = after?.get(name);
        if (!expected) continue;
        // Adam's first update is lr * sign(gradient) nearly, so elements with a gradient near 0 may take either sign.
        const gradient = grad0.get(name)!.data;
        const wellConditioned = (i: number): boolean => Math.abs(gradient[i]) >= 1e-5;
        expect(difference(weight.dataSync(), expected.data, wellConditioned), `${name} after ${step}`).toBeLessThan(
          2e-6,
        );
        expect(difference(weight.dataSync(), expected.data), `${name} after ${step}`).toBeLessThan((step + 1) * 6e-4);
      }
      counts.push(tf.memory().numTensors);
    }
    expect(new Set(counts).size).toBe(1);
    disposeState(state);
  });
});

it('the comparison fails when a golden value is changed', () => {
  const expected = Float32Array.of(1, 2, 3);
  expect(difference(Float32Array.of(1, 2.00001, 3), expected)).toBeGreaterThan(2e-6);
  expect(difference(Float32Array.of(1, NaN, 3), expected)).toBe(Infinity);
});
