/** Sums over rows, and rows filled with a vector. */

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

/** out [rows, cols] = x + bias on every row. */
export function addToRows(rows: i32, cols: i32, x: usize, bias: usize, out: usize): void {
  for (let i = 0; i < rows; i++) {
    let b = bias;
    let j = 0;
    for (; j + 4 <= cols; j += 4) {
      v128.store(out, f32x4.add(v128.load(x), v128.load(b)));
      x += 16;
      b += 16;
      out += 16;
    }
    for (; j < cols; j++) {
      store<f32>(out, load<f32>(x) + load<f32>(b));
      x += 4;
      b += 4;
      out += 4;
    }
  }
}

/** out [groups, cols] = the mean of each group of `size` rows of x [groups*size, cols]. */
export function groupMeans(groups: i32, size: i32, cols: i32, x: usize, out: usize): void {
  const bytes = (<usize>cols) << 2;
  const share: f32 = <f32>1 / <f32>size;
  for (let group = 0; group < groups; group++) {
    columnSums(size, cols, x, out);
    scale(cols, share, out, out);
    x += (<usize>size) * bytes;
    out += bytes;
  }
}

/** The gradient of groupMeans: every row of dx [groups*size, cols] = its group's row of dy [groups, cols] / size. */
export function groupMeansGrad(groups: i32, size: i32, cols: i32, dy: usize, dx: usize): void {
  const bytes = (<usize>cols) << 2;
  for (let group = 0; group < groups; group++) {
    scale(cols, <f32>1 / <f32>size, dy, dx);
    fillRows(size - 1, cols, dx, dx + bytes);
    dy += bytes;
    dx += (<usize>size) * bytes;
  }
}

/** y [n] = factor x */
function scale(n: i32, factor: f32, x: usize, y: usize): void {
  const factor4 = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    v128.store(y, f32x4.mul(factor4, v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; i < n; i++) {
    store<f32>(y, factor * load<f32>(x));
    x += 4;
    y += 4;
  }
}
