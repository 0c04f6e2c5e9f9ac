/** The optimizer's passes over parameters: Adam in place, and the sum of squares that the gradients' norm needs. */

/**
 * One step over n numbers (the formulas stand at the class Adam). Gradients are read as gradScale times grad. Square
 * root and division round the same way in vectors and alone, so a number's result does not depend on where it stands.
 */
export function adam(
  n: i32, param: usize, grad: usize, m: usize, v: usize,
  learningRate: f32, beta1: f32, beta2: f32, epsilon: f32, correction1: f32, correction2: f32,
  weightDecay: f32, decoupled: i32, gradScale: f32,
): void {
  const rate: f32 = learningRate / correction1;
  const root: f32 = sqrt<f32>(correction2);
  const keep: f32 = decoupled ? <f32>1 - learningRate * weightDecay : 1;
  const added: f32 = decoupled ? 0 : weightDecay;
  const rest1: f32 = <f32>1 - beta1;
  const rest2: f32 = <f32>1 - beta2;
  let i = 0;
  const beta14 = f32x4.splat(beta1), beta24 = f32x4.splat(beta2), rest14 = f32x4.splat(rest1), rest24 = f32x4.splat(rest2);
  const rate4 = f32x4.splat(rate), root4 = f32x4.splat(root), epsilon4 = f32x4.splat(epsilon);
  const keep4 = f32x4.splat(keep), added4 = f32x4.splat(added), scale4 = f32x4.splat(gradScale);
  for (; i + 4 <= n; i += 4) {
    const w = v128.load(param);
    const g = f32x4.add(f32x4.mul(scale4, v128.load(grad)), f32x4.mul(added4, w));
    const m1 = f32x4.add(f32x4.mul(beta14, v128.load(m)), f32x4.mul(rest14, g));
    const v1 = f32x4.add(f32x4.mul(beta24, v128.load(v)), f32x4.mul(f32x4.mul(rest24, g), g));
    v128.store(m, m1);
    v128.store(v, v1);
    const move = f32x4.div(f32x4.mul(rate4, m1), f32x4.add(f32x4.div(f32x4.sqrt(v1), root4), epsilon4));
    v128.store(param, f32x4.sub(f32x4.mul(keep4, w), move));
    param += 16;
    grad += 16;
    m += 16;
    v += 16;
  }
  for (; i < n; i++) {
    const w = load<f32>(param);
    const g = gradScale * load<f32>(grad) + added * w;
    const m1 = beta1 * load<f32>(m) + rest1 * g;
    const v1 = beta2 * load<f32>(v) + rest2 * g * g;
    store<f32>(m, m1);
    store<f32>(v, v1);
    store<f32>(param, keep * w - (rate * m1) / (sqrt<f32>(v1) / root + epsilon));
    param += 4;
    grad += 4;
    m += 4;
    v += 4;
  }
}

/** The sum of the squares of n numbers, added up in float64. */
export function sumOfSquares(n: i32, x: usize): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const low = f64x2.promote_low_f32x4(v128.load(x));
    const high = f64x2.promote_low_f32x4(v128.load64_zero(x, 8));
    a = f64x2.add(a, f64x2.mul(low, low));
    b = f64x2.add(b, f64x2.mul(high, high));
    x += 16;
  }
  let sum: f64 = 0;
  for (; i < n; i++) {
    const value = <f64>load<f32>(x);
    sum += value * value;
    x += 4;
  }
  const both = f64x2.add(a, b);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1) + sum;
}
