/**
 * Kernels of the probes' heads in AssemblyScript, over a memory that the head owns (lib/src/probe/memory.ts). As in
 * kernels.ts every argument is a byte address, matrices are row-major, and SIMD goes without fused multiply-add.
 * Letters: N clips in a batch, U hidden units before a dropout, I inputs, O outputs, K = 24 keys.
 */
export { gemm, gemmScratchBytes, columnSums, fillRows } from './kernels';

// @ts-ignore: decorator
@inline
function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** a . b over n numbers, on four chains of four. */
function dot(n: i32, a: usize, b: usize): f32 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(a), v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(a, 32), v128.load(b, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(a, 48), v128.load(b, 48)));
    a += 64;
    b += 64;
  }
  for (; i + 4 <= n; i += 4) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
  }
  let sum = sum4(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; i < n; i++) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}

/** y += c x over n numbers. */
function axpy(n: i32, c: f32, x: usize, y: usize): void {
  const c4 = f32x4.splat(c);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    v128.store(y, f32x4.add(v128.load(y), f32x4.mul(c4, v128.load(x))));
    v128.store(y, f32x4.add(v128.load(y, 16), f32x4.mul(c4, v128.load(x, 16))), 16);
    x += 32;
    y += 32;
  }
  for (; i < n; i++) {
    store<f32>(y, load<f32>(y) + c * load<f32>(x));
    x += 4;
    y += 4;
  }
}

/** y += c x + d z over n numbers. */
function axpy2(n: i32, c: f32, x: usize, d: f32, z: usize, y: usize): void {
  const c4 = f32x4.splat(c);
  const d4 = f32x4.splat(d);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const p = f32x4.add(f32x4.mul(c4, v128.load(x)), f32x4.mul(d4, v128.load(z)));
    const q = f32x4.add(f32x4.mul(c4, v128.load(x, 16)), f32x4.mul(d4, v128.load(z, 16)));
    v128.store(y, f32x4.add(v128.load(y), p));
    v128.store(y, f32x4.add(v128.load(y, 16), q), 16);
    x += 32;
    z += 32;
    y += 32;
  }
  for (; i < n; i++) {
    store<f32>(y, load<f32>(y) + c * load<f32>(x) + d * load<f32>(z));
    x += 4;
    z += 4;
    y += 4;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Elementwise

/** y = max(x, 0) for n numbers. */
export function relu(n: i32, x: usize, y: usize): void {
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, f32x4.max(v128.load(x), zero));
    x += 16;
    y += 16;
  }
  for (; i < n; i++) {
    store<f32>(y, max<f32>(load<f32>(x), 0));
    x += 4;
    y += 4;
  }
}

/** dy = 0 in place wherever the output y of the ReLU is 0. */
export function reluGrad(n: i32, y: usize, dy: usize): void {
  const zero = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(dy, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)));
    y += 16;
    dy += 16;
  }
  for (; i < n; i++) {
    if (!(load<f32>(y) > 0)) store<f32>(dy, 0);
    y += 4;
    dy += 4;
  }
}

/** y = a b for n numbers. */
export function multiply(n: i32, a: usize, b: usize, y: usize): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, f32x4.mul(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    y += 16;
  }
  for (; i < n; i++) {
    store<f32>(y, load<f32>(a) * load<f32>(b));
    a += 4;
    b += 4;
    y += 4;
  }
}

/** out [n] = common, but `rare` at `count` places. */
export function maskOf(n: i32, count: i32, places: usize, common: f32, rare: f32, out: usize): void {
  const common4 = f32x4.splat(common);
  let i = 0;
  for (; i + 4 <= n; i += 4) v128.store(out + ((<usize>i) << 2), common4);
  for (; i < n; i++) store<f32>(out + ((<usize>i) << 2), common);
  for (let p = 0; p < count; p++) store<f32>(out + ((<usize>load<i32>(places + ((<usize>p) << 2))) << 2), rare);
}

/** Adam with L2 over n numbers, in place, in the order of operations of kernels.ts. */
export function adam(
  n: i32, param: usize, grad: usize, m: usize, v: usize,
  learningRate: f32, beta1: f32, beta2: f32, epsilon: f32, correction1: f32, correction2: f32, weightDecay: f32,
): void {
  const step: f32 = learningRate / correction1;
  const root: f32 = sqrt<f32>(correction2);
  const rest1: f32 = <f32>1 - beta1;
  const rest2: f32 = <f32>1 - beta2;
  const step4 = f32x4.splat(step);
  const root4 = f32x4.splat(root);
  const beta14 = f32x4.splat(beta1);
  const beta24 = f32x4.splat(beta2);
  const rest14 = f32x4.splat(rest1);
  const rest24 = f32x4.splat(rest2);
  const epsilon4 = f32x4.splat(epsilon);
  const decay4 = f32x4.splat(weightDecay);
  let at: usize = 0;
  const vectors = (<usize>(n & ~3)) << 2;
  for (; at < vectors; at += 16) {
    const w = v128.load(param + at);
    const g = f32x4.add(v128.load(grad + at), f32x4.mul(decay4, w));
    const m1 = f32x4.add(f32x4.mul(beta14, v128.load(m + at)), f32x4.mul(rest14, g));
    const v1 = f32x4.add(f32x4.mul(beta24, v128.load(v + at)), f32x4.mul(f32x4.mul(rest24, g), g));
    v128.store(m + at, m1);
    v128.store(v + at, v1);
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v1), root4), epsilon4);
    v128.store(param + at, f32x4.sub(w, f32x4.div(f32x4.mul(step4, m1), denominator)));
  }
  for (; at < (<usize>n) << 2; at += 4) {
    const w = load<f32>(param + at);
    const g = load<f32>(grad + at) + weightDecay * w;
    const m1 = beta1 * load<f32>(m + at) + rest1 * g;
    const v1 = beta2 * load<f32>(v + at) + rest2 * g * g;
    store<f32>(m + at, m1);
    store<f32>(v + at, v1);
    store<f32>(param + at, w - (step * m1) / (sqrt<f32>(v1) / root + epsilon));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Linear [U, I], ReLU, strong dropout, linear [O, U]: only what dropout keeps is computed. The second weight is stored
// by unit, [U, O]. What is kept has two orders: by row, and by unit (then `slot` says where a place of the first went).

/**
 * Orders `count` kept places (row * U + unit, ascending) by unit.
 * Out: rowStarts [N + 1], unitOf [count], slotOf [count] in row order; unitStarts [U + 1], rowOf [count] in unit order.
 */
export function sortByUnit(
  n: i32, units: i32, count: i32, places: usize,
  rowStarts: usize, unitOf: usize, slotOf: usize, unitStarts: usize, rowOf: usize,
): void {
  memory.fill(unitStarts, 0, (<usize>(units + 1)) << 2);
  let row = 0;
  let first = 0;
  store<i32>(rowStarts, 0);
  for (let i = 0; i < count; i++) {
    const place = load<i32>(places + ((<usize>i) << 2));
    while (place >= first + units) {
      first += units;
      row++;
      store<i32>(rowStarts + ((<usize>row) << 2), i);
    }
    const unit = place - first;
    store<i32>(unitOf + ((<usize>i) << 2), unit);
    const counter = unitStarts + ((<usize>(unit + 1)) << 2);
    store<i32>(counter, load<i32>(counter) + 1);
  }
  while (row < n) {
    row++;
    store<i32>(rowStarts + ((<usize>row) << 2), count);
  }
  let sum = 0;
  for (let u = 1; u <= units; u++) {
    sum += load<i32>(unitStarts + ((<usize>u) << 2));
    store<i32>(unitStarts + ((<usize>u) << 2), sum);
  }
  // Filling from the back with the end of each unit as the cursor leaves the starts one unit later, as they belong.
  for (let u = units; u > 0; u--) {
    store<i32>(unitStarts + ((<usize>u) << 2), load<i32>(unitStarts + ((<usize>(u - 1)) << 2)));
  }
  for (row = 0; row < n; row++) {
    const end = load<i32>(rowStarts + ((<usize>(row + 1)) << 2));
    for (let i = load<i32>(rowStarts + ((<usize>row) << 2)); i < end; i++) {
      const cursor = unitStarts + ((<usize>(load<i32>(unitOf + ((<usize>i) << 2)) + 1)) << 2);
      const slot = load<i32>(cursor);
      store<i32>(cursor, slot + 1);
      store<i32>(slotOf + ((<usize>i) << 2), slot);
      store<i32>(rowOf + ((<usize>slot) << 2), row);
    }
  }
}

/** values [count], by unit: max(0, x_row . w_unit + bias_unit) scale. */
export function keptForward(
  units: i32, inputs: i32, scale: f32,
  x: usize, w: usize, bias: usize, unitStarts: usize, rowOf: usize, values: usize,
): void {
  const bytes = (<usize>inputs) << 2;
  let slot = 0;
  for (let u = 0; u < units; u++) {
    const end = load<i32>(unitStarts + ((<usize>(u + 1)) << 2));
    const b = load<f32>(bias + ((<usize>u) << 2));
    for (; slot < end; slot++) {
      const row = load<i32>(rowOf + ((<usize>slot) << 2));
      const h = dot(inputs, x + (<usize>row) * bytes, w) + b;
      store<f32>(values + ((<usize>slot) << 2), max<f32>(h, 0) * scale);
    }
    w += bytes;
  }
}

/**
 * out [N, O] = bias + sum over the row's kept units of value w_unit, with w [U, O].
 * @param unitOf is overwritten: what is not 0 is moved together; scratch has room for `count` numbers
 */
export function keptOutputs(
  n: i32, outputs: i32, rowStarts: usize, unitOf: usize, slotOf: usize, values: usize,
  w: usize, bias: usize, out: usize, scratch: usize, ends: usize,
): void {
  for (let row = 0; row < n; row++) {
    const end = load<i32>(rowStarts + ((<usize>(row + 1)) << 2));
    let live = load<i32>(rowStarts + ((<usize>row) << 2));
    for (let i = live; i < end; i++) {
      const value = load<f32>(values + ((<usize>load<i32>(slotOf + ((<usize>i) << 2))) << 2));
      if (value == 0) continue;
      store<i32>(unitOf + ((<usize>live) << 2), load<i32>(unitOf + ((<usize>i) << 2)));
      store<f32>(scratch + ((<usize>live) << 2), value);
      live++;
    }
    store<i32>(ends + ((<usize>row) << 2), live);
  }
  const bytes = (<usize>outputs) << 2;
  let j = 0;
  // Columns by tiles whose weights stay in the cache over all rows.
  for (; j + 32 <= outputs; j += 32) {
    const column = (<usize>j) << 2;
    for (let row = 0; row < n; row++) {
      const end = load<i32>(ends + ((<usize>row) << 2));
      let s0 = v128.load(bias + column);
      let s1 = v128.load(bias + column, 16);
      let s2 = v128.load(bias + column, 32);
      let s3 = v128.load(bias + column, 48);
      let s4 = v128.load(bias + column, 64);
      let s5 = v128.load(bias + column, 80);
      let s6 = v128.load(bias + column, 96);
      let s7 = v128.load(bias + column, 112);
      for (let i = load<i32>(rowStarts + ((<usize>row) << 2)); i < end; i++) {
        const p = w + (<usize>load<i32>(unitOf + ((<usize>i) << 2))) * bytes + column;
        const a = v128.load_splat<f32>(scratch + ((<usize>i) << 2));
        s0 = f32x4.add(s0, f32x4.mul(a, v128.load(p)));
        s1 = f32x4.add(s1, f32x4.mul(a, v128.load(p, 16)));
        s2 = f32x4.add(s2, f32x4.mul(a, v128.load(p, 32)));
        s3 = f32x4.add(s3, f32x4.mul(a, v128.load(p, 48)));
        s4 = f32x4.add(s4, f32x4.mul(a, v128.load(p, 64)));
        s5 = f32x4.add(s5, f32x4.mul(a, v128.load(p, 80)));
        s6 = f32x4.add(s6, f32x4.mul(a, v128.load(p, 96)));
        s7 = f32x4.add(s7, f32x4.mul(a, v128.load(p, 112)));
      }
      const o = out + (<usize>row) * bytes + column;
      v128.store(o, s0);
      v128.store(o, s1, 16);
      v128.store(o, s2, 32);
      v128.store(o, s3, 48);
      v128.store(o, s4, 64);
      v128.store(o, s5, 80);
      v128.store(o, s6, 96);
      v128.store(o, s7, 112);
    }
  }
  for (; j + 8 <= outputs; j += 8) {
    const column = (<usize>j) << 2;
    for (let row = 0; row < n; row++) {
      const end = load<i32>(ends + ((<usize>row) << 2));
      let s0 = v128.load(bias + column);
      let s1 = v128.load(bias + column, 16);
      for (let i = load<i32>(rowStarts + ((<usize>row) << 2)); i < end; i++) {
        const p = w + (<usize>load<i32>(unitOf + ((<usize>i) << 2))) * bytes + column;
        const a = v128.load_splat<f32>(scratch + ((<usize>i) << 2));
        s0 = f32x4.add(s0, f32x4.mul(a, v128.load(p)));
        s1 = f32x4.add(s1, f32x4.mul(a, v128.load(p, 16)));
      }
      const o = out + (<usize>row) * bytes + column;
      v128.store(o, s0);
      v128.store(o, s1, 16);
    }
  }
  for (; j < outputs; j++) {
    const column = (<usize>j) << 2;
    for (let row = 0; row < n; row++) {
      const end = load<i32>(ends + ((<usize>row) << 2));
      let s = load<f32>(bias + column);
      for (let i = load<i32>(rowStarts + ((<usize>row) << 2)); i < end; i++) {
        const p = w + (<usize>load<i32>(unitOf + ((<usize>i) << 2))) * bytes + column;
        s += load<f32>(scratch + ((<usize>i) << 2)) * load<f32>(p);
      }
      store<f32>(out + (<usize>row) * bytes + column, s);
    }
  }
}

/**
 * Gradients of the units first .. last - 1, from dOut [N, O]: with dh = scale (dOut_row . w_unit) where value > 0,
 *   dW1_unit = sum dh x_row,  dBias_unit = sum dh,  dW2_unit = sum value dOut_row.
 * @param w [U, O], the second weight; dW1 [last - first, I], dBias [last - first], dW2 [last - first, O]
 */
export function keptGradients(
  first: i32, last: i32, inputs: i32, outputs: i32, scale: f32,
  x: usize, dOut: usize, w: usize, unitStarts: usize, rowOf: usize, values: usize,
  dW1: usize, dBias: usize, dW2: usize,
): void {
  const inBytes = (<usize>inputs) << 2;
  const outBytes = (<usize>outputs) << 2;
  memory.fill(dW1, 0, (<usize>(last - first)) * inBytes);
  memory.fill(dW2, 0, (<usize>(last - first)) * outBytes);
  for (let u = first; u < last; u++) {
    const end = load<i32>(unitStarts + ((<usize>(u + 1)) << 2));
    const wU = w + (<usize>u) * outBytes;
    let sum: f32 = 0;
    // Two rows at a time, so that the gradients are read and written half as often.
    let x1: usize = 0;
    let d1: usize = 0;
    let dh1: f32 = 0;
    let a1: f32 = 0;
    let isHeld = false;
    for (let slot = load<i32>(unitStarts + ((<usize>u) << 2)); slot < end; slot++) {
      const a = load<f32>(values + ((<usize>slot) << 2));
      if (a == 0) continue;
      const row = <usize>load<i32>(rowOf + ((<usize>slot) << 2));
      const d = dOut + row * outBytes;
      const dh = scale * dot(outputs, d, wU);
      sum += dh;
      if (isHeld) {
        axpy2(inputs, dh1, x1, dh, x + row * inBytes, dW1);
        axpy2(outputs, a1, d1, a, d, dW2);
        isHeld = false;
      } else {
        x1 = x + row * inBytes;
        d1 = d;
        dh1 = dh;
        a1 = a;
        isHeld = true;
      }
    }
    if (isHeld) {
      axpy(inputs, dh1, x1, dW1);
      axpy(outputs, a1, d1, dW2);
    }
    store<f32>(dBias, sum);
    dBias += 4;
    dW1 += inBytes;
    dW2 += outBytes;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The linear probe in float64, two keys at a time; every sum is in the order of the scalar loops it stands for, so the
// bits are theirs. The weight is stored [I, K].

/** The float32 at `p`, twice. */
// @ts-ignore: decorator
@inline
function wide(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load_splat<f32>(p));
}

/** logits [N, K] = x w + bias; x float32 [N, I], everything else float64. */
export function linearLogits(n: i32, inputs: i32, x: usize, w: usize, bias: usize, logits: usize): void {
  for (let row = 0; row < n; row++) {
    let p = w;
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let s4 = s0;
    let s5 = s0;
    let s6 = s0;
    let s7 = s0;
    let s8 = s0;
    let s9 = s0;
    let s10 = s0;
    let s11 = s0;
    for (let j = 0; j < inputs; j++) {
      const a = wide(x);
      s0 = f64x2.add(s0, f64x2.mul(a, v128.load(p)));
      s1 = f64x2.add(s1, f64x2.mul(a, v128.load(p, 16)));
      s2 = f64x2.add(s2, f64x2.mul(a, v128.load(p, 32)));
      s3 = f64x2.add(s3, f64x2.mul(a, v128.load(p, 48)));
      s4 = f64x2.add(s4, f64x2.mul(a, v128.load(p, 64)));
      s5 = f64x2.add(s5, f64x2.mul(a, v128.load(p, 80)));
      s6 = f64x2.add(s6, f64x2.mul(a, v128.load(p, 96)));
      s7 = f64x2.add(s7, f64x2.mul(a, v128.load(p, 112)));
      s8 = f64x2.add(s8, f64x2.mul(a, v128.load(p, 128)));
      s9 = f64x2.add(s9, f64x2.mul(a, v128.load(p, 144)));
      s10 = f64x2.add(s10, f64x2.mul(a, v128.load(p, 160)));
      s11 = f64x2.add(s11, f64x2.mul(a, v128.load(p, 176)));
      x += 4;
      p += 192;
    }
    v128.store(logits, f64x2.add(s0, v128.load(bias)));
    v128.store(logits, f64x2.add(s1, v128.load(bias, 16)), 16);
    v128.store(logits, f64x2.add(s2, v128.load(bias, 32)), 32);
    v128.store(logits, f64x2.add(s3, v128.load(bias, 48)), 48);
    v128.store(logits, f64x2.add(s4, v128.load(bias, 64)), 64);
    v128.store(logits, f64x2.add(s5, v128.load(bias, 80)), 80);
    v128.store(logits, f64x2.add(s6, v128.load(bias, 96)), 96);
    v128.store(logits, f64x2.add(s7, v128.load(bias, 112)), 112);
    v128.store(logits, f64x2.add(s8, v128.load(bias, 128)), 128);
    v128.store(logits, f64x2.add(s9, v128.load(bias, 144)), 144);
    v128.store(logits, f64x2.add(s10, v128.load(bias, 160)), 160);
    v128.store(logits, f64x2.add(s11, v128.load(bias, 176)), 176);
    logits += 192;
  }
}

/** dW [I, K] = x' delta, dBias [K] = sum of delta [N, K]; four clips at a time. */
export function linearGradients(n: i32, inputs: i32, x: usize, delta: usize, dW: usize, dBias: usize): void {
  const bytes = (<usize>inputs) << 2;
  memory.fill(dW, 0, (<usize>inputs) * 192);
  memory.fill(dBias, 0, 192);
  for (let row = 0; row < n; row++) {
    for (let k: usize = 0; k < 192; k += 16) {
      v128.store(dBias + k, f64x2.add(v128.load(dBias + k), v128.load(delta + (<usize>row) * 192 + k)));
    }
  }
  let row = 0;
  for (; row + 4 <= n; row += 4) {
    const x0 = x + (<usize>row) * bytes;
    // Pairs of keys outermost, so that the four clips' deltas stay in registers.
    for (let k: usize = 0; k < 192; k += 32) {
      const d = delta + (<usize>row) * 192 + k;
      const d0 = v128.load(d);
      const d1 = v128.load(d, 192);
      const d2 = v128.load(d, 384);
      const d3 = v128.load(d, 576);
      const e0 = v128.load(d, 16);
      const e1 = v128.load(d, 208);
      const e2 = v128.load(d, 400);
      const e3 = v128.load(d, 592);
      let p = x0;
      let g = dW + k;
      for (let j = 0; j < inputs; j++) {
        const a0 = wide(p);
        const a1 = wide(p + bytes);
        const a2 = wide(p + 2 * bytes);
        const a3 = wide(p + 3 * bytes);
        let t = f64x2.add(f64x2.mul(d0, a0), f64x2.mul(d1, a1));
        t = f64x2.add(f64x2.add(t, f64x2.mul(d2, a2)), f64x2.mul(d3, a3));
        v128.store(g, f64x2.add(v128.load(g), t));
        t = f64x2.add(f64x2.mul(e0, a0), f64x2.mul(e1, a1));
        t = f64x2.add(f64x2.add(t, f64x2.mul(e2, a2)), f64x2.mul(e3, a3));
        v128.store(g, f64x2.add(v128.load(g, 16), t), 16);
        p += 4;
        g += 192;
      }
    }
  }
  for (; row < n; row++) {
    let p = x + (<usize>row) * bytes;
    const d = delta + (<usize>row) * 192;
    let g = dW;
    for (let j = 0; j < inputs; j++) {
      const a = wide(p);
      for (let k: usize = 0; k < 192; k += 16) {
        v128.store(g + k, f64x2.add(v128.load(g + k), f64x2.mul(v128.load(d + k), a)));
      }
      p += 4;
      g += 192;
    }
  }
}

/** Adam with L2 over an even number n of float64 values, which are rounded to float32 after the step. */
export function adam64(
  n: i32, values: usize, gradient: usize, m: usize, v: usize,
  stepSize: f64, beta1: f64, beta2: f64, epsilon: f64, correction2: f64, weightDecay: f64,
): void {
  const decay = f64x2.splat(weightDecay);
  const b1 = f64x2.splat(beta1);
  const b2 = f64x2.splat(beta2);
  const r1 = f64x2.splat(1 - beta1);
  const r2 = f64x2.splat(1 - beta2);
  const step = f64x2.splat(stepSize);
  const root = f64x2.splat(correction2);
  const eps = f64x2.splat(epsilon);
  const end = (<usize>n) << 3;
  for (let at: usize = 0; at < end; at += 16) {
    const w = v128.load(values + at);
    const g = f64x2.add(v128.load(gradient + at), f64x2.mul(decay, w));
    const m1 = f64x2.add(f64x2.mul(b1, v128.load(m + at)), f64x2.mul(r1, g));
    const v1 = f64x2.add(f64x2.mul(b2, v128.load(v + at)), f64x2.mul(f64x2.mul(r2, g), g));
    v128.store(m + at, m1);
    v128.store(v + at, v1);
    const next = f64x2.sub(w, f64x2.div(f64x2.mul(step, m1), f64x2.add(f64x2.div(f64x2.sqrt(v1), root), eps)));
    v128.store(values + at, f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(next)));
  }
}
