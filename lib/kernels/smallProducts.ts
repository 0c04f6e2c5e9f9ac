/**
 * Products of small matrices without packing: attention among few tokens, where packing would cost more than the
 * product. The row length d is a multiple of 16.
 */
import { step } from './elementary';

/** The sums of the lanes of four vectors, as one vector. */
// @ts-ignore: decorator
@inline
function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** C [n, m] = A B' for A [n, d], B [m, d]; lda, ldb, ldc are the row lengths as stored. */
export function dotRows(n: i32, m: i32, d: i32, a: usize, lda: i32, b: usize, ldb: i32, c: usize, ldc: i32): void {
  const strideA = (<usize>lda) << 2;
  const strideB = (<usize>ldb) << 2;
  const strideC = (<usize>ldc) << 2;
  const bytes = (<usize>d) << 2;
  for (let i = 0; i < n; i += 2) {
    // An odd last row is worked out twice, and so are the last rows of B when m is no multiple of 4.
    const a0 = a + (<usize>i) * strideA;
    const a1 = a + (<usize>min(i + 1, n - 1)) * strideA;
    for (let j = 0; j < m; j += 4) {
      const b0 = b + (<usize>j) * strideB;
      const b1 = b + (<usize>min(j + 1, m - 1)) * strideB;
      const b2 = b + (<usize>min(j + 2, m - 1)) * strideB;
      const b3 = b + (<usize>min(j + 3, m - 1)) * strideB;
      let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
      for (let at: usize = 0; at < bytes; at += 16) {
        const x0 = v128.load(a0 + at), x1 = v128.load(a1 + at);
        let y = v128.load(b0 + at);
        s00 = step(x0, y, s00);
        s10 = step(x1, y, s10);
        y = v128.load(b1 + at);
        s01 = step(x0, y, s01);
        s11 = step(x1, y, s11);
        y = v128.load(b2 + at);
        s02 = step(x0, y, s02);
        s12 = step(x1, y, s12);
        y = v128.load(b3 + at);
        s03 = step(x0, y, s03);
        s13 = step(x1, y, s13);
      }
      const to = c + (<usize>i) * strideC + ((<usize>j) << 2);
      storeLive(to, laneSums(s00, s01, s02, s03), m - j);
      if (i + 1 < n) storeLive(to + strideC, laneSums(s10, s11, s12, s13), m - j);
    }
  }
}

/** Stores the first `live` lanes, at most four. */
// @ts-ignore: decorator
@inline
function storeLive(to: usize, x: v128, live: i32): void {
  if (live >= 4) return v128.store(to, x);
  store<f32>(to, f32x4.extract_lane(x, 0));
  if (live > 1) store<f32>(to, f32x4.extract_lane(x, 1), 4);
  if (live > 2) store<f32>(to, f32x4.extract_lane(x, 2), 8);
}

/**
 * C [n, d] = W B for B [k, d], the rows of B combined by the weights W [n, k]; or by their transpose, stored [k, n], with
 * `transposed`. ldw is the row length of W as stored.
 */
export function combineRows(
  transposed: bool, n: i32, k: i32, d: i32, w: usize, ldw: i32, b: usize, ldb: i32, c: usize, ldc: i32,
): void {
  const strideB = (<usize>ldb) << 2;
  const strideC = (<usize>ldc) << 2;
  const toRow: usize = transposed ? 4 : (<usize>ldw) << 2;
  const toColumn: usize = transposed ? (<usize>ldw) << 2 : 4;
  for (let i = 0; i < n; i += 2) {
    const w0 = w + (<usize>i) * toRow;
    const w1 = w + (<usize>min(i + 1, n - 1)) * toRow;
    for (let at: usize = 0; at < (<usize>d) << 2; at += 64) {
      let s00 = f32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
      let row = b + at;
      let p: usize = 0;
      for (let j = 0; j < k; j++) {
        const x0 = v128.load_splat<f32>(w0 + p), x1 = v128.load_splat<f32>(w1 + p);
        let y = v128.load(row);
        s00 = step(x0, y, s00);
        s10 = step(x1, y, s10);
        y = v128.load(row, 16);
        s01 = step(x0, y, s01);
        s11 = step(x1, y, s11);
        y = v128.load(row, 32);
        s02 = step(x0, y, s02);
        s12 = step(x1, y, s12);
        y = v128.load(row, 48);
        s03 = step(x0, y, s03);
        s13 = step(x1, y, s13);
        row += strideB;
        p += toColumn;
      }
      let to = c + (<usize>i) * strideC + at;
      v128.store(to, s00);
      v128.store(to, s01, 16);
      v128.store(to, s02, 32);
      v128.store(to, s03, 48);
      if (i + 1 == n) continue;
      to += strideC;
      v128.store(to, s10);
      v128.store(to, s11, 16);
      v128.store(to, s12, 32);
      v128.store(to, s13, 48);
    }
  }
}
