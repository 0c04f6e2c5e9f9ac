/** What must hold for any weights and any clips, on every backend that is always there. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Encoder, encoderConfig, LOG_GAINS, type EncoderConfig } from '../../lib/src/encoder/index.js';
import { createRng, tf } from '../../lib/src/tensor/index.js';
import { maskClips, numTokens, type PatchVariant } from '../../lib/src/views/index.js';
import { BACKEND_NAMES, BACKENDS, deviation, take } from './golden.js';

const CLIP_FRAMES = 32;
const variants: PatchVariant[] = ['vertical', 'square', 'hybrid'];

const tiny = (patches: PatchVariant, more: Partial<EncoderConfig> = {}) =>
  encoderConfig(patches, 'tiny', { clipFrames: CLIP_FRAMES, ...more });

/** Positive values over three orders of magnitude, as mel power has. */
function someClips(nClips: number, nFrames = CLIP_FRAMES, seed = 1): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: nClips * 128 * nFrames }, () => Math.exp(2 * rng.normal()));
}

describe.each(BACKEND_NAMES)('on %s', (backend) => {
  let before = 0;
  beforeAll(async () => {
    await BACKENDS[backend]();
    before = tf.memory().numTensors;
  });
  afterEach(() => expect(tf.memory().numTensors).toBe(before));

  it.each(variants)('a batch equals its clips one by one (%s)', (patches) => {
    const encoder = Encoder.init(tiny(patches), createRng(1));
    const clips = someClips(3);
    const batch = take(encoder.forward(clips, 3));
    const size = clips.length / 3;
    const single = [0, 1, 2].flatMap((i) => [...take(encoder.forward(clips.subarray(i * size, (i + 1) * size), 1))]);
    expect(deviation(batch, single)).toBeLessThan(1e-6);
    encoder.dispose();
  });

  it.each(variants)('the order of kept tokens does not matter, the choice does (%s)', (patches) => {
    const encoder = Encoder.init(tiny(patches), createRng(2));
    const clips = someClips(2);
    const kept = maskClips(patches, 2, CLIP_FRAMES, 0.6, createRng(3));
    const reversed = Object.fromEntries(
      Object.entries(kept).map(([patching, ids]) => {
        const nKept = ids.length / 2;
        return [patching, Int32Array.from(ids, (_, i) => ids[Math.floor(i / nKept) * nKept + nKept - 1 - (i % nKept)])];
      }),
    );
    const out = take(encoder.forward(clips, 2, { kept }));
    expect(deviation(take(encoder.forward(clips, 2, { kept: reversed })), out)).toBeLessThan(1e-6);
    const other = maskClips(patches, 2, CLIP_FRAMES, 0.6, createRng(4));
    expect(deviation(take(encoder.forward(clips, 2, { kept: other })), out)).toBeGreaterThan(1e-3);
    encoder.dispose();
  });

  it('keeping all tokens by name equals keeping all', () => {
    const encoder = Encoder.init(tiny('square'), createRng(2));
    const clips = someClips(2);
    const nTokens = numTokens('square', 128, CLIP_FRAMES);
    const square = Int32Array.from({ length: 2 * nTokens }, (_, i) => i % nTokens);
    const all = take(encoder.forward(clips, 2));
    expect(deviation(take(encoder.forward(clips, 2, { kept: { square } })), all)).toBeLessThan(1e-6);
    encoder.dispose();
  });

  it('position matters: a clip turned around in time is another clip', () => {
    const encoder = Encoder.init(tiny('vertical'), createRng(2));
    const clip = someClips(1);
    const turned = clip.map((_, i) => clip[i - (i % CLIP_FRAMES) + (((i % CLIP_FRAMES) + 16) % CLIP_FRAMES)]);
    expect(deviation(take(encoder.forward(turned, 1)), take(encoder.forward(clip, 1)))).toBeGreaterThan(1e-3);
    encoder.dispose();
  });

  it.each(variants)('gain does not matter: each patch is normalised (%s)', (patches) => {
    const encoder = Encoder.init(tiny(patches), createRng(5));
    const clips = someClips(2);
    const out = take(encoder.forward(clips, 2));
    // 1e-5 is added to variances of about 3000, so this is exact but for rounding
    expect(
      deviation(
        take(
          encoder.forward(
            clips.map((x) => 8 * x),
            2,
          ),
        ),
        out,
      ),
    ).toBeLessThan(1e-5);
    // near silence the added 1e-5 is no longer small
    expect(
      deviation(
        take(
          encoder.forward(
            clips.map((x) => 1e-4 * x),
            2,
          ),
        ),
        out,
      ),
    ).toBeGreaterThan(1e-3);
    const silent = take(encoder.forward(new Float32Array(clips.length), 2));
    expect(silent.every((x) => Number.isFinite(x))).toBe(true);
    encoder.dispose();
  });

  it('log1p is applied where the configuration says so', () => {
    const power = Encoder.init(tiny('vertical'), createRng(6));
    const log = Encoder.init(tiny('vertical', { inputScale: 'log1p' }), createRng(6));
    const clips = someClips(2);
    const given = clips.slice();
    const out = take(log.forward(clips, 2));
    expect(deviation(take(power.forward(clips.map(Math.log1p), 2)), out)).toBeLessThan(1e-6);
    expect(deviation(take(power.forward(clips, 2)), out)).toBeGreaterThan(1e-3);
    expect(clips).toEqual(given);
    power.dispose();
    log.dispose();
  });

  it('log1p30dB is log1p of a thousand times the power; another scale changes what is read, not the weights', () => {
    const encoder = Encoder.init(tiny('vertical', { inputScale: 'log1p' }), createRng(6));
    const clips = someClips(2).map((x) => x / 1000);
    const louder = take(encoder.forward(clips.map((x) => LOG_GAINS.log1p30dB * x), 2)); // prettier-ignore
    const weights = encoder.toTensors();
    const moved = encoder.withInputScale('log1p30dB');
    expect(moved.config).toEqual({ ...encoder.config, inputScale: 'log1p30dB' });
    expect(moved.toTensors()).toEqual(weights);
    expect(deviation(take(moved.forward(clips, 2)), louder)).toBeLessThan(1e-6);
    expect(() => moved.withInputScale('dB' as 'power')).toThrow(/inputScale is "dB"; expected power or log1p or/);
    moved.dispose();
  });

  it('hybrid is [square ; vertical], and its parts are apart', () => {
    const encoder = Encoder.init(tiny('hybrid'), createRng(7));
    const clips = someClips(2);
    const parts = encoder.forwardParts(clips, 2);
    const [square, vertical] = [take(parts.square!), take(parts.vertical!)];
    const whole = take(encoder.forward(clips, 2));
    expect(whole.length).toBe(2 * encoder.outWidth);
    for (const clip of [0, 1]) {
      expect(whole.subarray(clip * 64, clip * 64 + 32)).toEqual(square.subarray(clip * 32, clip * 32 + 32));
      expect(whole.subarray(clip * 64 + 32, clip * 64 + 64)).toEqual(vertical.subarray(clip * 32, clip * 32 + 32));
    }
    expect(deviation(square, vertical)).toBeGreaterThan(1e-2);
    encoder.dispose();
  });

  it('stages, layers and embedding are one computation', () => {
    const encoder = Encoder.init(tiny('hybrid', { depth: 3 }), createRng(8));
    const clips = someClips(2);
    const kept = maskClips('hybrid', 2, CLIP_FRAMES, 0.5, createRng(1));
    for (const patching of ['square', 'vertical'] as const) {
      const stages = encoder.intermediates(clips, 2, { patching, kept });
      const last = encoder.forwardParts(clips, 2, { kept });
      expect(deviation(stages.pooled.dataSync(), last[patching]!.dataSync())).toBeLessThan(1e-6);
      tf.dispose({ ...last });
      const inputs = [stages.tokens, ...stages.blocks.map(({ out }) => out)];
      inputs.forEach((x, layer) => {
        const mean = take(tf.tidy(() => tf.mean(tf.reshape(x, [2, stages.nTokens, 32]), 1)));
        const parts = encoder.forwardParts(clips, 2, { kept, layer });
        expect(deviation(parts[patching]!.dataSync(), mean)).toBeLessThan(1e-6);
        tf.dispose({ ...parts });
      });
      tf.dispose(stages);
    }
    encoder.dispose();
  });

  it.each(variants)('gradients are what finite differences say, for every parameter (%s)', (patches) => {
    const config = tiny(patches, { width: 8, numHeads: 2, headDim: 4, mlpDim: 12, inputScale: 'log1p' });
    const encoder = Encoder.init(config, createRng(9));
    const clips = someClips(2);
    const kept = maskClips(patches, 2, CLIP_FRAMES, 0.6, createRng(10));
    const rng = createRng(11);
    const target = Float32Array.from({ length: 2 * encoder.outWidth }, () => rng.normal());
    const loss = (): tf.Scalar =>
      tf.tidy(() => tf.sum(tf.mul(encoder.forward(clips, 2, { kept }), tf.tensor2d(target, [2, encoder.outWidth]))));
    const variables = [...encoder.weights.values()];
    const { value, grads } = tf.variableGrads(loss, variables);
    value.dispose();
    expect(Object.keys(grads).length).toBe(variables.length);
    for (const [name, variable] of encoder.weights) {
      const direction = Float32Array.from({ length: variable.size }, () => rng.normal() / Math.sqrt(variable.size));
      const own = grads[variable.name].dataSync();
      const along = direction.reduce((sum, d, i) => sum + d * own[i], 0);
      const at = (step: number): number => {
        const moved = tf.tidy(() =>
          tf.add(
            variable,
            tf.tensor(
              direction.map((d) => step * d),
              variable.shape,
            ),
          ),
        );
        const former = tf.clone(variable);
        variable.assign(moved);
        const result = take(loss())[0];
        variable.assign(former);
        tf.dispose([moved, former]);
        return result;
      };
      // float32 loses 1e-6 of a loss of about 10 over a step of 0.02; the fourth-order rule keeps curvature out
      const h = 0.02;
      const numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      expect(Math.abs(numeric - along), `${name}: ${numeric} ${along}`).toBeLessThan(1e-3 + 5e-3 * Math.abs(along));
    }
    tf.dispose(grads);
    encoder.dispose();
  });

  it('frees what it made when it fails', () => {
    const encoder = Encoder.init(tiny('vertical'), createRng(1));
    expect(() => encoder.forward(new Float32Array(7), 1)).toThrow(/7 values found/);
    encoder.dispose();
  });
});
