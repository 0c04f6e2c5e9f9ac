/** Softmax over rows, and attention. */
import { exp4, LOWEST, scaleOf, step, sum4 } from './elementary';
import { gemm } from './gemm';
import { combineRows, dotRows } from './smallProducts';
// ---------------------------------------------------------------------------------------------------------------------
// Row-wise softmax, in place

/** e^(scale (x - shift)) for sixteen numbers in place, as `exp4` works it out, in lockstep; gives their sum by lanes. */
// @ts-ignore: decorator
@inline
function expSixteen(at: usize, scale4: v128, shift4: v128): v128 {
  let k = f32x4.splat(LOWEST);
  const x0 = f32x4.pmax(f32x4.mul(scale4, f32x4.sub(v128.load(at), shift4)), k);
  const x1 = f32x4.pmax(f32x4.mul(scale4, f32x4.sub(v128.load(at, 16), shift4)), k);
  const x2 = f32x4.pmax(f32x4.mul(scale4, f32x4.sub(v128.load(at, 32), shift4)), k);
  const x3 = f32x4.pmax(f32x4.mul(scale4, f32x4.sub(v128.load(at, 48), shift4)), k);
  k = f32x4.splat(1.44269504088896341);
  const n0 = f32x4.nearest(f32x4.mul(x0, k)), n1 = f32x4.nearest(f32x4.mul(x1, k));
  const n2 = f32x4.nearest(f32x4.mul(x2, k)), n3 = f32x4.nearest(f32x4.mul(x3, k));
  k = f32x4.splat(-0.693359375);
  let r0 = step(n0, k, x0), r1 = step(n1, k, x1), r2 = step(n2, k, x2), r3 = step(n3, k, x3);
  k = f32x4.splat(2.12194440e-4);
  r0 = step(n0, k, r0); r1 = step(n1, k, r1); r2 = step(n2, k, r2); r3 = step(n3, k, r3);
  k = f32x4.splat(1.9875691500e-4);
  let p0 = k, p1 = k, p2 = k, p3 = k;
  k = f32x4.splat(1.3981999507e-3);
  p0 = step(p0, r0, k); p1 = step(p1, r1, k); p2 = step(p2, r2, k); p3 = step(p3, r3, k);
  k = f32x4.splat(8.3334519073e-3);
  p0 = step(p0, r0, k); p1 = step(p1, r1, k); p2 = step(p2, r2, k); p3 = step(p3, r3, k);
  k = f32x4.splat(4.1665795894e-2);
  p0 = step(p0, r0, k); p1 = step(p1, r1, k); p2 = step(p2, r2, k); p3 = step(p3, r3, k);
  k = f32x4.splat(1.6666665459e-1);
  p0 = step(p0, r0, k); p1 = step(p1, r1, k); p2 = step(p2, r2, k); p3 = step(p3, r3, k);
  k = f32x4.splat(5.0000001201e-1);
  p0 = step(p0, r0, k); p1 = step(p1, r1, k); p2 = step(p2, r2, k); p3 = step(p3, r3, k);
  k = f32x4.splat(1);
  p0 = step(step(p0, f32x4.mul(r0, r0), r0), k, k);
  p1 = step(step(p1, f32x4.mul(r1, r1), r1), k, k);
  p2 = step(step(p2, f32x4.mul(r2, r2), r2), k, k);
  p3 = step(step(p3, f32x4.mul(r3, r3), r3), k, k);
  p0 = f32x4.mul(p0, scaleOf(n0));
  p1 = f32x4.mul(p1, scaleOf(n1));
  p2 = f32x4.mul(p2, scaleOf(n2));
  p3 = f32x4.mul(p3, scaleOf(n3));
  v128.store(at, p0);
  v128.store(at, p1, 16);
  v128.store(at, p2, 32);
  v128.store(at, p3, 48);
  return f32x4.add(f32x4.add(p0, p1), f32x4.add(p2, p3));
}

/** The largest of a row of 4 numbers or more, NaN aside; the last vector may overlap the one before. */
// @ts-ignore: decorator
@inline
function rowMax(cols: i32, row: usize): f32 {
  let top4 = v128.load(row + ((<usize>(cols - 4)) << 2));
  let j = 0;
  if (cols >= 16) {
    // Four at once: each waits for itself only.
    let a = top4, b = top4, c = top4;
    for (; j + 16 <= cols; j += 16) {
      const at = row + ((<usize>j) << 2);
      top4 = f32x4.pmax(top4, v128.load(at));
      a = f32x4.pmax(a, v128.load(at, 16));
      b = f32x4.pmax(b, v128.load(at, 32));
      c = f32x4.pmax(c, v128.load(at, 48));
    }
    top4 = f32x4.pmax(f32x4.pmax(top4, a), f32x4.pmax(b, c));
  }
  for (; j + 4 <= cols; j += 4) top4 = f32x4.pmax(top4, v128.load(row + ((<usize>j) << 2)));
  const pair = f32x4.pmax(top4, v128.shuffle<f32>(top4, top4, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1));
}

/** x [rows, cols] <- softmax(scale x) per row. */
export function softmaxRows(rows: i32, cols: i32, scale: f32, x: usize): void {
  if (cols < 4) return softmaxShortRows(rows, cols, scale, x);
  const scale4 = f32x4.splat(scale);
  const whole = cols & ~3;
  // The last vector of a row whose length is no multiple of 4 overlaps the one before: it is read before that one is
  // written, its first lanes come out the same again, and only its other lanes count in the sum.
  const counts = i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(4 - (cols - whole)));
  for (let i = 0; i < rows; i++) {
    const row = x + ((<usize>(i * cols)) << 2);
    const end = row + ((<usize>(cols - 4)) << 2);
    const shift4 = f32x4.splat(rowMax(cols, row));
    let last = v128.load(end);
    let sums = f32x4.splat(0);
    let j = 0;
    for (; j + 16 <= whole; j += 16) sums = f32x4.add(sums, expSixteen(row + ((<usize>j) << 2), scale4, shift4));
    for (; j < whole; j += 4) {
      const at = row + ((<usize>j) << 2);
      const e = exp4(f32x4.mul(scale4, f32x4.sub(v128.load(at), shift4)));
      sums = f32x4.add(sums, e);
      v128.store(at, e);
    }
    if (whole < cols) {
      const e = exp4(f32x4.mul(scale4, f32x4.sub(last, shift4)));
      sums = f32x4.add(sums, v128.and(e, counts));
      v128.store(end, e);
    }
    const inverse4 = f32x4.splat(<f32>1 / sum4(sums));
    last = f32x4.mul(v128.load(end), inverse4);
    for (j = 0; j < whole; j += 4) {
      const at = row + ((<usize>j) << 2);
      v128.store(at, f32x4.mul(v128.load(at), inverse4));
    }
    v128.store(end, last);
  }
}

/** As `softmaxRows`, for rows shorter than a vector. */
function softmaxShortRows(rows: i32, cols: i32, scale: f32, x: usize): void {
  for (let i = 0; i < rows; i++) {
    const row = x + ((<usize>(i * cols)) << 2);
    let top: f32 = -Infinity;
    let sum: f32 = 0;
    for (let j = 0; j < cols; j++) top = max(top, load<f32>(row + ((<usize>j) << 2)));
    for (let j = 0; j < cols; j++) {
      const at = row + ((<usize>j) << 2);
      const e = f32x4.extract_lane(exp4(f32x4.splat(scale * (load<f32>(at) - top))), 0);
      sum += e;
      store<f32>(at, e);
    }
    const inverse: f32 = <f32>1 / sum;
    for (let j = 0; j < cols; j++) {
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

/** Up to this many tokens the products go without packing. */
const SMALL_TOKENS: i32 = 32;

export function attention(
  nClips: i32, nTokens: i32, numHeads: i32, headDim: i32, qkv: usize, probs: usize, out: usize, scratch: usize,
): void {
  const inner = numHeads * headDim;
  const ld = 3 * inner;
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>headDim);
  const small = nTokens <= SMALL_TOKENS && (headDim & 15) == 0;
  for (let clip = 0; clip < nClips; clip++) {
    for (let head = 0; head < numHeads; head++) {
      const q = qkv + ((<usize>(clip * nTokens * ld + head * headDim)) << 2);
      const k = q + ((<usize>inner) << 2);
      const v = k + ((<usize>inner) << 2);
      const p = probs + ((<usize>((clip * numHeads + head) * nTokens * nTokens)) << 2);
      const o = out + ((<usize>(clip * nTokens * inner + head * headDim)) << 2);
      if (small) dotRows(nTokens, nTokens, headDim, q, ld, k, ld, p, nTokens);
      else gemm(0, 1, nTokens, nTokens, headDim, q, ld, k, ld, p, nTokens, 0, scratch);
      softmaxRows(nTokens, nTokens, scale, p);
      if (small) combineRows(false, nTokens, nTokens, headDim, p, nTokens, v, ld, o, inner);
      else gemm(0, 0, nTokens, headDim, nTokens, p, nTokens, v, ld, o, inner, 0, scratch);
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
  const small = nTokens <= SMALL_TOKENS && (headDim & 15) == 0;
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
      if (small) {
        combineRows(true, nTokens, nTokens, headDim, p, nTokens, d, inner, dv, ld); // dV = P' dO
        dotRows(nTokens, nTokens, headDim, d, inner, v, ld, ds, nTokens); // dP = dO V'
        softmaxGradRows(nTokens, nTokens, scale, p, ds);
        combineRows(false, nTokens, nTokens, headDim, ds, nTokens, k, ld, dq, ld); // dQ = dS K
        combineRows(true, nTokens, nTokens, headDim, ds, nTokens, q, ld, dk, ld); // dK = dS' Q
        continue;
      }
      gemm(1, 0, nTokens, headDim, nTokens, p, nTokens, d, inner, dv, ld, 0, scratch); // dV = P' dO
      gemm(0, 1, nTokens, nTokens, headDim, d, inner, v, ld, ds, nTokens, 0, scratch); // dP = dO V'
      softmaxGradRows(nTokens, nTokens, scale, p, ds);
      gemm(0, 0, nTokens, headDim, nTokens, ds, nTokens, k, ld, dq, ld, 0, scratch); // dQ = dS K
      gemm(1, 0, nTokens, headDim, nTokens, ds, nTokens, q, ld, dk, ld, 0, scratch); // dK = dS' Q
    }
  }
}
