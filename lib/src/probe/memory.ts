/** The memory that a head trains in, with its kernels; addresses are bytes, blocks are laid out one after the other. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Blas } from '../tensor/index.js';

/** What probe.wasm exports (see lib/kernels/probe.ts). */
interface HeadKernels {
  readonly memory: WasmMemory;
  gemmScratchBytes(n: number): number;
  // prettier-ignore
  gemm(transA: number, transB: number, m: number, n: number, k: number, a: number, lda: number, b: number, ldb: number, c: number, ldc: number, accumulate: number, scratch: number): void;
  columnSums(rows: number, cols: number, x: number, out: number): void;
  fillRows(rows: number, cols: number, x: number, out: number): void;
  relu(n: number, x: number, y: number): void;
  reluGrad(n: number, y: number, dy: number): void;
  multiply(n: number, a: number, b: number, y: number): void;
  maskOf(n: number, count: number, places: number, common: number, rare: number, out: number): void;
  // prettier-ignore
  adam(n: number, param: number, grad: number, m: number, v: number, learningRate: number, beta1: number, beta2: number, epsilon: number, correction1: number, correction2: number, weightDecay: number, decoupled: number, gradScale: number): void;
  // prettier-ignore
  sortByUnit(n: number, units: number, count: number, places: number, rowStarts: number, unitOf: number, slotOf: number, unitStarts: number, rowOf: number): void;
  // prettier-ignore
  keptForward(units: number, inputs: number, scale: number, x: number, w: number, bias: number, unitStarts: number, rowOf: number, values: number): void;
  // prettier-ignore
  keptOutputs(n: number, outputs: number, rowStarts: number, unitOf: number, slotOf: number, values: number, w: number, bias: number, out: number, scratch: number, ends: number): void;
  // prettier-ignore
  keptGradients(first: number, last: number, inputs: number, outputs: number, scale: number, x: number, dOut: number, w: number, unitStarts: number, rowOf: number, values: number, dW1: number, dBias: number, dW2: number): void;
  linearLogits(n: number, inputs: number, x: number, w: number, bias: number, logits: number): void;
  linearGradients(n: number, inputs: number, x: number, delta: number, dW: number, dBias: number): void;
  // prettier-ignore
  adam64(n: number, values: number, gradient: number, m: number, v: number, stepSize: number, beta1: number, beta2: number, epsilon: number, correction2: number, weightDecay: number): void;
}

/** What is needed of the WebAssembly interface, whose types TypeScript ships only with those of the browser. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE = 65536;
const BLOCK = 64;
const IDLE_BYTES = 32 * 2 ** 20;
/** Under this many multiplications the call into a native library costs more than it saves. */
const BLAS_MIN_WORK = 32_768;

let compiled: object | null = null;
/** Memories whose heads are gone: a thread that trains head after head keeps to the first one's. */
const idle: HeadMemory[] = [];

export class HeadMemory {
  readonly kernels: HeadKernels;
  #end = PAGE; // the first page stays empty, so that no block has the address 0
  #blas: Blas | null = null;
  #scratch = { at: 0, bytes: 0 };

  private constructor() {
    compiled ??= new WebAssembly.Module(
      readFileSync(fileURLToPath(new URL('../../dist/generated/probe.wasm', import.meta.url))),
    );
    const abort = (): never => {
      throw new Error('a kernel aborted');
    };
    this.kernels = new WebAssembly.Instance(compiled, { env: { abort } }).exports as HeadKernels;
  }

  /** An empty memory; give it back with `release`. @param blas for products, null = the suite's own */
  static acquire(blas: Blas | null): HeadMemory {
    const memory = idle.pop() ?? new HeadMemory();
    memory.#end = PAGE;
    memory.#scratch = { at: 0, bytes: 0 };
    memory.#blas = blas;
    return memory;
  }

  /** A large memory is left to the garbage collector: one cannot be made smaller. */
  release(): void {
    if (this.kernels.memory.buffer.byteLength <= IDLE_BYTES && !idle.includes(this)) idle.push(this);
  }

  /** Address of a new block of `bytes` bytes, cleared. Views of earlier blocks end when the memory grows. */
  block(bytes: number): number {
    const at = this.#end;
    this.#end = Math.ceil((at + bytes) / BLOCK) * BLOCK;
    const { memory } = this.kernels;
    const before = memory.buffer.byteLength;
    if (this.#end > before) memory.grow(Math.ceil((this.#end - before) / PAGE));
    // What was just added is clear.
    if (at < before) new Uint8Array(memory.buffer, at, Math.min(bytes, before - at)).fill(0);
    return at;
  }

  f32(at: number, length: number): Float32Array {
    return new Float32Array(this.kernels.memory.buffer, at, length);
  }

  f64(at: number, length: number): Float64Array {
    return new Float64Array(this.kernels.memory.buffer, at, length);
  }

  i32(at: number, length: number): Int32Array {
    return new Int32Array(this.kernels.memory.buffer, at, length);
  }

  /** C [m, n] = op(A) op(B) (+ C), all float32, dense but for A, whose rows as stored are `lda` long. */
  // prettier-ignore
  multiply(transA: boolean, transB: boolean, m: number, n: number, k: number, a: number, lda: number, b: number, c: number, accumulate = false): void {
    const ldb = transB ? k : n;
    if (this.#blas && m * n * k >= BLAS_MIN_WORK) {
      const viewA = this.f32(a, transA ? (k - 1) * lda + m : (m - 1) * lda + k);
      this.#blas.sgemm(transA, transB, m, n, k, viewA, lda, this.f32(b, k * n), ldb, accumulate ? 1 : 0, this.f32(c, m * n), n);
      return;
    }
    const bytes = this.kernels.gemmScratchBytes(n);
    if (bytes > this.#scratch.bytes) this.#scratch = { at: this.block(bytes), bytes };
    this.kernels.gemm(transA ? 1 : 0, transB ? 1 : 0, m, n, k, a, lda, b, ldb, c, n, accumulate ? 1 : 0, this.#scratch.at);
  }

  get hasBlas(): boolean {
    return this.#blas !== null;
  }
}
