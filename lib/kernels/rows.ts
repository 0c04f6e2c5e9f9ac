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
