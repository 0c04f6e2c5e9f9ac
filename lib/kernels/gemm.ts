/**
 * Matrix product, blocked and packed (Goto and van de Geijn 2008): C [m, n] = op(A) op(B) (+ C).
 */

const MR: i32 = 4;
const NR: i32 = 8;
const KC: i32 = 384;
const MC: i32 = 64;

/** Packs rows i0.. of op(A) [m, k] into strips of MR rows, k-major inside a strip; missing rows are zero. */
function packA(a: usize, rowStride: i32, colStride: i32, rows: i32, depth: i32, out: usize): void {
  for (let i = 0; i < rows; i += MR) {
    const live = min(MR, rows - i);
    if (live == MR) {
      const r0 = a + ((<usize>(i * rowStride)) << 2);
      const rs = (<usize>rowStride) << 2;
      const cs = (<usize>colStride) << 2;
      let p = r0;
      for (let k = 0; k < depth; k++) {
        store<f32>(out, load<f32>(p));
        store<f32>(out, load<f32>(p + rs), 4);
        store<f32>(out, load<f32>(p + 2 * rs), 8);
        store<f32>(out, load<f32>(p + 3 * rs), 12);
        out += 16;
        p += cs;
      }
    } else {
      for (let k = 0; k < depth; k++) {
        for (let r = 0; r < MR; r++) {
          const value = r < live ? load<f32>(a + ((<usize>((i + r) * rowStride + k * colStride)) << 2)) : 0;
          store<f32>(out, value);
          out += 4;
        }
      }
    }
  }
}

/** Packs columns of op(B) [k, n] into strips of NR columns, k-major inside a strip; missing columns are zero. */
function packB(b: usize, rowStride: i32, colStride: i32, depth: i32, cols: i32, out: usize): void {
  for (let j = 0; j < cols; j += NR) {
    const live = min(NR, cols - j);
    const base = b + ((<usize>(j * colStride)) << 2);
    if (live == NR && colStride == 1) {
      let p = base;
      const rs = (<usize>rowStride) << 2;
      for (let k = 0; k < depth; k++) {
        v128.store(out, v128.load(p));
        v128.store(out, v128.load(p, 16), 16);
        p += rs;
        out += 32;
      }
    } else if (live == NR && rowStride == 1) {
      // Columns are contiguous in k: transpose 4 x 4 tiles in registers.
      const cs = (<usize>colStride) << 2;
      let k = 0;
      for (; k + 4 <= depth; k += 4) {
        const p = base + ((<usize>k) << 2);
        for (let half: usize = 0; half < 2; half++) {
          const q = p + 4 * half * cs;
          const r0 = v128.load(q);
          const r1 = v128.load(q + cs);
          const r2 = v128.load(q + 2 * cs);
          const r3 = v128.load(q + 3 * cs);
          const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
          const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
          const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
          const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
          const o = out + 16 * half;
          v128.store(o, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5));
          v128.store(o, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7), 32);
          v128.store(o, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5), 64);
          v128.store(o, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7), 96);
        }
        out += 128;
      }
      for (; k < depth; k++) {
        for (let c: usize = 0; c < <usize>NR; c++) store<f32>(out + 4 * c, load<f32>(base + c * cs + ((<usize>k) << 2)));
        out += 32;
      }
    } else {
      for (let k = 0; k < depth; k++) {
        for (let c = 0; c < NR; c++) {
          const value = c < live ? load<f32>(base + ((<usize>(k * rowStride + c * colStride)) << 2)) : 0;
          store<f32>(out, value);
          out += 4;
        }
      }
    }
  }
}

/** One MR x NR tile: C += strip(A) strip(B) over `depth`; the live part of the tile only. */
// @ts-ignore: decorator
@inline
function tile(depth: i32, a: usize, b: usize, c: usize, ldc: i32, rows: i32, cols: i32, scratch: usize): void {
  let c00 = f32x4.splat(0),
    c01 = f32x4.splat(0),
    c10 = f32x4.splat(0),
    c11 = f32x4.splat(0),
    c20 = f32x4.splat(0),
    c21 = f32x4.splat(0),
    c30 = f32x4.splat(0),
    c31 = f32x4.splat(0);
  for (let k = 0; k < depth; k++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let s = v128.load_splat<f32>(a);
    c00 = f32x4.add(c00, f32x4.mul(s, b0));
    c01 = f32x4.add(c01, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(s, b0));
    c11 = f32x4.add(c11, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(s, b0));
    c21 = f32x4.add(c21, f32x4.mul(s, b1));
    s = v128.load_splat<f32>(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(s, b0));
    c31 = f32x4.add(c31, f32x4.mul(s, b1));
    a += 16;
    b += 32;
  }
  const stride = (<usize>ldc) << 2;
  if (rows == MR && cols == NR) {
    v128.store(c, f32x4.add(v128.load(c), c00));
    v128.store(c, f32x4.add(v128.load(c, 16), c01), 16);
    c += stride;
    v128.store(c, f32x4.add(v128.load(c), c10));
    v128.store(c, f32x4.add(v128.load(c, 16), c11), 16);
    c += stride;
    v128.store(c, f32x4.add(v128.load(c), c20));
    v128.store(c, f32x4.add(v128.load(c, 16), c21), 16);
    c += stride;
    v128.store(c, f32x4.add(v128.load(c), c30));
    v128.store(c, f32x4.add(v128.load(c, 16), c31), 16);
    return;
  }
  v128.store(scratch, c00);
  v128.store(scratch, c01, 16);
  v128.store(scratch, c10, 32);
  v128.store(scratch, c11, 48);
  v128.store(scratch, c20, 64);
  v128.store(scratch, c21, 80);
  v128.store(scratch, c30, 96);
  v128.store(scratch, c31, 112);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < cols; j++) {
      const at = c + ((<usize>j) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(scratch + ((<usize>(r * NR + j)) << 2)));
    }
    c += stride;
  }
}

/** Bytes of scratch space that `gemm` needs for n columns. */
export function gemmScratchBytes(n: i32): i32 {
  const strips = (n + NR - 1) / NR;
  return 4 * (MC * KC + strips * NR * KC) + 128 + 64;
}

/**
 * C [m, n] = op(A) op(B), or C + op(A) op(B) when `accumulate`. A is stored [m, k] (or [k, m] when transA), B is stored
 * [k, n] (or [n, k] when transB); lda, ldb, ldc are the row lengths as stored.
 */
export function gemm(
  transA: i32, transB: i32, m: i32, n: i32, k: i32,
  a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  const aRow = transA ? 1 : lda;
  const aCol = transA ? lda : 1;
  const bRow = transB ? 1 : ldb;
  const bCol = transB ? ldb : 1;
  const edge = (scratch + 15) & ~15;
  const packedA = edge + 128;
  const packedB = packedA + ((<usize>(MC * KC)) << 2);
  if (!accumulate) {
    for (let i = 0; i < m; i++) memory.fill(c + ((<usize>(i * ldc)) << 2), 0, (<usize>n) << 2);
  }
  for (let k0 = 0; k0 < k; k0 += KC) {
    const depth = min(KC, k - k0);
    packB(b + ((<usize>(k0 * bRow)) << 2), bRow, bCol, depth, n, packedB);
    for (let i0 = 0; i0 < m; i0 += MC) {
      const rows = min(MC, m - i0);
      packA(a + ((<usize>(i0 * aRow + k0 * aCol)) << 2), aRow, aCol, rows, depth, packedA);
      for (let j = 0; j < n; j += NR) {
        const strip = packedB + ((<usize>(j * depth)) << 2);
        for (let i = 0; i < rows; i += MR) {
          const at = c + ((<usize>((i0 + i) * ldc + j)) << 2);
          tile(depth, packedA + ((<usize>(i * depth)) << 2), strip, at, ldc, min(MR, rows - i), min(NR, n - j), edge);
        }
      }
    }
  }
}
