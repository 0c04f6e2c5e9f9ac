/** ReLU and dropout masks. */

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
