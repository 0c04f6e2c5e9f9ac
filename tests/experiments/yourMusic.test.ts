import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav, SAMPLE_RATE } from '../../lib/src/audio/index.js';
import { readManifest } from '../../lib/src/corpus/index.js';
import { type Music, openMusic } from '../../lib/src/experiments/index.js';
import { readLabels, saveLabel } from '../../lib/src/experiments/music/yourMusicLabels.js';
import { type HeardClips, overTime, wholeAnswer } from '../../lib/src/experiments/music/yourMusicOverTime.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { loadKeyModel, predictFile } from '../../lib/src/predict/index.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import { tinyModel } from '../predict/models.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'keymyna-music-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function newFolder(): string {
  const folder = join(root, `folder-${folders++}`);
  mkdirSync(folder);
  return folder;
}

/** Chords on a tonic, seconds long. */
function music(tonic: number, seconds: number): Uint8Array {
  const hertz = [0, 4, 7].map((semitone) => 220 * 2 ** ((tonic + semitone) / 12));
  const sample = (i: number) => hertz.reduce((sum, f) => sum + 0.2 * Math.sin((2 * Math.PI * f * i) / SAMPLE_RATE), 0);
  return encodeWav(
    Float32Array.from({ length: Math.round(seconds * SAMPLE_RATE) }, (_, i) => sample(i)),
    SAMPLE_RATE,
  );
}

/** Clips whose logits favour these keys. */
function clips(favoured: readonly number[], strength = 4): HeardClips {
  const logits = favoured.map((key) => KEYS.map(({ id }) => (id === key ? strength : 0)));
  const [clipSeconds, hopSeconds] = [6.272, 3.136];
  const whole = KEYS.map((_, k) => logits.reduce((sum, row) => sum + row[k], 0) / logits.length);
  return { seconds: (favoured.length + 1) * hopSeconds + 1, clipSeconds, hopSeconds, whole, logits };
}

describe('the key over time', () => {
  const sections = [...Array<number>(20).fill(0), ...Array<number>(20).fill(14)]; // C major, then G major

  it('covers the whole recording without gaps; the probabilities of each column add up to 1', () => {
    const heard = clips(sections);
    const { edges, posteriors, segments, alone } = overTime(heard, 1, 120);
    expect([edges[0], edges.at(-1)]).toEqual([0, heard.seconds]);
    expect(edges.every((time, i) => i === 0 || time > edges[i - 1])).toBe(true);
    for (let c = 0; c < edges.length - 1; c++)
      expect(posteriors.reduce((sum, row) => sum + row[c], 0)).toBeCloseTo(1, 1);
    for (const strip of [segments, alone]) {
      expect([strip[0].start, strip.at(-1)!.end]).toEqual([0, heard.seconds]);
      expect(strip.slice(1).every(({ start }, i) => start === strip[i].end)).toBe(true);
      expect(strip.map(({ keyId }) => keyId)).toEqual([0, 14]);
    }
    // Between the middles of clips 19 and 20.
    expect(segments[1].start).toBeCloseTo(6.272 / 2 + 19.5 * 3.136, 2);
  });

  it('a single clip that says otherwise is smoothed away, unless keys are short', () => {
    const keys = sections.map((key, i) => (i === 8 ? 11 : key));
    expect(overTime(clips(keys, 3), 1, 120).segments).toHaveLength(2);
    expect(overTime(clips(keys, 3), 1, 120).alone).toHaveLength(4);
    expect(overTime(clips(keys, 12), 1, 4).segments).toHaveLength(4);
  });

  it('of ten hours has no more columns than can be seen', () => {
    const long = clips(Array.from({ length: 11_500 }, (_, i) => (i < 6000 ? 3 : 5)));
    const { edges, posteriors, segments } = overTime(long, 1, 120);
    expect(edges.length).toBeLessThanOrEqual(1201);
    expect(posteriors.every((row) => row.length === edges.length - 1)).toBe(true);
    expect(segments.map(({ keyId }) => keyId)).toEqual([3, 5]);
  });

  it('one clip is one column', () => {
    const { edges, segments } = overTime({ ...clips([7]), seconds: 2 }, 1, 120);
    expect(edges).toEqual([0, 2]);
    expect(segments).toEqual([{ start: 0, end: 2, keyId: 7 }]);
  });

  it('a higher temperature makes the whole less sure and changes no key', () => {
    const heard = clips([0, 0, 14, 14, 0, 0]);
    const [cold, warm] = [wholeAnswer(heard, 1), wholeAnswer(heard, 3)];
    expect([warm.keyId, warm.secondKeyId]).toEqual([cold.keyId, cold.secondKeyId]);
    expect([cold.keyId, cold.secondKeyId]).toEqual([0, 14]);
    expect(warm.probabilities[0]).toBeLessThan(cold.probabilities[0]);
    expect(warm.probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });
});

describe('labels in a manifest', () => {
  it('are added, changed and taken away; everything else stays as it is, in its order', () => {
    const folder = newFolder();
    const manifest = join(folder, 'manifest.csv');
    const before =
      'path,key,split,artist,start,duration,mood\nx.wav,C major,train,"A, B",,,calm\nold/y.wav,,test,,10,20,\nz.wav,Bb minor,,,,,\n';
    writeFileSync(manifest, before);
    saveLabel(manifest, join(folder, 'new.wav'), 7);
    saveLabel(manifest, join(folder, 'x.wav'), 9);
    saveLabel(manifest, join(folder, 'z.wav'), null);
    expect(readFileSync(manifest, 'utf8')).toBe(
      'path,key,split,artist,start,duration,mood\nx.wav,E minor,train,"A, B",,,calm\nold/y.wav,,test,,10,20,\nz.wav,,,,,,\nnew.wav,Eb minor,,,,,\n',
    );
    expect(readdirSync(folder)).toEqual(['manifest.csv']);
    expect([...readLabels(manifest)]).toEqual([[join(folder, 'x.wav'), 9], [join(folder, 'new.wav'), 7]]); // prettier-ignore
    expect(() => saveLabel(manifest, join(folder, 'old/y.wav'), 1)).toThrow(/line 3: the manifest cuts 1 parts/);
  });

  it('of any file come back as they were given', () => {
    const folder = newFolder();
    const manifest = join(folder, 'manifest.csv');
    const name = fc
      .array(fc.constantFrom(...'aZ9 ,;"\'=+-#%&é漢🎵.'), { minLength: 1, maxLength: 12 })
      .map((letters) => `${letters.join('').trim() || 'x'}.wav`);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ name, key: fc.nat(23) }), { selector: (one) => one.name, maxLength: 8 }),
        (labels) => {
          rmSync(manifest, { force: true });
          for (const one of labels) saveLabel(manifest, join(folder, one.name), one.key);
          for (const one of labels) saveLabel(manifest, join(folder, one.name), one.key);
          const read = existsSync(manifest) ? readLabels(manifest) : new Map();
          expect([...read]).toEqual(labels.map((one) => [join(folder, one.name), one.key]));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a manifest that is none, or holds no key, is named and stays as it is', () => {
    const folder = newFolder();
    const manifest = join(folder, 'manifest.csv');
    for (const [text, problem] of [
      ['file,key\na.wav,C major\n', /a column path is needed/],
      ['path,key\na.wav\n', /line 2: 1 fields/],
      ['path,key\na.wav,H major\n', /line 2, column key: "H major" is no key/],
    ] as const) {
      writeFileSync(manifest, text);
      expect(() => readLabels(manifest)).toThrow(problem);
      expect(readFileSync(manifest, 'utf8')).toBe(text);
    }
  });
});

describe('a folder of music', () => {
  const open = (folder: string | null, more: object = {}): Promise<Music> =>
    openMusic({
      preset: 'smoke',
      root,
      cacheDir: join(root, 'cache'),
      folder,
      model: join(root, 'model'),
      ...more,
    });
  let folder: string;

  beforeAll(async () => {
    folder = newFolder();
    mkdirSync(join(folder, 'album'));
    writeFileSync(join(folder, 'a.wav'), music(0, 20));
    writeFileSync(join(folder, 'album', 'b.wav'), music(5, 2));
    writeFileSync(join(folder, 'bad.wav'), 'this is no sound');
    writeFileSync(join(folder, 'empty.mp3'), '');
    await initBackend();
    const { weights, head } = tinyModel(root, { config: { inputScale: 'log1p' } });
    mkdirSync(join(root, 'model'));
    renameSync(weights, join(root, 'model', 'encoder.safetensors'));
    renameSync(head, join(root, 'model', 'head.safetensors'));
    await open(folder);
  }, 60_000);

  it('is heard file by file; bad ones are told of and stop nothing; no tensor is left', async () => {
    const before = tf.memory().numTensors;
    const said: [number, number][] = [];
    const heard = await open(folder, { onProgress: (done: number, total: number) => void said.push([done, total]) });
    expect(tf.memory().numTensors).toBe(before);
    expect(heard.files).toEqual(['a.wav', 'album/b.wav']);
    expect(heard.problems.map(({ file }) => file)).toEqual(['bad.wav', 'empty.mp3']);
    expect(heard.problems[1].problem).toMatch(/empty/);
    expect(said.at(-1)).toEqual([4, 4]);
    expect(heard.isDemonstration).toBe(false);
    const { tracks } = heard.measure();
    for (const track of tracks) {
      expect(track.confidence).toBe(Math.max(...track.probabilities));
      expect(track.probabilities[track.keyId]).toBe(track.confidence);
      expect(track.overTime.segments.at(-1)!.end).toBe(track.seconds);
    }
    expect(tracks[1].overTime.edges).toEqual([0, 2]);
  }, 60_000);

  it('gets the answers of keymyna predict', async () => {
    const heard = await open(folder);
    const files = join(root, 'model');
    const model = loadKeyModel({ weights: join(files, 'encoder.safetensors'), head: join(files, 'head.safetensors') });
    try {
      for (const track of heard.measure().tracks) {
        const { keyId, secondKeyId, probabilities } = await predictFile(model, heard.path(track.file));
        expect([track.keyId, track.secondKeyId]).toEqual([keyId, secondKeyId]);
        track.probabilities.forEach((p, key) => expect(p).toBeCloseTo(probabilities[key], 4));
      }
    } finally {
      model.dispose();
    }
  }, 60_000);

  it('stopped and started again hears what is missing only, also under other names', async () => {
    const kept = join(root, 'cache', 'your-music');
    const files = () => readdirSync(kept).sort().map((name) => [name, statSync(join(kept, name)).ino]); // prettier-ignore
    const before = files();
    const other = newFolder();
    copyFileSync(join(folder, 'a.wav'), join(other, 'renamed.wav'));
    writeFileSync(join(other, 'third.wav'), music(9, 2));
    writeFileSync(join(other, 'fourth.wav'), music(2, 2));
    const stop = new AbortController();
    const onProgress = (_: number, __: number, note = ''): void => {
      if (note === 'fourth.wav') stop.abort(new Error('stopped'));
    };
    await expect(open(other, { signal: stop.signal, onProgress })).rejects.toThrow('stopped');
    expect(files()).toHaveLength(before.length + 1);
    const heard = await open(other);
    expect(files()).toHaveLength(before.length + 2);
    expect(files().filter((one) => before.some((known) => known[0] === one[0] && known[1] === one[1]))).toEqual(before);
    expect(heard.measure().tracks[1].probabilities).toEqual((await open(folder)).measure().tracks[0].probabilities);
  }, 60_000);

  it('takes corrections by path, by name where only one has it, and says what is wrong with others', async () => {
    const heard = await open(folder);
    expect(heard.score()).toBeNull();
    expect(heard.correct('a.wav', 'f# major')).toBe('a.wav: Gb major, saved in manifest.csv');
    expect(heard.correct('b.wav', 'Eb:min')).toBe('album/b.wav: Eb minor, saved in manifest.csv');
    expect(heard.measure().tracks.map(({ labelKeyId }) => labelKeyId)).toEqual([12, 7]);
    expect(heard.score()?.n).toBe(2);
    const corpus = await readManifest(heard.manifest);
    expect(corpus.tracks.map(({ id, keyId }) => [id, keyId])).toEqual([['a.wav', 12], ['album/b.wav', 7]]); // prettier-ignore
    expect(heard.correct('album/b.wav', ' ')).toBe('album/b.wav: label taken away');
    expect(() => heard.correct('c.wav', 'C major')).toThrow(
      /"c\.wav": no such recording was heard; there are a\.wav, album\/b\.wav/,
    );
    expect(() => heard.correct('bad.wav', 'C major')).toThrow(/no such recording/);
    expect(() => heard.correct('../a.wav', 'C major')).toThrow(/no such recording/);
    expect(() => heard.correct('a.wav', 'H major')).toThrow(/the key of a\.wav: "H major" is no key/);
    expect((await open(folder)).measure().tracks.map(({ labelKeyId }) => labelKeyId)).toEqual([12, null]);
  }, 60_000);

  it('is reviewed least sure first; each row begins with its label or what was heard', async () => {
    const { rows, choices, save } = (await open(folder)).review();
    const sureness = rows.map(({ cells }) => Number.parseFloat(cells[2]));
    expect(sureness).toEqual([...sureness].sort((a, b) => a - b));
    expect(rows.find(({ name }) => name === 'a.wav')?.choice).toBe('Gb major');
    expect(choices).toHaveLength(25);
    expect(rows.every(({ choice, path }) => choices.includes(choice) && existsSync(path))).toBe(true);
    expect(save('a.wav', '')).toMatch(/taken away/);
  }, 60_000);

  it('that is empty, missing or has a damaged manifest is named before anything is heard', async () => {
    const empty = newFolder();
    await expect(open(empty)).rejects.toThrow(/no audio file was found/);
    await expect(open(join(empty, 'nowhere'))).rejects.toThrow(/there is no such file or folder/);
    renameSync(join(folder, 'manifest.csv'), join(folder, 'kept.csv'));
    writeFileSync(join(folder, 'manifest.csv'), 'path,key\na.wav,H major\n');
    await expect(open(folder)).rejects.toThrow(/line 2, column key/);
    rmSync(join(folder, 'manifest.csv'));
    await expect(open(folder, { model: empty })).rejects.toThrow(
      /encoder\.safetensors: there is no such file; a model is/,
    );
  }, 60_000);
});

describe('without music', () => {
  it('preset smoke hears pieces of the embedded corpus, the same each time, and knows their keys', async () => {
    const options = { preset: 'smoke', root, cacheDir: join(root, 'cache') };
    const first = await openMusic(options);
    expect(first.isDemonstration).toBe(true);
    expect(first.files).toHaveLength(2);
    expect(first.about).toMatch(/2 pieces of the embedded corpus/);
    expect(first.composedKeys.map(([file]) => file).sort()).toEqual([...first.files]);
    const { tracks } = first.measure();
    // One of them modulates, so that there is something to see.
    expect(tracks.some(({ composed }) => new Set(composed?.map(({ keyId }) => keyId)).size > 1)).toBe(true);
    for (const [file, key] of first.composedKeys) first.correct(file, key);
    const again = await openMusic(options);
    expect(again.measure().tracks.every(({ labelKeyId }) => labelKeyId !== null)).toBe(true);
    expect(again.measure().tracks.map(({ probabilities }) => probabilities)).toEqual(tracks.map(({ probabilities }) => probabilities)); // prettier-ignore
    expect(existsSync(join(root, 'data'))).toBe(false);
  }, 120_000);
});
