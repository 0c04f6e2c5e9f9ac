/** The one place that picks the backend, and says why. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { InputError } from '../errors.js';
import { loadBlas, type Blas } from './blas.js';
import { registerKernels, restorePlainKernels } from './kernels.js';
import { tf } from './tf.js';

export type BackendPreference = 'auto' | 'node-gpu' | 'node' | 'wasm' | 'cpu';
const PREFERENCES: readonly string[] = ['auto', 'node-gpu', 'node', 'wasm', 'cpu'];

export interface BackendOptions {
  /** Which backend to use; `auto` takes the first present of node-gpu, node, wasm, cpu. KEYMYNA_BACKEND sets the default. */
  readonly prefer?: BackendPreference;
  /** Whether the wasm backend uses the suite's own kernels (default true). */
  readonly accelerate?: boolean;
  /** Whether the wasm backend multiplies with a BLAS of the system where there is one (default true). */
  readonly blas?: boolean;
  /**
   * Threads of the BLAS. The default is OPENBLAS_NUM_THREADS; without it all cores in the main thread and 1 in a worker
   * thread, whose fellows have the other cores. Products do not depend on it in any bit (with OpenBLAS; tested).
   */
  readonly blasThreads?: number;
}

export interface BackendInfo {
  readonly name: 'tensorflow-gpu' | 'tensorflow' | 'wasm' | 'cpu';
  /** Whether the suite's own kernels are in use. */
  readonly accelerated: boolean;
  /** The BLAS library in use, or null. */
  readonly blas: string | null;
  /** Why this backend, in a sentence. */
  readonly reason: string;
}

let info: BackendInfo | null = null;
let blas: Blas | null = null;
/** Threads of the BLAS while nobody else is at work. */
let blasThreads = 1;
/** How many calls of `withOneBlasThread` are running. */
let sharers = 0;

/** The backend in use. @throws Error before `initBackend` */
export function currentBackend(): BackendInfo {
  if (!info) throw new Error('currentBackend: call initBackend first');
  return info;
}

/** The BLAS in use, for rooms that multiply in memory of their own; null where there is none. */
export function currentBlas(): Blas | null {
  return info?.blas ? blas : null;
}

/** Whether the accelerated kernels are in use. */
export function kernelsActive(): boolean {
  return info?.accelerated ?? false;
}

/** Loads a native backend if its package is installed and works. */
async function tryNative(packageName: string): Promise<string | null> {
  try {
    createRequire(import.meta.url)(packageName);
    return (await tf.setBackend('tensorflow')) ? null : `${packageName} is installed but does not start`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'MODULE_NOT_FOUND'
      ? `${packageName} is not installed`
      : `${packageName} does not load (${message.split('\n')[0]})`;
  }
}

function defaultBlasThreads(): number {
  const asked = Number(process.env.OPENBLAS_NUM_THREADS);
  if (asked >= 1) return Math.floor(asked);
  return isMainThread ? availableParallelism() : 1;
}

/**
 * Runs `work` with the BLAS on one thread: for work that occupies the cores itself, with worker threads. The number of
 * threads belongs to the whole process, so it has to be lowered here, and only this brings it back afterwards.
 */
export async function withOneBlasThread<T>(work: () => Promise<T>): Promise<T> {
  sharers++;
  blas?.setThreads(1);
  try {
    return await work();
  } finally {
    sharers--;
    if (sharers === 0) blas?.setThreads(blasThreads);
  }
}

async function startWasm(options: BackendOptions, why: string): Promise<BackendInfo> {
  await import('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start');
  const base = { name: 'wasm', accelerated: false, blas: null } as const;
  if (options.accelerate === false) {
    restorePlainKernels();
    return { ...base, reason: `${why}; plain, as asked for` };
  }
  blas = options.blas === false ? null : loadBlas();
  blasThreads = options.blasThreads ?? defaultBlasThreads();
  blas?.setThreads(sharers > 0 ? 1 : blasThreads);
  registerKernels(blas);
  const products = blas ? `products by ${blas.library}` : 'products by the suite’s own kernels';
  return { ...base, accelerated: true, blas: blas?.library ?? null, reason: `${why}; ${products}` };
}

/**
 * Starts the backend. May be called again to change it; tensors of the former backend stay where they are.
 *
 * @throws InputError when the backend that was asked for by name is not there
 */
export async function initBackend(options: BackendOptions = {}): Promise<BackendInfo> {
  const prefer = options.prefer ?? process.env.KEYMYNA_BACKEND ?? 'auto';
  if (!PREFERENCES.includes(prefer)) {
    throw new InputError('backend', `found ${JSON.stringify(prefer)}, expected one of ${PREFERENCES.join(', ')}`);
  }
  const refusals: string[] = [];
  const natives = [
    ['node-gpu', '@tensorflow/tfjs-node-gpu', 'tensorflow-gpu'],
    ['node', '@tensorflow/tfjs-node', 'tensorflow'],
  ] as const;
  for (const [key, packageName, name] of natives) {
    if (prefer !== 'auto' && prefer !== key) continue;
    const refusal = await tryNative(packageName);
    if (refusal === null) {
      info = { name, accelerated: false, blas: null, reason: `${packageName} is installed and starts` };
      return info;
    }
    if (prefer === key) throw new InputError(`backend ${prefer}`, `${refusal}; install it, or use auto`);
    refusals.push(refusal);
  }
  if (prefer === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    info = { name: 'cpu', accelerated: false, blas: null, reason: 'the cpu backend was asked for' };
    return info;
  }
  info = await startWasm(options, prefer === 'wasm' ? 'the wasm backend was asked for' : refusals.join(', '));
  return info;
}

/** Starts the default backend unless one is in use: for tasks that may run in a thread of their own or in the caller's. */
export async function ensureBackend(): Promise<BackendInfo> {
  return info ?? initBackend();
}
