/**
 * Kernels in AssemblyScript over the memory of the TensorFlow.js wasm backend. They own no memory: every argument is a
 * byte address in the shared heap, every matrix is row-major float32, scratch space is handed in by the caller.
 * SIMD of 128 bits without fused multiply-add, so that the same bits come out on every machine.
 */

// ---------------------------------------------------------------------------------------------------------------------
// Matrix product, blocked and packed (Goto and van de Geijn 2008): C [m, n] = op(A) op(B) (+ C)

const MR: i32 = 4;
const NR: i32 = 8;
const KC: i32 = 256;
const MC: i32 = 128;

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

// ---------------------------------------------------------------------------------------------------------------------
// Elementary functions, four at a time

/** e^x, Cephes' polynomial after range reduction; relative error about 1e-7. x is clamped to [-87, 88]. */
// @ts-ignore: decorator
@inline
function exp4(x: v128): v128 {
  x = f32x4.max(f32x4.min(x, f32x4.splat(88.0)), f32x4.splat(-87.0));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  const y = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(y, scale);
}

/** erf(x) as an odd rational function of x on [-4, 4] (float32 minimax as in Eigen and XLA); error a few units in the last place. */
// @ts-ignore: decorator
@inline
function erf4(x: v128): v128 {
  x = f32x4.max(f32x4.min(x, f32x4.splat(4)), f32x4.splat(-4));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-2.72614225801306e-10);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.77068142495902e-8));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-2.10102402082508e-6));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.69250639462346e-5));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-7.34990630326855e-4));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-2.954599808540250e-3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-1.60960333262415e-2));
  let q = f32x4.splat(-1.45660718464996e-5);
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-2.13374055278905e-4));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-1.68282697438203e-3));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-7.37332916720468e-3));
  q = f32x4.add(f32x4.mul(q, z), f32x4.splat(-1.42647390514189e-2));
  return f32x4.div(f32x4.mul(x, p), q);
}

/** The sum of four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// GELU. Buffers are read in whole vectors; the last, partial one goes through `scratch` (32 bytes).

// @ts-ignore: decorator
@inline
function geluVector(x: v128): v128 {
  const phi = f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.splat(1), erf4(f32x4.mul(x, f32x4.splat(0.7071067811865476)))));
  return f32x4.mul(x, phi);
}

// @ts-ignore: decorator
@inline
function geluGradVector(x: v128, dy: v128): v128 {
  const phi = f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.splat(1), erf4(f32x4.mul(x, f32x4.splat(0.7071067811865476)))));
  const density = f32x4.mul(f32x4.splat(0.3989422804014327), exp4(f32x4.mul(f32x4.splat(-0.5), f32x4.mul(x, x))));
  return f32x4.mul(dy, f32x4.add(phi, f32x4.mul(x, density)));
}

/** y = x Phi(x) for n numbers. */
export function gelu(n: i32, x: usize, y: usize, scratch: usize): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, geluVector(v128.load(x)));
    x += 16;
    y += 16;
  }
  if (i == n) return;
  const rest = (<usize>(n - i)) << 2;
  memory.copy(scratch, x, rest);
  v128.store(scratch, geluVector(v128.load(scratch)));
  memory.copy(y, scratch, rest);
}

/** dx = dy (Phi(x) + x phi(x)) for n numbers. */
export function geluGrad(n: i32, x: usize, dy: usize, dx: usize, scratch: usize): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(dx, geluGradVector(v128.load(x), v128.load(dy)));
    x += 16;
    dy += 16;
    dx += 16;
  }
  if (i == n) return;
  const rest = (<usize>(n - i)) << 2;
  memory.copy(scratch, x, rest);
  memory.copy(scratch + 16, dy, rest);
  v128.store(scratch, geluGradVector(v128.load(scratch), v128.load(scratch, 16)));
  memory.copy(dx, scratch, rest);
}

// ---------------------------------------------------------------------------------------------------------------------
// Sums over rows, and rows filled with a vector

/** out [cols] = sum over rows of x [rows, cols]. */
export function columnSums(rows: i32, cols: i32, x: usize, out: usize): void {
  memory.fill(out, 0, (<usize>cols) << 2);
  for (let i = 0; i < rows; i++) {
    let p = x + ((<usize>(i * cols)) << 2);
    let o = out;
    let j = 0;
    for (; j + 4 <= cols; j += 4) {
      v128.store(o, f32x4.add(v128.load(o), v128.load(p)));
      o += 16;
      p += 16;
    }
    for (; j < cols; j++) {
      store<f32>(o, load<f32>(o) + load<f32>(p));
      o += 4;
      p += 4;
    }
  }
}

/** Every row of out [rows, cols] = x [cols]. */
export function fillRows(rows: i32, cols: i32, x: usize, out: usize): void {
  const bytes = (<usize>cols) << 2;
  for (let i = 0; i < rows; i++) memory.copy(out + (<usize>i) * bytes, x, bytes);
}

// ---------------------------------------------------------------------------------------------------------------------
// LayerNorm over rows

/** y = (x - mean) rstd gain + bias per row; stats [rows, 2] keeps mean and 1 / sqrt(variance + epsilon). */
export function layerNorm(
  rows: i32, cols: i32, epsilon: f32, x: usize, gain: usize, bias: usize, y: usize, stats: usize,
): void {
  const n = <f32>cols;
  for (let i = 0; i < rows; i++) {
    const row = x + ((<usize>(i * cols)) << 2);
    let acc = f32x4.splat(0);
    let rest: f32 = 0;
    let j = 0;
    for (; j + 4 <= cols; j += 4) acc = f32x4.add(acc, v128.load(row + ((<usize>j) << 2)));
    for (; j < cols; j++) rest += load<f32>(row + ((<usize>j) << 2));
    const mean = (sum4(acc) + rest) / n;
    const mean4 = f32x4.splat(mean);
    acc = f32x4.splat(0);
    rest = 0;
    for (j = 0; j + 4 <= cols; j += 4) {
      const d = f32x4.sub(v128.load(row + ((<usize>j) << 2)), mean4);
      acc = f32x4.add(acc, f32x4.mul(d, d));
    }
    for (; j < cols; j++) {
      const d = load<f32>(row + ((<usize>j) << 2)) - mean;
      rest += d * d;
    }
    const rstd = <f32>1 / sqrt<f32>((sum4(acc) + rest) / n + epsilon);
    const rstd4 = f32x4.splat(rstd);
    const out = y + ((<usize>(i * cols)) << 2);
    for (j = 0; j + 4 <= cols; j += 4) {
      const at = (<usize>j) << 2;
      const d = f32x4.mul(f32x4.sub(v128.load(row + at), mean4), rstd4);
      v128.store(out + at, f32x4.add(f32x4.mul(d, v128.load(gain + at)), v128.load(bias + at)));
    }
    for (; j < cols; j++) {
      const at = (<usize>j) << 2;
      store<f32>(out + at, (load<f32>(row + at) - mean) * rstd * load<f32>(gain + at) + load<f32>(bias + at));
    }
    store<f32>(stats + ((<usize>(2 * i)) << 2), mean);
    store<f32>(stats + ((<usize>(2 * i + 1)) << 2), rstd);
  }
}

/**
 * With h = (x - mean) rstd and g = dy gain:
 *   dx = rstd (g - mean(g) - h mean(g h)),  dGain = sum over rows of dy h,  dBias = sum over rows of dy.
 */
export function layerNormGrad(
  rows: i32, cols: i32, x: usize, gain: usize, stats: usize, dy: usize, dx: usize, dGain: usize, dBias: usize,
): void {
  const n = <f32>cols;
  memory.fill(dGain, 0, (<usize>cols) << 2);
  memory.fill(dBias, 0, (<usize>cols) << 2);
  for (let i = 0; i < rows; i++) {
    const offset = (<usize>(i * cols)) << 2;
    const mean = load<f32>(stats + ((<usize>(2 * i)) << 2));
    const rstd = load<f32>(stats + ((<usize>(2 * i + 1)) << 2));
    const mean4 = f32x4.splat(mean);
    const rstd4 = f32x4.splat(rstd);
    let sumG4 = f32x4.splat(0);
    let sumGH4 = f32x4.splat(0);
    let sumG: f32 = 0;
    let sumGH: f32 = 0;
    let j = 0;
    for (; j + 4 <= cols; j += 4) {
      const at = (<usize>j) << 2;
      const d = v128.load(dy + offset + at);
      const h = f32x4.mul(f32x4.sub(v128.load(x + offset + at), mean4), rstd4);
      const g = f32x4.mul(d, v128.load(gain + at));
      sumG4 = f32x4.add(sumG4, g);
      sumGH4 = f32x4.add(sumGH4, f32x4.mul(g, h));
      v128.store(dGain + at, f32x4.add(v128.load(dGain + at), f32x4.mul(d, h)));
      v128.store(dBias + at, f32x4.add(v128.load(dBias + at), d));
    }
    for (; j < cols; j++) {
      const at = (<usize>j) << 2;
      const d = load<f32>(dy + offset + at);
      const h = (load<f32>(x + offset + at) - mean) * rstd;
      const g = d * load<f32>(gain + at);
      sumG += g;
      sumGH += g * h;
      store<f32>(dGain + at, load<f32>(dGain + at) + d * h);
      store<f32>(dBias + at, load<f32>(dBias + at) + d);
    }
    const meanG = (sum4(sumG4) + sumG) / n;
    const meanGH = (sum4(sumGH4) + sumGH) / n;
    const meanG4 = f32x4.splat(meanG);
    const meanGH4 = f32x4.splat(meanGH);
    for (j = 0; j + 4 <= cols; j += 4) {
      const at = (<usize>j) << 2;
      const h = f32x4.mul(f32x4.sub(v128.load(x + offset + at), mean4), rstd4);
      const g = f32x4.mul(v128.load(dy + offset + at), v128.load(gain + at));
      v128.store(dx + offset + at, f32x4.mul(rstd4, f32x4.sub(f32x4.sub(g, meanG4), f32x4.mul(h, meanGH4))));
    }
    for (; j < cols; j++) {
      const at = (<usize>j) << 2;
      const h = (load<f32>(x + offset + at) - mean) * rstd;
      const g = load<f32>(dy + offset + at) * load<f32>(gain + at);
      store<f32>(dx + offset + at, rstd * (g - meanG - h * meanGH));
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Row-wise softmax, in place

/** x [rows, cols] <- softmax(scale x) per row. */
export function softmaxRows(rows: i32, cols: i32, scale: f32, x: usize): void {
  const scale4 = f32x4.splat(scale);
  for (let i = 0; i < rows; i++) {
    const row = x + ((<usize>(i * cols)) << 2);
    let top4 = f32x4.splat(-Infinity);
    let top: f32 = -Infinity;
    let j = 0;
    for (; j + 4 <= cols; j += 4) top4 = f32x4.max(top4, v128.load(row + ((<usize>j) << 2)));
    for (; j < cols; j++) top = max(top, load<f32>(row + ((<usize>j) << 2)));
    top = max(top, max(f32x4.extract_lane(top4, 0), f32x4.extract_lane(top4, 1)));
    top = max(top, max(f32x4.extract_lane(top4, 2), f32x4.extract_lane(top4, 3)));
    const shift4 = f32x4.splat(top);
    let sum4v = f32x4.splat(0);
    let sum: f32 = 0;
    for (j = 0; j + 4 <= cols; j += 4) {
      const at = row + ((<usize>j) << 2);
      const e = exp4(f32x4.mul(scale4, f32x4.sub(v128.load(at), shift4)));
      sum4v = f32x4.add(sum4v, e);
      v128.store(at, e);
    }
    for (; j < cols; j++) {
      const at = row + ((<usize>j) << 2);
      const e = f32x4.extract_lane(exp4(f32x4.splat(scale * (load<f32>(at) - top))), 0);
      sum += e;
      store<f32>(at, e);
    }
    const inverse = <f32>1 / (sum4(sum4v) + sum);
    const inverse4 = f32x4.splat(inverse);
    for (j = 0; j + 4 <= cols; j += 4) {
      const at = row + ((<usize>j) << 2);
      v128.store(at, f32x4.mul(v128.load(at), inverse4));
    }
    for (; j < cols; j++) {
      const at = row + ((<usize>j) << 2);
      store<f32>(at, load<f32>(at) * inverse);
    }
  }
}

/** ds <- scale p (ds - sum_j p_j ds_j) per row: the gradient through softmax(scale s), in place over ds. */
export function softmaxGradRows(rows: i32, cols: i32, scale: f32, p: usize, ds: usize): void {
  for (let i = 0; i < rows; i++) {
    const pr = p + ((<usize>(i * cols)) << 2);
    const dr = ds + ((<usize>(i * cols)) << 2);
    let dot4 = f32x4.splat(0);
    let dot: f32 = 0;
    let j = 0;
    for (; j + 4 <= cols; j += 4) {
      const at = (<usize>j) << 2;
      dot4 = f32x4.add(dot4, f32x4.mul(v128.load(pr + at), v128.load(dr + at)));
    }
    for (; j < cols; j++) dot += load<f32>(pr + ((<usize>j) << 2)) * load<f32>(dr + ((<usize>j) << 2));
    dot += sum4(dot4);
    const total4 = f32x4.splat(dot);
    const scale4 = f32x4.splat(scale);
    for (j = 0; j + 4 <= cols; j += 4) {
      const at = (<usize>j) << 2;
      const v = f32x4.mul(v128.load(pr + at), f32x4.sub(v128.load(dr + at), total4));
      v128.store(dr + at, f32x4.mul(scale4, v));
    }
    for (; j < cols; j++) {
      const at = (<usize>j) << 2;
      store<f32>(dr + at, scale * load<f32>(pr + at) * (load<f32>(dr + at) - dot));
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Attention from packed rows qkv [B*N, 3*inner]; probabilities kept in probs [B, H, N, N]

export function attention(
  nClips: i32, nTokens: i32, numHeads: i32, headDim: i32, qkv: usize, probs: usize, out: usize, scratch: usize,
): void {
  const inner = numHeads * headDim;
  const ld = 3 * inner;
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>headDim);
  for (let clip = 0; clip < nClips; clip++) {
    for (let head = 0; head < numHeads; head++) {
      const q = qkv + ((<usize>(clip * nTokens * ld + head * headDim)) << 2);
      const k = q + ((<usize>inner) << 2);
      const v = k + ((<usize>inner) << 2);
      const p = probs + ((<usize>((clip * numHeads + head) * nTokens * nTokens)) << 2);
      const o = out + ((<usize>(clip * nTokens * inner + head * headDim)) << 2);
      gemm(0, 1, nTokens, nTokens, headDim, q, ld, k, ld, p, nTokens, 0, scratch);
      softmaxRows(nTokens, nTokens, scale, p);
      gemm(0, 0, nTokens, headDim, nTokens, p, nTokens, v, ld, o, inner, 0, scratch);
    }
  }
}

/** dqkv from dOut; `ds` is scratch of N*N numbers. */
export function attentionGrad(
  nClips: i32, nTokens: i32, numHeads: i32, headDim: i32,
  qkv: usize, probs: usize, dOut: usize, dqkv: usize, ds: usize, scratch: usize,
): void {
  const inner = numHeads * headDim;
  const ld = 3 * inner;
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>headDim);
  for (let clip = 0; clip < nClips; clip++) {
    for (let head = 0; head < numHeads; head++) {
      const offset = (<usize>(clip * nTokens * ld + head * headDim)) << 2;
      const block = (<usize>inner) << 2;
      const q = qkv + offset;
      const k = q + block;
      const v = k + block;
      const dq = dqkv + offset;
      const dk = dq + block;
      const dv = dk + block;
      const p = probs + ((<usize>((clip * numHeads + head) * nTokens * nTokens)) << 2);
      const d = dOut + ((<usize>(clip * nTokens * inner + head * headDim)) << 2);
      gemm(1, 0, nTokens, headDim, nTokens, p, nTokens, d, inner, dv, ld, 0, scratch); // dV = P' dO
      gemm(0, 1, nTokens, nTokens, headDim, d, inner, v, ld, ds, nTokens, 0, scratch); // dP = dO V'
      softmaxGradRows(nTokens, nTokens, scale, p, ds);
      gemm(0, 0, nTokens, headDim, nTokens, ds, nTokens, k, ld, dq, ld, 0, scratch); // dQ = dS K
      gemm(1, 0, nTokens, headDim, nTokens, ds, nTokens, q, ld, dk, ld, 0, scratch); // dK = dS' Q
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Adam, in place over the parameter and its moments

export function adam(
  n: i32, param: usize, grad: usize, m: usize, v: usize,
  learningRate: f32, beta1: f32, beta2: f32, epsilon: f32, correction1: f32, correction2: f32,
  weightDecay: f32, decoupled: i32,
): void {
  const step: f32 = learningRate / correction1;
  const root: f32 = sqrt<f32>(correction2);
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 2;
    let w = load<f32>(param + at);
    let g = load<f32>(grad + at);
    if (decoupled) w *= <f32>1 - learningRate * weightDecay;
    else g += weightDecay * w;
    const m1 = beta1 * load<f32>(m + at) + (<f32>1 - beta1) * g;
    const v1 = beta2 * load<f32>(v + at) + (<f32>1 - beta2) * g * g;
    store<f32>(m + at, m1);
    store<f32>(v + at, v1);
    store<f32>(param + at, w - (step * m1) / (sqrt<f32>(v1) / root + epsilon));
  }
}
