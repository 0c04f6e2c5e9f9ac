import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildTable, saveEmbeddingTable } from '../../lib/src/embeddings/index.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { loadProbe } from '../../lib/src/probe/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

const PROGRAM = join(import.meta.dirname, '../../lib/bin/keymyna.js');
const WIDTH = 8;
const dir = mkdtempSync(join(tmpdir(), 'keymyna-grid-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

/** A labelled table of noise with a weak sign of the key; the audio files are named, never read. */
function writeTable(name: string, seed: number): void {
  const rng = createRng(seed);
  const splits = ['train', 'train', 'valid', 'test', 'testTimbre'];
  const tracks = Array.from({ length: 60 }, (_, i) => ({ id: `${i}.wav`, keyId: i % 12, split: splits[i % 5] }));
  const rows = tracks.map(({ keyId }) =>
    Float32Array.from({ length: 2 * WIDTH }, (_, j) => rng.normal() + (j % WIDTH === keyId % WIDTH ? 1 : 0)),
  );
  const ids = tracks.map(({ id }) => id);
  saveEmbeddingTable(at(`${name}.safetensors`), buildTable(ids, rows, WIDTH));
  const lines = tracks.map(({ id, keyId, split }) => `${id},${KEYS[keyId].label},${split},10`);
  writeFileSync(at('manifest.csv'), ['path,key,split,duration', ...lines].join('\n'));
  for (const id of ids) writeFileSync(at(id), id);
}

const probe = (table: string, ...more: string[]) => {
  const args = ['probe', at(`${table}.safetensors`), '--manifest', at('manifest.csv'), '--epochs', '1', ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
};
const trainings = ['--grid', 'trainings', '--hidden', '8 d0.5'];

describe('keymyna probe --grid', () => {
  beforeAll(() => writeTable('table', 1));

  it('runs the 160 trainings, lists them best first, and reads test for the chosen one alone', () => {
    const { code, out, err } = probe('table', ...trainings, '--out', at('chosen.safetensors'));
    expect(code, err).toBe(0);
    expect(err).toMatch(/trainings 160\/160 160 of 160 runs/);
    const lines = out.split('\n');
    const rows = lines.filter((line) => /^batch \d+, rate \S+, decay \S+, (no )?MixUp/.test(line));
    expect(rows).toHaveLength(160);
    const scores = rows.map((row) => Number(row.split(/ {2,}/)[2]));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const chosen = lines.find((line) => line.startsWith('chosen on valid: '))!;
    expect(chosen).toContain(rows[0].split(/ {2,}/)[0]);
    expect(lines.filter((line) => /^test(Timbre)? +n 12 +weighted \d/.test(line))).toHaveLength(2);
    expect(out).not.toContain('as published');
    expect(readdirSync(at('table.safetensors.runs'))).toHaveLength(320);
    expect(loadProbe(at('chosen.safetensors')).config.hidden).toEqual([8, 'd0.5']);
  });

  it('goes on where a run is missing, and puts the published protocol beside the corrected one', () => {
    const runs = at('table.safetensors.runs');
    const files = readdirSync(runs).filter((name) => /^\w+\.json$/.test(name));
    const [missing, kept] = files.map((name) => join(runs, name));
    const [before, time] = [readFileSync(missing, 'utf8'), statSync(kept).mtimeMs];
    rmSync(missing);
    const { code, out, err } = probe('table', ...trainings, '--protocol', 'as-published');
    expect(code, err).toBe(0);
    expect(err).toContain('159/160');
    expect(readFileSync(missing, 'utf8')).toBe(before);
    expect(statSync(kept).mtimeMs).toBe(time);
    expect(out).toMatch(/chosen\s+by the score on the very split that is reported/);
    for (const split of ['test', 'testTimbre']) {
      const own = out.split('\n').filter((line) => line.startsWith(`${split} `));
      expect(own).toHaveLength(2);
      const [corrected, published] = own.map((line) => Number(/weighted (\S+)/.exec(line)![1]));
      expect(own[0]).toContain('corrected: batch');
      expect(own[1]).toContain('as published: batch');
      expect(published).toBeGreaterThanOrEqual(corrected);
    }
  });

  it('refuses a damaged run, the runs of another table, and options that do not belong to a grid', () => {
    const refuses = ({ code, err }: ReturnType<typeof probe>, ...says: (string | RegExp)[]): void => {
      expect(code, err).toBe(1);
      const sentence = err.split('\n').find((line) => line.startsWith('keymyna: ')) ?? '';
      for (const part of says) expect(sentence).toMatch(part);
    };
    refuses(probe('table', '--protocol', 'as-published'), '--protocol', 'without --grid');
    refuses(probe('table', '--grid', 'widths'), '--grid', /architectures, trainings/);
    refuses(probe('table', '--grid', 'architectures', '--hidden', '64'), '--hidden', 'heads of its own');
    const runs = at('table.safetensors.runs');
    const damaged = join(
      runs,
      readdirSync(runs).find((name) => /^\w+\.json$/.test(name))!,
    );
    writeFileSync(damaged, readFileSync(damaged, 'utf8').replace('"epoch"', '"epok"'));
    refuses(probe('table', ...trainings), /epoch is nothing|history/, 'Delete the file and run the grid again');
    writeTable('other', 2);
    refuses(probe('other', ...trainings, '--runs', runs), 'Use a folder for each data set');
    expect(existsSync(at('other.safetensors.runs'))).toBe(false);
  });
});
