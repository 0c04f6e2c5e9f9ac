/**
 * Linear [U, I], ReLU, strong dropout, linear [O, U]: only what dropout keeps is computed. The second weight is stored
 * by unit, [U, O]. What is kept has two orders: by row, and by unit (then `slot` says where a place of the first went).
 * Letters: N clips in a batch, U hidden units, I inputs, O outputs.
 */
import { sum4 } from './elementary';

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
