/** Against the reference's own numbers (tests/golden/README.md), on every backend that is always there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Encoder } from '../../lib/src/encoder/index.js';
import { sincos2d, type Checkpoint } from '../../lib/src/encoder/index.js';
import { readNpy, readSafetensors } from '../../lib/src/store/index.js';
import { linear, tf } from '../../lib/src/tensor/index.js';
import { tokenGrid } from '../../lib/src/views/index.js';
import { BACKEND_NAMES, BACKENDS, deviation, goldenEncoder, goldenIo, goldenPath, take, VARIANTS } from './golden.js';

const TOLERANCE = 1e-5; // of the largest value; two float32 implementations differ by 2e-7 to 2e-6 here
const NUM_CLIPS = 4;

/** Largest deviation of each kind, printed by `VERBOSE_PARITY=1 npx vitest run tests/encoder/parity`. */
const worst = new Map<string, number>();
function agrees(kind: string, found: ArrayLike<number>, reference: ArrayLike<number>, tolerance = TOLERANCE): void {
  const value = deviation(found, reference);
  worst.set(kind, Math.max(value, worst.get(kind) ?? 0));
  expect(value).toBeLessThan(tolerance);
}

describe.each(VARIANTS)('position embedding (%s)', (variant) => {
  const io = goldenIo(variant);
  it('is the reference`s', () => {
    const [primary, nFrames] = variant === 'vertical' ? (['vertical', 196] as const) : (['square', 192] as const);
    const own = sincos2d(...tokenGrid(primary, 128, nFrames), 32);
    agrees(`${variant} positions`, own, io('pos_embedding').data, 1e-6);
    if (variant === 'hybrid') {
      const second = sincos2d(...tokenGrid('vertical', 128, nFrames), 32);
      agrees(`${variant} positions b`, second, io('pos_embedding_b').data, 1e-6);
    }
  });
});

describe.each(BACKEND_NAMES)('on %s', (backend) => {
  beforeAll(async () => {
    await BACKENDS[backend]();
  });
  afterAll(() => {
    if (process.env.VERBOSE_PARITY) process.stdout.write(`${backend} ${JSON.stringify([...worst])}\n`);
    worst.clear();
  });

  describe.each(VARIANTS)('%s', (variant) => {
    const io = goldenIo(variant);
    const clips = io('input').data as Float32Array;
    let checkpoint: Checkpoint;
    let encoder: Encoder;
    beforeAll(() => {
      checkpoint = goldenEncoder(variant);
      encoder = checkpoint.encoder;
    });
    afterAll(() => encoder.dispose());

    it('patch embedding and block 0', () => {
      const [nTokens, width] = io('tokens_after_patch_embedding').shape.slice(1);
      const twoClips = clips.subarray(0, clips.length / 2);
      const stages = encoder.intermediates(twoClips, 2);
      expect(stages.nTokens).toBe(nTokens);
      expect(stages.embedded.shape).toEqual([2 * nTokens, width]);
      agrees('embedded', stages.embedded.dataSync(), io('tokens_after_patch_embedding').data);
      agrees('block 0 attention', stages.blocks[0].attentionOut.dataSync(), io('block0_attn_out').data);
      agrees('block 0 out', stages.blocks[0].out.dataSync(), io('block0_out').data);
      tf.dispose(stages);
    });

    it('embeddings', () => {
      const parts = encoder.forwardParts(clips, NUM_CLIPS);
      const primary = variant === 'vertical' ? parts.vertical : parts.square;
      agrees('embed', primary!.dataSync(), io('embed').data);
      agrees('embed, float64', primary!.dataSync(), io('embed_f64').data);
      tf.dispose({ ...parts });
      const whole = take(encoder.forward(clips, NUM_CLIPS));
      agrees('forward', whole, io(variant === 'hybrid' ? 'embed_hybrid_f64' : 'embed_f64').data);
      expect(whole.length).toBe(NUM_CLIPS * encoder.outWidth);
    });

    it('a changed value is noticed', () => {
      const embeddings = take(encoder.forward(clips, NUM_CLIPS));
      const reference = Float64Array.from(io(variant === 'hybrid' ? 'embed_hybrid_f64' : 'embed_f64').data);
      const largest = reference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      reference[17] += 3e-5 * largest;
      expect(deviation(embeddings, reference)).toBeGreaterThan(TOLERANCE);
      embeddings[3] = Number.NaN;
      expect(deviation(embeddings, reference)).toBeNaN();
    });

    it('masked outputs with the reference`s tokens', () => {
      const primary = io('masked_unmask_indices').data as Int32Array;
      const kept =
        variant === 'vertical'
          ? { vertical: primary }
          : variant === 'square'
            ? { square: primary }
            : { square: primary, vertical: io('masked_unmask_indices_b').data as Int32Array };
      const parts = encoder.forwardParts(clips, NUM_CLIPS, { kept });
      const first = variant === 'vertical' ? parts.vertical : parts.square;
      agrees('masked', first!.dataSync(), io('masked_out').data);
      agrees('masked, float64', first!.dataSync(), io('masked_out_f64').data);
      if (variant === 'hybrid') agrees('masked b', parts.vertical!.dataSync(), io('masked_out_b').data);
      tf.dispose({ ...parts });
    });

    it('logits of the linear head that the checkpoint carries', () => {
      const { weight, bias } = checkpoint.linearHead!;
      const logits = tf.tidy(() => {
        const parts = encoder.forwardParts(clips, NUM_CLIPS);
        const w = tf.tensor2d(weight.data as Float32Array, weight.shape as [number, number]);
        return linear((parts.square ?? parts.vertical)!, w, tf.tensor1d(bias.data as Float32Array));
      });
      agrees('logits', take(logits), io('logits_head50').data);
    });
  });

  it('the example of the reference: a mel spectrogram, two clips of 98 frames', () => {
    const { tensors } = readSafetensors(goldenPath('pipeline_tiny_vertical.safetensors'));
    const mel = readNpy(goldenPath('mel_nnaudio_f32.npy')).data as Float32Array; // [128, 196]
    const clips = new Float32Array(2 * 128 * 98);
    for (let i = 0; i < clips.length; i++) {
      const [clip, band, frame] = [Math.floor(i / (128 * 98)), Math.floor(i / 98) % 128, i % 98];
      clips[i] = mel[band * 196 + clip * 98 + frame];
    }
    const { encoder } = goldenEncoder('vertical', 98);
    agrees('pipeline positions', sincos2d(1, 49, 32), tensors.get('pos_embedding_49')!.data, 1e-6);
    agrees('pipeline', take(encoder.forward(clips, 2)), tensors.get('embed_2_chunks_of_98_frames')!.data);
    encoder.dispose();
    const usual = goldenEncoder('vertical').encoder; // the same through an option of the call
    const again = take(usual.forward(clips, 2, { clipFrames: 98 }));
    agrees('pipeline', again, tensors.get('embed_2_chunks_of_98_frames')!.data);
    usual.dispose();
  });
});
