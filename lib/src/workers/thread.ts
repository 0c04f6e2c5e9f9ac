/** Entry of a worker thread: loads the task's module, builds the task once, answers one item after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, SentError, ToThread } from './messages.js';

const { module, exportName, init } = workerData as { module: string; exportName: string; init: unknown };
const port = parentPort!;

const loaded = (await import(module)) as Record<string, unknown>;
const factory = loaded[exportName];
if (typeof factory !== 'function') throw new Error(`parallelMap: ${module} exports no function ${exportName}`);

let task: ((item: unknown) => unknown) | undefined;
let broken: SentError | undefined;
try {
  task = (await (factory as (init: unknown) => unknown)(init)) as (item: unknown) => unknown;
} catch (error) {
  broken = describe(error); // reported with the first item, so that it is handled like any failure of an item
}

port.on('message', (message: ToThread) => void answer(message));
port.postMessage({ ready: true } satisfies FromThread);

async function answer({ index, item }: ToThread): Promise<void> {
  try {
    if (broken || !task) return port.postMessage({ index, error: broken } satisfies FromThread);
    const result = await task(item);
    port.postMessage({ index, result } satisfies FromThread, movable(result));
  } catch (error) {
    port.postMessage({ index, error: describe(error) } satisfies FromThread);
  }
}

function describe(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const sent = { name: error.name, message: error.message, stack: error.stack };
  // by its fields, not by instanceof: a task may have come with another copy of the class
  const { where, problem } = error as Partial<Record<'where' | 'problem', unknown>>;
  const isInput = error.name === 'InputError' && typeof where === 'string' && typeof problem === 'string';
  return isInput ? { ...sent, input: { where, problem } } : sent;
}

/** Buffers of the typed arrays in a result that own their whole buffer. */
function movable(result: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 8) return;
    if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
    } else if (Array.isArray(value)) for (const item of value) visit(item, depth + 1);
    else if (value instanceof Map) for (const item of value.values()) visit(item, depth + 1);
    else if (Object.getPrototypeOf(value) === Object.prototype)
      for (const item of Object.values(value)) visit(item, depth + 1);
  };
  visit(result, 0);
  return [...found];
}
