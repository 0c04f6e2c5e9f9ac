/** Mels on disk: the same frames, batches and training as from memory; shards made once for the same content. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { readFolder, type Track, trackAudio } from '../../lib/src/corpus/index.js';
import { cutClip, melSpectrogram, type MelTrack } from '../../lib/src/mel/index.js';
import {
  batchOfStep,
  MelShards,
  type MelSource,
  pretrain,
  type PretrainTrack,
  shardTracks,
  shardUnits,
} from '../../lib/src/pretrain/index.js';
import { Cache, float32, writeSafetensors } from '../../lib/src/store/index.js';
import { createRng, initBackend } from '../../lib/src/tensor/index.js';
import { patchesOfViews } from '../../lib/src/pretrain/index.js';
import { makeTracks, smallConfig } from './fixture.js';

const dir = mkdtempSync(join(tmpdir(), 'mel-shards-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeAll(() => initBackend({ blasThreads: 1 }));

/** Writes tracks as shards of `size` and gives them as they are read from there. */
function onDisk(tracks: readonly MelTrack[], size: number, name: string, shards = new MelShards()): MelSource[] {
  const stored: MelSource[] = [];
  for (let first = 0; first < tracks.length; first += size) {
    const some = tracks.slice(first, first + size);
    const mels = some.map(({ mel }, i) => [String(i), float32([mel.nMels, mel.nFrames], mel.data)] as const);
    writeSafetensors(at(`${name}-${first}.safetensors`), new Map(mels), {
      track_ids: JSON.stringify(some.map((t) => t.id)),
    });
    stored.push(...shards.open(at(`${name}-${first}.safetensors`)).tracks);
  }
  return stored;
}

/** Lengths of less than a clip (32 frames), of some clips, and of so many that bands are read one by one. */
const tracks = [...makeTracks(12), ...makeTracks(2, 20), ...makeTracks(1, 700)].map((track, i) => ({
  ...track,
  id: `t${i}`,
}));

describe('mels on disk', () => {
  it('for any part: the frames of the mel in memory', () => {
    const stored = onDisk(tracks, 4, 'frames');
    const property = fc.property(
      fc.nat(tracks.length - 1),
      fc.nat(699),
      fc.integer({ min: 1, max: 80 }),
      (t, start, n) => {
        const { mel } = tracks[t];
        const from = start % mel.nFrames;
        const part = (stored[t].mel as Extract<MelSource['mel'], { frames: unknown }>).frames(from, n);
        const present = Math.min(n, mel.nFrames - from);
        expect(part.nFrames).toBe(present);
        expect(part.data).toEqual(cutClip({ ...mel }, from, present).data);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it.each([
    ['anywhere', { maxFrameDistance: null }],
    ['some clips a track', { clipsPerTrack: 3, maxFrameDistance: 0 }],
    ['mixed', { inputMixUp: { alpha: 2, beta: 5 } }],
  ])('give the same batches: %s', (name, changes) => {
    const config = smallConfig(changes);
    const stored = onDisk(tracks, 5, name);
    for (let step = 0; step < 5; step++) {
      const [memory, disk] = [batchOfStep(config, tracks, step), batchOfStep(config, stored, step)];
      expect(disk.trackIds).toEqual(memory.trackIds);
      const patches = (batch: typeof memory) => patchesOfViews(batch, 32, 'vertical', batch.kept.vertical);
      expect(patches(disk)).toEqual(patches(memory));
    }
  });

  it('shifted copies too, and checks of both', async () => {
    const copies = tracks.map(({ id, mel }) => ({ id, mel: { ...mel, data: mel.data.map((x) => 2 * x) } }));
    const withCopies = (own: readonly MelSource[], shifted: readonly MelSource[]): PretrainTrack[] =>
      own.map((track, i) => ({ ...track, shifted: new Map([[3, shifted[i].mel]]) }));
    const config = smallConfig({ pitchShifts: [3], steps: 2, snapshotSteps: [] });
    const stored = withCopies(onDisk(tracks, 6, 'own'), onDisk(copies, 6, 'copies'));
    const clock = (): number => 0;
    await pretrain(config, withCopies(tracks, copies), { dir: at('run-memory'), clock });
    await pretrain(config, stored, { dir: at('run-disk'), clock });
    // Weights, moments, log with the losses: every byte.
    for (const file of ['encoder.safetensors', 'checkpoint.safetensors', 'log.jsonl'])
      expect(readFileSync(at(`run-disk/${file}`)).equals(readFileSync(at(`run-memory/${file}`))), file).toBe(true);
    const short = onDisk([makeTracks(1, 50)[0]], 1, 'short')[0].mel;
    const wrong = stored.map((track) => ({ ...track, shifted: new Map([[3, short]]) }));
    await expect(pretrain(config, wrong, { dir: at('run-wrong'), clock })).rejects.toThrow(
      /50 frames, the track has 96/,
    );
  });

  it('keeps few files open, and opens them again', () => {
    const many = onDisk(makeTracks(200, 8), 1, 'many');
    const read = () =>
      many.map(({ mel }) => (mel as Extract<MelSource['mel'], { frames: unknown }>).frames(0, 8).data[0]);
    const first = read();
    const links = readdirSync('/proc/self/fd').length; // of a system that shows them
    expect(links).toBeLessThan(200);
    expect(read()).toEqual(first);
  });

  it('names a file that is no shard, or that is cut', () => {
    writeSafetensors(at('other.safetensors'), new Map([['0', float32([2], new Float32Array(2))]]));
    expect(() => new MelShards().open(at('other.safetensors'))).toThrow(/other\.safetensors: is no shard/);
    const [{ mel }] = onDisk(makeTracks(1), 1, 'cut');
    writeFileSync(at('cut-0.safetensors'), readFileSync(at('cut-0.safetensors')).subarray(0, 3000));
    expect(() => (mel as Extract<MelSource['mel'], { frames: unknown }>).frames(0, 32)).toThrow(/became shorter/);
  });
});

const noise = (seconds: number, seed: string): Uint8Array => {
  const rng = createRng(seed);
  return encodeWav(
    Float32Array.from({ length: 16000 * seconds }, () => 0.2 * rng.normal()),
    16000,
  );
};

describe('shardTracks', () => {
  const cache = new Cache(at('cache'));
  const folder = async (name: string): Promise<readonly Track[]> =>
    (await readFolder(at(name), { quick: true })).tracks;
  const shardDates = (): Record<string, number> =>
    Object.fromEntries(readdirSync(at('cache/mels')).map((name) => [name, statSync(at(`cache/mels/${name}`)).ino]));

  it('is the mels of the tracks; a bad file is left out; a moved folder and a second run compute nothing', async () => {
    mkdirSync(at('music'));
    for (let i = 0; i < 5; i++) writeFileSync(at(`music/${i}.wav`), noise(2, `${i}`));
    writeFileSync(at('music/9.wav'), encodeWav(new Float32Array(32000), 16000)); // silent: its header is fine
    const all = await folder('music');
    const { tracks: made, leftOut, shards } = await shardTracks(all, { cache, threads: 2 });
    expect(made.map(({ id }) => id)).toEqual(['0.wav@0', '1.wav@0', '2.wav@0', '3.wav@0', '4.wav@0']);
    expect(leftOut).toMatchObject([{ id: '9.wav@0', problem: expect.stringMatching(/silent/) as string }]);
    for (const [i, track] of made.entries()) {
      const expected = melSpectrogram(await trackAudio(all[i]));
      expect((track.mel as Extract<MelSource['mel'], { frames: unknown }>).frames(0, 1000)).toEqual(expected);
    }
    shards.close();
    const before = shardDates();
    renameSync(at('music'), at('moved'));
    const again = await shardTracks(await folder('moved'), { cache, threads: 1 });
    expect(again.tracks.map(({ id }) => id)).toEqual(made.map(({ id }) => id));
    expect(again.leftOut).toEqual(leftOut);
    expect(shardDates()).toEqual(before); // the same files, not written again
    // Another content under an old name is another shard.
    cpSync(at('moved'), at('changed'), { recursive: true });
    writeFileSync(at('changed/0.wav'), noise(2, 'other'));
    const changed = await shardTracks(await folder('changed'), { cache, threads: 1 });
    const first = (some: readonly MelSource[]) =>
      (some[0].mel as Extract<MelSource['mel'], { frames: unknown }>).frames(0, 4);
    expect(first(changed.tracks)).not.toEqual(first(again.tracks));
  });

  it('cuts tracks of more than ten minutes into pieces', async () => {
    writeFileSync(at('long.wav'), noise(602, 'long'));
    const track: Track = {
      ...{ id: 'long', keyId: null, split: null, group: 'long', labels: {}, durationSeconds: 0 },
      source: { kind: 'file', path: at('long.wav') },
    };
    const { tracks: pieces } = await shardTracks([track], { cache, threads: 1 });
    expect(pieces.map(({ id, mel }) => [id, mel.nFrames])).toEqual([
      ['long@0', 18751],
      ['long@600', 63],
    ]);
  });

  it('for any files: all tracks in order, no file in two units; one more file moves few shards', () => {
    const item = (file: string, start: number): Track => ({
      ...{ id: `${file}@${start}`, keyId: null, split: null, group: file, labels: {}, durationSeconds: 30 },
      source: { kind: 'file', path: file, start, duration: 30 },
    });
    const files = (n: number): string[] => Array.from({ length: n }, (_, i) => `${1000 + i}.wav`);
    const property = fc.property(
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 60 }),
      (items) => {
        const all = items.flatMap((n, i) => Array.from({ length: n }, (_, k) => item(`${i}.wav`, 30 * k)));
        const units = shardUnits(all);
        expect(units.flat(2)).toEqual(all);
        const perUnit = units.flatMap((unit) => [...new Set(unit.flat().map(({ group }) => group))]);
        expect(new Set(perUnit).size).toBe(perUnit.length);
        for (const shard of units.flat()) {
          expect(shard.length).toBeGreaterThan(0);
          expect(shard.length).toBeLessThanOrEqual(60);
        }
      },
    );
    fc.assert(property, { numRuns: 30 });
    const names = (some: readonly string[]): Set<string> =>
      new Set(shardUnits(some.map((file) => item(file, 0))).flatMap((unit) => unit.map((shard) => shard.map(({ id }) => id).join()))); // prettier-ignore
    const before = names(files(2000));
    const after = names([...files(2000), '1500b.wav'].sort());
    expect([...after].filter((shard) => !before.has(shard)).length).toBeLessThanOrEqual(8);
    expect(before.size).toBeGreaterThan(40);
  });
});
