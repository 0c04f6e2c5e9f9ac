import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { readFolder, readManifest, trackAudio } from '../../lib/src/corpus/index.js';
import { Cache } from '../../lib/src/store/index.js';

let dir = '';
const sine = (seconds: number, hz = 440): Float32Array =>
  Float32Array.from({ length: Math.round(seconds * 16000) }, (_, i) => 0.3 * Math.sin((2 * Math.PI * hz * i) / 16000));
const put = (path: string, data: Uint8Array | string): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), data);
};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'readers-'));
  put('music/b/long.wav', encodeWav(sine(7), 16000));
  put('music/a.wav', encodeWav(sine(1.5), 16000));
  put('music/broken.wav', 'this is no audio');
  put('music/empty.mp3', '');
  put('music/tiny.wav', encodeWav(sine(0.2), 16000));
  put('music/quiet.wav', encodeWav(new Float32Array(32000), 16000));
  put('music/notes.txt', 'not looked at');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('readFolder', () => {
  it('cuts long files into items, in a fixed order, and reports what it skips', async () => {
    const corpus = await readFolder(join(dir, 'music'), { itemSeconds: 2 });
    expect(corpus.tracks.map(({ id, durationSeconds }) => [id, durationSeconds])).toEqual([
      ['a.wav@0', 1.5],
      ['b/long.wav@0', 2],
      ['b/long.wav@2', 2],
      ['b/long.wav@4', 2],
      ['b/long.wav@6', 1],
    ]);
    expect(corpus.tracks.every((track) => track.keyId === null && track.split === null)).toBe(true);
    expect(corpus.skipped.map(({ path }) => path.split('/').at(-1))).toEqual([
      'broken.wav',
      'empty.mp3',
      'quiet.wav',
      'tiny.wav',
    ]);
    const last = await trackAudio(corpus.tracks.at(-1)!);
    expect(last).toEqual(
      (await trackAudio({ ...corpus.tracks[1], source: { kind: 'file', path: join(dir, 'music/b/long.wav') } })).slice(
        96000,
      ),
    );
  });

  it('learns lengths once when given a cache', async () => {
    const cache = new Cache(join(dir, 'cache'));
    const first = await readFolder(join(dir, 'music'), { itemSeconds: 2, cache });
    const misses = cache.misses;
    expect(await readFolder(join(dir, 'music'), { itemSeconds: 2, cache })).toEqual(first);
    expect(cache.misses).toBe(misses);
  });

  it('refuses folders that are not there or hold nothing', async () => {
    await expect(readFolder(join(dir, 'nowhere'))).rejects.toThrow(/nowhere: cannot be read as a folder/);
    mkdirSync(join(dir, 'void'));
    await expect(readFolder(join(dir, 'void'))).rejects.toThrow(/no audio file was found/);
  });
});

describe('readManifest', () => {
  const manifest = async (csv: string) => {
    put('list.csv', csv);
    return readManifest(join(dir, 'list.csv'));
  };
  const head = 'path,key,split,artist,start,duration\n';

  it('reads keys, splits, artists and cuts', async () => {
    const corpus = await manifest(
      `${head}music/a.wav,Eb minor,train,Ada,,\nmusic/b/long.wav,F# major,test,Bo,2,3.5\nmusic/b/long.wav,,test,Bo,5.5,\n`,
    );
    expect(corpus.tracks.map((t) => [t.id, t.keyId, t.split, t.group, t.durationSeconds])).toEqual([
      ['music/a.wav', 7, 'train', 'Ada', 1.5],
      ['music/b/long.wav@2', 12, 'test', 'Bo', 3.5],
      ['music/b/long.wav@5.5', null, 'test', 'Bo', 1.5],
    ]);
    expect((await trackAudio(corpus.tracks[1])).length).toBe(56000);
  });

  it.each([
    ['unknown key', 'music/a.wav,H major,train,,,\n', /list\.csv line 2, column key.*H major/],
    ['unknown split', 'music/a.wav,C major,dev,,,\n', /list\.csv line 2, column split.*dev/],
    ['duplicate id', 'music/a.wav,C major,,,,\nmusic/a.wav,C major,,,,\n', /list\.csv line 3.*music\/a\.wav.*line 2/],
    [
      'a file in two splits',
      'music/b/long.wav,C major,train,,0,2\nmusic/b/long.wav,C major,test,,2,2\n',
      /list\.csv line 3.*split test here and in split train before/,
    ],
    [
      'an artist in two splits',
      'music/a.wav,C major,train,Ada,,\nmusic/b/long.wav,C major,test,Ada,,\n',
      /list\.csv line 3.*artist "Ada"/,
    ],
    ['missing file', 'music/none.wav,C major,,,,\n', /list\.csv line 2, column path.*none\.wav/],
    ['damaged file', 'music/broken.wav,C major,,,,\n', /list\.csv line 2.*broken\.wav/],
    ['start behind the end', 'music/a.wav,C major,,,9,\n', /list\.csv line 2, column start.*1\.50 s/],
    ['no number', 'music/a.wav,C major,,,x,\n', /list\.csv line 2, column start.*"x"/],
  ])('names file and line: %s', async (_, row, message) => {
    await expect(manifest(head + row)).rejects.toThrow(message);
  });

  it('needs a column path and rows', async () => {
    await expect(manifest('file,key\na.wav,C major\n')).rejects.toThrow(/column path is needed/);
    await expect(manifest(head)).rejects.toThrow(/no rows/);
  });
});
