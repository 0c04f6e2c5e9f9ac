/** Input MixUp, pitch-shifted views and reconstruction: what each does to a batch and to a step. */
import { beforeAll, describe, expect, it } from 'vitest';
import { encoderConfig } from '../../lib/src/encoder/index.js';
import type { MelSpectrogram } from '../../lib/src/mel/index.js';
import {
  batchOfStep,
  disposeState,
  gradientsOfBatch,
  initialState,
  patchesOfViews,
  pretrain,
  pretrainStep,
  type Batch,
  type PretrainConfig,
  type PretrainTrack,
} from '../../lib/src/pretrain/index.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import { gatherPatches, removedTokens, unpatchify } from '../../lib/src/views/index.js';
import { makeTracks, smallConfig } from './fixture.js';

beforeAll(() => initBackend({ blasThreads: 1 }));
const clock = (): number => 0;
const tracks = makeTracks(15);

describe('input MixUp', () => {
  const config = smallConfig({ inputMixUp: { alpha: 2, beta: 5 } });
  const patches = (batch: Batch): Float32Array => patchesOfViews(batch, 32, 'vertical', batch.kept.vertical);

  it('draws one lambda and one permutation a step, and changes nothing else of the batch', () => {
    const batch = batchOfStep(config, tracks, 3);
    const { mixing, ...rest } = batch;
    expect(rest).toEqual(batchOfStep(smallConfig(), tracks, 3));
    expect(Array.from(mixing!.partner).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(batchOfStep(config, tracks, 3).mixing).toEqual(mixing);
    expect(batchOfStep(config, tracks, 4).mixing).not.toEqual(mixing);
    const lambdas = Array.from({ length: 400 }, (_, step) => batchOfStep(config, tracks, step).mixing!.lambda);
    // Beta(2, 5) has the mean 2 / 7 and the deviation .16; 400 draws err by .008.
    expect(lambdas.reduce((a, b) => a + b) / 400).toBeCloseTo(2 / 7, 1);
  });

  it('lambda = 1 is the identity, lambda = 0 the partner with the own mask', () => {
    const { mixing, ...batch } = batchOfStep(config, tracks, 0);
    const plain = patches(batch);
    expect(patches({ ...batch, mixing: { ...mixing!, lambda: 1 } })).toEqual(plain);
    const partner = Int32Array.of(1, 2, 3, 4, 5, 0);
    const swapped = [1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 6].map((view) => batch.views[view]);
    const others = gatherPatches(swapped, 32, 'vertical', batch.kept.vertical);
    expect(patches({ ...batch, mixing: { lambda: 0, partner } })).toEqual(others);
    const mixed = patches({ ...batch, mixing: { lambda: 0.25, partner } });
    mixed.forEach((value, i) => expect(value).toBeCloseTo(0.25 * plain[i] + 0.75 * others[i], 4));
  });

  it('makes both views of a pair views of one mixed clip', () => {
    const same = smallConfig({ inputMixUp: { alpha: 2, beta: 5 }, maxFrameDistance: 0 });
    const batch = batchOfStep(same, tracks, 0);
    const whole = patchesOfViews(batch, 32, 'vertical');
    expect(whole.subarray(0, whole.length / 2)).toEqual(whole.subarray(whole.length / 2));
  });
});

describe('pitch-shifted views', () => {
  /** A copy in which every value says how far it was shifted. */
  const marked = (semitones: number): MelSpectrogram => ({
    nMels: 128,
    nFrames: 96,
    data: new Float32Array(128 * 96).fill(100 + semitones),
  });
  const withCopies: PretrainTrack[] = tracks.map((track) => ({
    ...track,
    shifted: new Map([-2, 3].map((semitones) => [semitones, marked(semitones)])),
  }));

  it('come from the shifted mel, each copy and the track itself equally often', () => {
    const config = smallConfig({ pitchShifts: [-2, 3] });
    const counts = new Map<number, number>();
    for (let step = 0; step < 100; step++) {
      const batch = batchOfStep(config, withCopies, step);
      const patches = patchesOfViews(batch, 32, 'vertical', batch.kept.vertical);
      const perView = patches.length / 12;
      batch.views.forEach(({ mel }, view) => {
        const track = withCopies[batch.trackIds[view % 6]];
        const shift = mel === track.mel ? 0 : mel.data[0] - 100;
        counts.set(shift, (counts.get(shift) ?? 0) + 1);
        if (shift !== 0) {
          expect(mel).toBe(track.shifted!.get(shift));
          expect(patches.subarray(view * perView, (view + 1) * perView).every((x) => x === 100 + shift)).toBe(true);
        }
      });
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, 0, 3]);
    // 1200 views, a third each: four deviations of a binomial are 65.
    for (const n of counts.values()) expect(Math.abs(n - 400)).toBeLessThan(65);
  });

  it('leave places and masks as they are, and none is the plain batch', () => {
    const plain = batchOfStep(smallConfig(), withCopies, 2);
    const shifted = batchOfStep(smallConfig({ pitchShifts: [-2, 3] }), withCopies, 2);
    expect(shifted.kept).toEqual(plain.kept);
    expect(shifted.views.map(({ start }) => start)).toEqual(plain.views.map(({ start }) => start));
    plain.views.forEach(({ mel }, view) => expect(mel).toBe(withCopies[plain.trackIds[view % 6]].mel));
  });

  it('are refused where a copy is missing or of another length', async () => {
    const go = (some: readonly PretrainTrack[]) =>
      pretrain(smallConfig({ pitchShifts: [3] }), some, { dir: '/nowhere', clock });
    await expect(go(tracks)).rejects.toThrow(/track track-0: it has no copy shifted by 3 semitones/);
    const short = { ...marked(3), nFrames: 95, data: new Float32Array(128 * 95) };
    await expect(go(tracks.map((track) => ({ ...track, shifted: new Map([[3, short]]) })))).rejects.toThrow(
      /track track-0 shifted by 3 semitones: it has 95 frames, the track has 96/,
    );
  });
});

describe('reconstruction', () => {
  const config = (overrides: Partial<PretrainConfig> = {}): PretrainConfig =>
    smallConfig({ objective: 'reconstruction', maskRatio: 0.75, ...overrides });

  it.each(['vertical', 'square', 'hybrid'] as const)(
    'the loss falls on one batch, leaving no tensor: %s',
    (patches) => {
      const one = config({ encoder: { ...smallConfig().encoder, patches } });
      const state = initialState(one, tracks.length, 1);
      expect(state.sogClr).toBeNull();
      const batch = batchOfStep(one, tracks, 0);
      const losses: number[] = [];
      const counts: number[] = [];
      for (let step = 0; step < 40; step++) {
        const { loss, accuracy, gradientNorm } = pretrainStep(state, one, batch, 3e-3, clock);
        expect([accuracy, Number.isFinite(gradientNorm)]).toEqual([null, true]);
        losses.push(loss);
        counts.push(tf.memory().numTensors);
      }
      // Targets have variance 1, so drawing nothing errs by 1.
      expect(losses[0]).toBeGreaterThan(0.9);
      expect(losses[39]).toBeLessThan(0.75 * losses[0]);
      expect(new Set(counts).size).toBe(1);
      disposeState(state);
    },
  );

  it("has the gradient that a difference of losses has, in the decoder's and the encoder's weights", async () => {
    await initBackend({ prefer: 'cpu' });
    const one = config({ encoder: encoderConfig('vertical', 'tiny', { clipFrames: 16 }), batchPairs: 2 });
    const state = initialState(one, tracks.length, 1);
    const batch = batchOfStep(one, tracks, 0);
    const lossAndGradient = (name: string): { loss: number; gradient: Float32Array } => {
      const { loss, gradients } = gradientsOfBatch(state, one, batch, clock);
      const gradient = Float32Array.from(gradients.get(name)!.dataSync());
      tf.dispose([...gradients.values()]);
      return { loss, gradient };
    };
    for (const name of ['decoder.vertical.mask_token', 'decoder.vertical.output.bias', 'to_patch_embedding.3.bias']) {
      const weight = (state.head.weights.get(name) ?? state.encoder.weights.get(name))!;
      const { gradient } = lossAndGradient(name);
      const start = Float32Array.from(weight.dataSync());
      const step = 2e-2;
      const at = (sign: number): number => {
        const moved = start.map((x, i) => (i === 1 ? x + sign * step : x));
        tf.tidy(() => weight.assign(tf.tensor(moved, weight.shape)));
        return lossAndGradient(name).loss;
      };
      const slope = (at(1) - at(-1)) / (2 * step);
      tf.tidy(() => weight.assign(tf.tensor(start, weight.shape)));
      // Single precision: the difference of two losses near 1 has 1e-7 / 4e-2.
      expect(Math.abs(slope - gradient[1]), name).toBeLessThan(1e-5 + 0.02 * Math.abs(gradient[1]));
    }
    disposeState(state);
    await initBackend({ blasThreads: 1 });
  });

  it('depends on kept tokens through the encoder alone and on removed ones through the target alone', () => {
    const one = config();
    const state = initialState(one, tracks.length, 1);
    const batch = batchOfStep(one, tracks, 0);
    const removed = removedTokens(batch.kept.vertical!, 12, 16);
    expect(removed).toHaveLength(12 * 12);
    // The same batch, cut out of its tracks, with every value of the removed or of the kept tokens turned upside down.
    const area = 128 * 32;
    const whole = unpatchify(gatherPatches(batch.views, 32, 'vertical'), 12, 32, 'vertical');
    const marked = unpatchify(
      new Float32Array(removed.length * 256).fill(1),
      12, 32, 'vertical', { kept: removed },
    ); // prettier-ignore
    const batchWith = (turned: number): Batch => ({
      ...batch,
      views: batch.views.map((_, view) => {
        const data = Float32Array.from({ length: area }, (_, i) => {
          const at = view * area + i;
          return marked[at] === turned ? 30 - whole[at] : whole[at];
        });
        return { mel: { nMels: 128, nFrames: 32, data }, start: 0 };
      }),
    });
    const outcome = (some: Batch): { loss: number; bias: Float32Array; embedded: Float32Array } => {
      const { loss, gradients } = gradientsOfBatch(state, one, some, clock);
      const bias = Float32Array.from(gradients.get('decoder.vertical.output.bias')!.dataSync());
      tf.dispose([...gradients.values()]);
      const embedded = tf.tidy(() => {
        const patches = { vertical: patchesOfViews(some, 32, 'vertical', some.kept.vertical) };
        return Float32Array.from(state.encoder.forwardPatches(patches, 12, { kept: some.kept }).vertical!.dataSync());
      });
      return { loss, bias, embedded };
    };
    const [plain, neither, ofRemoved, ofKept] = [batch, batchWith(2), batchWith(1), batchWith(0)].map(outcome);
    expect(neither).toEqual(plain);
    // The encoder has not seen the removed tokens, the loss has.
    expect(ofRemoved.embedded).toEqual(plain.embedded);
    expect(ofRemoved.loss).not.toBeCloseTo(plain.loss, 3);
    // A kept token has no target: what changes goes through the encoder. The decoder's inputs cut off, nothing does.
    expect(ofKept.embedded).not.toEqual(plain.embedded);
    const input = state.head.weights.get('decoder.vertical.input.weight')!;
    tf.tidy(() => input.assign(tf.zerosLike(input)));
    expect(outcome(batchWith(0)).loss).toBe(outcome(batch).loss);
    expect(outcome(batchWith(1)).loss).not.toBe(outcome(batch).loss);
    disposeState(state);
  });
});
