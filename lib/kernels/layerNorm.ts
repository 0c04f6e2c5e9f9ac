/** LayerNorm over rows. */
import { sum4 } from './elementary';

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
 * With `around` (an address, 0 = none) dx + around: the gradient that x gets from a path around the LayerNorm.
 */
export function layerNormGrad(
  rows: i32, cols: i32, x: usize, gain: usize, stats: usize, dy: usize, around: usize, dx: usize, dGain: usize, dBias: usize,
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
      let d = f32x4.mul(rstd4, f32x4.sub(f32x4.sub(g, meanG4), f32x4.mul(h, meanGH4)));
      if (around) d = f32x4.add(d, v128.load(around + offset + at));
      v128.store(dx + offset + at, d);
    }
    for (; j < cols; j++) {
      const at = (<usize>j) << 2;
      const h = (load<f32>(x + offset + at) - mean) * rstd;
      const g = load<f32>(dy + offset + at) * load<f32>(gain + at);
      const d = rstd * (g - meanG - h * meanGH);
      store<f32>(dx + offset + at, around ? d + load<f32>(around + offset + at) : d);
    }
  }
}
