/**
 * The linear probe in float64, two keys at a time; every sum is in the order of the scalar loops it stands for, so the
 * bits are theirs. The weight is stored [I, K]. Letters: N clips in a batch, I inputs, K = 24 keys.
 */

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
