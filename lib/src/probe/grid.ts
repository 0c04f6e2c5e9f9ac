/**
 * A grid of probes on one set of tables: every run a file, over worker threads, resumed run by run. The choice among
 * them reads validation; what a run says about test lies in another file, which only `gridChoice` opens, for the chosen.
 */
import { InputError } from '../errors.js';
import { scoreKeys, type KeyScore } from '../keys/index.js';
import { configId } from '../store/index.js';
import { withOneBlasThread } from '../tensor/index.js';
import { parallelMap, type Progress } from '../workers/index.js';
import { type ProbeConfig, probeConfig } from './config.js';
import { type IntervalOptions, type ScoreIntervals, scoreIntervals } from './evaluate.js';
import { type GridData, gridDataId, type GridRun, readGridTests, readRun, splitsOf } from './gridFiles.js';
import type { GridTaskInit, GridTaskItem } from './gridTask.js';
import { headParameterCount } from './head.js';
import type { ProbeData } from './probe.js';
import { chooseRun } from './select.js';
import { assertData } from './train.js';

export interface GridOptions {
  /** folder of the runs' files, which must be of the same data */
  readonly dir: string;
  /** worker threads; 1 runs everything in this one, on its backend */
  readonly threads: number;
  /** counts epochs over all runs; `note` says how many runs are done */
  readonly onProgress?: Progress;
  /** on abort the runs that have ended are kept, and `signal.reason` is thrown */
  readonly signal?: AbortSignal;
}

/**
 * Trains every configuration that has no file yet, longest first; what comes out does not depend on the threads.
 *
 * @returns the runs in the order of the configurations
 * @throws InputError if a file is of other data; whatever a run throws ends the grid, and the runs that ended are kept
 */
export async function runGrid(
  configs: readonly Partial<ProbeConfig>[],
  data: GridData,
  options: GridOptions,
): Promise<GridRun[]> {
  const { dir, threads, onProgress, signal } = options;
  const width = data.train.table.width;
  for (const [name, split] of splitsOf(data)) assertData(name, split, width);
  const dataId = gridDataId(data);
  const complete = distinct(configs.map((config) => probeConfig(config)));
  for (const config of complete)
    if (config.selection !== 'valid')
      throw new InputError('runGrid', `selection is "${config.selection}"; a grid's epochs are chosen on "valid"`);
  const missing = complete.filter((config) => readRun(dir, config, dataId) === null);
  const nClips = data.train.table.nClips;
  const items: GridTaskItem[] = missing
    .map((config) => ({ config, cost: runCost(config, width, nClips) }))
    .sort((a, b) => b.cost - a.cost)
    .map(({ config }, place) => ({ config, place }));
  const epochs = (list: readonly ProbeConfig[]): number => list.reduce((sum, config) => sum + config.epochs, 0);
  // [0] = stop was asked for, [1 + place] = epochs done in a run
  const counters = new Int32Array(new SharedArrayBuffer(4 * (1 + items.length)));
  const report = (): void => {
    const done = epochs(complete) - epochs(missing) + counters.subarray(1).reduce((sum, count) => sum + count, 0);
    const left = items.filter(({ config, place }) => counters[1 + place] < config.epochs).length;
    onProgress?.(done, epochs(complete), `${complete.length - left} of ${complete.length} runs`);
  };
  const stop = (): void => void Atomics.store(counters, 0, 1);
  const timer = setInterval(report, 1000);
  signal?.addEventListener('abort', stop);
  try {
    report();
    const init: GridTaskInit = { dir, dataId, counters, data: shared(data) };
    const map = (): Promise<unknown> =>
      parallelMap(new URL('./gridTask.js', import.meta.url), 'gridTask', items, { threads, init, signal });
    await (Math.min(threads, items.length) > 1 ? withOneBlasThread(map) : map());
    report();
  } catch (error) {
    signal?.throwIfAborted(); // a run that was stopped says so itself
    throw error;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  }
  return gridRuns(configs, dir, dataId);
}

/** Relative cost of a run: Adam's pass over the parameters and the products of a batch, times the steps. */
function runCost({ hidden, batchSize, epochs }: ProbeConfig, width: number, nClips: number): number {
  const steps = epochs * Math.ceil(nClips / batchSize);
  return steps * headParameterCount(hidden, width) * (1 + batchSize / 64);
}

/**
 * The runs of a finished grid, in the order of the configurations.
 * @throws InputError naming the runs that are missing, or one that is of other data
 */
export function gridRuns(configs: readonly Partial<ProbeConfig>[], dir: string, dataId: string): GridRun[] {
  const runs = configs.map((config) => readRun(dir, probeConfig(config), dataId));
  const missing = configs.flatMap((config, i) => (runs[i] === null ? [configId(probeConfig(config))] : []));
  if (missing.length > 0)
    throw new InputError(
      dir,
      `${missing.length} of ${configs.length} runs are missing (${missing.slice(0, 5).join(', ')}); finish the grid first`,
    );
  return runs as GridRun[];
}

/** One test split, as the chosen run estimates it. */
export interface GridTestResult {
  readonly estimated: readonly number[];
  readonly score: KeyScore;
  readonly intervals: ScoreIntervals;
}

export interface GridChoice {
  readonly best: GridRun;
  /** in the order of the configurations */
  readonly runs: readonly GridRun[];
  /** of the chosen run on each test split */
  readonly tests: Readonly<Record<string, GridTestResult>>;
}

/**
 * The run with the best validation score (the first of equals), then its test results.
 * @throws InputError naming the runs that are missing
 */
export function gridChoice(
  configs: readonly Partial<ProbeConfig>[],
  data: GridData,
  dir: string,
  intervals: IntervalOptions = {},
): GridChoice {
  const runs = gridRuns(configs, dir, gridDataId(data));
  const chosen = chooseRun(
    runs.map(({ config }) => config),
    new Map(runs.map((run) => [run.configId, run])),
  );
  const best = runs.find((run) => run.configId === chosen.configId)!;
  const { splits } = readGridTests(dir, best);
  const tests = Object.entries(data.tests ?? {}).map(([name, { keyOfTrack }]): [string, GridTestResult] => [
    name,
    testResult(keyOfTrack, splits[name].estimated, intervals),
  ]);
  return { best, runs, tests: Object.fromEntries(tests) };
}

/** What choosing by test claims on a split: the run and the epoch whose score on that very split is the best. */
export interface PublishedClaim extends GridTestResult {
  readonly run: GridRun;
  /** of that run, from 0 */
  readonly epoch: number;
}

/**
 * The published flaw: for each test split, configuration and epoch are those with the best score on it (the first of
 * equals), and that score is the claim. To be shown beside `gridChoice`, never to be quoted as a result.
 */
export function publishedClaims(
  choice: GridChoice,
  data: GridData,
  dir: string,
  intervals: IntervalOptions = {},
): Record<string, PublishedClaim> {
  const files = choice.runs.map((run) => readGridTests(dir, run));
  const claims = Object.entries(data.tests ?? {}).map(([name, { keyOfTrack }]): [string, PublishedClaim] => {
    const byTest = files.map(({ splits }) => splits[name].chosenByTest);
    const scores = choice.runs.map((run, i) => ({ ...run, score: scoreKeys(keyOfTrack, byTest[i].estimated) }));
    const chosen = chooseRun(
      scores.map(({ config }) => config),
      new Map(scores.map((run) => [run.configId, run])),
    );
    const place = scores.findIndex(({ configId: id }) => id === chosen.configId);
    const { epoch, estimated } = byTest[place];
    return [name, { run: choice.runs[place], epoch, ...testResult(keyOfTrack, estimated, intervals) }];
  });
  return Object.fromEntries(claims);
}

function testResult(keyOfTrack: Int32Array, estimated: readonly number[], intervals: IntervalOptions): GridTestResult {
  const score = scoreKeys(keyOfTrack, estimated);
  return { estimated, score, intervals: scoreIntervals(keyOfTrack, estimated, intervals) };
}

function distinct(configs: readonly ProbeConfig[]): ProbeConfig[] {
  return [...new Map(configs.map((config) => [configId(config), config])).values()];
}

/** The same tables in memory that all threads read. */
function shared(data: GridData): GridData {
  const floats = (values: Float32Array): Float32Array => {
    const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
    copy.set(values);
    return copy;
  };
  const ids = (values: Int32Array): Int32Array => {
    const copy = new Int32Array(new SharedArrayBuffer(values.byteLength));
    copy.set(values);
    return copy;
  };
  const split = ({ table, keyOfTrack }: ProbeData): ProbeData => ({
    table: { ...table, embeddings: floats(table.embeddings), trackOf: ids(table.trackOf) },
    keyOfTrack: ids(keyOfTrack),
  });
  const tests = Object.entries(data.tests ?? {}).map(([name, test]) => [name, split(test)] as const);
  return { train: split(data.train), valid: split(data.valid), tests: Object.fromEntries(tests) };
}
