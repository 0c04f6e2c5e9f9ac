import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.js';
import type { FromThread, SentError, ToThread } from './messages.js';

/** Called after each finished unit of work; `note` is a few words for a person. */
export type Progress = (done: number, total: number, note?: string) => void;

export interface ParallelOptions<Out = unknown> {
  /** Threads to use; 1 runs everything in this thread. Never more than there are items. */
  readonly threads: number;
  /** Handed (copied) to the factory of every thread. */
  readonly init?: unknown;
  readonly onProgress?: Progress;
  /**
   * Takes each result as it comes, in any order; none is kept then, and the list that is returned is empty. No thread is
   * given its next item before this has returned.
   */
  onResult?(index: number, result: Out): void;
  /**
   * Indices, all smaller than `index`, of the items that must have ended before this one is started; default none. A
   * free thread takes the first item that may start.
   */
  readonly needs?: (index: number) => readonly number[];
  /** On abort the items that run are finished, no further one is started, and `signal.reason` is thrown. */
  readonly signal?: AbortSignal;
}

/** What `exportName` of the module must be: called once per thread, gives the function that is called per item. */
export type TaskFactory<In, Out> = (
  init: unknown,
) => ((item: In) => Promise<Out> | Out) | Promise<(item: In) => Promise<Out> | Out>;

/**
 * Maps `items` by a function that lives in another module, over worker threads. The results are in the order of the
 * items and do not depend on the number of threads. Items are copied to the threads; typed arrays in results that own
 * their whole buffer are moved, not copied, so a task must not keep them.
 *
 * @param module URL of the compiled module (`new URL('./task.js', import.meta.url)`), which exports `exportName`
 * @throws what the first failing item (in the order of the items) threw: an InputError stays one, other errors keep
 *   name and message; `signal.reason` on abort
 */
export async function parallelMap<In, Out>(
  module: URL,
  exportName: string,
  items: readonly In[],
  options: ParallelOptions<Out>,
): Promise<Out[]> {
  options.signal?.throwIfAborted();
  if (items.length === 0) return [];
  const threads = Math.min(Math.floor(options.threads), items.length);
  if (!(threads >= 1)) throw new InputError('parallelMap', `threads is ${options.threads}, at least 1 was expected.`);
  return threads === 1
    ? mapHere(module, exportName, items, options)
    : mapThreads(module, exportName, items, threads, options);
}

async function mapHere<In, Out>(
  module: URL,
  exportName: string,
  items: readonly In[],
  options: ParallelOptions<Out>,
): Promise<Out[]> {
  const loaded = (await import(/* @vite-ignore */ sourceOf(module).href)) as Record<string, unknown>;
  const factory = loaded[exportName];
  if (typeof factory !== 'function') throw new Error(`parallelMap: ${module.href} exports no function ${exportName}`);
  const task = await (factory as TaskFactory<In, Out>)(options.init);
  const results: Out[] = [];
  let done = 0;
  for (const item of items) {
    options.signal?.throwIfAborted();
    const result = await task(item);
    if (options.onResult) options.onResult(done, result);
    else results.push(result);
    done++; // not inside the call, which may be none
    options.onProgress?.(done, items.length);
    await new Promise(setImmediate); // a task may be synchronous; let signals and timers in between items
  }
  return results;
}

function mapThreads<In, Out>(
  module: URL,
  exportName: string,
  items: readonly In[],
  threads: number,
  options: ParallelOptions<Out>,
): Promise<Out[]> {
  const { signal, onProgress, init } = options;
  const threadModule = compiledOf(new URL('./thread.js', import.meta.url));
  const workerData = { module: compiledOf(module).href, exportName, init };
  const results = new Array<Out>(options.onResult ? 0 : items.length);
  const queue = new Queue(items.length, options.needs);
  /** Workers that wait for an item to end, and the item that each of the others has. */
  const idle: Worker[] = [];
  const current = new Map<Worker, number>();
  let done = 0;
  let active = threads;
  let failure: { index: number; error: unknown } | null = null;

  return new Promise<Out[]>((resolve, reject) => {
    const onAbort = (): void => fail(-1, signal?.reason);
    /** Of several failures the one of the earliest item counts, so the error does not depend on timing. */
    const fail = (index: number, error: unknown): void => {
      if (!failure || index < failure.index) failure = { index, error };
    };
    const retire = (worker: Worker): void => {
      worker.removeAllListeners();
      worker.on('error', () => undefined);
      void worker.terminate();
      active--;
      feedIdle();
      if (active > 0) return;
      signal?.removeEventListener('abort', onAbort);
      if (failure) reject(failure.error as Error);
      else resolve(results);
    };
    /** Gives a worker its next item; it waits if that needs others first, and ends if there is none. */
    const feed = (worker: Worker): void => {
      const index = failure ? 'none' : queue.take();
      if (index === 'none') return retire(worker);
      if (index === 'later') return void idle.push(worker);
      current.set(worker, index);
      try {
        worker.postMessage({ index, item: items[index] } satisfies ToThread);
      } catch (error) {
        fail(index, error);
        retire(worker);
      }
    };
    const feedIdle = (): void => {
      for (const worker of idle.splice(0)) feed(worker);
    };
    signal?.addEventListener('abort', onAbort);
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(threadModule, { workerData, execArgv: [] });
      worker.on('message', (message: FromThread) => {
        if ('ready' in message) return feed(worker);
        if (message.error) fail(message.index, restoreError(message.error));
        else {
          try {
            if (options.onResult) options.onResult(message.index, message.result as Out);
            else results[message.index] = message.result as Out;
            done++;
            onProgress?.(done, items.length);
          } catch (error) {
            fail(message.index, error);
          }
        }
        queue.end(message.index);
        feed(worker);
        feedIdle();
      });
      worker.on('error', (error) => {
        fail(current.get(worker) ?? 0, error);
        retire(worker);
      });
      worker.on('exit', (code) => {
        fail(
          current.get(worker) ?? 0,
          new Error(`parallelMap: a worker thread of ${exportName} ended by itself (exit code ${code})`),
        );
        retire(worker);
      });
    }
  });
}

/** Which item comes next: the first that is not started and whose needs have ended. */
class Queue {
  private readonly open: number[];
  private readonly ended = new Set<number>();

  constructor(
    length: number,
    private readonly needs: (index: number) => readonly number[] = () => [],
  ) {
    this.open = Array.from({ length }, (_, index) => index);
    for (const index of this.open)
      if (needs(index).some((needed) => !(needed < index)))
        throw new RangeError(`parallelMap: item ${index} needs ${needs(index)}; only items before it can be needed`);
  }

  take(): number | 'later' | 'none' {
    if (this.open.length === 0) return 'none';
    const at = this.open.findIndex((index) => this.needs(index).every((needed) => this.ended.has(needed)));
    return at < 0 ? 'later' : this.open.splice(at, 1)[0];
  }

  end(index: number): void {
    this.ended.add(index);
  }
}

function restoreError(sent: SentError): Error {
  if (sent.input) return new InputError(sent.input.where, sent.input.problem);
  const error = new Error(sent.message);
  error.name = sent.name;
  if (sent.stack) error.stack = sent.stack;
  return error;
}

/** From a source checkout (`lib/src/*.ts`): the file to import in this thread. Compiled modules stay as they are. */
function sourceOf(module: URL): URL {
  if (module.protocol !== 'file:' || existsSync(module)) return module;
  const source = pathToFileURL(fileURLToPath(module).replace(/\.js$/, '.ts'));
  return existsSync(source) ? source : module;
}

/** The compiled twin of a module: worker threads run plain JavaScript only. */
function compiledOf(module: URL): URL {
  if (module.protocol !== 'file:') return module;
  const path = fileURLToPath(module);
  if (path.endsWith('.js') && existsSync(path)) return module;
  const compiled = path.replace(/([\\/])lib([\\/])src([\\/])/, '$1lib$2dist$3').replace(/\.ts$/, '.js');
  if (!existsSync(compiled)) throw new Error(`parallelMap: ${path} is not compiled; run \`npm run build\` first`);
  return pathToFileURL(compiled);
}
