/** What a worker thread does for one run of a grid: train, choose the epoch on validation, leave the run's files. */
import { scoreKeys } from '../keys/index.js';
import { configId, writeJson } from '../store/index.js';
import { ensureBackend } from '../tensor/index.js';
import type { ProbeConfig } from './config.js';
import { type GridData, type GridRun, type GridTests, runPath, testPath } from './gridFiles.js';
import type { Probe, ProbeData } from './probe.js';
import { trainProbeEachWay } from './train.js';

export interface GridTaskInit {
  readonly dir: string;
  readonly dataId: string;
  /** shared: [0] = stop, [1 + place] = epochs done */
  readonly counters: Int32Array;
  /** shared */
  readonly data: GridData;
}

export interface GridTaskItem {
  readonly config: ProbeConfig;
  readonly place: number;
}

/** Factory for `parallelMap`. */
export async function gridTask(init: unknown): Promise<(item: GridTaskItem) => Promise<void>> {
  const { dir, dataId, counters, data } = init as GridTaskInit;
  await ensureBackend();
  return async ({ config, place }) => {
    const stop = new AbortController();
    const tests = Object.entries(data.tests ?? {});
    const [chosen, ...flawed] = await trainProbeEachWay(
      config,
      data.train,
      [
        { selection: 'valid', data: data.valid },
        ...tests.map(([, test]) => ({ selection: 'test' as const, data: test })),
      ],
      {
        signal: stop.signal,
        onProgress: (epoch) => {
          if (Atomics.load(counters, 0) !== 0) stop.abort(new Error('the grid was stopped'));
          // The last epoch counts when the files are there.
          else if (epoch < config.epochs) Atomics.store(counters, 1 + place, epoch);
        },
      },
    );
    const id = configId(config);
    const estimate = (probe: Probe, { table }: ProbeData): number[] => Array.from(probe.decide(table).estimated);
    const splits = tests.map(([name, test], i) => {
      const chosenByTest = { epoch: flawed[i].epoch, estimated: estimate(flawed[i], test) };
      return [name, { estimated: estimate(chosen, test), chosenByTest }] as const;
    });
    writeJson(testPath(dir, id), { configId: id, dataId, splits: Object.fromEntries(splits) } satisfies GridTests);
    // Last, since it is what says that the run is done.
    const estimated = estimate(chosen, data.valid);
    const score = scoreKeys(data.valid.keyOfTrack, estimated);
    const { epoch, history } = chosen;
    writeJson(runPath(dir, id), { configId: id, dataId, config, epoch, score, history, estimated } satisfies GridRun);
    Atomics.store(counters, 1 + place, config.epochs);
  };
}
