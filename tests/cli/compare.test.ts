import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { parseCsv } from '../../lib/src/store/index.js';

const PROGRAM = join(import.meta.dirname, '../../lib/bin/keymyna.js');
const dir = mkdtempSync(join(tmpdir(), 'keymyna-compare-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs the command in the folder of this test, so that paths in messages are short. */
function compare(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'compare', ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, KEYMYNA_CACHE: at('cache') },
  });
  return { code: status, out: stdout, err: stderr };
}

beforeAll(() => {
  mkdirSync(at('music'));
  const rows = ['path,key,split'];
  for (const keyId of [0, 7, 10]) {
    const { tonic, mode } = KEYS[keyId];
    const steps = [0, mode === 'minor' ? 3 : 4, 7];
    const triad = Float32Array.from({ length: 32000 }, (_, i) =>
      steps.reduce(
        (sum, step) => sum + 0.2 * Math.sin((2 * Math.PI * 440 * 2 ** ((tonic - 9 + step) / 12) * i) / 16000),
        0,
      ),
    );
    writeFileSync(at(`music/${keyId}.wav`), encodeWav(triad, 16000));
    rows.push(`music/${keyId}.wav,${KEYS[keyId].label},test`);
  }
  writeFileSync(at('music/bad.wav'), 'no sound');
  writeFileSync(at('manifest.csv'), [...rows, 'music/bad.wav,A minor,test', ''].join('\n'));
  writeFileSync(
    at('dj.csv'),
    'id,dj one,dj two,dj two confidence\n0,8B,C major,.9\n7.wav,11A,Eb minor,.2\n10,A minor,-,\n',
  );
});

describe('keymyna compare', () => {
  it('a manifest: one bad file and one bad system are told, the rest is compared', () => {
    const { code, out, err } = compare(
      'manifest.csv',
      '--systems',
      'bgate,krumhansl,onnx:nowhere.onnx',
      '--systems',
      'csv:dj.csv',
      '--threads',
      '1',
      '--answers',
      'answers.csv',
    );
    expect(err).toContain('left out: onnx:nowhere.onnx: system onnx:nowhere.onnx: there is no file nowhere.onnx');
    expect(err).toMatch(/bgate: no answer for 1 of 4 tracks\n {2}music\/bad\.wav: .*bad\.wav/);
    expect(err).toMatch(/dj one: 3 rows were matched by the name of the audio file/);
    expect(err).not.toMatch(/\n +at /);
    expect(code).toBe(1);
    const lines = out.split('\n');
    expect(
      lines.find((line) => /^ {2}bgate +3 +1 +100\.0 \[100\.0, 100\.0\]/.test(line)),
      out,
    ).toBeDefined();
    expect(lines.find((line) => /^ {2}dj two +2 +2 /.test(line))).toBeDefined();
    expect(out).toMatch(/each row stands on its own n; 2 tracks were answered by all/);
    expect(out).toMatch(/Each system minus bgate on the tracks that both answered/);
    const { columns, rows } = parseCsv(readFileSync(at('answers.csv'), 'utf8'), 'answers.csv');
    expect(columns.slice(0, 4)).toEqual(['id', 'reference', 'bgate', 'bgate confidence']);
    expect(rows.map(({ fields }) => [fields.bgate, fields['dj one'], fields['dj two']])).toEqual([
      ['C major', 'C major', 'C major'],
      ['Eb minor', 'Gb minor', 'Eb minor'],
      ['F major', 'A minor', ''],
      ['', '', ''],
    ]);
  });

  it('a folder with its keys in a CSV, as JSON and CSV; answers are read back as systems', () => {
    writeFileSync(at('keys.csv'), 'id,key\n0,C major\n7,D# minor\n10,E# major\n');
    const folder = ['music', '--reference', 'keys.csv', '--threads', '1'];
    const { code, out, err } = compare(...folder, '--systems', 'bgate,csv:dj two=dj.csv', '--baseline', 'dj two', '--format', 'json'); // prettier-ignore
    expect(err).toContain('1 of 4 tracks have no reference key and are left out');
    const result = JSON.parse(out);
    expect(result).toMatchObject({
      nTracks: 3,
      nCommon: 2,
      baseline: 'dj two',
      rows: [
        { name: 'bgate', n: 3, accuracy: { estimate: 1 } },
        { name: 'dj two', n: 2, unanswered: 1 },
      ],
      pairs: [{ name: 'bgate', baseline: 'dj two', n: 2 }],
      problems: { 'dj two': { '10.wav': expect.stringContaining('dj.csv line 4') } },
    });
    expect(code).toBe(1);
    const again = compare(...folder, '--systems', 'bgate,csv:heard=answers.csv', '--format', 'csv');
    expect(again.err).toMatch(/left out: heard: answers\.csv: holds no program "heard"; it holds bgate, krumhansl/);
    const { rows } = parseCsv(again.out, 'out');
    expect(rows.map(({ fields }) => fields.system)).toEqual(['bgate', 'heard']);
    expect(Number(rows[0].fields.weighted)).toBe(1);
    expect(rows[0].fields.baseline).toBe('bgate');
  });

  it('a list of keys alone, for written answers; exit code 0 when all is answered', () => {
    writeFileSync(at('list.csv'), 'id,key\n0,C major\n7,Eb minor\n');
    writeFileSync(at('own.csv'), 'id,key,confidence\n0,C major,1\n7,Bb minor,2\n');
    const { code, out, err } = compare('list.csv', '--systems', 'csv:own.csv,csv:one=own.csv', '--format', 'json');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({
      rows: [{ name: 'own', weighted: { estimate: 0.75 }, weightedSurestHalf: 0.5 }, { name: 'one' }],
      pairs: [{ weighted: { estimate: 0, p: 1 }, exact: { p: 1 } }],
    });
  });

  it.each([
    [['list.csv', '--systems', 'bgate'], /list\.csv: has no audio \(no column path\); bgate needs it/],
    [['list.csv', '--systems', 'csv:own.csv,csv:own.csv'], /two systems are called "own"; name them/],
    [['music', '--systems', 'bgate'], /music: no track has a key; give --reference/],
    [['nowhere', '--systems', 'bgate'], /nowhere: there is no such file or folder/],
    [
      ['manifest.csv', '--systems', 'bgate', '--split', 'valid'],
      /--split: no track of manifest\.csv is in split valid/,
    ],
    [
      ['manifest.csv', '--systems', 'csv:dj.csv', '--baseline', 'x'],
      /--baseline: found "x", expected one of dj one, dj two/,
    ],
    [['manifest.csv', '--systems', 'csv:dj.csv', '--dataset', 'fmak'], /--dataset: needs the folder of the data set/],
  ])('%j is refused in a sentence', (args, message) => {
    const { code, err } = compare(...args);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n +at /);
  });
});
