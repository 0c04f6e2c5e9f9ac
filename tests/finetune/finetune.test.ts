/** Fine-tuning: its loss against its formula, its batches, its augmentation, and a run that is stopped and goes on. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedTracks } from '../../lib/src/embeddings/index.js';
import { Encoder, encoderConfig, loadCheckpoint } from '../../lib/src/encoder/index.js';
import {
  augmentPatches,
  binaryCrossEntropy,
  FINE_TUNE_DEFAULTS,
  fineTune,
  fineTuneConfig,
  type FineTuneConfig,
  type FineTuneLogLine,
  type FineTuneTrack,
  labelledBatch,
  softCrossEntropy,
} from '../../lib/src/finetune/index.js';
import { transposeKey } from '../../lib/src/keys/index.js';
import { type MelTrack, transposeMel } from '../../lib/src/mel/index.js';
import { TOKEN_SECONDS, Transcriber } from '../../lib/src/notes/index.js';
import { loadProbe } from '../../lib/src/probe/index.js';
import { readWeights } from '../../lib/src/store/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';

const root = mkdtempSync(join(tmpdir(), 'finetune-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => initBackend({ blasThreads: 1 }));

const ENCODER = encoderConfig('vertical', 'tiny', { clipFrames: 16, inputScale: 'log1p' });
const QUIET = { gainDb: 0, equaliserDb: 0, noiseShare: 0, noiseDb: [10, 50], semitones: [0, 0] } as const;
const SECONDS = 40 * (512 / 16000);

/** Each key has a band of its own; the first quarter of a track sounds all bands alike and counts as no key. */
function track(id: string, keyId: number): FineTuneTrack & MelTrack {
  const rng = createRng(id);
  const data = new Float32Array(128 * 40);
  for (let frame = 0; frame < 40; frame++)
    for (let band = 0; band < 128; band++)
      data[band * 40 + frame] = rng.uniform() * (frame >= 10 && band >> 2 === keyId ? 40 : 2);
  const quarter = SECONDS / 4;
  return {
    id,
    mel: { nMels: 128, nFrames: 40, data },
    keys: [
      { startSeconds: 0, seconds: quarter, keyId: null },
      { startSeconds: quarter, seconds: 3 * quarter, keyId },
    ],
  };
}
const tracks = Array.from({ length: 24 }, (_, i) => track(`track ${i}`, i % 6));

const small = (fields: Partial<FineTuneConfig> = {}): FineTuneConfig =>
  fineTuneConfig({
    steps: 6,
    batchTracks: 8,
    clipsPerTrack: 2,
    checkpointEverySteps: 2,
    warmUpSteps: 0,
    augmentation: QUIET,
    ...fields,
  });
const encoder = (): Encoder => Encoder.init(ENCODER, createRng(3));
const run = (dir: string, config = small(), options: { signal?: AbortSignal; onStep?: () => void } = {}) =>
  fineTune(config, encoder(), tracks, { dir: join(root, dir), clock: () => performance.now(), ...options });

describe('softCrossEntropy', () => {
  const rng = createRng(1);
  const logits = Float32Array.from({ length: 3 * 24 }, () => 4 * rng.normal());
  const targets = new Float32Array(3 * 24);
  for (let row = 0; row < 3; row++) {
    targets[row * 24 + row] = 0.75;
    targets[row * 24 + 7] += 0.25;
  }

  it('is the mean over rows of -sum target log softmax, with the gradient (softmax - target) / n', () => {
    const before = tf.memory().numTensors;
    const { loss, gradient } = tf.tidy(() => {
      const x = tf.variable(tf.tensor2d(logits, [3, 24]));
      const { value, grads } = tf.variableGrads(() => softCrossEntropy(x as unknown as tf.Tensor2D, targets), [x]);
      const found = { loss: value.dataSync()[0], gradient: grads[x.name].dataSync() };
      x.dispose();
      return found;
    });
    let expected = 0;
    for (let row = 0; row < 3; row++) {
      const own = Array.from(logits.subarray(row * 24, row * 24 + 24));
      const sum = own.reduce((total, z) => total + Math.exp(z), 0);
      own.forEach((z, key) => {
        expected -= (targets[row * 24 + key] * Math.log(Math.exp(z) / sum)) / 3;
        expect(gradient[row * 24 + key]).toBeCloseTo((Math.exp(z) / sum - targets[row * 24 + key]) / 3, 6);
      });
    }
    expect(loss).toBeCloseTo(expected, 5);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses targets of another shape', () => {
    expect(() => tf.tidy(() => softCrossEntropy(tf.zeros([2, 24]), targets))).toThrow(/\[2,24\].*\[3,24\]|\[2, 24\]/);
  });
});

describe('binaryCrossEntropy', () => {
  it('is the mean of -(y log p + (1 - y) log(1 - p)), with the gradient (p - y) / n, for large logits too', () => {
    const rng = createRng(5);
    const logits = Float32Array.from({ length: 12 }, (_, i) => (i < 2 ? (i ? -60 : 60) : 3 * rng.normal()));
    const targets = Float32Array.from({ length: 12 }, () => rng.uniform());
    const before = tf.memory().numTensors;
    const { loss, gradient } = tf.tidy(() => {
      const x = tf.variable(tf.tensor2d(logits, [3, 4]));
      const { value, grads } = tf.variableGrads(() => binaryCrossEntropy(x as unknown as tf.Tensor2D, targets), [x]);
      const found = { loss: value.dataSync()[0], gradient: grads[x.name].dataSync() };
      x.dispose();
      return found;
    });
    const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
    const expected = logits.reduce((sum, z, i) => sum + softplus(z) - targets[i] * z, 0) / 12;
    expect(loss).toBeCloseTo(expected, 4);
    logits.forEach((z, i) => expect(gradient[i]).toBeCloseTo((1 / (1 + Math.exp(-z)) - targets[i]) / 12, 6));
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** Tracks whose notes are known: token k of a track has its own number in every channel. */
const written = tracks.map((one) => ({
  ...one,
  activity: {
    nBins: 20,
    binSeconds: TOKEN_SECONDS,
    data: Uint8Array.from({ length: 20 * 36 }, (_, i) => 10 * Math.floor(i / 36) + (i % 36 === 4 ? 1 : 0)),
  },
}));

describe('transcription', () => {
  const asked = (fields: Partial<FineTuneConfig> = {}) => small({ transcription: 2, ...fields });

  it('wants from each kept token what sounds there, at the pitch at which the clip is heard', () => {
    for (const semitones of [0, 3, -2]) {
      const config = asked({ augmentation: { ...QUIET, semitones: [semitones, semitones] } });
      const { activity, kept, nClips } = labelledBatch(config, ENCODER, written, 1);
      const perClip = kept.vertical!.length / nClips;
      expect(activity!.length).toBe(nClips * perClip * 36);
      const marked = (4 + semitones + 12) % 12;
      for (let clip = 0; clip < nClips; clip++) {
        const tokens = Array.from({ length: perClip }, (_, k) => activity!.subarray((clip * perClip + k) * 36).subarray(0, 36)); // prettier-ignore
        const bins = tokens.map((row) => Math.round((row[(marked + 1) % 12] * 255) / 10));
        const start = bins[0] - kept.vertical![clip * perClip];
        expect(bins).toEqual(
          [...kept.vertical!.subarray(clip * perClip, (clip + 1) * perClip)].map((id) => start + id),
        );
        tokens.forEach((row, k) => expect(Math.round(row[marked] * 255)).toBe(10 * bins[k] + 1));
      }
    }
    expect(labelledBatch(small(), ENCODER, written, 1).activity).toBeNull();
  });

  it('learns notes and keys together, goes on where it was stopped, and leaves a transcriber', async () => {
    const before = tf.memory().numTensors;
    const dir = join(root, 'transcribed');
    const go = (signal?: AbortSignal, onStep?: (line: FineTuneLogLine) => void, folder = dir) =>
      fineTune(asked(), encoder(), written, { dir: folder, clock: () => 0, signal, onStep });
    const stop = new AbortController();
    const losses: (number | null)[] = [];
    const onStep = ({ step, transcriptionLoss }: FineTuneLogLine): void => {
      losses.push(transcriptionLoss);
      if (step === 3) stop.abort(new Error('stopped'));
    };
    await expect(go(stop.signal, onStep)).rejects.toThrow('stopped');
    const { transcriberPath, resumedFrom, encoderPath } = await go(undefined, onStep);
    expect(resumedFrom).toBe(3);
    expect(losses).toHaveLength(6);
    expect(losses.every((loss) => loss !== null && Number.isFinite(loss))).toBe(true);
    const own = Transcriber.fromTensors(readWeights(transcriberPath!).tensors, transcriberPath!)!;
    expect(own.width).toBe(32);
    const whole = await go(undefined, undefined, join(root, 'transcribed at once'));
    const bytes = (path: string): Buffer => readFileSync(path);
    expect(bytes(transcriberPath!).equals(bytes(whole.transcriberPath!))).toBe(true);
    expect(bytes(encoderPath).equals(bytes(whole.encoderPath))).toBe(true);
    expect((await run('keys alone')).transcriberPath).toBeNull();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is refused where notes are not known, or tokens do not show all pitches of a moment', async () => {
    const go = (of: readonly FineTuneTrack[], start = encoder()) =>
      fineTune(asked(), start, of, { dir: join(root, 'refused'), clock: () => 0 });
    await expect(go(tracks)).rejects.toThrow(/track 0: its notes are not known by tokens of 0\.064 s/);
    const square = Encoder.init(encoderConfig('square', 'tiny', { clipFrames: 16 }), createRng(1));
    await expect(go(written, square)).rejects.toThrow(/the encoder's patches are square; only vertical ones/);
    expect(() => small({ transcription: -1 })).toThrow(/field transcription: found -1/);
  });
});

describe('a batch', () => {
  it('depends on seed and step alone, and its targets are distributions', () => {
    const config = small({ labelSmoothing: 0.24, augmentation: FINE_TUNE_DEFAULTS.augmentation });
    const first = labelledBatch(config, ENCODER, tracks, 4);
    labelledBatch(config, ENCODER, tracks, 0);
    const again = labelledBatch(config, ENCODER, tracks, 4);
    expect(again).toEqual(first);
    expect(first.epoch).toBe(1); // 24 tracks are 3 batches of 8
    expect(first.nClips).toBe(16);
    for (let clip = 0; clip < 16; clip++) {
      const row = first.targets.subarray(clip * 24, clip * 24 + 24);
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(Math.min(...row)).toBeCloseTo(0.01, 6);
    }
    expect(labelledBatch({ ...config, seed: 1 }, ENCODER, tracks, 4).patches).not.toEqual(first.patches);
  });

  it('takes clips in which a key is heard for half of the time at least', () => {
    const quiet = tracks.map((one) => ({
      ...one,
      mel: { ...one.mel, data: one.mel.data.map((_, i) => (i % 40 < 10 ? 0 : 1)) },
    }));
    for (let step = 0; step < 20; step++) {
      const { patches } = labelledBatch(small({ maskRatio: 0 }), ENCODER, quiet, step);
      const perClip = patches.vertical!.length / 16;
      for (let clip = 0; clip < 16; clip++) {
        const own = patches.vertical!.subarray(clip * perClip, (clip + 1) * perClip);
        expect(own.reduce((a, b) => a + b) / perClip).toBeGreaterThanOrEqual(0.5);
      }
    }
  });

  it('at another pitch has the patches of the moved mel and the moved key', () => {
    const at = (semitones: number, of = tracks) =>
      labelledBatch(
        small({ maskRatio: 0, augmentation: { ...QUIET, semitones: [semitones, semitones] } }),
        ENCODER,
        of,
        2,
      );
    const moved = at(3);
    const byHand = at(
      0,
      tracks.map(({ mel, keys, ...one }) => ({
        ...one,
        mel: transposeMel(mel, 3),
        keys: keys.map((span) => ({ ...span, keyId: span.keyId === null ? null : transposeKey(span.keyId, 3) })),
      })),
    );
    expect(moved).toEqual(byHand);
    const { targets } = at(0);
    expect(moved.targets).toEqual(targets.map((_, i) => targets[i - (i % 24) + transposeKey(i % 24, -3)]));
    const low = labelledBatch(small({ augmentation: { ...QUIET, semitones: [-5, 6] } }), ENCODER, tracks, 2);
    expect(low.targets).not.toEqual(targets);
  });

  it('gives so many of its clips further overtones, each its own, and leaves everything else as it is', () => {
    const at = (overtoneShare?: number) =>
      labelledBatch(small({ maskRatio: 0, augmentation: { ...QUIET, overtoneShare } }), ENCODER, tracks, 2);
    const plain = at();
    expect(at(0)).toEqual(plain);
    const perClip = 128 * ENCODER.clipFrames;
    const isLouder = (batch: typeof plain): boolean[] =>
      Array.from({ length: 16 }, (_, clip) => {
        const own = (of: typeof plain) => of.patches.vertical!.subarray(clip * perClip, (clip + 1) * perClip);
        const added = own(batch).map((power, i) => power - own(plain)[i]);
        expect(Math.min(...added)).toBeGreaterThanOrEqual(0);
        return added.some((power) => power > 0);
      });
    expect(isLouder(at(1)).every(Boolean)).toBe(true);
    const half = isLouder(at(0.5)).filter(Boolean).length;
    expect(half).toBeGreaterThan(2);
    expect(half).toBeLessThan(14);
    expect({ ...at(1), patches: null }).toEqual({ ...plain, patches: null });
  });

  it('refuses tracks without a key, with other bands, and batches that no epoch fills', async () => {
    const bad = (one: FineTuneTrack) =>
      fineTune(small({ batchTracks: 1 }), encoder(), [one], { dir: join(root, 'bad'), clock: () => 0 });
    await expect(bad({ ...tracks[0], keys: [] })).rejects.toThrow(/track 0.*no key/);
    await expect(bad({ ...tracks[0], mel: { nMels: 64, nFrames: 80, data: tracks[0].mel.data } })).rejects.toThrow(
      /64 bands, expected 128/,
    );
    await expect(run('bad', small({ batchTracks: 25 }))).rejects.toThrow(/25 tracks was asked for, there are 24/);
  });
});

describe('the augmentation', () => {
  const layout = { patching: 'vertical', nMels: 128, clipFrames: 8 } as const;
  const flat = (): Float32Array => new Float32Array(2 * 4 * 256).fill(2);
  const rngOf = (clip: number) => createRng('changes').fork(clip);

  it('changes nothing when all of it is off', () => {
    const patches = flat();
    augmentPatches(patches, 2, layout, undefined, QUIET, rngOf);
    expect(patches).toEqual(flat());
  });

  it('is one gain for a clip, another for the next, within its range', () => {
    const patches = flat();
    augmentPatches(patches, 2, layout, undefined, { ...QUIET, gainDb: 12 }, rngOf);
    const levels = [0, 1].map((clip) => new Set(patches.subarray(clip * 1024, clip * 1024 + 1024)));
    for (const level of levels) {
      expect(level.size).toBe(1);
      expect(Math.abs(10 * Math.log10([...level][0] / 2))).toBeLessThanOrEqual(12);
    }
    expect([...levels[0]][0]).not.toBe([...levels[1]][0]);
  });

  it('is the same curve over the bands for every token, whatever the patches and whichever tokens are kept', () => {
    const change = { ...QUIET, equaliserDb: 6 };
    const vertical = flat();
    augmentPatches(vertical, 2, layout, undefined, change, rngOf);
    const ofBand = Array.from({ length: 128 }, (_, band) => vertical[2 * band]);
    expect(new Set(ofBand).size).toBeGreaterThan(100);
    vertical.subarray(0, 1024).forEach((value, i) => expect(value).toBe(ofBand[(i % 256) >> 1]));
    // Square tokens 17 and 3 of a grid of 8 x 4 (64 frames) stand in rows 4 and 0.
    const square = new Float32Array(2 * 256).fill(2);
    const other = { patching: 'square', nMels: 128, clipFrames: 64 } as const;
    augmentPatches(square, 1, other, Int32Array.of(17, 3), change, rngOf);
    square.forEach((value, i) => expect(value).toBe(ofBand[(i < 256 ? 4 : 0) * 16 + ((i % 256) >> 4)]));
  });

  it('adds noise so far below the mean power', () => {
    const patches = new Float32Array(400 * 256).fill(3);
    const change = { ...QUIET, noiseShare: 1, noiseDb: [10, 10] as const };
    augmentPatches(patches, 1, { ...layout, clipFrames: 800 }, undefined, change, rngOf);
    const added = patches.reduce((a, b) => a + b) / patches.length - 3;
    expect(added / 0.3).toBeGreaterThan(0.97);
    expect(added / 0.3).toBeLessThan(1.03);
  });
});

describe('a run', () => {
  it('learns, and its files load as an encoder and a probe that answer as trained', async () => {
    const before = tf.memory().numTensors;
    const { encoderPath, headPath } = await run('learns', small({ steps: 60, learningRate: 3e-3, maskRatio: 0.25 }));
    expect(tf.memory().numTensors).toBe(before);
    const { encoder: tuned, metadata } = loadCheckpoint(encoderPath);
    const table = await embedTracks(tuned, tracks);
    tuned.dispose();
    const { estimated } = loadProbe(headPath).decide(table);
    const right = estimated.filter((key, i) => key === i % 6).length;
    expect(right).toBeGreaterThanOrEqual(22);
    expect(metadata.step).toBe('60');
  });

  it.each([0, 16])('stopped and begun again it ends with the same bytes (hidden units %i)', async (hidden) => {
    const config = small({ hidden });
    const whole = await run(`whole ${hidden}`, config);
    const stop = new AbortController();
    let steps = 0;
    const onStep = (): void => void (++steps === 3 && stop.abort(new Error('stopped here')));
    await expect(run(`parts ${hidden}`, config, { signal: stop.signal, onStep })).rejects.toThrow('stopped here');
    const parts = await run(`parts ${hidden}`, config);
    expect(parts.resumedFrom).toBe(3);
    for (const file of ['encoderPath', 'headPath'] as const)
      expect(readFileSync(parts[file]).equals(readFileSync(whole[file]))).toBe(true);
  });

  it('may go on at another input scale, which its encoder keeps, stopped or not', async () => {
    const config = small({ inputScale: 'log1p30dB' });
    const before = tf.memory().numTensors;
    const stop = new AbortController();
    let steps = 0;
    const onStep = (): void => void (++steps === 3 && stop.abort(new Error('stopped here')));
    await expect(run('louder', config, { signal: stop.signal, onStep })).rejects.toThrow('stopped here');
    const { encoderPath } = await run('louder', config);
    expect(tf.memory().numTensors).toBe(before);
    const { encoder: tuned } = loadCheckpoint(encoderPath);
    expect(tuned.config).toEqual({ ...ENCODER, inputScale: 'log1p30dB' });
    tuned.dispose();
    const plain = await run('as loud');
    expect(readFileSync(encoderPath).equals(readFileSync(plain.encoderPath))).toBe(false);
  });

  it('refuses a folder with another run, and says when it diverges', async () => {
    await run('taken');
    await expect(run('taken', small({ seed: 5 }))).rejects.toThrow(/another configuration/);
    await expect(run('diverges', small({ learningRate: 1e30, clipNorm: null }))).rejects.toThrow(/diverged/);
  });

  it.each([
    [{ steps: 0 }, /steps.*found 0/],
    [{ maskRatio: 1 }, /maskRatio/],
    [{ learningRate: -1 }, /learningRate/],
    [{ augmentation: { ...QUIET, gainDb: 100 } }, /gainDb/],
    [{ augmentation: { ...QUIET, overtoneShare: 2 } }, /overtoneShare from 0 to 1/],
    [{ inputScale: 'dB' as 'power' }, /field inputScale: found "dB"; expected power, log1p, log1p30dB/],
    [{ speed: 1 } as Partial<FineTuneConfig>, /speed/],
  ])('refuses %o', (fields, sentence) => {
    expect(() => small(fields)).toThrow(sentence);
  });
});
