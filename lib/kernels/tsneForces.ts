/** t-SNE: repulsion, attraction and the step of a map's points. */
import { sum4 } from './elementary';
import { listSources } from './tsneTree';

// ---------------------------------------------------------------------------------------------------------------------
// Repulsion: per target sum m q, sum m q^2 dx, sum m q^2 dy over a list of sources

/** Four targets at tx, ty; out: 4 sums of q, 4 of x, 4 of y (48 bytes). */
function repel4(count: i32, lx: usize, ly: usize, lm: usize, tx: usize, ty: usize, out: usize): void {
  const px = v128.load(tx);
  const py = v128.load(ty);
  const one = f32x4.splat(1);
  let z = f32x4.splat(0);
  let fx = z;
  let fy = z;
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const dx = f32x4.sub(px, v128.load_splat<f32>(lx + i));
    const dy = f32x4.sub(py, v128.load_splat<f32>(ly + i));
    const q = f32x4.div(one, f32x4.add(f32x4.add(one, f32x4.mul(dx, dx)), f32x4.mul(dy, dy)));
    const mq = f32x4.mul(v128.load_splat<f32>(lm + i), q);
    const mqq = f32x4.mul(mq, q);
    z = f32x4.add(z, mq);
    fx = f32x4.add(fx, f32x4.mul(mqq, dx));
    fy = f32x4.add(fy, f32x4.mul(mqq, dy));
  }
  v128.store(out, z);
  v128.store(out, fx, 16);
  v128.store(out, fy, 32);
}

/** Eight targets, as twice repel4, with the loads and latencies shared; out: two blocks of 48 bytes. */
function repel8(count: i32, lx: usize, ly: usize, lm: usize, tx: usize, ty: usize, out: usize): void {
  const ax = v128.load(tx);
  const ay = v128.load(ty);
  const bx = v128.load(tx, 16);
  const by = v128.load(ty, 16);
  const one = f32x4.splat(1);
  let az = f32x4.splat(0);
  let afx = az;
  let afy = az;
  let bz = az;
  let bfx = az;
  let bfy = az;
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const sx = v128.load_splat<f32>(lx + i);
    const sy = v128.load_splat<f32>(ly + i);
    const m = v128.load_splat<f32>(lm + i);
    let dx = f32x4.sub(ax, sx);
    let dy = f32x4.sub(ay, sy);
    let q = f32x4.div(one, f32x4.add(f32x4.add(one, f32x4.mul(dx, dx)), f32x4.mul(dy, dy)));
    let mq = f32x4.mul(m, q);
    az = f32x4.add(az, mq);
    mq = f32x4.mul(mq, q);
    afx = f32x4.add(afx, f32x4.mul(mq, dx));
    afy = f32x4.add(afy, f32x4.mul(mq, dy));
    dx = f32x4.sub(bx, sx);
    dy = f32x4.sub(by, sy);
    q = f32x4.div(one, f32x4.add(f32x4.add(one, f32x4.mul(dx, dx)), f32x4.mul(dy, dy)));
    mq = f32x4.mul(m, q);
    bz = f32x4.add(bz, mq);
    mq = f32x4.mul(mq, q);
    bfx = f32x4.add(bfx, f32x4.mul(mq, dx));
    bfy = f32x4.add(bfy, f32x4.mul(mq, dy));
  }
  v128.store(out, az);
  v128.store(out, afx, 16);
  v128.store(out, afy, 32);
  v128.store(out, bz, 48);
  v128.store(out, bfx, 64);
  v128.store(out, bfy, 80);
}

/**
 * The targets begin .. end of txs, tys against one list, eight at a time. Writes the force of target i to
 * force[id of i] ([n, 2]) and the sum of q to sums[id of i]; ids are `order` or, when that is 0, the positions.
 * @param scratch 160 bytes
 */
function repelTargets(
  begin: i32, end: i32, txs: usize, tys: usize, order: usize, count: i32, lx: usize, ly: usize, lm: usize,
  force: usize, sums: usize, scratch: usize,
): void {
  for (let at = begin; at < end; at += 8) {
    const live = min(8, end - at);
    for (let l: i32 = 0; l < 8; l++) {
      const from = (<usize>(at + min(l, live - 1))) << 2;
      store<f32>(scratch + ((<usize>l) << 2), load<f32>(txs + from));
      store<f32>(scratch + ((<usize>l) << 2), load<f32>(tys + from), 32);
    }
    const out = scratch + 64;
    if (live > 4) repel8(count, lx, ly, lm, scratch, scratch + 32, out);
    else repel4(count, lx, ly, lm, scratch, scratch + 32, out);
    for (let l: i32 = 0; l < live; l++) {
      const from = out + (<usize>((l >> 2) * 48 + (l & 3) * 4));
      const id = order ? <usize>load<u32>(order + ((<usize>(at + l)) << 2)) : <usize>(at + l);
      store<f32>(sums + (id << 2), load<f32>(from));
      store<f32>(force + (id << 3), load<f32>(from, 16));
      store<f32>(force + (id << 3), load<f32>(from, 32), 4);
    }
  }
}

/** Forces on all points of a tree by Barnes and Hut; `sums` counts each point's own q = 1 too. */
export function repelByTree(
  nodes: usize, stop: usize, xs: usize, ys: usize, order: usize, theta: f32, lists: usize, listRoom: i32,
  force: usize, sums: usize, scratch: usize,
): void {
  const room = (<usize>listRoom) << 2;
  const lx = lists;
  const ly = lists + room;
  const lm = ly + room;
  for (let node = nodes; node < stop; node += 32) {
    if (!load<i32>(node, 28)) continue;
    const begin = load<i32>(node, 16);
    const end = load<i32>(node, 20);
    let x0: f32 = Infinity;
    let y0: f32 = Infinity;
    let x1: f32 = -Infinity;
    let y1: f32 = -Infinity;
    for (let i = (<usize>begin) << 2; i < (<usize>end) << 2; i += 4) {
      const u = load<f32>(xs + i);
      const v = load<f32>(ys + i);
      x0 = min(x0, u);
      x1 = max(x1, u);
      y0 = min(y0, v);
      y1 = max(y1, v);
    }
    const count = listSources(nodes, stop, xs, ys, theta * theta, x0, y0, x1, y1, lx, ly, lm);
    repelTargets(begin, end, xs, ys, order, count, lx, ly, lm, force, sums, scratch);
  }
}

/** Forces of m targets (txs, tys [m]) by n sources of mass 1 (xs, ys [n], ones [n]), every pair. */
export function repelExactly(
  m: i32, txs: usize, tys: usize, n: i32, xs: usize, ys: usize, ones: usize, force: usize, sums: usize, scratch: usize,
): void {
  repelTargets(0, m, txs, tys, 0, n, xs, ys, ones, force, sums, scratch);
}

/** Forces of m targets, each with a list of its own: a target's result does not depend on the others. */
export function repelEachByTree(
  m: i32, txs: usize, tys: usize, nodes: usize, stop: usize, xs: usize, ys: usize, theta: f32, lists: usize,
  listRoom: i32, force: usize, sums: usize,
): void {
  const room = (<usize>listRoom) << 2;
  const lx = lists;
  const ly = lists + room;
  const lm = ly + room;
  const one = f32x4.splat(1);
  for (let t: usize = 0; t < <usize>m; t++) {
    const u = load<f32>(txs + (t << 2));
    const v = load<f32>(tys + (t << 2));
    const count = listSources(nodes, stop, xs, ys, theta * theta, u, v, u, v, lx, ly, lm);
    // Four sources at a time; the list is filled up with sources of no mass.
    const full = (<usize>((count + 3) & ~3)) << 2;
    for (let i = (<usize>count) << 2; i < full; i += 4) {
      store<f32>(lx + i, u);
      store<f32>(ly + i, v);
      store<f32>(lm + i, 0);
    }
    const px = f32x4.splat(u);
    const py = f32x4.splat(v);
    let z = f32x4.splat(0);
    let fx = z;
    let fy = z;
    for (let i: usize = 0; i < full; i += 16) {
      const dx = f32x4.sub(px, v128.load(lx + i));
      const dy = f32x4.sub(py, v128.load(ly + i));
      const q = f32x4.div(one, f32x4.add(f32x4.add(one, f32x4.mul(dx, dx)), f32x4.mul(dy, dy)));
      const mq = f32x4.mul(v128.load(lm + i), q);
      const mqq = f32x4.mul(mq, q);
      z = f32x4.add(z, mq);
      fx = f32x4.add(fx, f32x4.mul(mqq, dx));
      fy = f32x4.add(fy, f32x4.mul(mqq, dy));
    }
    store<f32>(sums + (t << 2), sum4(z));
    store<f32>(force + (t << 3), sum4(fx));
    store<f32>(force + (t << 3), sum4(fy), 4);
  }
}

/** The sum of n numbers in float64, in a fixed order. */
export function sum(n: i32, x: usize): f64 {
  let total: f64 = 0;
  for (let i: usize = 0; i < <usize>n; i++) total += <f64>load<f32>(x + (i << 2));
  return total;
}

// ---------------------------------------------------------------------------------------------------------------------
// Attraction and the step

/**
 * force [m, 2] = sum over a row's entries of p q (t_i - y_j). Rows are filled up to multiples of 4 with entries of
 * p = 0.
 * @param targets [m, 2] @param y [n, 2] the points that columns name @param rows [m + 1] i32 @param cols [E] i32 @param p [E]
 */
export function attract(m: i32, targets: usize, y: usize, rows: usize, cols: usize, p: usize, force: usize): void {
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < <usize>m; i++) {
    const yi = v128.load64_splat(targets + (i << 3));
    let sumA = f32x4.splat(0);
    let sumB = sumA;
    const end = (<usize>load<i32>(rows + (i << 2), 4)) << 2;
    for (let e = (<usize>load<i32>(rows + (i << 2))) << 2; e < end; e += 16) {
      const j = cols + e;
      const a = v128.load64_lane(y + ((<usize>load<u32>(j, 4)) << 3), v128.load64_zero(y + ((<usize>load<u32>(j)) << 3)), 1);
      const b = v128.load64_lane(y + ((<usize>load<u32>(j, 12)) << 3), v128.load64_zero(y + ((<usize>load<u32>(j, 8)) << 3)), 1);
      const da = f32x4.sub(yi, a);
      const db = f32x4.sub(yi, b);
      const dx = v128.shuffle<f32>(da, db, 0, 2, 4, 6);
      const dy = v128.shuffle<f32>(da, db, 1, 3, 5, 7);
      const d = f32x4.add(f32x4.add(one, f32x4.mul(dx, dx)), f32x4.mul(dy, dy));
      const w = f32x4.div(v128.load(p + e), d);
      sumA = f32x4.add(sumA, f32x4.mul(w, dx));
      sumB = f32x4.add(sumB, f32x4.mul(w, dy));
    }
    store<f32>(force + (i << 3), sum4(sumA));
    store<f32>(force + (i << 3), sum4(sumB), 4);
  }
}

/**
 * One step of gradient descent with momentum and gains (Jacobs 1988) on `length` numbers, a multiple of 4:
 *   g = exaggeration attraction - repulsion / z
 *   gain = max(gain + .2 where g and velocity differ in sign, gain x .8 elsewhere; minGain)
 *   velocity = momentum velocity - learningRate gain g;  y += velocity
 * Returns the sum of g^2. g is a quarter of the gradient of KL.
 */
export function step(
  length: i32, y: usize, velocity: usize, gains: usize, attraction: usize, repulsion: usize,
  exaggeration: f32, z: f32, learningRate: f32, momentum: f32, minGain: f32,
): f64 {
  const exaggerations = f32x4.splat(exaggeration);
  const inverseZ = f32x4.splat(1 / z);
  const rate = f32x4.splat(learningRate);
  const inertia = f32x4.splat(momentum);
  const least = f32x4.splat(minGain);
  let total: f64 = 0;
  for (let i: usize = 0; i < (<usize>length) << 2; i += 16) {
    const g = f32x4.sub(
      f32x4.mul(exaggerations, v128.load(attraction + i)),
      f32x4.mul(inverseZ, v128.load(repulsion + i)),
    );
    const v = v128.load(velocity + i);
    const gain = v128.load(gains + i);
    const opposed = f32x4.lt(f32x4.mul(v, g), f32x4.splat(0));
    const changed = v128.bitselect(f32x4.add(gain, f32x4.splat(0.2)), f32x4.mul(gain, f32x4.splat(0.8)), opposed);
    const kept = f32x4.max(changed, least);
    const moved = f32x4.sub(f32x4.mul(inertia, v), f32x4.mul(f32x4.mul(rate, kept), g));
    v128.store(gains + i, kept);
    v128.store(velocity + i, moved);
    v128.store(y + i, f32x4.add(v128.load(y + i), moved));
    total += <f64>sum4(f32x4.mul(g, g));
  }
  return total;
}
