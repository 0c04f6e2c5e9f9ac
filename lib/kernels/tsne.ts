/**
 * Kernels of t-SNE in AssemblyScript, over a memory of their own. Every argument is a byte address; numbers are float32
 * unless said otherwise. SIMD of 128 bits without fused multiply-add: the same bits come out on every machine.
 * Letters: n points, E entries of the sparse affinities, q = 1 / (1 + distance^2).
 */

/**
 * Points in a leaf of the tree at most; a leaf is also the group of targets that share one list of sources. Measured with
 * 8 to 128: at 5,000 points 48 takes two thirds of the time of 16 with a sixth of the error, at 1,000 more would be slower.
 */
const LEAF: i32 = 48;

// ---------------------------------------------------------------------------------------------------------------------
// The tree. Points are ordered along the Z curve (Morton 1966); nodes stand in preorder, 32 bytes each:
//   0 x, 4 y: centre of mass    8 mass    12 extent^2 (the longer side of the box around its points, squared)
//   16 begin, 20 end: its points in Z order (i32)    24 next: the node after its descendants (address)    28 leaf (i32)

/** 16 bits spread to the even bits of 32. */
// @ts-ignore: decorator
@inline
function spread(v: u32): u32 {
  v = (v | (v << 8)) & 0x00ff00ff;
  v = (v | (v << 4)) & 0x0f0f0f0f;
  v = (v | (v << 2)) & 0x33333333;
  return (v | (v << 1)) & 0x55555555;
}

/**
 * Orders n points along the Z curve.
 * @param y [n, 2] @param keys, order [n] i32 out @param spare [2n] i32 @param counts [256] i32
 * @param xs, ys [n] out: coordinates in that order
 */
export function sortPoints(
  n: i32, y: usize, keys: usize, order: usize, spare: usize, counts: usize, xs: usize, ys: usize,
): void {
  let low = v128.load64_splat(y);
  let high = low;
  for (let i: usize = 1; i < <usize>n; i++) {
    const p = v128.load64_splat(y + (i << 3));
    low = f32x4.min(low, p);
    high = f32x4.max(high, p);
  }
  const x0 = f32x4.extract_lane(low, 0);
  const y0 = f32x4.extract_lane(low, 1);
  const side = max(f32x4.extract_lane(high, 0) - x0, f32x4.extract_lane(high, 1) - y0);
  const scale: f32 = side > 0 ? <f32>65535.0 / side : 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const u = <u32>min<f32>((load<f32>(y + (i << 3)) - x0) * scale, 65535);
    const v = <u32>min<f32>((load<f32>(y + (i << 3), 4) - y0) * scale, 65535);
    store<u32>(keys + (i << 2), spread(u) | (spread(v) << 1));
    store<u32>(order + (i << 2), <u32>i);
  }
  let fromKeys = keys;
  let fromOrder = order;
  let toKeys = spare;
  let toOrder = spare + ((<usize>n) << 2);
  for (let shift: u32 = 0; shift < 32; shift += 8) {
    memory.fill(counts, 0, 1024);
    for (let i: usize = 0; i < <usize>n; i++) {
      const at = counts + <usize>(((load<u32>(fromKeys + (i << 2)) >> shift) & 255) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
    let sum: u32 = 0;
    for (let b: usize = 0; b < 1024; b += 4) {
      const count = load<u32>(counts + b);
      store<u32>(counts + b, sum);
      sum += count;
    }
    for (let i: usize = 0; i < <usize>n; i++) {
      const key = load<u32>(fromKeys + (i << 2));
      const at = counts + <usize>(((key >> shift) & 255) << 2);
      const to = load<u32>(at);
      store<u32>(at, to + 1);
      store<u32>(toKeys + <usize>(to << 2), key);
      store<u32>(toOrder + <usize>(to << 2), load<u32>(fromOrder + (i << 2)));
    }
    const k = fromKeys;
    fromKeys = toKeys;
    toKeys = k;
    const o = fromOrder;
    fromOrder = toOrder;
    toOrder = o;
  }
  for (let i: usize = 0; i < <usize>n; i++) {
    const p = y + <usize>(load<u32>(order + (i << 2)) << 3);
    store<f32>(xs + (i << 2), load<f32>(p));
    store<f32>(ys + (i << 2), load<f32>(p, 4));
  }
}

let keysAt: usize = 0;
let xsAt: usize = 0;
let ysAt: usize = 0;
let nextNode: usize = 0;
// What the last call of `grow` found: sum of coordinates and box.
let sumX: f32 = 0;
let sumY: f32 = 0;
let boxX0: f32 = 0;
let boxY0: f32 = 0;
let boxX1: f32 = 0;
let boxY1: f32 = 0;

function grow(begin: i32, end: i32, shift: i32): void {
  const node = nextNode;
  nextNode += 32;
  const first = load<u32>(keysAt + ((<usize>begin) << 2));
  const last = load<u32>(keysAt + ((<usize>(end - 1)) << 2));
  // One quadrant with everything in it makes no node of its own.
  while (shift >= 0 && first >> shift == last >> shift) shift -= 2;
  const leaf = end - begin <= LEAF || shift < 0;
  let x: f32 = 0;
  let y: f32 = 0;
  let x0: f32 = Infinity;
  let y0: f32 = Infinity;
  let x1: f32 = -Infinity;
  let y1: f32 = -Infinity;
  if (leaf) {
    for (let i = (<usize>begin) << 2; i < (<usize>end) << 2; i += 4) {
      const u = load<f32>(xsAt + i);
      const v = load<f32>(ysAt + i);
      x += u;
      y += v;
      x0 = min(x0, u);
      x1 = max(x1, u);
      y0 = min(y0, v);
      y1 = max(y1, v);
    }
  } else {
    let at = begin;
    while (at < end) {
      const quadrant = load<u32>(keysAt + ((<usize>at) << 2)) >> shift;
      let low = at + 1;
      let high = end;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (load<u32>(keysAt + ((<usize>middle) << 2)) >> shift == quadrant) low = middle + 1;
        else high = middle;
      }
      grow(at, low, shift - 2);
      x += sumX;
      y += sumY;
      x0 = min(x0, boxX0);
      x1 = max(x1, boxX1);
      y0 = min(y0, boxY0);
      y1 = max(y1, boxY1);
      at = low;
    }
  }
  const mass = <f32>(end - begin);
  const side = max(x1 - x0, y1 - y0);
  store<f32>(node, x / mass);
  store<f32>(node, y / mass, 4);
  store<f32>(node, mass, 8);
  store<f32>(node, side * side, 12);
  store<i32>(node, begin, 16);
  store<i32>(node, end, 20);
  store<u32>(node, <u32>nextNode, 24);
  store<i32>(node, leaf ? 1 : 0, 28);
  sumX = x;
  sumY = y;
  boxX0 = x0;
  boxX1 = x1;
  boxY0 = y0;
  boxY1 = y1;
}

/** Builds the tree over sorted points (`keys`, `xs`, `ys` of sortPoints); room for 2n nodes. Returns the end of the nodes. */
export function buildTree(n: i32, keys: usize, xs: usize, ys: usize, nodes: usize): usize {
  keysAt = keys;
  xsAt = xs;
  ysAt = ys;
  nextNode = nodes;
  grow(0, n, 30);
  return nextNode;
}

/**
 * Lists what acts on a box of targets: a cell counts as one source of its mass at its centre where extent < theta x
 * distance (Barnes and Hut 1986), with the distance from the nearest point of the box; elsewhere its points do, each for
 * itself. Returns the number of sources in lx, ly, lm (room for 3n + 8).
 */
function listSources(
  nodes: usize, stop: usize, theta2: f32, x0: f32, y0: f32, x1: f32, y1: f32, lx: usize, ly: usize, lm: usize,
): i32 {
  let c: usize = 0;
  let node = nodes;
  while (node < stop) {
    const x = load<f32>(node);
    const y = load<f32>(node, 4);
    const dx = max(max(x0 - x, x - x1), <f32>0);
    const dy = max(max(y0 - y, y - y1), <f32>0);
    if (load<f32>(node, 12) < theta2 * (dx * dx + dy * dy)) {
      store<f32>(lx + c, x);
      store<f32>(ly + c, y);
      store<f32>(lm + c, load<f32>(node, 8));
      c += 4;
      node = <usize>load<u32>(node, 24);
      continue;
    }
    if (load<i32>(node, 28)) {
      const begin = load<i32>(node, 16);
      const end = load<i32>(node, 20);
      if (end - begin > LEAF) {
        // More points than a leaf holds within 2^-16 of the map's side: one source.
        store<f32>(lx + c, x);
        store<f32>(ly + c, y);
        store<f32>(lm + c, load<f32>(node, 8));
        c += 4;
      } else {
        for (let i = (<usize>begin) << 2; i < (<usize>end) << 2; i += 4) {
          store<f32>(lx + c, load<f32>(xsAt + i));
          store<f32>(ly + c, load<f32>(ysAt + i));
          store<f32>(lm + c, 1);
          c += 4;
        }
      }
    }
    node += 32;
  }
  return <i32>(c >> 2);
}

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
  xsAt = xs;
  ysAt = ys;
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
    const count = listSources(nodes, stop, theta * theta, x0, y0, x1, y1, lx, ly, lm);
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
  xsAt = xs;
  ysAt = ys;
  const one = f32x4.splat(1);
  for (let t: usize = 0; t < <usize>m; t++) {
    const u = load<f32>(txs + (t << 2));
    const v = load<f32>(tys + (t << 2));
    const count = listSources(nodes, stop, theta * theta, u, v, u, v, lx, ly, lm);
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

/** The sum of four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
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

// ---------------------------------------------------------------------------------------------------------------------
// Nearest candidates of a row

/** Hoare's selection: the `keep` smallest of `count` values to the front, indices with them. Returns the largest of them. */
function select(values: usize, indices: usize, count: i32, keep: i32): f32 {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = load<f32>(values + ((<usize>((low + high) >> 1)) << 2));
    let i = low;
    let j = high;
    while (i <= j) {
      while (load<f32>(values + ((<usize>i) << 2)) < pivot) i++;
      while (load<f32>(values + ((<usize>j) << 2)) > pivot) j--;
      if (i <= j) {
        const a = (<usize>i) << 2;
        const b = (<usize>j) << 2;
        const value = load<f32>(values + a);
        store<f32>(values + a, load<f32>(values + b));
        store<f32>(values + b, value);
        const index = load<u32>(indices + a);
        store<u32>(indices + a, load<u32>(indices + b));
        store<u32>(indices + b, index);
        i++;
        j--;
      }
    }
    if (keep - 1 <= j) high = j;
    else if (keep - 1 >= i) low = i;
    else break;
  }
  let limit = load<f32>(values);
  for (let i: usize = 1; i < <usize>keep; i++) limit = max(limit, load<f32>(values + (i << 2)));
  return limit;
}

/**
 * For each row of products x y_j [rows, n] the `keep` smallest |y_j|^2 - 2 x y_j, which orders points by distance from x.
 * @param norms [n] |y_j|^2 @param skip row r leaves out point skip + r (below 0: none)
 * @param values, indices room for 4 keep + 64 numbers @param out [rows, keep] i32: the points, in no order, then -1
 */
export function nearest(
  rows: i32, n: i32, products: usize, norms: usize, skip: i32, keep: i32, values: usize, indices: usize, out: usize,
): void {
  const room = 4 * keep + 64;
  const minusTwo = f32x4.splat(-2);
  for (let r = 0; r < rows; r++) {
    const own = skip < 0 ? -1 : skip + r;
    const row = products + ((<usize>r * <usize>n) << 2);
    let count = 0;
    let limit: f32 = Infinity;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const at = (<usize>j) << 2;
      const d = f32x4.add(v128.load(norms + at), f32x4.mul(minusTwo, v128.load(row + at)));
      let hits = i32x4.bitmask(f32x4.lt(d, f32x4.splat(limit)));
      if (!hits) continue;
      v128.store(values + ((<usize>room) << 2), d);
      while (hits) {
        const lane = ctz(hits);
        hits &= hits - 1;
        if (j + lane == own) continue;
        store<f32>(values + ((<usize>count) << 2), load<f32>(values + ((<usize>(room + lane)) << 2)));
        store<i32>(indices + ((<usize>count) << 2), j + lane);
        if (++count == room) {
          limit = select(values, indices, count, keep);
          count = keep;
        }
      }
    }
    for (; j < n; j++) {
      const d = load<f32>(norms + ((<usize>j) << 2)) - 2 * load<f32>(row + ((<usize>j) << 2));
      if (!(d < limit) || j == own) continue;
      store<f32>(values + ((<usize>count) << 2), d);
      store<i32>(indices + ((<usize>count) << 2), j);
      if (++count == room) {
        limit = select(values, indices, count, keep);
        count = keep;
      }
    }
    if (count > keep) {
      select(values, indices, count, keep);
      count = keep;
    }
    const to = out + ((<usize>r * <usize>keep) << 2);
    memory.copy(to, indices, (<usize>count) << 2);
    for (let c = count; c < keep; c++) store<i32>(to + ((<usize>c) << 2), -1);
  }
}

/**
 * Squared distances of a query [d] to the points named: differences in float32, squares summed in float64, so that near
 * points keep their digits. @param ids [count] i32 rows of points [n, d] @param out [count] f64
 */
export function distances(count: i32, d: i32, query: usize, points: usize, ids: usize, out: usize): void {
  for (let c: usize = 0; c < <usize>count; c++) {
    const y = points + ((<usize>load<u32>(ids + (c << 2)) * <usize>d) << 2);
    let a = f64x2.splat(0);
    let b = a;
    let i: usize = 0;
    for (; i + 16 <= (<usize>d) << 2; i += 16) {
      const difference = f32x4.sub(v128.load(query + i), v128.load(y + i));
      const low = f64x2.promote_low_f32x4(difference);
      const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(difference, difference, 2, 3, 2, 3));
      a = f64x2.add(a, f64x2.mul(low, low));
      b = f64x2.add(b, f64x2.mul(high, high));
    }
    a = f64x2.add(a, b);
    let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    for (; i < (<usize>d) << 2; i += 4) {
      const difference = <f64>(load<f32>(query + i) - load<f32>(y + i));
      sum += difference * difference;
    }
    store<f64>(out + (c << 3), sum);
  }
}
