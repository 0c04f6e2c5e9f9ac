import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { embeddedCorpus, type Track } from '../../lib/src/corpus/index.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { chromagram } from '../../lib/src/mel/index.js';
import { type DetectorSpec, detectTracks, openDetector, parseSystem } from '../../lib/src/peers/index.js';
import { soundOf } from '../../lib/src/peers/trackSound.js';
import { estimateKeyByTemplate, TEMPLATE_PROFILES } from '../../lib/src/probe/index.js';
import { Cache } from '../../lib/src/store/index.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-detect-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

/** Triads I IV V I of a key, as sums of sines. */
function cadence(keyId: number, rate = 16000): Float32Array {
  const { tonic, mode } = KEYS[keyId];
  const third = mode === 'minor' ? 3 : 4;
  return Float32Array.from({ length: 4 * rate }, (_, i) => {
    const root = tonic - 9 + [0, 5, 7, 0][Math.floor(i / rate)];
    const steps = [0, Math.floor(i / rate) === 2 ? 4 : third, 7];
    return steps.reduce(
      (sum, step) => sum + 0.2 * Math.sin((2 * Math.PI * 440 * 2 ** ((root + step) / 12) * i) / rate),
      0,
    );
  });
}

const fileTrack = (name: string, more: object = {}): Track => ({
  id: name,
  keyId: null,
  split: null,
  group: name,
  durationSeconds: 0,
  labels: {},
  source: { kind: 'file', path: at(name), ...more },
});
const system = (text: string): DetectorSpec => parseSystem(text) as DetectorSpec;

let tracks: Track[];
beforeAll(() => {
  for (const keyId of [0, 9, 14]) writeFileSync(at(`${keyId}.wav`), encodeWav(cadence(keyId, 22050), 22050));
  writeFileSync(at('bad.wav'), 'no sound');
  tracks = ['0.wav', 'bad.wav', '9.wav', 'missing.wav', '14.wav'].map((name) => fileTrack(name));
});

describe('systems by name', () => {
  it('are read with and without names of their own', () => {
    expect(system('krumhansl')).toEqual({ kind: 'template', name: 'krumhansl', template: 'krumhanslKessler' });
    expect(system('template:mine=edma')).toEqual({ kind: 'template', name: 'mine', template: 'edma' });
    expect(system('essentia:edma')).toEqual({ kind: 'essentia', name: 'essentia:edma', profile: 'edma' });
    expect(parseSystem(`csv:mik=${at('bad.wav')}`)).toEqual({ kind: 'csv', name: 'mik', path: at('bad.wav') });
    expect(parseSystem(`onnx:${at('bad.wav')}`)).toEqual({ kind: 'onnx', name: 'bad.wav', path: at('bad.wav') });
    // A plus in a path is told from the plus between two.
    writeFileSync(at('a+b'), '');
    expect(parseSystem(`model:x=${at('a+b')}+${at('0.wav')}`)).toMatchObject({
      files: { weights: at('a+b'), head: at('0.wav') },
    });
    expect(parseSystem(`model:${at('a+b')}`)).toMatchObject({
      name: 'a+b',
      files: { weights: at('a+b'), head: at('a+b') },
    });
  });

  it.each([
    ['loud', /found "loud", expected one of krumhansl, .*essentia:PROFILE/],
    ['onnx:', /expected one of/],
    ['onnx:=x', /expected one of/],
    ['guess:x', /expected one of/],
    ['template:loud', /templates are krumhansl/],
    ['essentia:loud', /profiles are bgate, braw/],
    ['onnx:nowhere.onnx', /there is no file nowhere\.onnx/],
    ['csv:a=nowhere.csv', /there is no file nowhere\.csv/],
    ['model:e+h', /there is no e and no h; expected ENCODER\+HEAD/],
  ])('%s is refused', (text, message) => expect(() => parseSystem(text)).toThrow(message));
});

describe('the sound of a track', () => {
  it('at 16 kHz is what the suite hears; at another rate the file decoded anew, cut in seconds', async () => {
    const whole = soundOf(fileTrack('0.wav'));
    expect((await whole(16000)).length).toBe(4 * 16000);
    expect(await whole(22050)).toBe(await whole(22050));
    expect((await whole(22050)).length).toBe(4 * 22050);
    const cut = await soundOf(fileTrack('0.wav', { start: 1, duration: 0.5 }))(22050);
    const expected = (await whole(22050)).subarray(22050, 22050 + 11025);
    expect([cut.length, cut.findIndex((sample, i) => sample !== expected[i])]).toEqual([11025, -1]);
    await expect(soundOf(fileTrack('0.wav', { start: 9 }))(22050)).rejects.toThrow(
      /track 0\.wav: its audio is silent, or/,
    );
    await expect(soundOf(fileTrack('bad.wav'))(22050)).rejects.toThrow(/bad\.wav/);
  });

  it('of a composed piece is rendered and resampled', async () => {
    const [piece] = embeddedCorpus({ sizes: { train: 1, valid: 1, test: 1, testTimbre: 1 }, seed: 0 }).tracks;
    const sound = soundOf(piece);
    expect((await sound(44100)).length).toBe(Math.ceil(((await sound(16000)).length * 44100) / 16000));
  });
});

describe('detection', () => {
  it('by template is that of probe/', async () => {
    for (const name of ['bgate', 'krumhansl', 'temperley', 'edma']) {
      const detector = await openDetector(system(name));
      const samples = cadence(9);
      const profile = TEMPLATE_PROFILES[name === 'krumhansl' ? 'krumhanslKessler' : (name as 'bgate')];
      const { keyId, scores } = estimateKeyByTemplate(chromagram(samples), profile);
      expect(await detector.detect(samples)).toEqual({ keyId, confidence: scores[keyId], scores: Array.from(scores) });
      await expect(detector.detect(new Float32Array(16000))).rejects.toThrow(/no pitch is heard/);
    }
  });

  it('goes on past bad files and systems, and says which', async () => {
    const broken = { kind: 'model', name: 'broken', files: { weights: at('bad.wav'), head: at('bad.wav') } } as const;
    const seen: number[] = [];
    const { systems, failed } = await detectTracks(tracks, [broken, system('bgate'), system('temperley')], {
      onProgress: (done) => seen.push(done),
    });
    expect(failed).toEqual([{ name: 'broken', reason: expect.stringContaining('bad.wav') }]);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    for (const { answers, problems } of systems) {
      expect([...answers].map(([id, { keyId }]) => [id, keyId])).toEqual([['0.wav', 0], ['9.wav', 9], ['14.wav', 14]]); // prettier-ignore
      expect([...problems.keys()]).toEqual(['bad.wav', 'missing.wav']);
      expect(problems.get('missing.wav')).toMatch(/missing\.wav: there is no such file/);
    }
    expect((await detectTracks(tracks, [broken])).systems).toEqual([]);
  });

  it('is the same in threads, and from the cache; only what changed is heard again', async () => {
    const specs = [system('bgate'), system('edma')];
    const plain = await detectTracks(tracks, specs);
    const cache = new Cache(at('cache'));
    expect(await detectTracks(tracks, specs, { threads: 2, cache })).toEqual(plain);
    const files = (): string[] => readdirSync(at('cache/key-answer')).sort();
    const kept = files();
    expect(kept).toHaveLength(6); // two systems, three tracks; what failed is tried again
    // A file that is used is touched; one that is written again is another file.
    const inodes = (): number[] => kept.map((name) => statSync(at(`cache/key-answer/${name}`)).ino);
    const before = inodes();
    expect(await detectTracks(tracks, [...specs, system('template:again=edma')], { cache })).toMatchObject({
      systems: [...plain.systems, { name: 'again', answers: plain.systems[1].answers }],
    });
    expect(files()).toEqual(kept);
    expect(inodes()).toEqual(before);
    utimesSync(at('0.wav'), 1, 1);
    await detectTracks(tracks, specs, { cache });
    expect(files()).toHaveLength(8);
  });

  it('stops between tracks, keeps what was answered, and goes on', async () => {
    const cache = new Cache(at('stopped'));
    const controller = new AbortController();
    const stop = { cache, signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) };
    await expect(detectTracks(tracks, [system('bgate')], stop)).rejects.toThrow('enough');
    expect(readdirSync(at('stopped/key-answer'))).toHaveLength(1);
    expect((await detectTracks(tracks, [system('bgate')], { cache })).systems[0].answers.size).toBe(3);
  });
});
