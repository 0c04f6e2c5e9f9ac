/**
 * The heap of the TensorFlow.js wasm backend, and the suite's own kernels running inside it. What is used of the
 * backend's internals is named here and nowhere else: `makeOutput`, `incRef`, `refCount`, `disposeData`, `dataIdMap`,
 * `wasm.asm.memory`, `_malloc`, `_free`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { tf } from './tf.js';

/** What kernels.wasm exports; addresses are bytes into the shared heap (see lib/kernels/kernels.ts). */
export interface KernelExports {
  gemmScratchBytes(n: number): number;
  // prettier-ignore
  gemm(transA: number, transB: number, m: number, n: number, k: number, a: number, lda: number, b: number, ldb: number, c: number, ldc: number, accumulate: number, scratch: number): void;
  gelu(n: number, x: number, y: number, scratch: number): void;
  geluGrad(n: number, x: number, dy: number, dx: number, scratch: number): void;
  // prettier-ignore
  geluAndGrad(rows: number, cols: number, x: number, dy: number, y: number, dx: number, sums: number, scratch: number): void;
  columnSums(rows: number, cols: number, x: number, out: number): void;
  fillRows(rows: number, cols: number, x: number, out: number): void;
  groupMeans(groups: number, size: number, cols: number, x: number, out: number): void;
  groupMeansGrad(groups: number, size: number, cols: number, dy: number, dx: number): void;
  addToRows(rows: number, cols: number, x: number, bias: number, out: number): void;
  // prettier-ignore
  layerNorm(rows: number, cols: number, epsilon: number, x: number, gain: number, bias: number, y: number, stats: number): void;
  // prettier-ignore
  layerNormGrad(rows: number, cols: number, x: number, gain: number, stats: number, dy: number, around: number, dx: number, dGain: number, dBias: number): void;
  softmaxRows(rows: number, cols: number, scale: number, x: number): void;
  softmaxGradRows(rows: number, cols: number, scale: number, p: number, ds: number): void;
  // prettier-ignore
  attention(nClips: number, nTokens: number, numHeads: number, headDim: number, qkv: number, probs: number, out: number, scratch: number): void;
  // prettier-ignore
  attentionGrad(nClips: number, nTokens: number, numHeads: number, headDim: number, qkv: number, probs: number, dOut: number, dqkv: number, ds: number, scratch: number): void;
  // prettier-ignore
  adam(n: number, param: number, grad: number, m: number, v: number, learningRate: number, beta1: number, beta2: number, epsilon: number, correction1: number, correction2: number, weightDecay: number, decoupled: number, gradScale: number): void;
  sumOfSquares(n: number, x: number): number;
}

/** What is needed of the WebAssembly interface, whose types TypeScript ships only with those of the browser. */
interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}
declare const WebAssembly: {
  readonly Memory: abstract new () => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

interface WasmModule {
  readonly asm: { readonly memory: WasmMemory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** The part of TensorFlow.js' BackendWasm that the kernels touch. */
export interface HeapBackend {
  readonly wasm: WasmModule;
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): tf.TensorInfo;
  incRef(dataId: object): void;
  refCount(dataId: object): number;
  disposeData(dataId: object): boolean;
}

/** The heap, the kernels in it, and one growing piece of scratch space. */
export class WasmHeap {
  private scratchAddress = 0;
  private scratchBytes = 0;

  private constructor(
    private readonly backend: HeapBackend,
    readonly kernels: KernelExports,
  ) {}

  /** Loads the kernels into the heap of the running wasm backend. @throws Error if the backend has no usable heap */
  static load(backend: HeapBackend): WasmHeap {
    const memory = backend.wasm?.asm?.memory;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('the wasm backend does not show its memory');
    if (memory.buffer instanceof SharedArrayBuffer) throw new Error('the wasm backend shares its memory with threads');
    const bytes = readFileSync(fileURLToPath(new URL('../../dist/generated/kernels.wasm', import.meta.url)));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: {
        memory,
        abort: () => {
          throw new Error('a kernel aborted');
        },
      },
    });
    return new WasmHeap(backend, instance.exports as unknown as KernelExports);
  }

  /** Byte address of a tensor's data. Valid as long as the tensor lives, also when the heap grows. */
  at(tensor: tf.TensorInfo): number {
    return this.backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  /** A new float32 tensor whose data is not cleared. */
  output(shape: readonly number[]): tf.TensorInfo {
    return this.backend.makeOutput(shape, 'float32');
  }

  /** Gives back an output that no tensor was made of. */
  release({ dataId }: tf.TensorInfo): void {
    this.backend.disposeData(dataId);
  }

  /** The same data under a further handle. */
  shared({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
    this.backend.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /** Whether several tensors hold the data, so that writing into it would change them all. */
  isShared({ dataId }: tf.TensorInfo): boolean {
    return this.backend.refCount(dataId) > 1;
  }

  /** Address of at least `bytes` bytes of scratch space; the next call may move it. */
  scratch(bytes: number): number {
    if (bytes > this.scratchBytes) {
      if (this.scratchAddress) this.backend.wasm._free(this.scratchAddress);
      this.scratchAddress = this.backend.wasm._malloc(bytes);
      if (!this.scratchAddress) throw new Error(`the wasm heap has no ${bytes} bytes of scratch space left`);
      this.scratchBytes = bytes;
    }
    return this.scratchAddress;
  }

  /** `length` float32 numbers of the heap from an address; invalid once the heap grows. */
  view(address: number, length: number): Float32Array {
    return new Float32Array(this.backend.wasm.asm.memory.buffer, address, length);
  }
}
