/** t-SNE: the tree over the points of a map, and what acts on a box of them. */

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
 * itself. Returns the number of sources in lx, ly, lm (room for 3n + 8); xs, ys are those of sortPoints.
 */
export function listSources(
  nodes: usize, stop: usize, xs: usize, ys: usize, theta2: f32, x0: f32, y0: f32, x1: f32, y1: f32, lx: usize, ly: usize, lm: usize,
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
          store<f32>(lx + c, load<f32>(xs + i));
          store<f32>(ly + c, load<f32>(ys + i));
          store<f32>(lm + c, 1);
          c += 4;
        }
      }
    }
    node += 32;
  }
  return <i32>(c >> 2);
}
