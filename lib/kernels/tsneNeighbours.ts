/** t-SNE: the nearest of many candidates, by products and exactly. */

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
