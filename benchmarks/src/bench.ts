/**
 * `npm run bench -- [--only NAME,...] [--quick] [--runs N] [--before DIR]`
 * Measures each row of rows.ts beside its peer and merges what came out into benchmarks/results.json. With --quick
 * everything is small and nothing is written: it only shows that all of it runs.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError } from 'keymyna';
import { jobOf, missingPeer } from './jobs.js';
import { describeMachine } from './machine.js';
import { REPRODUCE, reproduceRow } from './reproduce.js';
import { mergeRows, readRows, type Row, terminalTable, writeRows } from './results.js';
import { ROWS } from './rows.js';
import { runJob, type RunOptions } from './run.js';

const ROOT = join(import.meta.dirname, '../..');
const RESULTS = join(ROOT, 'benchmarks/results.json');
const NAMES = [...ROWS.map(({ name }) => name), REPRODUCE];

export interface BenchOptions {
  /** Names of the rows to measure; empty for all. */
  readonly only: readonly string[];
  readonly quick: boolean;
  /** Rounds of each row; null for the row's own number. */
  readonly runs: number | null;
  /** Checkout that `reproduce-laptop` is measured beside; null leaves that row as it is. */
  readonly before: string | null;
}

/** What the command line asks for. @throws InputError for what it cannot mean */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      before: { type: 'string' },
    },
  });
  const only = values.only.flatMap((text) => text.split(',')).filter(Boolean);
  const unknown = only.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0)
    throw new InputError('--only', `there is no ${unknown.join(', ')}; expected of ${NAMES.join(', ')}`);
  const runs = values.runs === undefined ? null : Number(values.runs);
  if (runs !== null && !(Number.isInteger(runs) && runs >= 1))
    throw new InputError('--runs', `${values.runs} found; expected a whole number of at least 1`);
  const { quick, before = null } = values;
  if (quick && before !== null) throw new InputError('--quick', 'there is no quick --before; leave one of them out');
  return { only, quick, runs, before };
}

/** Measures row by row; a row that cannot run here is skipped with a line, one that fails does not stop the others. */
async function bench({ only, quick, runs, before }: BenchOptions): Promise<void> {
  const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
  const options: RunOptions = {
    machine: await describeMachine(),
    date: new Date().toISOString().slice(0, 10),
    log: console.log,
  };
  console.log(options.machine);
  const measured: Row[] = [];
  const keep = (row: Row): void => {
    measured.push(row);
    // After every row, so that a run that is stopped keeps what it has.
    if (!quick) writeRows(RESULTS, mergeRows(readRows(RESULTS), [row], NAMES));
  };
  const attempt = async (name: string, measure: () => Promise<Row>): Promise<void> => {
    try {
      keep(await measure());
    } catch (error) {
      console.log(`${name}: failed, no row. ${(error as Error).message}`);
      process.exitCode = 1;
    }
  };
  for (const row of ROWS.filter(({ name }) => wanted(name))) {
    const missing = missingPeer(row);
    if (missing !== null) {
      console.log(`${row.name}: skipped, ${missing}`);
      continue;
    }
    await attempt(row.name, async () => {
      const { job, folder } = await jobOf(row, { quick, runs: quick ? (runs ?? 1) : runs });
      try {
        return await runJob(job, options);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
  if (wanted(REPRODUCE) && before !== null)
    await attempt(REPRODUCE, () => reproduceRow(ROOT, before, runs ?? 1, options));
  else if (only.includes(REPRODUCE)) console.log(`${REPRODUCE}: skipped, it needs --before DIR`);
  console.log(`\n${terminalTable(measured)}`);
  if (quick) console.log('\n--quick: small sizes, nothing written');
  else console.log('\nbenchmarks/results.json is written; npm run readme brings README up to it');
}

if (process.argv[1] === import.meta.filename)
  Promise.resolve()
    .then(() => bench(parseOptions(process.argv.slice(2))))
    .then(
      () => process.exit(),
      (error: Error) => {
        console.error(error.message);
        process.exit(1);
      },
    );
