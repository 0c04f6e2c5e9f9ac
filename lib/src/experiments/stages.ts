/** How a heavy stage runs: the units that are missing, over worker threads, each leaving files of its own. */
import { withOneBlasThread } from '../tensor/index.js';
import { parallelMap } from '../workers/index.js';
import type { Run } from './run.js';

/** Shared with the worker threads: [0] = stop was asked for, [1 + i] = steps done in unit i. */
export type SharedCounters = Int32Array<SharedArrayBuffer>;

/** One unit of a stage; it is done when `isDone` says so, which must survive a restart. */
export interface Unit<Item> {
  readonly item: Item;
  /** How much of the stage's time it takes, in any unit (steps, tracks). */
  readonly weight: number;
  readonly isDone: boolean;
}

/**
 * Runs the units that are not done, `threads` at once. Interrupted or failed, the units that ended are kept.
 *
 * @param module, exportName a task factory; it gets `{ counters }` and then items `{ unit, item }`; a task that lasts
 *   long counts its steps (up to its weight) in `counters[1 + unit]` and stops when `counters[0]` is not 0
 * @returns how many units had to run
 */
export async function runStage<Item>(
  run: Run,
  stage: string,
  units: readonly Unit<Item>[],
  module: URL,
  exportName: string,
): Promise<number> {
  const { threads, onProgress, signal, clock } = run.options;
  const missing = units.flatMap((unit, index) => (unit.isDone ? [] : [{ ...unit, index }]));
  const total = units.reduce((sum, unit) => sum + unit.weight, 0);
  const doneBefore = total - missing.reduce((sum, unit) => sum + unit.weight, 0);
  if (missing.length === 0) {
    onProgress?.(stage, total, total, 0);
    return 0;
  }
  const counters: SharedCounters = new Int32Array(new SharedArrayBuffer(4 * (1 + missing.length)));
  const begin = clock?.() ?? 0;
  const report = (): void => {
    const now = counters.subarray(1).reduce((sum, steps) => sum + steps, 0);
    const secondsLeft = clock && now > 0 ? (((clock() - begin) / now) * (total - doneBefore - now)) / 1000 : null;
    onProgress?.(stage, doneBefore + now, total, secondsLeft);
  };
  const stop = (): void => void Atomics.store(counters, 0, 1);
  const timer = setInterval(report, 1000);
  signal?.addEventListener('abort', stop);
  try {
    report();
    const items = missing.map(({ item, weight }, unit) => ({ unit, item, weight }));
    const map = (): Promise<unknown> => parallelMap(module, exportName, items, { threads, init: { counters }, signal });
    await (Math.min(threads, items.length) > 1 ? withOneBlasThread(map) : map());
    report();
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  }
  return missing.length;
}

/** What a task factory gets at the start of its thread. */
export interface StageInit {
  readonly counters: SharedCounters;
}

/** What a task gets for each unit. */
export interface StageItem<Item> {
  readonly unit: number;
  readonly item: Item;
  readonly weight: number;
}

/** Thrown by a task that was asked to stop; the pool's own signal then says why. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** A task of a stage from what does the work; counts the unit as done when it ends. */
export function stageTask<Item>(
  init: unknown,
  work: (item: Item, count: (done: number) => void, isStopped: () => boolean) => Promise<void>,
): (message: StageItem<Item>) => Promise<void> {
  const { counters } = init as StageInit;
  return async ({ unit, item, weight }) => {
    const count = (done: number): void => void Atomics.store(counters, 1 + unit, Math.min(done, weight));
    await work(item, count, () => Atomics.load(counters, 0) !== 0);
    count(weight);
  };
}
