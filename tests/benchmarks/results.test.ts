import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  benchmarksBlock,
  duration,
  mergeRows,
  readRows,
  type Row,
  terminalTable,
  writeRows,
} from '../../benchmarks/src/results.js';
import { REPRODUCE } from '../../benchmarks/src/reproduce.js';
import { ROWS } from '../../benchmarks/src/rows.js';

const row = (name: string, fields: Partial<Row> = {}): Row => ({
  name,
  setting: `work of ${name}`,
  peer: 'PyTorch 1, 1 thread',
  oursMs: 500,
  peerMs: 1000,
  ratioOf: 'ms',
  ratio: 0.5,
  ratioMin: 0.4,
  ratioMax: 0.6,
  goal: 1,
  runs: 3,
  machine: 'a machine',
  load: 0.1,
  date: '2026-11-23',
  ...fields,
});

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'results-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('results.json', () => {
  it('as committed holds rows of the table, each ratio that of its medians and inside its range', () => {
    const rows = readRows(join(import.meta.dirname, '../../benchmarks/results.json'));
    const goals = new Map(ROWS.map(({ name, goal }) => [name, goal]));
    for (const { name, ratioOf, oursMs, peerMs, oursMB, peerMB, ratio, ratioMin, ratioMax, goal } of rows) {
      if (name !== REPRODUCE) expect(goal, name).toBe(goals.get(name));
      const quotient = ratioOf === 'ms' ? oursMs / peerMs : oursMB! / peerMB!;
      expect(Math.abs(ratio / quotient - 1), name).toBeLessThan(0.002); // both have four digits
      expect(ratioMin, name).toBeLessThanOrEqual(ratio * 1.001);
      expect(ratioMax, name).toBeGreaterThanOrEqual(ratio * 0.999);
    }
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  it('is empty without a file, and comes back as it was written', () => {
    const path = join(folder, 'results.json');
    expect(readRows(path)).toEqual([]);
    const rows = [row('a'), row('b', { ratioOf: 'MB', oursMB: 10, peerMB: 20 })];
    writeRows(path, rows);
    expect(readRows(path)).toEqual(rows);
    expect(readFileSync(path, 'utf8')).toMatch(/^\[\n {2}\{/); // one field a line: differences can be read
  });

  it('takes no row that is incomplete, unknown in a field, or no number', () => {
    const path = join(folder, 'results.json');
    expect(() => writeRows(path, [{ ...row('a'), peer: '' }])).toThrow();
    expect(() => writeRows(path, [{ ...row('a'), ratio: NaN }])).toThrow();
    expect(() => writeRows(path, [{ ...row('a'), more: 1 } as Row])).toThrow();
    expect(() => writeRows(path, [{ ...row('a'), date: '23.11.2026' }])).toThrow();
  });
});

describe('merging', () => {
  it('replaces rows by name, keeps the others, and orders them as the table does', () => {
    const merged = mergeRows([row('c'), row('a', { ratio: 9 })], [row('a'), row('b')], ['a', 'b', 'c']);
    expect(merged.map(({ name, ratio }) => [name, ratio])).toEqual([['a', 0.5], ['b', 0.5], ['c', 0.5]]); // prettier-ignore
  });

  it('puts rows that the table no longer has at the end', () => {
    expect(mergeRows([row('old'), row('a')], [], ['a']).map(({ name }) => name)).toEqual(['a', 'old']);
  });
});

describe('tables', () => {
  it('for README say that nothing was measured where nothing was', () => {
    expect(benchmarksBlock([])).toMatch(/Nothing has been measured/);
  });

  it('for README have one table a machine and day, and say which goals are missed', () => {
    const rows = [
      row('a'),
      row('b', { ratio: 1.5, ratioMax: 1.6 }),
      row('c', { date: '2026-12-01', ratioOf: 'MB', oursMB: 512.4, peerMB: 1024, runs: 1 }),
    ];
    const block = benchmarksBlock(rows);
    expect(block.match(/^\|---/gm)).toHaveLength(2);
    expect(block).toContain('| work of a | PyTorch 1, 1 thread | 500 ms | 1.00 s | 0.50 [0.40, 0.60] | ≤ 1 |');
    expect(block).toMatch(/1\.50 \[0\.40, 1\.60\] \| ≤ 1, missed \|/);
    expect(block).toContain('| 512 MB | 1024 MB | 0.50 | ≤ 1 |');
    expect(block).toMatch(/Measured 2026-12-01, a machine/);
  });

  it('for a terminal have a line for each row', () => {
    const lines = terminalTable([row('a'), row('b', { ratio: 2 })]).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/^b +500 ms +1\.00 s +2\.00 .*1 missed/);
  });

  it('have durations of three digits', () => {
    expect([0.1234, 1.234, 12.34, 123.4, 1234, 12_340, 123_400].map(duration)).toEqual(
      ['0.12 ms', '1.23 ms', '12.3 ms', '123 ms', '1.23 s', '12.3 s', '123 s'], // prettier-ignore
    );
  });
});
