import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { findAudio, keyCourse, type KeyModelFiles, loadKeyModel, predictFile, predictFiles } from '../../lib/src/predict/index.js'; // prettier-ignore
import { readJsonLines } from '../../lib/src/store/index.js';
import { initBackend, tf } from '../../lib/src/tensor/index.js';
import { sweep } from '../audio/encodedFiles.js';
import { tinyModel } from './models.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-predict-files-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

let files: KeyModelFiles;
const good = ['a.wav', 'b.wav', 'c.wav', 'd.wav'];
const bad = { 'empty.wav': '', 'text.mp3': 'no sound' };
const paths = (): string[] => [...good, ...Object.keys(bad)].map(at);
beforeAll(async () => {
  await initBackend();
  files = tinyModel(dir);
  good.forEach((name, i) => writeFileSync(at(name), encodeWav(sweep(1 + 4 * i, 16000, 1)[0], 16000)));
  for (const [name, text] of Object.entries(bad)) writeFileSync(at(name), text);
});

describe('predictFiles', () => {
  it('each file is answered as predictFile answers it; bad ones say why; threads change nothing', async () => {
    const before = tf.memory().numTensors;
    const steps: string[] = [];
    const found = await predictFiles(files, paths(), {
      threads: 1,
      overTime: true,
      onProgress: (done, total) => void steps.push(`${done}/${total}`),
    });
    expect(steps).toEqual(['1/6', '2/6', '3/6', '4/6', '5/6', '6/6']);
    expect(found).toMatchObject({ known: 0, isCalibrated: true, modelName: 'tiny.safetensors' });
    expect(tf.memory().numTensors).toBe(before);
    const model = loadKeyModel(files);
    for (const [i, name] of good.entries()) {
      const prediction = await predictFile(model, at(name));
      const { keyId, secondKeyId, confidence, probabilities, durationSeconds } = prediction;
      const { sections } = keyCourse(prediction, model.temperature);
      expect(found.answers[i]).toEqual({
        answer: { keyId, secondKeyId, confidence, probabilities: [...probabilities], durationSeconds, sections },
      });
    }
    model.dispose();
    expect(found.answers[4]).toEqual({ problem: expect.stringMatching(/^the file is empty/) as string });
    expect(found.answers[5]).toEqual({ problem: expect.stringMatching(/cannot be decoded/) as string });
    const threads = await predictFiles(files, paths(), { threads: 2, overTime: true });
    expect(threads.answers).toEqual(found.answers);
  });

  it('with a journal nothing is asked twice; another state of a file, model or setting is another question', async () => {
    const journal = at('journal.jsonl');
    const asked: number[] = [];
    const run = async (options: { model?: KeyModelFiles; overTime?: boolean } = {}) => {
      let n = 0;
      const { model = files, overTime } = options;
      const found = await predictFiles(model, paths(), { threads: 1, journal, overTime, onProgress: () => void n++ });
      asked.push(n);
      return found.answers;
    };
    const first = await run();
    expect(await run()).toEqual(first);
    expect(asked).toEqual([6, 0]);
    // A torn last line, as a killed process leaves it, is asked anew.
    truncateSync(journal, readFileSync(journal).length - 5);
    expect(await run()).toEqual(first);
    utimesSync(at('a.wav'), 1e9, 1e9);
    expect(await run()).toEqual(first);
    writeFileSync(at('empty.wav'), readFileSync(at('b.wav')));
    const mended = await run();
    expect(mended[4]).toEqual(first[1]);
    expect(await run({ overTime: true })).not.toEqual(mended);
    expect(await run({ model: tinyModel(dir, { name: 'other', seed: 3 }) })).not.toEqual(mended);
    expect(asked).toEqual([6, 0, 1, 1, 1, 6, 6]);
    expect(readJsonLines(journal)).toHaveLength(6 + 1 + 1 + 6 + 6);
    writeFileSync(at('empty.wav'), '');

    appendFileSync(journal, 'no JSON\n{}\n');
    await expect(run()).rejects.toThrow(/journal.jsonl line \d+: this is no JSON/);
  });

  it('stopped in the middle it keeps what it has', async () => {
    const journal = at('stopped.jsonl');
    const stop = new AbortController();
    const onProgress = (done: number): void => void (done === 2 && stop.abort(new Error('enough')));
    const options = { threads: 1, journal };
    await expect(predictFiles(files, paths(), { ...options, onProgress, signal: stop.signal })).rejects.toThrow(
      'enough',
    );
    expect(readJsonLines(journal)).toHaveLength(2);
    const found = await predictFiles(files, paths(), options);
    expect(found.known).toBe(2);
    expect(found.answers).toEqual((await predictFiles(files, paths(), { threads: 1 })).answers);
  });

  it('a bad model is known before any audio is read', async () => {
    await expect(predictFiles({ ...files, head: at('none') }, paths(), { threads: 2 })).rejects.toThrow(/none: /);
    await expect(predictFiles(files, paths(), { threads: 0 })).rejects.toThrow(/threads is 0/);
  });
});

describe('findAudio', () => {
  it('files as given, folders in order, none twice; what cannot be read is told', () => {
    mkdirSync(at('music/sub.wav'), { recursive: true });
    mkdirSync(at('music/.hidden'));
    mkdirSync(at('void'));
    for (const name of ['b.WAV', 'a.flac', 'sub.wav/c.opus', 'text.txt', '.d.wav', '.hidden/e.wav'])
      writeFileSync(at(join('music', name)), '');
    symlinkSync(at('music'), at('music/loop'));
    symlinkSync(at('a.wav'), at('music/link.wav'));
    symlinkSync(at('nowhere'), at('music/dangling.wav'));
    const { files: found, problems } = findAudio([
      at('text.mp3'),
      at('music'),
      at('music/a.flac'),
      at('none'),
      at('void'),
    ]);
    expect(found).toEqual(
      ['text.mp3', 'music/a.flac', 'music/b.WAV', 'music/link.wav', 'music/sub.wav/c.opus'].map(at),
    );
    expect(problems).toEqual([
      { path: at('none'), problem: expect.stringMatching(/no such file or folder/) as string },
      { path: at('void'), problem: expect.stringMatching(/no audio file was found/) as string },
    ]);
    expect(findAudio(['/dev/null'])).toEqual({ files: [], problems: [{ path: '/dev/null', problem: 'this is neither a file nor a folder.' }] }); // prettier-ignore
  });
});
