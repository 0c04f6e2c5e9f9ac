import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { KEYS, parseKey } from '../../lib/src/keys/index.js';
import { type KeyModelFiles, loadKeyModel, predictFile } from '../../lib/src/predict/index.js';
import { parseCsv, readJsonLines } from '../../lib/src/store/index.js';
import { initBackend } from '../../lib/src/tensor/index.js';
import { wavFile } from '../audio/wavFiles.js';
import { tinyModel } from '../predict/models.js';

const PROGRAM = join(import.meta.dirname, '../../lib/bin/keymyna.js');
const dir = mkdtempSync(join(tmpdir(), 'keymyna-cli-predict-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program; `during` gets the process while it runs. */
function keymyna(args: readonly string[], during?: (kill: () => void) => void): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, 'predict', ...args]);
  const texts = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (texts.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (texts.err += data.toString()));
  during?.(() => child.kill('SIGINT'));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts })));
}

const tone = (hz: number, seconds: number): Uint8Array =>
  encodeWav(
    Float32Array.from({ length: 16000 * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / 16000)),
    16000,
  );

let model: string[];
beforeAll(async () => {
  await initBackend();
  const files: KeyModelFiles = tinyModel(dir);
  model = ['--weights', files.weights, '--head', files.head];
  mkdirSync(at('few/sub'), { recursive: true });
  writeFileSync(at('few/b.wav'), tone(440, 1));
  writeFileSync(at('few/a.wav'), tone(330, 14));
  writeFileSync(at('few/sub/c, d.wav'), tone(550, 2));
});

describe('formats', () => {
  const labels = new Set(KEYS.map(({ label }) => label));

  it('csv: file, key, confidence, second, duration; files in order; keys with flats', async () => {
    const { code, out, err } = await keymyna([at('few'), '--format', 'csv', '--threads', '1', ...model]);
    expect(code, err).toBe(0);
    const { columns, rows } = parseCsv(out, 'stdout');
    expect(columns).toEqual(['file', 'key', 'confidence', 'second', 'duration']);
    expect(rows.map(({ fields }) => fields.file)).toEqual(['a.wav', 'b.wav', 'sub/c, d.wav'].map((name) => at(join('few', name)))); // prettier-ignore
    expect(rows.map(({ fields }) => fields.duration)).toEqual(['14', '1', '2']);
    for (const { fields } of rows) {
      expect(labels.has(fields.key) && labels.has(fields.second) && fields.key !== fields.second).toBe(true);
      expect(Number(fields.confidence)).toBeGreaterThan(1 / 24);
    }
  });

  it('json: the 24 probabilities, keys over time; a bad file has its error, the exit code is 1', async () => {
    writeFileSync(at('bad.mp3'), 'no sound');
    const args = [at('few/a.wav'), at('bad.mp3'), at('none.wav'), '--format', 'json', '--over-time', '--threads', '2'];
    const { code, out, err } = await keymyna([...args, ...model]);
    expect(code).toBe(1);
    expect(err).toMatch(/bad.mp3: this cannot be decoded[^]*2 of 3 failed/);
    const [good, bad, none] = JSON.parse(out) as Record<string, unknown>[];
    expect(bad).toEqual({ file: at('bad.mp3'), error: expect.stringContaining('cannot be decoded') as string });
    expect(none).toEqual({ file: at('none.wav'), error: expect.stringContaining('no such file') as string });
    const probabilities = good.probabilities as Record<string, number>;
    expect(Object.keys(probabilities)).toEqual(KEYS.map(({ label }) => label));
    expect(Object.values(probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    expect(good.confidence).toBe(probabilities[good.key as string]);
    expect(good).toMatchObject({ file: at('few/a.wav'), duration: 14 });
    const overTime = good.overTime as { start: number; end: number; key: string }[];
    expect([overTime[0].start, overTime[overTime.length - 1].end]).toEqual([0, 14]);
    expect(overTime.every(({ key }) => parseKey(key) !== null)).toBe(true);
    expect(good.modulations).toHaveLength(overTime.length - 1);
  });

  it('table; a head without temperature is told once', async () => {
    const plain = tinyModel(dir, { name: 'plain', headMetadata: {} });
    const { code, out, err } = await keymyna([
      at('few'),
      '--over-time',
      '--weights',
      plain.weights,
      '--head',
      plain.head,
    ]);
    expect(code, err).toBe(0);
    expect(err.match(/not calibrated/g)).toHaveLength(1);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/^file +key +confidence +second +duration$/);
    expect(lines[1]).toMatch(/a\.wav +[A-G]b? (major|minor) +\d+\.\d % +[A-G]b? (major|minor) +0:14$/);
    expect(lines[2]).toMatch(/^ {4}0:00 [A-G]b? (major|minor)/);
  });

  it('the journal beside --out is gone when all is written', async () => {
    const { code, out, err } = await keymyna([at('few'), '--format', 'csv', '--out', at('keys.csv'), ...model]);
    expect(code, err).toBe(0);
    expect(out).toContain('the keys of 3 files');
    expect(parseCsv(readFileSync(at('keys.csv'), 'utf8'), 'keys').rows).toHaveLength(3);
    expect(existsSync(at('keys.csv.journal.jsonl'))).toBe(false);
  });

  it('--clip-hop and --average-shifts reach the answer', async () => {
    const own = loadKeyModel({ weights: model[1], head: model[3] });
    const options = { clipHop: 40, averageShifts: true };
    const { confidence } = await predictFile(own, at('few/a.wav'), options);
    const plain = (await predictFile(own, at('few/a.wav'))).confidence;
    own.dispose();
    const flags = ['--format', 'json', '--clip-hop', '40', '--average-shifts'];
    const { out } = await keymyna([at('few/a.wav'), ...flags, ...model]);
    const [found] = JSON.parse(out) as { confidence: number }[];
    expect(found.confidence).toBeCloseTo(confidence, 3);
    expect(Math.abs(found.confidence - plain)).toBeGreaterThan(2e-3);
  });

  it('a bad model or option is one sentence', async () => {
    const missing = await keymyna([at('few'), '--weights', at('none.safetensors')]);
    expect(missing).toMatchObject({ code: 1, out: '' });
    expect(missing.err).toMatch(/^keymyna: .*none\.safetensors: .*\n$/);
    expect((await keymyna([at('few'), '--format', 'xml'])).err).toMatch(/--format: found "xml", expected one of table/);
  });
});

describe('a thousand files, twenty of them bad', () => {
  /** Each of them is named by its sort. */
  const good = tone(440, 0.25);
  const header = Buffer.from(good.subarray(0, 44));
  const bad: Record<string, () => Uint8Array> = {
    empty: () => new Uint8Array(0),
    truncated: () => good.slice(0, 3000),
    text: () => Buffer.from('a text, no sound. '.repeat(30)),
    header: () => header,
    nan: () => wavFile(4000, (i) => (i === 3000 ? NaN : 0.1), { format: 3, bits: 32 }),
    silent: () => encodeWav(new Float32Array(4000), 16000),
    short: () => encodeWav(new Float32Array(500).fill(0.1), 16000),
    noise: () => Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 7919) >> 3),
    channels: () => wavFile(10, () => 0.1).map((byte, i) => (i === 22 ? 0 : byte)),
    cut: () => good.slice(0, 20),
  };
  const number = (i: number): string => String(i).padStart(4, '0');

  it('Ctrl-C in the middle and again: nothing is done twice, nothing is lost', async () => {
    const sorts = Object.keys(bad);
    for (let i = 0; i < 1000; i++) {
      const folder = at(`music/${Math.floor(i / 100)}`);
      mkdirSync(folder, { recursive: true });
      if (i % 50 === 7) {
        const sort = sorts[Math.floor(i / 50) % sorts.length];
        writeFileSync(join(folder, `${number(i)} ${sort}.${sort === 'text' ? 'mp3' : 'wav'}`), bad[sort]());
      } else writeFileSync(join(folder, `${number(i)}.wav`), tone(110 + i, 0.1));
    }
    mkdirSync(at('music/a folder.wav'));

    const [out, journal] = [at('all.json'), at('all.jsonl')];
    const args = [at('music'), '--format', 'json', '--out', out, '--journal', journal, ...model];
    const stopped = await keymyna(args, (stop) => {
      const timer = setInterval(() => {
        if (!existsSync(journal) || readFileSync(journal, 'utf8').split('\n').length < 250) return;
        clearInterval(timer);
        stop();
      }, 10);
    });
    expect(stopped.code).toBe(130);
    expect(stopped.err).toMatch(/the same command goes on from there/);
    expect(existsSync(out)).toBe(false);
    const first = readFileSync(journal, 'utf8');
    const before = readJsonLines(journal).length;
    expect(before).toBeGreaterThanOrEqual(249);
    expect(before).toBeLessThan(1000);

    const { code, err } = await keymyna(args);
    expect(code).toBe(1);
    expect(err).toContain(`${before} of 1000 files were known`);
    expect(err).toContain('20 of 1000 failed');
    expect(err.match(/^left out: /gm)).toHaveLength(20);
    const lines = readJsonLines(journal) as { id: string }[];
    expect(readFileSync(journal, 'utf8').startsWith(first)).toBe(true);
    expect([lines.length, new Set(lines.map(({ id }) => id)).size]).toEqual([1000, 1000]);

    const answers = JSON.parse(readFileSync(out, 'utf8')) as { file: string; key?: string; error?: string }[];
    expect(answers).toHaveLength(1000);
    answers.forEach(({ file, key, error }, i) => {
      expect(file).toContain(number(i));
      expect(error === undefined ? parseKey(key!) : null, file).toEqual(i % 50 === 7 ? null : KEYS.find(({ label }) => label === key)); // prettier-ignore
    });

    // Uninterrupted it says the same, and a third time there is nothing to do.
    const again = await keymyna([...args.slice(0, 3), '--out', at('again.json'), ...model]);
    expect(again.code).toBe(1);
    expect(readFileSync(at('again.json'), 'utf8')).toBe(readFileSync(out, 'utf8'));
    expect((await keymyna(args)).err).toContain('1000 of 1000 files were known');
  }, 120_000);
});
