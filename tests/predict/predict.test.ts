import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav, loadAudio } from '../../lib/src/audio/index.js';
import { embedTracks, type EmbeddingTable } from '../../lib/src/embeddings/index.js';
import { InputError } from '../../lib/src/errors.js';
import { melSpectrogram } from '../../lib/src/mel/index.js';
import { logitsOverPitches, noteTable } from '../../lib/src/notes/index.js';
import { type KeyModel, keyModelId, loadKeyModel, predictFile, predictSamples, shippedModel } from '../../lib/src/predict/index.js'; // prettier-ignore
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import { mp3File, sweep } from '../audio/encodedFiles.js';
import { largestDifference } from '../golden.js';
import { randomNoteProbe, randomTranscriber } from '../notes/models.js';
import { randomProbe, tinyModel } from './models.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-predict-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

let model: KeyModel;
beforeAll(async () => {
  await initBackend();
  model = loadKeyModel(tinyModel(dir));
  writeFileSync(at('long.mp3'), await mp3File(sweep(150, 22050, 1), 22050, 48));
  writeFileSync(at('short.wav'), encodeWav(sweep(1.5, 16000, 1)[0], 16000));
});
afterAll(() => model.dispose());

/** The same by hand, all in memory. */
async function byHand(path: string, clipHop?: number): Promise<EmbeddingTable> {
  const mel = melSpectrogram(await loadAudio(path));
  return embedTracks(model.encoder, [{ id: path, mel }], { clipHop });
}

describe('predictFile', () => {
  it.each([
    ['long.mp3', undefined],
    ['long.mp3', 50],
    ['short.wav', undefined],
  ])('%s, hop %s: audio, mel, encoder and probe one after the other, to the bit', async (name, clipHop) => {
    const table = await byHand(at(name), clipHop);
    const { logits, estimated } = model.probe.decide(table, 'meanLogits');
    const found = await predictFile(model, at(name), { clipHop });
    expect(found.clips.map((clip) => [...clip.logits]).flat()).toEqual([...model.probe.clipLogits(table)]);
    expect(found.clips.length).toBe(table.nClips);
    expect(found.keyId).toBe(estimated[0]);
    const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a]);
    expect([found.keyId, found.secondKeyId]).toEqual(order.slice(0, 2));
    expect(found.file).toBe(at(name));
    expect(found.durationSeconds).toBe((await loadAudio(at(name))).length / 16000);
    found.clips.forEach(({ startSeconds }, i) => expect(startSeconds).toBeCloseTo((i * (clipHop ?? 196) * 512) / 16000, 9));
  }); // prettier-ignore

  it('probabilities: softmax of the mean logits over the temperature', async () => {
    const found = await predictFile(model, at('long.mp3'));
    const mean = found.probabilities.map((_, key) => found.clips.reduce((sum, { logits }) => sum + logits[key], 0) / found.clips.length); // prettier-ignore
    const shares = mean.map((logit) => Math.exp(logit / 2));
    const total = shares.reduce((sum, share) => sum + share, 0);
    found.probabilities.forEach((p, key) => expect(p).toBeCloseTo(shares[key] / total, 6));
    expect(found.probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    expect(found.confidence).toBe(Math.max(...found.probabilities));
  });

  it('a clip is 6.272 s long; the only clip of a shorter file is as long as the file', async () => {
    expect((await predictFile(model, at('long.mp3'))).clips[3].seconds).toBeCloseTo(6.272, 9);
    expect((await predictFile(model, at('short.wav'))).clips.map(({ seconds }) => seconds)).toEqual([1.5]);
  });

  it('predictSamples: the same of samples', async () => {
    const samples = await loadAudio(at('long.mp3'));
    const { file, ...rest } = await predictFile(model, at('long.mp3'));
    expect(await predictSamples(model, samples, { file })).toEqual({ file, ...rest });
  });

  it('tells how far it is, stops when it is told to, and keeps no tensors', async () => {
    const before = tf.memory().numTensors;
    const seconds: [number, number | null][] = [];
    await predictFile(model, at('long.mp3'), { onProgress: (done, total) => void seconds.push([done, total]) });
    expect(seconds.length).toBe(2); // after 16 of 23 clips, and at the end
    expect(seconds[0][0]).toBeGreaterThan(100);
    expect(Math.abs(seconds[1][0] - seconds[1][1]!)).toBeLessThan(1);
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(new Error('enough'));
    await expect(predictFile(model, at('long.mp3'), { signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ['there is none', null, /no such file/],
    ['silent', new Float32Array(16000), /silent/],
    ['of 1024 samples', new Float32Array(1024).fill(0.1), /1024 samples, at least 1025/],
  ])('a file that is %s: one sentence that names it', async (name, samples, message) => {
    if (samples) writeFileSync(at(name), encodeWav(samples, 16000));
    const error = await predictFile(model, at(name)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ where: at(name) });
    expect((error as InputError).problem).toMatch(message);
  });
});

describe('a head on notes', () => {
  const files = (name: string, options: Parameters<typeof tinyModel>[1] = {}) =>
    tinyModel(dir, { name, probe: randomNoteProbe(), transcriber: randomTranscriber(32), ...options });

  it('hears a stream as a whole recording: windows for the key, shorter ones for the key over time', async () => {
    const notes = loadKeyModel(files('notes'));
    const before = tf.memory().numTensors;
    for (const name of ['long.mp3', 'short.wav']) {
      const mel = melSpectrogram(await loadAudio(at(name)));
      const table = await noteTable(notes.encoder, notes.transcriber!, [{ id: name, mel }]);
      const found = await predictFile(notes, at(name));
      expect(found.clips.length).toBe(table.nClips);
      const logits = found.clips.flatMap((clip) => [...clip.logits]);
      expect(largestDifference(logits, logitsOverPitches(notes.probe, table.embeddings))).toBeLessThan(1e-5);
      const mean = Array.from({ length: 24 }, (_, k) => found.clips.reduce((sum, clip) => sum + clip.logits[k], 0));
      expect(found.keyId).toBe(mean.indexOf(Math.max(...mean)));
    }
    const { clips, moments, durationSeconds } = await predictFile(notes, at('long.mp3'));
    clips.forEach(({ startSeconds }, i) => expect(startSeconds).toBeCloseTo(i * 12.544, 9));
    expect([clips[0].seconds, moments[0].seconds, moments[1].startSeconds]).toEqual([25.088, 6.144, 3.072]);
    expect(moments.at(-1)!.startSeconds + 6.144).toBeLessThanOrEqual(durationSeconds);
    const short = await predictFile(notes, at('short.wav'));
    expect([short.clips.length, short.moments.length]).toEqual([1, 1]);
    expect(short.clips[0].seconds).toBeLessThanOrEqual(1.5);
    expect(tf.memory().numTensors).toBe(before);
    notes.dispose();
  });

  it('takes another hop in whole bins, averages shifts, and has an identity of its own', async () => {
    const notes = loadKeyModel(files('notes'));
    expect([notes.clipFrames, notes.clipHop]).toEqual([784, 392]);
    const fine = await predictFile(notes, at('long.mp3'), { clipHop: 200 });
    expect(fine.clips[1].startSeconds).toBeCloseTo(6.4, 9);
    await expect(predictFile(notes, at('long.mp3'), { clipHop: 100 })).rejects.toThrow(
      /100 frames; .* a multiple of 8/,
    );
    const averaged = await predictFile(notes, at('short.wav'), { averageShifts: true });
    expect(averaged.moments[0].logits).not.toEqual((await predictFile(notes, at('short.wav'))).moments[0].logits);
    const other = loadKeyModel(files('other', { transcriber: randomTranscriber(32, 1) }));
    expect(keyModelId(other)).not.toBe(keyModelId(notes));
    for (const one of [notes, other]) one.dispose();
  });

  it.each([
    ['tokens', { transcriber: randomTranscriber(31) }, /reads tokens of width 31; those of .* have width 32/],
    ['statistics', { probe: randomProbe(32) }, /a transcriber and a head of width 32; the statistics of notes have/],
  ] as const)('is refused with other %s', (name, options, message) => {
    expect(() => loadKeyModel(files(name, options))).toThrow(message);
  });
});

describe('loadKeyModel', () => {
  it('the head says how clips follow each other, unless the caller does; without, one by one', async () => {
    const half = loadKeyModel(tinyModel(dir, { name: 'half', headMetadata: { temperature: '2', clipHop: '98' } }));
    const heard = await predictFile(half, at('long.mp3'));
    expect(heard).toEqual(await predictFile(model, at('long.mp3'), { clipHop: 98 }));
    expect(await predictFile(half, at('long.mp3'), { clipHop: 196 })).toEqual(await predictFile(model, at('long.mp3')));
    expect(keyModelId(half)).not.toBe(keyModelId(model));
    half.dispose();
  });

  it('without a temperature it is 1 and not calibrated', () => {
    const plain = loadKeyModel(tinyModel(dir, { name: 'plain', headMetadata: {} }));
    expect(plain).toMatchObject({ temperature: 1, isCalibrated: false, name: 'plain.safetensors' });
    expect(model).toMatchObject({ temperature: 2, isCalibrated: true });
    plain.dispose();
  });

  it.each([
    ['width', { probe: randomProbe(31) }, /width 31; those of .* have width 32/],
    ['split', { probe: randomProbe(32, 0, { standardize: 'perSplit' }) }, /statistics of a whole split/],
    ['cold', { headMetadata: { temperature: '0' } }, /temperature "0"; a number above 0/],
    ['warm', { headMetadata: { temperature: 'warm' } }, /temperature "warm"/],
    ['hop', { headMetadata: { clipHop: '197' } }, /clipHop "197"; a number of frames from 1 to 196/],
    ['half hop', { headMetadata: { clipHop: '9.5' } }, /clipHop "9.5"/],
  ] as const)('refuses a model of another %s, without a tensor left', (name, options, message) => {
    const files = tinyModel(dir, { name, ...options });
    const before = tf.memory().numTensors;
    expect(() => loadKeyModel(files)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('the id stands for weights, head and temperature, not for names', () => {
    const idOf = (options: Parameters<typeof tinyModel>[1]): string => {
      const other = loadKeyModel(tinyModel(dir, options));
      const id = keyModelId(other);
      other.dispose();
      return id;
    };
    const id = keyModelId(model);
    expect(idOf({ name: 'copy' })).toBe(id);
    const others = [
      idOf({ seed: 1 }),
      idOf({ probe: randomProbe(32, 5) }),
      idOf({ headMetadata: { temperature: '1' } }),
    ];
    expect(new Set([id, ...others]).size).toBe(4);
    tinyModel(dir); // as it was
  });

  it('the shipped model is there whole, or its absence is one sentence', () => {
    try {
      const { weights, head } = shippedModel();
      expect([weights, head].every((path) => existsSync(path))).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(/data.checkpoints.*safetensors: the model that ships is not there/);
    }
  });
});
