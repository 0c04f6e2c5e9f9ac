/** How a heavy stage runs: the units that are missing, over worker threads, each leaving files of its own. */
import { withOneBlasThread } from '../../tensor/index.js';
import { parallelMap } from '../../workers/index.js';
import type { Run } from './run.js';

/** Shared with the worker threads: [0] = stop was asked for, [1 + i] = steps done in unit i. */
export type SharedCounters = Int32Array<SharedArrayBuffer>;

/** One unit of a stage; it is done when `isDone` says so, which must survive a restart. */
export interface Unit<Item> {
  readonly item: Item;
  /** How much of the stage's time it takes, in any unit (steps, tracks). */
  readonly weight: number;
  readonly isDone: boolean;
  /** Files that it reads and files that it leaves: a unit waits for those that make what it reads. */
  readonly reads?: readonly string[];
  readonly makes?: readonly string[];
}

/** A stage as what there is to do. */
export interface StagePlan<Item = unknown> {
  readonly stage: string;
  readonly units: readonly Unit<Item>[];
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
  await runPlans(run, [{ stage, units }], module, exportName);
  return units.filter(({ isDone }) => !isDone).length;
}

/**
 * Runs features, pretraining and embeddings, or some of them, on the same threads: a stage begins when threads are free
 * and the files that its units read are there, whether or not the stage before it has ended. Progress is told of the
 * first stage that goes on.
 *
 * @returns wall time of each stage in seconds, from the start of its first unit to the end of its last; 0 if nothing ran
 */
export function runStages(run: Run, plans: readonly StagePlan[]): Promise<number[]> {
  return runPlans(run, plans, new URL('./unitTask.js', import.meta.url), 'unitTask');
}

async function runPlans(run: Run, plans: readonly StagePlan[], module: URL, exportName: string): Promise<number[]> {
  const { threads, signal } = run.options;
  const all = plans.flatMap(({ stage, units }, plan) => units.map((unit) => ({ ...unit, stage, plan })));
  const missing = all.filter(({ isDone }) => !isDone);
  const counters: SharedCounters = new Int32Array(new SharedArrayBuffer(4 * (1 + missing.length)));
  const report = progressOf(run, plans, missing, counters);
  report();
  if (missing.length === 0) return plans.map(() => 0);
  const makerOf = new Map(missing.flatMap(({ makes = [] }, index) => makes.map((path) => [path, index] as const)));
  const needs = missing.map(({ reads = [] }) => [...new Set(reads.flatMap((path) => makerOf.get(path) ?? []))]);
  const items = missing.map(({ stage, item, weight }, unit) => ({ stage, unit, item, weight }));
  const stop = (): void => void Atomics.store(counters, 0, 1);
  const timer = setInterval(report, 1000);
  signal?.addEventListener('abort', stop);
  try {
    const map = (): Promise<Span[]> =>
      parallelMap(module, exportName, items, { threads, init: { counters }, signal, needs: (index) => needs[index] });
    const spans = await (Math.min(threads, items.length) > 1 ? withOneBlasThread(map) : map());
    report();
    return plans.map((_, plan) => {
      const own = spans.filter((_, unit) => missing[unit].plan === plan);
      if (own.length === 0) return 0;
      return (Math.max(...own.map(({ end }) => end)) - Math.min(...own.map(({ begin }) => begin))) / 1000;
    });
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** Tells, when called, how far the first stage is that goes on; of those before it, once, that they are done. */
function progressOf(
  { options: { onProgress, clock } }: Run,
  plans: readonly StagePlan[],
  missing: readonly { readonly plan: number; readonly weight: number }[],
  counters: SharedCounters,
): () => void {
  let shown = 0;
  /** Time and work done when the shown stage was first seen to go on. */
  let first: { time: number; done: number } | null = null;
  return () => {
    for (; shown < plans.length; shown++, first = null) {
      const { stage, units } = plans[shown];
      const total = units.reduce((sum, unit) => sum + unit.weight, 0);
      let left = 0;
      missing.forEach(({ plan, weight }, unit) => {
        if (plan === shown) left += weight - Atomics.load(counters, 1 + unit);
      });
      const done = total - left;
      const time = clock?.() ?? 0;
      first ??= { time, done };
      const rate = (done - first.done) / (time - first.time);
      const secondsLeft = left === 0 ? 0 : clock && rate > 0 ? left / rate / 1000 : null;
      onProgress?.(stage, done, total, secondsLeft);
      if (left > 0) return;
    }
  };
}

/** When a unit began and ended, milliseconds since 1970. */
export interface Span {
  readonly begin: number;
  readonly end: number;
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

/** A task of a stage from what does the work; counts the unit as done when it ends, and says how long it took. */
export function stageTask<Item>(
  init: unknown,
  work: (item: Item, count: (done: number) => void, isStopped: () => boolean) => Promise<void>,
): (message: StageItem<Item>) => Promise<Span> {
  const { counters } = init as StageInit;
  // The times go into the table of stages alone, never into a result; threads have no other clock in common.
  const now = (): number => performance.timeOrigin + performance.now();
  return async ({ unit, item, weight }) => {
    const begin = now();
    const count = (done: number): void => void Atomics.store(counters, 1 + unit, Math.min(done, weight));
    await work(item, count, () => Atomics.load(counters, 0) !== 0);
    count(weight);
    return { begin, end: now() };
  };
}
