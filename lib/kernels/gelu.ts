/**
 * GELU, x Phi(x), and its gradient. Four vectors go in lockstep, because the compiler builds every constant anew at each
 * use: shared by sixteen numbers it costs little. Buffers are read in whole vectors; what is left over goes through
 * `scratch` (192 bytes), so that a number's result does not depend on where it stands.
 */

import { scaleOf, step } from './elementary';

/** x within [-limit, limit]; NaN stays NaN. */
// @ts-ignore: decorator
@inline
function within(x: v128, limit: f32): v128 {
  return f32x4.pmax(f32x4.pmin(x, f32x4.splat(limit)), f32x4.splat(-limit));
}

/**
 * Sixteen numbers: Phi(x) = (1 + erf(x / sqrt 2)) / 2 with erf as an odd rational function on [-4, 4] (float32 minimax
 * as in Eigen and XLA; error a few units in the last place). With dx: the gradient dy (Phi(x) + x phi(x)) too.
 */
// @ts-ignore: decorator
@inline
function sixteen(x: usize, y: usize, dy: usize, dx: usize, sums: usize, wantY: bool, wantDx: bool, wantSums: bool): void {
  const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
  let k = f32x4.splat(0.7071067811865476);
  const u0 = within(f32x4.mul(x0, k), 4), u1 = within(f32x4.mul(x1, k), 4);
  const u2 = within(f32x4.mul(x2, k), 4), u3 = within(f32x4.mul(x3, k), 4);
  const z0 = f32x4.mul(u0, u0), z1 = f32x4.mul(u1, u1), z2 = f32x4.mul(u2, u2), z3 = f32x4.mul(u3, u3);
  k = f32x4.splat(-2.72614225801306e-10);
  let p0 = k, p1 = k, p2 = k, p3 = k;
  k = f32x4.splat(2.77068142495902e-8);
  p0 = step(p0, z0, k); p1 = step(p1, z1, k); p2 = step(p2, z2, k); p3 = step(p3, z3, k);
  k = f32x4.splat(-2.10102402082508e-6);
  p0 = step(p0, z0, k); p1 = step(p1, z1, k); p2 = step(p2, z2, k); p3 = step(p3, z3, k);
  k = f32x4.splat(-5.69250639462346e-5);
  p0 = step(p0, z0, k); p1 = step(p1, z1, k); p2 = step(p2, z2, k); p3 = step(p3, z3, k);
  k = f32x4.splat(-7.34990630326855e-4);
  p0 = step(p0, z0, k); p1 = step(p1, z1, k); p2 = step(p2, z2, k); p3 = step(p3, z3, k);
  k = f32x4.splat(-2.954599808540250e-3);
  p0 = step(p0, z0, k); p1 = step(p1, z1, k); p2 = step(p2, z2, k); p3 = step(p3, z3, k);
  k = f32x4.splat(-1.60960333262415e-2);
  p0 = step(p0, z0, k); p1 = step(p1, z1, k); p2 = step(p2, z2, k); p3 = step(p3, z3, k);
  k = f32x4.splat(-1.45660718464996e-5);
  let q0 = k, q1 = k, q2 = k, q3 = k;
  k = f32x4.splat(-2.13374055278905e-4);
  q0 = step(q0, z0, k); q1 = step(q1, z1, k); q2 = step(q2, z2, k); q3 = step(q3, z3, k);
  k = f32x4.splat(-1.68282697438203e-3);
  q0 = step(q0, z0, k); q1 = step(q1, z1, k); q2 = step(q2, z2, k); q3 = step(q3, z3, k);
  k = f32x4.splat(-7.37332916720468e-3);
  q0 = step(q0, z0, k); q1 = step(q1, z1, k); q2 = step(q2, z2, k); q3 = step(q3, z3, k);
  k = f32x4.splat(-1.42647390514189e-2);
  q0 = step(q0, z0, k); q1 = step(q1, z1, k); q2 = step(q2, z2, k); q3 = step(q3, z3, k);
  k = f32x4.splat(0.5);
  const phi0 = step(f32x4.div(f32x4.mul(u0, p0), q0), k, k), phi1 = step(f32x4.div(f32x4.mul(u1, p1), q1), k, k);
  const phi2 = step(f32x4.div(f32x4.mul(u2, p2), q2), k, k), phi3 = step(f32x4.div(f32x4.mul(u3, p3), q3), k, k);
  if (wantY) {
    v128.store(y, f32x4.mul(x0, phi0));
    v128.store(y, f32x4.mul(x1, phi1), 16);
    v128.store(y, f32x4.mul(x2, phi2), 32);
    v128.store(y, f32x4.mul(x3, phi3), 48);
  }
  if (!wantDx) return;

  // e^(-x^2 / 2) by Cephes' polynomial after range reduction; 12.6^2 / 2 = 80 keeps it clear of denormal numbers.
  const v0 = within(x0, 12.6), v1 = within(x1, 12.6), v2 = within(x2, 12.6), v3 = within(x3, 12.6);
  k = f32x4.splat(-0.5);
  const t0 = f32x4.mul(f32x4.mul(v0, v0), k), t1 = f32x4.mul(f32x4.mul(v1, v1), k);
  const t2 = f32x4.mul(f32x4.mul(v2, v2), k), t3 = f32x4.mul(f32x4.mul(v3, v3), k);
  k = f32x4.splat(1.44269504088896341);
  const n0 = f32x4.nearest(f32x4.mul(t0, k)), n1 = f32x4.nearest(f32x4.mul(t1, k));
  const n2 = f32x4.nearest(f32x4.mul(t2, k)), n3 = f32x4.nearest(f32x4.mul(t3, k));
  k = f32x4.splat(-0.693359375);
  let r0 = step(n0, k, t0), r1 = step(n1, k, t1), r2 = step(n2, k, t2), r3 = step(n3, k, t3);
  k = f32x4.splat(2.12194440e-4);
  r0 = step(n0, k, r0); r1 = step(n1, k, r1); r2 = step(n2, k, r2); r3 = step(n3, k, r3);
  k = f32x4.splat(1.9875691500e-4);
  let e0 = k, e1 = k, e2 = k, e3 = k;
  k = f32x4.splat(1.3981999507e-3);
  e0 = step(e0, r0, k); e1 = step(e1, r1, k); e2 = step(e2, r2, k); e3 = step(e3, r3, k);
  k = f32x4.splat(8.3334519073e-3);
  e0 = step(e0, r0, k); e1 = step(e1, r1, k); e2 = step(e2, r2, k); e3 = step(e3, r3, k);
  k = f32x4.splat(4.1665795894e-2);
  e0 = step(e0, r0, k); e1 = step(e1, r1, k); e2 = step(e2, r2, k); e3 = step(e3, r3, k);
  k = f32x4.splat(1.6666665459e-1);
  e0 = step(e0, r0, k); e1 = step(e1, r1, k); e2 = step(e2, r2, k); e3 = step(e3, r3, k);
  k = f32x4.splat(5.0000001201e-1);
  e0 = step(e0, r0, k); e1 = step(e1, r1, k); e2 = step(e2, r2, k); e3 = step(e3, r3, k);
  k = f32x4.splat(1);
  e0 = step(e0, r0, k); e1 = step(e1, r1, k); e2 = step(e2, r2, k); e3 = step(e3, r3, k);
  e0 = step(e0, r0, k); e1 = step(e1, r1, k); e2 = step(e2, r2, k); e3 = step(e3, r3, k);
  k = f32x4.splat(0.3989422804014327);
  e0 = f32x4.mul(f32x4.mul(e0, scaleOf(n0)), k);
  e1 = f32x4.mul(f32x4.mul(e1, scaleOf(n1)), k);
  e2 = f32x4.mul(f32x4.mul(e2, scaleOf(n2)), k);
  e3 = f32x4.mul(f32x4.mul(e3, scaleOf(n3)), k);
  const d0 = f32x4.mul(v128.load(dy), step(x0, e0, phi0));
  const d1 = f32x4.mul(v128.load(dy, 16), step(x1, e1, phi1));
  const d2 = f32x4.mul(v128.load(dy, 32), step(x2, e2, phi2));
  const d3 = f32x4.mul(v128.load(dy, 48), step(x3, e3, phi3));
  v128.store(dx, d0);
  v128.store(dx, d1, 16);
  v128.store(dx, d2, 32);
  v128.store(dx, d3, 48);
  if (!wantSums) return;
  v128.store(sums, f32x4.add(v128.load(sums), d0));
  v128.store(sums, f32x4.add(v128.load(sums, 16), d1), 16);
  v128.store(sums, f32x4.add(v128.load(sums, 32), d2), 32);
  v128.store(sums, f32x4.add(v128.load(sums, 48), d3), 48);
}

/** y = x Phi(x) for n numbers. */
export function gelu(n: i32, x: usize, y: usize, scratch: usize): void {
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    sixteen(x, y, 0, 0, 0, true, false, false);
    x += 64;
    y += 64;
  }
  if (i == n) return;
  const rest = (<usize>(n - i)) << 2;
  memory.copy(scratch, x, rest);
  sixteen(scratch, scratch, 0, 0, 0, true, false, false);
  memory.copy(y, scratch, rest);
}

/** dx = dy (Phi(x) + x phi(x)) for n numbers. */
export function geluGrad(n: i32, x: usize, dy: usize, dx: usize, scratch: usize): void {
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    sixteen(x, 0, dy, dx, 0, false, true, false);
    x += 64;
    dy += 64;
    dx += 64;
  }
  if (i == n) return;
  const rest = (<usize>(n - i)) << 2;
  memory.copy(scratch, x, rest);
  memory.copy(scratch + 64, dy, rest);
  sixteen(scratch, 0, scratch + 64, scratch + 64, 0, false, true, false);
  memory.copy(dx, scratch + 64, rest);
}

/**
 * One pass for the backward side of a hidden layer, x [rows, cols] before the GELU: y = x Phi(x) once more, so that the
 * forward pass need not keep it; dx = dy (Phi(x) + x phi(x)), which may be written over dy; sums [cols] = sums of dx over
 * the rows, the gradient of the bias.
 */
export function geluAndGrad(rows: i32, cols: i32, x: usize, dy: usize, y: usize, dx: usize, sums: usize, scratch: usize): void {
  memory.fill(sums, 0, (<usize>cols) << 2);
  const whole = cols & ~15;
  const rest = (<usize>(cols - whole)) << 2;
  for (let i = 0; i < rows; i++) {
    let s = sums;
    for (let j = 0; j < whole; j += 16) {
      sixteen(x, y, dy, dx, s, true, true, true);
      x += 64;
      y += 64;
      dy += 64;
      dx += 64;
      s += 64;
    }
    if (rest == 0) continue;
    memory.copy(scratch, x, rest);
    memory.copy(scratch + 64, dy, rest);
    memory.copy(scratch + 128, s, rest);
    sixteen(scratch, scratch, scratch + 64, scratch + 64, scratch + 128, true, true, true);
    memory.copy(y, scratch, rest);
    memory.copy(dx, scratch + 64, rest);
    memory.copy(s, scratch + 128, rest);
    x += rest;
    y += rest;
    dy += rest;
    dx += rest;
  }
}
