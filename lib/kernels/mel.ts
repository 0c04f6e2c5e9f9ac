/**
 * Kernel in AssemblyScript for frames of audio: window, Fourier transform, power, mel bands. Two frames are computed at
 * once, one in each float64 lane, with the operations of lib/src/mel/fft.ts in the same order: the same bits come out.
 * The caller lays out the memory (lib/src/mel/frameKernel.ts); every argument is a byte address in it or a count.
 */

/** Complex transforms of up to this many elements of 32 bytes stay in the first-level cache. */
const CACHED: i32 = 1024;

// @ts-ignore: decorator
@inline
function splat(address: usize, offset: usize): v128 {
  return v128.load_splat<f64>(address + offset);
}

/** Butterfly of four complex values (re, im in 16 bytes each), then the turns of its last three results. */
// @ts-ignore: decorator
@inline
function butterfly(
  p: usize, q: usize,
  aRe: v128, aIm: v128, bRe: v128, bIm: v128, cRe: v128, cIm: v128, dRe: v128, dIm: v128,
  w1Re: v128, w1Im: v128, w2Re: v128, w2Im: v128, w3Re: v128, w3Im: v128,
): void {
  const sRe = f64x2.add(aRe, cRe);
  const sIm = f64x2.add(aIm, cIm);
  const tRe = f64x2.sub(aRe, cRe);
  const tIm = f64x2.sub(aIm, cIm);
  const uRe = f64x2.add(bRe, dRe);
  const uIm = f64x2.add(bIm, dIm);
  const vRe = f64x2.sub(bRe, dRe);
  const vIm = f64x2.sub(bIm, dIm);
  v128.store(p, f64x2.add(sRe, uRe));
  v128.store(p, f64x2.add(sIm, uIm), 16);
  let re = f64x2.add(tRe, vIm);
  let im = f64x2.sub(tIm, vRe);
  v128.store(p + q, f64x2.sub(f64x2.mul(re, w1Re), f64x2.mul(im, w1Im)));
  v128.store(p + q, f64x2.add(f64x2.mul(re, w1Im), f64x2.mul(im, w1Re)), 16);
  re = f64x2.sub(sRe, uRe);
  im = f64x2.sub(sIm, uIm);
  v128.store(p + 2 * q, f64x2.sub(f64x2.mul(re, w2Re), f64x2.mul(im, w2Im)));
  v128.store(p + 2 * q, f64x2.add(f64x2.mul(re, w2Im), f64x2.mul(im, w2Re)), 16);
  re = f64x2.sub(tRe, vIm);
  im = f64x2.add(tIm, vRe);
  v128.store(p + 3 * q, f64x2.sub(f64x2.mul(re, w3Re), f64x2.mul(im, w3Im)));
  v128.store(p + 3 * q, f64x2.add(f64x2.mul(re, w3Im), f64x2.mul(im, w3Re)), 16);
}

/** First pass: reads samples `a` and `b` of the two frames, windows them and does the butterflies of length n. */
function firstPass(n: i32, a: usize, b: usize, window: usize, z: usize, w: usize): void {
  const q = <usize>(n >> 2);
  for (let j: usize = 0; j < q; j++) {
    let from = j << 3;
    let win = window + (j << 4);
    let pair = v128.shuffle<f32>(v128.load_zero<i64>(a + from), v128.load_zero<i64>(b + from), 0, 4, 1, 5);
    const aRe = f64x2.mul(f64x2.promote_low_f32x4(pair), splat(win, 0));
    const aIm = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<f32>(pair, pair, 2, 3, 2, 3)), splat(win, 8));
    from += q << 3;
    win += q << 4;
    pair = v128.shuffle<f32>(v128.load_zero<i64>(a + from), v128.load_zero<i64>(b + from), 0, 4, 1, 5);
    const bRe = f64x2.mul(f64x2.promote_low_f32x4(pair), splat(win, 0));
    const bIm = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<f32>(pair, pair, 2, 3, 2, 3)), splat(win, 8));
    from += q << 3;
    win += q << 4;
    pair = v128.shuffle<f32>(v128.load_zero<i64>(a + from), v128.load_zero<i64>(b + from), 0, 4, 1, 5);
    const cRe = f64x2.mul(f64x2.promote_low_f32x4(pair), splat(win, 0));
    const cIm = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<f32>(pair, pair, 2, 3, 2, 3)), splat(win, 8));
    from += q << 3;
    win += q << 4;
    pair = v128.shuffle<f32>(v128.load_zero<i64>(a + from), v128.load_zero<i64>(b + from), 0, 4, 1, 5);
    const dRe = f64x2.mul(f64x2.promote_low_f32x4(pair), splat(win, 0));
    const dIm = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<f32>(pair, pair, 2, 3, 2, 3)), splat(win, 8));
    butterfly(
      z + (j << 5), q << 5, aRe, aIm, bRe, bIm, cRe, cIm, dRe, dIm,
      splat(w, 0), splat(w, 8), splat(w, 16), splat(w, 24), splat(w, 32), splat(w, 40),
    );
    w += 48;
  }
}

/**
 * Passes of length n and below over `total` / n blocks that lie one behind the other; `w` holds the turns of the pass of
 * length n, those of the next follow.
 */
function passes(total: i32, n: i32, z: usize, w: usize): void {
  while (n > 4) {
    const q = (<usize>n) << 3;
    const end = z + ((<usize>total) << 5);
    if (n > 16) {
      for (let block = z; block < end; block += q << 2) {
        let turn = w;
        const until = block + q;
        for (let p = block; p < until; p += 32) {
          butterfly(
            p, q,
            v128.load(p), v128.load(p, 16), v128.load(p + q), v128.load(p + q, 16),
            v128.load(p + 2 * q), v128.load(p + 2 * q, 16), v128.load(p + 3 * q), v128.load(p + 3 * q, 16),
            splat(turn, 0), splat(turn, 8), splat(turn, 16), splat(turn, 24), splat(turn, 32), splat(turn, 40),
          );
          turn += 48;
        }
      }
    } else {
      // Short blocks: the turns stay in registers while the blocks go by.
      let turn = w;
      for (let j: usize = 0; j < q; j += 32) {
        const w1Re = splat(turn, 0);
        const w1Im = splat(turn, 8);
        const w2Re = splat(turn, 16);
        const w2Im = splat(turn, 24);
        const w3Re = splat(turn, 32);
        const w3Im = splat(turn, 40);
        for (let p = z + j; p < end; p += q << 2) {
          butterfly(
            p, q,
            v128.load(p), v128.load(p, 16), v128.load(p + q), v128.load(p + q, 16),
            v128.load(p + 2 * q), v128.load(p + 2 * q, 16), v128.load(p + 3 * q), v128.load(p + 3 * q, 16),
            w1Re, w1Im, w2Re, w2Im, w3Re, w3Im,
          );
        }
        turn += 48;
      }
    }
    w += (<usize>(n >> 2)) * 48;
    n >>= 2;
  }
  const end = z + ((<usize>total) << 5);
  if (n == 4) {
    for (let p = z; p < end; p += 128) {
      const aRe = v128.load(p);
      const aIm = v128.load(p, 16);
      const bRe = v128.load(p, 32);
      const bIm = v128.load(p, 48);
      const cRe = v128.load(p, 64);
      const cIm = v128.load(p, 80);
      const dRe = v128.load(p, 96);
      const dIm = v128.load(p, 112);
      const sRe = f64x2.add(aRe, cRe);
      const sIm = f64x2.add(aIm, cIm);
      const tRe = f64x2.sub(aRe, cRe);
      const tIm = f64x2.sub(aIm, cIm);
      const uRe = f64x2.add(bRe, dRe);
      const uIm = f64x2.add(bIm, dIm);
      const vRe = f64x2.sub(bRe, dRe);
      const vIm = f64x2.sub(bIm, dIm);
      v128.store(p, f64x2.add(sRe, uRe));
      v128.store(p, f64x2.add(sIm, uIm), 16);
      v128.store(p, f64x2.add(tRe, vIm), 32);
      v128.store(p, f64x2.sub(tIm, vRe), 48);
      v128.store(p, f64x2.sub(sRe, uRe), 64);
      v128.store(p, f64x2.sub(sIm, uIm), 80);
      v128.store(p, f64x2.sub(tRe, vIm), 96);
      v128.store(p, f64x2.add(tIm, vRe), 112);
    }
  } else if (n == 2) {
    for (let p = z; p < end; p += 64) {
      const aRe = v128.load(p);
      const aIm = v128.load(p, 16);
      const bRe = v128.load(p, 32);
      const bIm = v128.load(p, 48);
      v128.store(p, f64x2.add(aRe, bRe));
      v128.store(p, f64x2.add(aIm, bIm), 16);
      v128.store(p, f64x2.sub(aRe, bRe), 32);
      v128.store(p, f64x2.sub(aIm, bIm), 48);
    }
  }
}

/** Long transforms: one pass over everything, then each quarter to its end while it is in the cache. */
function deep(n: i32, z: usize, w: usize): void {
  if (n <= CACHED) {
    passes(n, n, z, w);
    return;
  }
  const q = (<usize>n) << 3;
  let turn = w;
  const until = z + q;
  for (let p = z; p < until; p += 32) {
    butterfly(
      p, q,
      v128.load(p), v128.load(p, 16), v128.load(p + q), v128.load(p + q, 16),
      v128.load(p + 2 * q), v128.load(p + 2 * q, 16), v128.load(p + 3 * q), v128.load(p + 3 * q, 16),
      splat(turn, 0), splat(turn, 8), splat(turn, 16), splat(turn, 24), splat(turn, 32), splat(turn, 40),
    );
    turn += 48;
  }
  for (let i: usize = 0; i < 4; i++) deep(n >> 2, z + i * q, turn);
}

/**
 * Power of two frames.
 *
 * @param half complex elements: half of the frame's samples
 * @param a, b first samples of the frames (float32)
 * @param window [2 half] float64, halved
 * @param turns, unpack tables of an `FftPlan`, float64
 * @param order [half] int32, byte offset of spectral line k after the passes
 * @param z [half, 4] float64, scratch
 * @param power [half + 1, 2] float64, gets the power
 */
function framePair(
  half: i32, a: usize, b: usize, window: usize, turns: usize, unpack: usize, order: usize, z: usize, power: usize,
): void {
  firstPass(half, a, b, window, z, turns);
  const q = half >> 2;
  const next = turns + (<usize>q) * 48;
  if (half <= CACHED) passes(half, q, z, next);
  else for (let i: usize = 0; i < 4; i++) deep(q, z + i * ((<usize>q) << 5), next);
  const re = v128.load(z);
  const im = v128.load(z, 16);
  const four = f64x2.splat(4);
  let sum = f64x2.add(re, im);
  v128.store(power, f64x2.mul(four, f64x2.mul(sum, sum)));
  sum = f64x2.sub(re, im);
  const last = power + ((<usize>half) << 4);
  v128.store(last, f64x2.mul(four, f64x2.mul(sum, sum)));
  const middle = half >> 1;
  let low = power + 16;
  let high = last - 16;
  let lowAt = order + 4;
  let highAt = order + ((<usize>half) << 2) - 4;
  for (let k = 1; k <= middle; k++) {
    const zk = z + <usize>load<u32>(lowAt);
    const zm = z + <usize>load<u32>(highAt);
    const kRe = v128.load(zk);
    const kIm = v128.load(zk, 16);
    const mRe = v128.load(zm);
    const mIm = v128.load(zm, 16);
    const cos = splat(unpack, 0);
    const sin = splat(unpack, 8);
    const evenRe = f64x2.add(kRe, mRe);
    const evenIm = f64x2.sub(kIm, mIm);
    const oddRe = f64x2.add(kIm, mIm);
    const oddIm = f64x2.sub(mRe, kRe);
    const turnedRe = f64x2.sub(f64x2.mul(oddRe, cos), f64x2.mul(oddIm, sin));
    const turnedIm = f64x2.add(f64x2.mul(oddRe, sin), f64x2.mul(oddIm, cos));
    let x = f64x2.add(evenRe, turnedRe);
    let y = f64x2.add(evenIm, turnedIm);
    v128.store(low, f64x2.add(f64x2.mul(x, x), f64x2.mul(y, y)));
    x = f64x2.sub(evenRe, turnedRe);
    y = f64x2.sub(evenIm, turnedIm);
    v128.store(high, f64x2.add(f64x2.mul(x, x), f64x2.mul(y, y)));
    unpack += 16;
    low += 16;
    high -= 16;
    lowAt += 4;
    highAt -= 4;
  }
}

/** 1 if the magnitudes of n float32 samples (and of up to 3 behind them) are at most `limit`; NaN is not. */
export function isWithin(n: i32, samples: usize, limit: f32): i32 {
  const most = f32x4.splat(limit);
  let all = i32x4.splat(-1);
  const end = samples + ((<usize>n) << 2);
  for (let p = samples; p < end; p += 16) all = v128.and(all, f32x4.le(f32x4.abs(v128.load(p)), most));
  return i32x4.all_true(all) ? 1 : 0;
}

/** Power spectra of `nFrames` frames, `hop` samples apart: out [nFrames, half + 1] float32. */
export function powerFrames(
  nFrames: i32, half: i32, hop: i32, samples: usize, window: usize, turns: usize, unpack: usize, order: usize,
  z: usize, power: usize, out: usize,
): void {
  const row = (<usize>(half + 1)) << 2;
  for (let t = 0; t < nFrames; t += 2) {
    const a = samples + ((<usize>(t * hop)) << 2);
    const isPair = t + 1 < nFrames;
    framePair(half, a, isPair ? a + ((<usize>hop) << 2) : a, window, turns, unpack, order, z, power);
    let p = power;
    const end = out + row;
    if (isPair) {
      for (let o = out; o < end; o += 4) {
        const both = f32x4.demote_f64x2_zero(v128.load(p));
        store<f32>(o, f32x4.extract_lane(both, 0));
        store<f32>(o + row, f32x4.extract_lane(both, 1));
        p += 16;
      }
    } else {
      for (let o = out; o < end; o += 4) {
        store<f32>(o, <f32>load<f64>(p));
        p += 16;
      }
    }
    out += row << 1;
  }
}

/**
 * Mel power of `nFrames` frames, `hop` samples apart: out [nMels, stride] float32, the first nFrames columns.
 *
 * @param bands [nMels, 2] int32: first bin and number of bins of each band
 * @param weights float64, band after band
 */
export function melFrames(
  nFrames: i32, half: i32, hop: i32, samples: usize, window: usize, turns: usize, unpack: usize, order: usize,
  z: usize, power: usize, nMels: i32, bands: usize, weights: usize, out: usize, stride: i32,
): void {
  const bandsEnd = bands + ((<usize>nMels) << 3);
  for (let t = 0; t < nFrames; t += 2) {
    const a = samples + ((<usize>(t * hop)) << 2);
    const isPair = t + 1 < nFrames;
    framePair(half, a, isPair ? a + ((<usize>hop) << 2) : a, window, turns, unpack, order, z, power);
    let w = weights;
    let o = out + ((<usize>t) << 2);
    for (let band = bands; band < bandsEnd; band += 8) {
      let p = power + ((<usize>load<i32>(band)) << 4);
      const end = w + ((<usize>load<i32>(band, 4)) << 3);
      let sum = f64x2.splat(0);
      for (; w < end; w += 8) {
        sum = f64x2.add(sum, f64x2.mul(v128.load(p), splat(w, 0)));
        p += 16;
      }
      const both = f32x4.demote_f64x2_zero(sum);
      store<f32>(o, f32x4.extract_lane(both, 0));
      if (isPair) store<f32>(o, f32x4.extract_lane(both, 1), 4);
      o += (<usize>stride) << 2;
    }
  }
}
