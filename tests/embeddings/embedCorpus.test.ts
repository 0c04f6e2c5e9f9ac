/** Embedding in bounded memory: the same table as from memory, whole or resumed, on any number of threads. */
import { appendFileSync, existsSync, mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { readFolder, type Track, trackAudio } from '../../lib/src/corpus/index.js';
import {
  embedCorpus,
  embeddingUnits,
  embedTracks,
  loadEmbeddingTable,
  PartialTable,
} from '../../lib/src/embeddings/index.js';
import { Encoder, encoderConfig, saveCheckpoint } from '../../lib/src/encoder/index.js';
import { melSpectrogram } from '../../lib/src/mel/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';

const dir = mkdtempSync(join(tmpdir(), 'embed-corpus-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const noise = (seconds: number, seed: string): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length: Math.round(16000 * seconds) }, () => 0.2 * rng.normal());
};
const weights = at('tiny.safetensors');
let encoder: Encoder;
let tracks: readonly Track[];

beforeAll(async () => {
  await initBackend({ blasThreads: 1 });
  encoder = Encoder.init(encoderConfig('vertical', 'tiny', { clipFrames: 32 }), createRng(0));
  saveCheckpoint(weights, encoder);
  mkdirSync(at('music'));
  // 70 files, two units; lengths of less than a clip to some clips.
  for (let i = 0; i < 70; i++)
    writeFileSync(at(`music/${100 + i}.wav`), encodeWav(noise(1 + (i % 5) / 4, `${i}`), 16000));
  tracks = (await readFolder(at('music'), { quick: true })).tracks;
});
afterAll(() => encoder.dispose());

const options = { threads: 1 } as const;

describe('embedCorpus', () => {
  it('is the table of the mels in memory, without a tensor left', async () => {
    const before = tf.memory().numTensors;
    const result = await embedCorpus(weights, tracks, at('a.safetensors'), options);
    expect(tf.memory().numTensors).toBe(before);
    const mels = [];
    for (const track of tracks) mels.push({ id: track.id, mel: melSpectrogram(await trackAudio(track)) });
    const expected = await embedTracks(encoder, mels);
    const table = loadEmbeddingTable(at('a.safetensors'));
    expect(table.trackIds).toEqual(expected.trackIds);
    expect(table.trackOf).toEqual(expected.trackOf);
    expect(result).toMatchObject({ nClips: expected.nClips, nTracks: 70, width: 32, leftOut: [] });
    const largest = table.embeddings.reduce((most, x, i) => Math.max(most, Math.abs(x - expected.embeddings[i])), 0);
    expect(largest).toBeLessThan(2e-6); // batches of other clips, other rounding
    expect(existsSync(at('a.safetensors.partial'))).toBe(false);
  });

  it('killed after any unit and on any number of threads, it ends with the same bytes', async () => {
    const stop = new AbortController();
    const progress: number[] = [];
    const first = embedCorpus(weights, tracks, at('b.safetensors'), {
      ...options,
      signal: stop.signal,
      onProgress: (done) => stop.abort(new Error(`stopped after ${done}`)),
    });
    await expect(first).rejects.toThrow('stopped after 64');
    // As a process leaves it that was killed while it wrote the next line.
    appendFileSync(at('b.safetensors.partial/done.jsonl'), '{"unit":1,"file":"rows-0.f32","fir');
    expect(existsSync(at('b.safetensors'))).toBe(false);
    await embedCorpus(weights, tracks, at('b.safetensors'), { threads: 2, onProgress: (done) => progress.push(done) });
    expect(progress).toEqual([64, 70]);
    await embedCorpus(weights, tracks, at('c.safetensors'), { threads: 2 });
    const whole = readFileSync(at('a.safetensors'));
    for (const name of ['b', 'c']) expect(readFileSync(at(`${name}.safetensors`)).equals(whole), name).toBe(true);
  });

  it('begins anew with other weights, another cut or a file that changed', async () => {
    const firstProgress = async (some: readonly Track[], more: object): Promise<number> => {
      const stop = new AbortController();
      const seen: number[] = [];
      const onProgress = (done: number): void => {
        seen.push(done);
        if (seen.length === 2 || done === 1) stop.abort(new Error('stop'));
      };
      const run = embedCorpus(weights, some, at('d.safetensors'), {
        ...options,
        ...more,
        onProgress,
        signal: stop.signal,
      });
      await run.catch(() => undefined);
      return seen[0];
    };
    const unit = (path: string): Track => ({
      ...tracks[0],
      id: path,
      durationSeconds: 700,
      source: { kind: 'file', path },
    });
    writeFileSync(at('x.wav'), encodeWav(noise(2, 'x'), 16000));
    const three = [at('x.wav'), at('music/101.wav'), at('music/102.wav')].map(unit);
    expect(await firstProgress(three, {})).toBe(1);
    expect(await firstProgress(three, { clipHop: 16 })).toBe(1); // 1 again: nothing was kept
    expect(readdirSync(at('d.safetensors.partial')).sort()).toEqual(['done.jsonl', 'rows-0.f32', 'run.json']);
    writeFileSync(at('x.wav'), encodeWav(noise(3, 'x'), 16000));
    expect(await firstProgress(three, { clipHop: 16 })).toBe(1);
  });

  it('a long track, read as a stream, gives the rows of the whole', async () => {
    const path = at('long.wav');
    writeFileSync(path, encodeWav(noise(20, 'long'), 16000));
    const track: Track = { ...tracks[0], id: 'long', durationSeconds: 20, source: { kind: 'file', path } };
    await embedCorpus(weights, [track], at('whole.safetensors'), options);
    await embedCorpus(weights, [{ ...track, durationSeconds: 0 }], at('stream.safetensors'), options);
    expect(readFileSync(at('stream.safetensors')).equals(readFileSync(at('whole.safetensors')))).toBe(true);
    expect(loadEmbeddingTable(at('stream.safetensors')).nClips).toBe(19);
  });

  it('leaves out what cannot be read, in the middle of a batch too, and says why', async () => {
    const track = (id: string, path: string): Track => ({ ...tracks[0], id, source: { kind: 'file', path } });
    writeFileSync(at('silent.wav'), encodeWav(new Float32Array(40000), 16000));
    writeFileSync(at('text.wav'), 'no sound');
    // A stream that ends in a fault after clips of it were embedded.
    writeFileSync(at('cut.wav'), floatWav(noise(40, 'cut'), 630_000));
    const some = [
      track('a', at('music/100.wav')),
      { ...track('cut', at('cut.wav')), durationSeconds: 0 },
      track('silent', at('silent.wav')),
      track('text', at('text.wav')),
      track('b', at('music/104.wav')),
    ];
    const named: string[] = [];
    const { leftOut } = await embedCorpus(weights, some, at('e.safetensors'), {
      ...options,
      onLeftOut: ({ id }) => named.push(id),
    });
    expect(named).toEqual(['cut', 'silent', 'text']);
    expect(leftOut[0].problem).toMatch(/NaN/);
    const table = loadEmbeddingTable(at('e.safetensors'));
    const all = loadEmbeddingTable(at('a.safetensors'));
    expect(table.trackIds).toEqual(['a', 'b']);
    const clipsOf = (id: string): number => [...all.trackOf].filter((t) => all.trackIds[t] === id).length;
    expect(table.nClips).toBe(clipsOf('100.wav@0') + clipsOf('104.wav@0'));
    for (let i = 0; i < 32; i++) expect(table.embeddings[i]).toBeCloseTo(all.embeddings[i], 5);
    await expect(embedCorpus(weights, some.slice(2, 4), at('f.safetensors'), options)).rejects.toThrow(
      /silent.*any other/,
    );
    expect(existsSync(at('f.safetensors'))).toBe(false);
  });
});

/** A wav of 32-bit floats, mono, 16 kHz, with a NaN at one sample. */
function floatWav(samples: Float32Array, nanAt: number): Buffer {
  const bytes = Buffer.alloc(44 + 4 * samples.length);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(3, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(16000, 24);
  bytes.writeUInt32LE(64000, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(32, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(4 * samples.length, 40);
  samples.forEach((x, i) => bytes.writeFloatLE(i === nanAt ? NaN : x, 44 + 4 * i));
  return bytes;
}

describe('embeddingUnits', () => {
  it('for any tracks: all of them, in order, no file in two units', () => {
    const track = fc.record({ file: fc.integer({ min: 0, max: 9 }), seconds: fc.integer({ min: 0, max: 900 }) });
    const property = fc.property(fc.array(track, { minLength: 1, maxLength: 300 }), (some) => {
      const sorted = [...some].sort((a, b) => a.file - b.file);
      const all = sorted.map(({ file, seconds }, i): Track => ({
        ...{ id: `${i}`, keyId: null, split: null, group: '', labels: {}, durationSeconds: seconds },
        source: { kind: 'file', path: `${file}.wav`, start: i },
      }));
      const units = embeddingUnits(all);
      expect(units.flat()).toEqual(all);
      const files = units.flatMap((unit) => [
        ...new Set(unit.map(({ source }) => source.kind === 'file' && source.path)),
      ]);
      expect(new Set(files).size).toBe(files.length);
    });
    fc.assert(property, { numRuns: 50 });
  });
});

describe('PartialTable', () => {
  const unit = (value: number, n: number) => ({ rows: new Float32Array(2 * n).fill(value), nClips: [n], leftOut: [] });

  it('two processes at once do no harm: each writes rows of its own', () => {
    const one = new PartialTable(at('p'), 'run', 3, 2);
    const two = new PartialTable(at('p'), 'run', 3, 2);
    one.add(0, unit(1, 2));
    two.add(0, unit(1, 2));
    two.add(2, unit(3, 1));
    one.add(1, unit(2, 1));
    one.close();
    two.close();
    const last = new PartialTable(at('p'), 'run', 3, 2);
    expect(last.size).toBe(3);
    last.finish(at('p.safetensors'), (i) => [`t${i}`]);
    const table = loadEmbeddingTable(at('p.safetensors'));
    expect([...table.embeddings]).toEqual([1, 1, 1, 1, 2, 2, 3, 3]);
    expect(table.trackIds).toEqual(['t0', 't1', 't2']);
  });

  it('does not believe a line whose rows are not there', () => {
    const table = new PartialTable(at('q'), 'run', 2, 2);
    table.add(0, unit(1, 2));
    table.close();
    writeFileSync(at('q/rows-0.f32'), new Uint8Array(15));
    expect(new PartialTable(at('q'), 'run', 2, 2).has(0)).toBe(false);
  });

  it('deletes nothing that is not its own', () => {
    mkdirSync(at('r'));
    writeFileSync(at('r/thesis.txt'), 'years of work');
    expect(() => new PartialTable(at('r'), 'run', 1, 2)).toThrow(/holds thesis\.txt/);
    expect(existsSync(at('r/thesis.txt'))).toBe(true);
  });
});
