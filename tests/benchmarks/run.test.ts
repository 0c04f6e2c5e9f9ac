import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
// Compiled: it starts processes of compiled modules beside it.
import { jobOf, missingPeer } from '../../benchmarks/dist/jobs.js';
import { parseOptions } from '../../benchmarks/src/bench.js';
import { plainEnvironment, pythonWith } from '../../benchmarks/src/machine.js';
import { compareChecks, median } from '../../benchmarks/src/measure.js';
import { RowSchema } from '../../benchmarks/src/results.js';
import { ROWS } from '../../benchmarks/src/rows.js';
import { answerOf, type Command, type Job, runJob } from '../../benchmarks/src/run.js';

const BENCHMARKS = join(import.meta.dirname, '../../benchmarks');

/** A process that answers at once. */
const fake = (ms: number, fields: { check?: number[]; label?: string; script?: string } = {}): Command => ({
  program: process.execPath,
  args: [
    '-e',
    fields.script ??
      `console.log('a line before'); console.log(JSON.stringify({ ms: [${ms}, ${ms}, ${9 * ms}], mb: ${10 * ms}, check: ${JSON.stringify(fields.check ?? [1])}, version: 'fake 1' }))`,
  ],
  env: plainEnvironment(),
  label: fields.label,
});

const job = (fields: Partial<Job> = {}): Job => ({
  name: 'fake',
  setting: 'nothing at all',
  goal: 1,
  ratioOf: 'ms',
  ours: fake(10),
  peers: [fake(40, { label: 'slow' }), fake(20, { label: 'fast' })],
  rounds: 2,
  compare: compareChecks,
  ...fields,
});

const lines: string[] = [];
const options = { machine: 'a machine', date: '2026-11-23', log: (line: string) => void lines.push(line) };

describe('the runner', () => {
  it('takes the fastest setting of the peer and makes a row of medians', async () => {
    const row = await runJob(job(), options);
    expect(RowSchema.parse(row)).toMatchObject({ oursMs: 10, peerMs: 20, ratio: 0.5, ratioMin: 0.5, ratioMax: 0.5, runs: 2, peer: 'fake 1, fast', oursMB: 100 }); // prettier-ignore
    expect(lines.filter((line) => line.startsWith('  round'))).toHaveLength(2);
  });

  it('does not wait for a setting that is far slower than another', async () => {
    const stuck = fake(1, { script: 'setTimeout(() => {}, 600_000)', label: 'stuck' });
    const row = await runJob(job({ peers: [fake(20, { label: 'fast' }), stuck], rounds: 1 }), options);
    expect(row.peer).toBe('fake 1, fast');
  });

  it('takes the ratio of memory where the row is about memory', async () => {
    expect(await runJob(job({ ratioOf: 'MB', ours: fake(30) }), options)).toMatchObject({ ratio: 1.5, oursMB: 300 });
  });

  it('makes no row where the sides do not agree', async () => {
    await expect(runJob(job({ ours: fake(10, { check: [1.1] }) }), options)).rejects.toThrow(/fake: the two sides differ: number 0 is 1.1/); // prettier-ignore
  });

  it('puts what the comparison notes into the row', async () => {
    const row = await runJob(job({ compare: () => ({ problem: null, note: 'divergence 1' }) }), options);
    expect(row.setting).toBe('nothing at all; divergence 1');
  });

  it('says what a process that fails had to say', async () => {
    const broken = fake(1, { script: `console.error('no such chord'); process.exit(3)` });
    await expect(runJob(job({ peers: [broken] }), options)).rejects.toThrow(/ended with 3:\nno such chord/);
  });

  it('measures a whole process by the clock where it has no answer', async () => {
    const answer = await answerOf({ ...fake(1, { script: 'setTimeout(() => {}, 100)' }), byClock: true });
    expect(answer!.ms[0]).toBeGreaterThanOrEqual(100);
  });
});

describe('the parts', () => {
  it('the median is the middle, or the mean of both middles', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  });

  it('checks agree within a relative tolerance, and never for NaN or another length', () => {
    const compared = (ours: number[], peer: number[]) => compareChecks({ check: ours }, { check: peer }).problem;
    expect(compared([1000, 0.5], [1000.9, 0.5009])).toBeNull();
    expect(compared([1000], [1002])).toMatch(/number 0 is 1000/);
    expect(compared([NaN], [1])).toMatch(/NaN/);
    expect(compared([1], [1, 2])).toMatch(/1 numbers to check, the peer has 2/);
  });

  it('nothing that tunes a side reaches a measured process', () => {
    process.env.OPENBLAS_NUM_THREADS = '1';
    process.env.KEYMYNA_BLAS = 'none';
    const env = plainEnvironment();
    delete process.env.OPENBLAS_NUM_THREADS;
    delete process.env.KEYMYNA_BLAS;
    expect(Object.keys(env).filter((name) => /OPENBLAS|KEYMYNA/.test(name))).toEqual([]);
    expect(env.PATH).toBe(process.env.PATH);
  });

  it('the command line refuses what it cannot mean', () => {
    expect(parseOptions([])).toEqual({ only: [], quick: false, runs: null, before: null });
    expect(parseOptions(['--only', 'probe-step,probe-grid', '--runs', '2'])).toMatchObject({ only: ['probe-step', 'probe-grid'], runs: 2 }); // prettier-ignore
    expect(() => parseOptions(['--only', 'probes'])).toThrow(/there is no probes; expected of pretrain-384x12/);
    expect(() => parseOptions(['--runs', '0'])).toThrow(/at least 1/);
    expect(() => parseOptions(['--quick', '--before', '.'])).toThrow(/quick/);
  });

  it('the table names files that are there, and each row once', () => {
    for (const { module, peer } of ROWS) {
      expect(existsSync(join(BENCHMARKS, 'src', `${module}.ts`)), module).toBe(true);
      if ('python' in peer) expect(existsSync(join(BENCHMARKS, 'peers', peer.python)), peer.python).toBe(true);
    }
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
  });
});

describe('beside PyTorch, at a small size', () => {
  const torch = pythonWith('torch');
  if (torch === null) console.warn('no PyTorch (Debian: python3-torch): benchmarks are not compared with it');
  const folders: string[] = [];
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

  const small = {
    'pretrain-128x4': { width: 64, depth: 1, pairs: 4, repeats: 1 },
    'probe-step': { hidden: 32, repeats: 2 },
    'embed-10-minutes': { seconds: 20, width: 64, depth: 1, repeats: 1 },
  };
  for (const [name, quick] of Object.entries(small)) {
    const row = { ...ROWS.find((row) => row.name === name)!, quick, calibrate: undefined };
    it.skipIf(torch === null || missingPeer(row) !== null)(`${name} does the same work`, async () => {
      const { job, folder } = await jobOf(row, { quick: true, runs: 1 });
      folders.push(folder);
      expect(await runJob(job, options)).toMatchObject({ name, runs: 1 });
    });
  }
});
