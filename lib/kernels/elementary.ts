/** Elementary functions, four at a time. */

/** p z + k */
// @ts-ignore: decorator
@inline
export function step(p: v128, z: v128, k: v128): v128 {
  return f32x4.add(f32x4.mul(p, z), k);
}

/**
 * 2^n for whole n in [-126, 127]: added to 1.5 * 2^23 + 127 a number stands in the last bits as it is, n + 127, which is
 * what the exponent of 2^n holds. (A conversion to integers costs many times as much, because wasm saturates it.)
 */
// @ts-ignore: decorator
@inline
export function scaleOf(n: v128): v128 {
  return i32x4.shl(f32x4.add(n, f32x4.splat(12583039.0)), 23);
}

/**
 * Where the argument of `exp4` ends. e^-60 is nothing beside the 1 in a softmax's sum, and far enough above the denormal
 * numbers (1e-38) that neither a probability nor its products with small gradients become one: wasm and a BLAS take many
 * times as long for those, and a trained encoder's attention is full of them.
 */
export const LOWEST: f32 = -60.0;

/** e^x, Cephes' polynomial after range reduction; relative error about 1e-7. x is clamped to [-60, 88]; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88.0)), f32x4.splat(LOWEST));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  const y = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  return f32x4.mul(y, scaleOf(n));
}

/** The sum of four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}
