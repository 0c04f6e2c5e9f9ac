/** What a grid leaves in its folder: a file for each run, another for what the run says about test. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { configId, readJson } from '../store/index.js';
import type { ProbeConfig } from './config.js';
import { checkedRun, checkedTests } from './gridSchema.js';
import type { EpochRecord, ProbeData } from './probe.js';
import type { ProbeRun } from './select.js';

export interface GridData {
  readonly train: ProbeData;
  readonly valid: ProbeData;
  /** test splits by name */
  readonly tests?: Readonly<Record<string, ProbeData>>;
}

/** A run as `<dir>/<configId>.json` keeps it; `score` is of validation. */
export interface GridRun extends ProbeRun {
  /** what it was trained and chosen on, see `gridDataId` */
  readonly dataId: string;
  readonly history: readonly EpochRecord[];
  /** estimated keys of the validation tracks */
  readonly estimated: readonly number[];
}

/** What a run says about test splits, in `<dir>/<configId>.test.json`. */
export interface GridTests {
  readonly configId: string;
  readonly dataId: string;
  readonly splits: Readonly<
    Record<
      string,
      {
        /** estimated keys of the probe that validation chose */
        readonly estimated: readonly number[];
        /** the published flaw: the epoch that scores best on this very split */
        readonly chosenByTest: { readonly epoch: number; readonly estimated: readonly number[] };
      }
    >
  >;
}

/** Names the data of a grid: all tables, their tracks and keys. */
export function gridDataId(data: GridData): string {
  const hash = createHash('sha256');
  for (const [name, { table, keyOfTrack }] of splitsOf(data)) {
    hash.update(JSON.stringify([name, table.nClips, table.width, table.trackIds]));
    for (const { buffer, byteOffset, byteLength } of [table.embeddings, table.trackOf, keyOfTrack])
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex').slice(0, 12);
}

/** The splits of a grid by name, train and valid first. */
export function splitsOf({ train, valid, tests = {} }: GridData): [string, ProbeData][] {
  return [['train', train], ['valid', valid], ...Object.entries(tests)];
}

export function runPath(dir: string, id: string): string {
  return join(dir, `${id}.json`);
}

export function testPath(dir: string, id: string): string {
  return join(dir, `${id}.test.json`);
}

/** The run of a configuration, or null if it has none yet. @throws InputError if it is of other data, or damaged */
export function readRun(dir: string, config: ProbeConfig, dataId: string): GridRun | null {
  const id = configId(config);
  const path = runPath(dir, id);
  if (!existsSync(path)) return null;
  const run = checkedRun(path, readJson(path), id);
  if (run.dataId !== dataId) throw otherData(path, run.dataId, dataId);
  return run;
}

/** The test file of a run: to be read after the choice, or for what the published flaw would have claimed. */
export function readGridTests(dir: string, run: Pick<GridRun, 'configId' | 'dataId'>): GridTests {
  const path = testPath(dir, run.configId);
  const tests = checkedTests(path, readJson(path), run.configId);
  if (tests.dataId !== run.dataId) throw otherData(path, tests.dataId, run.dataId);
  return tests;
}

function otherData(path: string, found: string, expected: string): InputError {
  return new InputError(path, `is of the data ${found}; expected ${expected}. Use a folder for each data set`);
}
