/** The one place that picks the backend, and says why. */
import { createRequire } from 'node:module';
import { tf } from './tf.js';

export type BackendPreference = 'auto' | 'node-gpu' | 'node' | 'wasm' | 'cpu';

export interface BackendOptions {
  /** Which backend to use; `auto` takes the first present of node-gpu, node, wasm, cpu. */
  readonly prefer?: BackendPreference;
  /** Whether the wasm backend uses the suite's own kernels (default true). */
  readonly accelerate?: boolean;
  /** Whether the wasm backend multiplies with a BLAS of the system where there is one (default true). */
  readonly blas?: boolean;
  /** Threads of the BLAS; 1 where several processes share the machine. */
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

/** Names of the suite's own kernels in TensorFlow.js' registry. */
export const KERNEL = {
  linear: 'KeymynaLinear',
  layerNorm: 'KeymynaLayerNorm',
  gelu: 'KeymynaGelu',
  attention: 'KeymynaAttention',
  adam: 'KeymynaAdam',
} as const;

let info: BackendInfo | null = null;

/** The backend in use. @throws Error before `initBackend` */
export function currentBackend(): BackendInfo {
  if (!info) throw new Error('currentBackend: call initBackend first');
  return info;
}

/** Whether the accelerated kernels are in use. */
export function kernelsActive(): boolean {
  return info?.accelerated ?? false;
}

/** Starts the backend. May be called again to change it; tensors of the former backend stay where they are. */
export async function initBackend(options: BackendOptions = {}): Promise<BackendInfo> {
  const { prefer = 'auto' } = options;
  const require = createRequire(import.meta.url);
  if (prefer === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    info = { name: 'cpu', accelerated: false, blas: null, reason: 'the cpu backend was asked for' };
    return info;
  }
  void require;
  await import('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  info = { name: 'wasm', accelerated: false, blas: null, reason: 'WebAssembly runs everywhere' };
  return info;
}
