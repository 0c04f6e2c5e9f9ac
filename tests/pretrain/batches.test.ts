/** Sampling, gathering, schedule, clipping, heads and configuration. */
import { beforeAll, describe, expect, it } from 'vitest';
import { encoderConfig } from '../../lib/src/encoder/index.js';
import { CLIP_FRAMES } from '../../lib/src/mel/index.js';
import {
  batchOfStep,
  clipFactor,
  learningRateAt,
  pretrainConfig,
  ProjectionHead,
  stepsPerEpoch,
  type PretrainConfig,
} from '../../lib/src/pretrain/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';
import { makeTracks, smallConfig } from './fixture.js';

beforeAll(() => initBackend({ prefer: 'cpu' }));

describe('batches', () => {
  const tracks = makeTracks(15, 80);

  it('pass over the tracks without replacement, in a new order each epoch, dropping the incomplete batch', () => {
    const config = smallConfig();
    expect(stepsPerEpoch(config, 15)).toBe(2);
    const epochs = [0, 1].map((epoch) =>
      [0, 1].flatMap((s) => [...batchOfStep(config, tracks, 2 * epoch + s).trackIds]),
    );
    for (const ids of epochs) expect(new Set(ids).size).toBe(12);
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect([0, 1, 2, 3, 4].map((step) => batchOfStep(config, tracks, step).epoch)).toEqual([0, 0, 1, 1, 2]);
  });

  it('depend on seed and step only', () => {
    const config = smallConfig();
    const summary = (seed: number, step: number) => {
      const { views, kept, trackIds } = batchOfStep({ ...config, seed }, tracks, step);
      return { starts: views.map(({ start }) => start), kept: [...kept.vertical!], ids: [...trackIds] };
    };
    expect(summary(3, 7)).toEqual(summary(3, 7));
    expect(summary(3, 7)).not.toEqual(summary(3, 8));
    expect(summary(3, 7)).not.toEqual(summary(4, 7));
  });

  it('hold both views of a pair at the same place, within the asked distance', () => {
    for (const maxFrameDistance of [0, 5, null]) {
      const { views, trackIds, kept } = batchOfStep(smallConfig({ maxFrameDistance }), tracks, 0);
      const distances = Array.from(trackIds, (id, i) => {
        expect(views[i].mel).toBe(tracks[id].mel);
        expect(views[6 + i].mel).toBe(tracks[id].mel);
        return Math.abs(views[i].start - views[6 + i].start);
      });
      expect(Math.max(...distances)).toBeLessThanOrEqual(maxFrameDistance ?? 48);
      if (maxFrameDistance === null) expect(Math.max(...distances)).toBeGreaterThan(5);
      // Each view has its own mask: 16 tokens, 8 kept.
      expect(kept.vertical).toHaveLength(12 * 8);
      expect([...kept.vertical!.subarray(0, 8)]).not.toEqual([...kept.vertical!.subarray(48, 56)]);
    }
  });

  it('take several clips of a track when asked', () => {
    const config = smallConfig({ clipsPerTrack: 3 });
    expect(stepsPerEpoch(config, 15)).toBe(7);
    const { trackIds, views } = batchOfStep(config, tracks, 0);
    expect(trackIds[0]).toBe(trackIds[2]);
    expect(trackIds[2]).not.toBe(trackIds[3]);
    expect(new Set(views.slice(0, 3).map(({ start }) => start)).size).toBeGreaterThan(1);
  });

  it('say what to do when there are too few tracks', () => {
    expect(() => batchOfStep(smallConfig(), makeTracks(5), 0)).toThrow(/need 6 tracks, found 5; lower batchPairs/);
  });
});

describe('schedule', () => {
  it('warms up in a straight line, then falls to zero along half a cosine', () => {
    const config = { learningRate: 1, warmUpSteps: 4, steps: 104, schedule: 'cosine' } as const;
    expect([0, 1, 2, 3, 4].map((step) => learningRateAt(step, config))).toEqual([0.25, 0.5, 0.75, 1, 1]);
    expect(learningRateAt(54, config)).toBeCloseTo(0.5, 12);
    expect(learningRateAt(103, config)).toBeLessThan(1e-3);
    expect(learningRateAt(99, { ...config, schedule: 'constant' })).toBe(1);
    expect(learningRateAt(0, { ...config, warmUpSteps: 0, schedule: 'constant' })).toBe(1);
  });
});

describe('gradient clipping', () => {
  it('shortens a gradient to the limit, and only when its norm exceeds it', () => {
    expect(clipFactor(5, 6)).toBe(1);
    expect(clipFactor(5, 1)).toBeCloseTo(0.2, 12);
    expect(clipFactor(5, null)).toBe(1);
  });
});

describe('projection heads', () => {
  it('are named as the reference names its own, and give the asked width', () => {
    const shapes = (name: string) => {
      const head = ProjectionHead.init(name, 8, createRng(1));
      const out = head.forward(tf.ones([3, 8])).shape;
      return { names: [...head.weights.keys()], out };
    };
    expect(shapes('linear-5')).toEqual({ names: ['linear_head.weight', 'linear_head.bias'], out: [3, 5] });
    expect(shapes('mlp-16-4').out).toEqual([3, 4]);
    expect(shapes('none')).toEqual({ names: [], out: [3, 8] });
  });

  it('an MLP is Linear, ReLU, Linear', () => {
    const tensors = new Map([
      ['projection_head.0.weight', { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, -1) }],
      ['projection_head.0.bias', { dtype: 'F32', shape: [2], data: Float32Array.of(0, 0) }],
      ['projection_head.2.weight', { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1, 10) }],
      ['projection_head.2.bias', { dtype: 'F32', shape: [1], data: Float32Array.of(0.5) }],
    ] as const);
    const head = ProjectionHead.fromTensors('mlp-2-1', 1, tensors, 'test');
    expect([...head.forward(tf.tensor2d([[2], [-3]])).dataSync()]).toEqual([2.5, 30.5]);
    expect(() => ProjectionHead.fromTensors('mlp-3-1', 1, tensors, 'a.safetensors')).toThrow(
      /a\.safetensors: tensor projection_head\.0\.weight has shape \[2, 1\]; expected \[3, 1\]/,
    );
  });
});

describe('configuration', () => {
  const fields = { encoder: encoderConfig('vertical', 'tiny', { clipFrames: CLIP_FRAMES.vertical }), steps: 10 };

  it('defaults to the reference', () => {
    expect(pretrainConfig(fields)).toMatchObject({
      loss: 'sogClr',
      temperature: 0.1,
      gamma: 0.9,
      maskRatio: 0.9,
      maxFrameDistance: null,
      optimizer: 'adam',
      learningRate: 3e-4,
      weightDecay: 1e-5,
      projectionHead: 'linear-50',
    });
  });

  it.each<[Partial<PretrainConfig>, RegExp]>([
    [{ maskRatio: 1 }, /field maskRatio: found 1; expected the share/],
    [{ maskRatio: NaN }, /field maskRatio/],
    [{ temperature: 0 }, /field temperature/],
    [{ loss: 'infoNce' as never }, /found "infoNce"; expected one of ntXent, sogClr/],
    [{ batchPairs: 1 }, /no negatives/],
    [{ batchPairs: 10, clipsPerTrack: 4 }, /divides batchPairs = 10/],
    [{ maxFrameDistance: -1 }, /field maxFrameDistance/],
    [{ objective: 'mae' as never }, /found "mae"; expected one of contrastive, reconstruction/],
    [
      { objective: 'reconstruction', maskRatio: 0.01 },
      /field maskRatio: found 0\.01; expected at least one token removed/,
    ],
    [{ pitchShifts: [1, 0] }, /field pitchShifts.*other than 0/],
    [{ inputMixUp: { alpha: 0, beta: 1 } }, /field inputMixUp/],
    [{ learningRate: 0 }, /field learningRate/],
    [{ clipNorm: 0 }, /field clipNorm/],
    [{ projectionHead: 'linear' }, /expected linear-<outputs>/],
    [{ snapshotSteps: [11] }, /whole numbers from 0 to steps = 10/],
    [{ seed: 0.5 }, /field seed/],
    [{ batchSize: 3 } as never, /field batchSize: there is no such field; known are encoder, steps/],
    [{ steps: undefined as never }, /field steps/],
  ])('refuses %j', (wrong, message) => {
    expect(() => pretrainConfig({ ...fields, ...wrong })).toThrow(message);
  });
});
