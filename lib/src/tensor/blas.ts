/**
 * A native BLAS for matrix products on the wasm heap, found at run time through koffi, an optional dependency chosen
 * because it ships binaries inside its npm package. Absent without harm: everything runs without it.
 */
import { createRequire } from 'node:module';
import { InputError } from '../errors.js';

const ROW_MAJOR = 101;
const NO_TRANS = 111;
const TRANS = 112;

/** cblas_sgemm: C [m, n] = op(A) op(B) + beta C, all row-major. */
export type Sgemm = (
  transA: boolean,
  transB: boolean,
  m: number,
  n: number,
  k: number,
  a: Float32Array,
  lda: number,
  b: Float32Array,
  ldb: number,
  beta: number,
  c: Float32Array,
  ldc: number,
) => void;

export interface Blas {
  /** The library's name or path as it was loaded. */
  readonly library: string;
  readonly sgemm: Sgemm;
  /**
   * Sets how many threads a large product uses; small ones use one. The number of threads belongs to the process, so
   * only one JavaScript thread may ask for more than one. Does nothing where the library has no such call.
   */
  readonly setThreads: (threads: number) => void;
}

/** Where a BLAS with the C interface is looked for, in order. KEYMYNA_BLAS names another; `none` turns it off. */
const CANDIDATES: Record<string, readonly string[]> = {
  linux: ['libopenblas.so.0', 'libopenblas.so', 'libmkl_rt.so.2', 'libmkl_rt.so', 'libblis.so.4'],
  darwin: [
    '/System/Library/Frameworks/Accelerate.framework/Accelerate',
    '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
    '/usr/local/opt/openblas/lib/libopenblas.dylib',
  ],
  win32: ['libopenblas.dll', 'mkl_rt.2.dll'],
};

interface KoffiLibrary {
  func(prototype: string): (...args: unknown[]) => unknown;
}

/**
 * Loads the first BLAS that multiplies correctly.
 *
 * @returns null when koffi or a BLAS is missing, or KEYMYNA_BLAS is `none`
 * @throws InputError when KEYMYNA_BLAS names a library that does not load or multiplies wrongly
 */
export function loadBlas(): Blas | null {
  const asked = process.env.KEYMYNA_BLAS;
  if (asked === 'none') return null;
  let koffi: { load(path: string): KoffiLibrary };
  try {
    koffi = createRequire(import.meta.url)('koffi') as typeof koffi;
  } catch {
    if (asked) throw new InputError('KEYMYNA_BLAS', 'the optional package koffi is not installed; run npm install');
    return null;
  }
  for (const library of asked ? [asked] : (CANDIDATES[process.platform] ?? [])) {
    try {
      const handle = koffi.load(library);
      const call = handle.func(
        'void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, void *a, int lda, void *b, int ldb, float beta, void *c, int ldc)',
      );
      const threads = new ThreadSetting(handle);
      const sgemm: Sgemm = (transA, transB, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
        threads.prepare(m * n * k);
        call(ROW_MAJOR, transA ? TRANS : NO_TRANS, transB ? TRANS : NO_TRANS, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
      };
      if (multiplies(sgemm)) return { library, sgemm, setThreads: (n) => threads.allow(n) };
    } catch {
      // Not there: the next one.
    }
  }
  if (asked) {
    throw new InputError(
      'KEYMYNA_BLAS',
      `"${asked}" does not load or does not multiply; name another, "none", or unset it`,
    );
  }
  return null;
}

/** From this many multiplications on a second thread pays for being woken. */
const THREADS_MIN_WORK = 2_000_000;

/** The number of threads of OpenBLAS; other libraries keep to their own environment variables. */
class ThreadSetting {
  private readonly set: ((threads: number) => unknown) | null;
  private allowed = 1;
  private current = 0;

  constructor(library: KoffiLibrary) {
    try {
      this.set = library.func('void openblas_set_num_threads(int n)');
    } catch {
      this.set = null;
    }
    this.prepare(0);
  }

  allow(threads: number): void {
    this.allowed = threads;
    this.prepare(0);
  }

  /** Called before each product. */
  prepare(work: number): void {
    const wanted = work < THREADS_MIN_WORK ? 1 : this.allowed;
    if (wanted === this.current) return;
    this.set?.(wanted);
    this.current = wanted;
  }
}

/** [[1, 2], [3, 4]] [[5, 6], [7, 8]]' = [[17, 23], [39, 53]]: a wrong answer rules a library out. */
function multiplies(sgemm: Sgemm): boolean {
  const c = new Float32Array(4);
  sgemm(false, true, 2, 2, 2, Float32Array.of(1, 2, 3, 4), 2, Float32Array.of(5, 6, 7, 8), 2, 0, c, 2);
  return c.join() === '17,23,39,53';
}
