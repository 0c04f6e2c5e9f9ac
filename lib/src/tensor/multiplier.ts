/** Matrix products on the wasm heap, by a BLAS of the system or by the suite's own kernel. */
import type { Blas } from './blas.js';
import type { WasmHeap } from './wasm-heap.js';

/** Under this many multiplications the call into a native library costs more than it saves. */
const BLAS_MIN_WORK = 32_768;

/**
 * OpenBLAS cuts long sums (large k) into blocks, in places that depend on its number of threads unless k is a multiple
 * of this unit. What is left over is therefore added by a second product, and no bit depends on the number of threads.
 */
const LONG_UNIT = 64;
/** Up to here a sum is one block in any case. */
const LONG = 192;

/** Matrix products on the heap, by the BLAS where there is one and the product is worth it. */
export class Multiplier {
  constructor(
    private readonly heap: WasmHeap,
    private readonly blas: Blas | null,
  ) {}

  get hasBlas(): boolean {
    return this.blas !== null;
  }

  /** C [m, n] = op(A) op(B) (+ C) with addresses into the heap. */
  // prettier-ignore
  gemm(transA: boolean, transB: boolean, m: number, n: number, k: number, a: number, lda: number, b: number, ldb: number, c: number, ldc: number, accumulate = false): void {
    const { heap, blas } = this;
    if (!blas || m * n * k < BLAS_MIN_WORK) {
      const scratch = heap.scratch(heap.kernels.gemmScratchBytes(n));
      heap.kernels.gemm(transA ? 1 : 0, transB ? 1 : 0, m, n, k, a, lda, b, ldb, c, ldc, accumulate ? 1 : 0, scratch);
      return;
    }
    const whole = k <= LONG ? k : k - (k % LONG_UNIT);
    const sgemm = (depth: number, a: number, b: number, beta: number): void => {
      const viewA = heap.view(a, transA ? (depth - 1) * lda + m : (m - 1) * lda + depth);
      const viewB = heap.view(b, transB ? (n - 1) * ldb + depth : (depth - 1) * ldb + n);
      blas.sgemm(transA, transB, m, n, depth, viewA, lda, viewB, ldb, beta, heap.view(c, (m - 1) * ldc + n), ldc);
    };
    sgemm(whole, a, b, accumulate ? 1 : 0);
    if (whole < k) sgemm(k - whole, a + 4 * whole * (transA ? lda : 1), b + 4 * whole * (transB ? 1 : ldb), 1);
  }
}
