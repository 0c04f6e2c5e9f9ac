/** Softmax over rows, and attention. */
import { exp4, sum4 } from './elementary';
import { gemm } from './gemm';
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
