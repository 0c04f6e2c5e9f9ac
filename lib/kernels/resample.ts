/**
 * Kernel in AssemblyScript for polyphase filtering, over a memory that the caller lays out
 * (lib/src/audio/resampleKernel.ts). Eight stretches of the signal that lie `stretch` periods apart are filtered at
 * once, each in a float64 lane of its own, so every output adds up its taps in the order of the plain loop.
 */

/** Two lanes of one vector of `wide`: samples i of the stretches that begin at a and b. */
// @ts-ignore: decorator
@inline
function widenTwo(a: usize, b: usize, wide: usize): void {
  const x = v128.load(a);
  const y = v128.load(b);
  const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
  v128.store(wide, f64x2.promote_low_f32x4(low));
  v128.store(wide, f64x2.promote_low_f32x4(v128.shuffle<f32>(low, low, 2, 3, 2, 3)), 64);
  v128.store(wide, f64x2.promote_low_f32x4(high), 128);
  v128.store(wide, f64x2.promote_low_f32x4(v128.shuffle<f32>(high, high, 2, 3, 2, 3)), 192);
}

// @ts-ignore: decorator
@inline
function storeTwo(sums: v128, out: usize, distance: usize): void {
  const both = f32x4.demote_f64x2_zero(sums);
  store<f32>(out, f32x4.extract_lane(both, 0));
  store<f32>(out + distance, f32x4.extract_lane(both, 1));
}

/**
 * Filters 8 x `stretch` periods.
 *
 * @param step, nPhases input and output samples a period
 * @param taps of each phase
 * @param first [nPhases] int32: sample, counted from the start of `samples`, that a phase's first tap weighs in period 0
 * @param weights [nPhases, taps] float64
 * @param samples float32: 8 * stretch * step, and as many more as the last phases reach, and 3 that may be anything
 * @param wide scratch for (stretch * step + reach + 3) * 64 bytes
 * @param reach samples that a stretch's last taps lie beyond its own
 * @param out [8 * stretch * nPhases] float32
 */
export function filter(
  stretch: i32, step: i32, nPhases: i32, taps: i32, first: usize, weights: usize, samples: usize, wide: usize,
  reach: i32, out: usize,
): void {
  const apart = (<usize>(stretch * step)) << 2;
  const nWide = stretch * step + reach;
  let from = samples;
  let to = wide;
  for (let i = 0; i < nWide; i += 4) {
    widenTwo(from, from + apart, to);
    widenTwo(from + 2 * apart, from + 3 * apart, to + 16);
    widenTwo(from + 4 * apart, from + 5 * apart, to + 32);
    widenTwo(from + 6 * apart, from + 7 * apart, to + 48);
    from += 16;
    to += 256;
  }
  const outApart = (<usize>(stretch * nPhases)) << 2;
  let origin = wide;
  for (let period = 0; period < stretch; period++) {
    let w = weights;
    for (let phase = 0; phase < nPhases; phase++) {
      let x = origin + ((<usize>load<i32>(first + ((<usize>phase) << 2))) << 6);
      const end = w + ((<usize>taps) << 3);
      let s0 = f64x2.splat(0);
      let s1 = f64x2.splat(0);
      let s2 = f64x2.splat(0);
      let s3 = f64x2.splat(0);
      for (; w < end; w += 8) {
        const weight = v128.load_splat<f64>(w);
        s0 = f64x2.add(s0, f64x2.mul(weight, v128.load(x)));
        s1 = f64x2.add(s1, f64x2.mul(weight, v128.load(x, 16)));
        s2 = f64x2.add(s2, f64x2.mul(weight, v128.load(x, 32)));
        s3 = f64x2.add(s3, f64x2.mul(weight, v128.load(x, 48)));
        x += 64;
      }
      storeTwo(s0, out, outApart);
      storeTwo(s1, out + 2 * outApart, outApart);
      storeTwo(s2, out + 4 * outApart, outApart);
      storeTwo(s3, out + 6 * outApart, outApart);
      out += 4;
    }
    origin += (<usize>step) << 6;
  }
}
