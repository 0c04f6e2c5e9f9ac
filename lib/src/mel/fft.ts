import { InputError } from '../errors.js';

/**
 * The tables of a transform of `size` real samples: a complex transform of half the size (even samples real, odd
 * samples imaginary) in passes of radix 4, a last one of radix 2 where 4 does not go, and one unpacking pass.
 * Sources: Cooley, Tukey (1965), decimation in frequency; Sorensen, Jones, Heideman, Burrus, "Real-valued fast Fourier
 * transform algorithms" (1987).
 */
export interface FftPlan {
  readonly size: number;
  /** Complex values: size / 2. */
  readonly half: number;
  /**
   * Turns of the passes, first pass first: for each j < length / 4 the cos and -sin of j, 2j, 3j times
   * 2 pi / length. A pass of length 2 has none.
   */
  readonly turns: Float64Array;
  /** Turns of the unpacking: cos and -sin of 2 pi k / size, k = 1 .. half / 2. */
  readonly unpack: Float64Array;
  /** [half] where spectral line k lies after the passes. */
  readonly order: Int32Array;
}

const plans = new Map<number, FftPlan>();

/**
 * The plan of a size, made once.
 * @param size samples a frame: a power of two, 8 or more
 */
export function fftPlan(size: number): FftPlan {
  const known = plans.get(size);
  if (known) return known;
  if (!Number.isInteger(Math.log2(size)) || size < 8 || size > 1 << 24)
    throw new InputError('RealFft', `the size is ${size}, a power of two from 8 to ${1 << 24} was expected.`);
  const half = size / 2;
  const turns: number[] = [];
  for (let length = half; length >= 4; length /= 4)
    for (let j = 0; j < length / 4; j++)
      for (const times of [1, 2, 3]) {
        const angle = (2 * Math.PI * j * times) / length;
        turns.push(Math.cos(angle), -Math.sin(angle));
      }
  const unpack = new Float64Array(half);
  for (let k = 1; k <= half / 2; k++) {
    unpack[2 * k - 2] = Math.cos((2 * Math.PI * k) / size);
    unpack[2 * k - 1] = -Math.sin((2 * Math.PI * k) / size);
  }
  const plan = { size, half, turns: Float64Array.from(turns), unpack, order: lineOrder(half) };
  plans.set(size, plan);
  return plan;
}

/** Each pass leaves the lines of each remainder modulo its radix together, so a line's place has its digits reversed. */
function lineOrder(half: number): Int32Array {
  const order = new Int32Array(half);
  for (let k = 0; k < half; k++) {
    let rest = k;
    for (let length = half; length > 1;) {
      const radix = Math.min(4, length);
      length /= radix;
      order[k] += (rest % radix) * length;
      rest = Math.floor(rest / radix);
    }
  }
  return order;
}

/**
 * Discrete Fourier transform of real frames of one power-of-two size, in float64.
 *   X[k] = sum_n x[n] exp(-2 pi i k n / size), k = 0 .. size/2
 * The twin of lib/kernels/mel.ts: the same operations in the same order, one frame at a time.
 */
export class RealFft {
  readonly nBins: number;
  private readonly plan: FftPlan;
  private readonly re: Float64Array;
  private readonly im: Float64Array;

  /** @param size samples a frame: a power of two, 8 or more */
  constructor(readonly size: number) {
    this.plan = fftPlan(size);
    this.nBins = size / 2 + 1;
    this.re = new Float64Array(size / 2);
    this.im = new Float64Array(size / 2);
  }

  /**
   * Power |X[k]|^2 of one frame.
   * @param frame `size` samples
   * @param power gets size/2 + 1 values
   */
  power(frame: Float64Array, power: Float64Array): void {
    const { re, im } = this;
    const { half, unpack, order } = this.plan;
    // Half the samples, and no halves later on: powers of two are exact.
    for (let i = 0; i < half; i++) {
      re[i] = 0.5 * frame[2 * i];
      im[i] = 0.5 * frame[2 * i + 1];
    }
    this.transform();
    power[0] = 4 * (re[0] + im[0]) ** 2;
    power[half] = 4 * (re[0] - im[0]) ** 2;
    for (let k = 1; k <= half >> 1; k++) {
      const a = order[k];
      const b = order[half - k];
      // even and odd samples' spectra: E = Z[k] + conj Z[m], O = -i (Z[k] - conj Z[m]), m = half - k; X[k] = E + w^k O
      const evenRe = re[a] + re[b];
      const evenIm = im[a] - im[b];
      const oddRe = im[a] + im[b];
      const oddIm = re[b] - re[a];
      const cos = unpack[2 * k - 2];
      const sin = unpack[2 * k - 1];
      const turnedRe = oddRe * cos - oddIm * sin;
      const turnedIm = oddRe * sin + oddIm * cos;
      power[k] = (evenRe + turnedRe) ** 2 + (evenIm + turnedIm) ** 2;
      power[half - k] = (evenRe - turnedRe) ** 2 + (evenIm - turnedIm) ** 2;
    }
  }

  /** Complex transform in place of re + i im; line k comes to lie at `order[k]`. */
  private transform(): void {
    const { re, im } = this;
    const { half, turns } = this.plan;
    let first = 0; // of this pass' turns
    let length = half;
    for (; length >= 4; length /= 4) {
      const quarter = length / 4;
      for (let start = 0; start < half; start += length) {
        for (let j = 0; j < quarter; j++) {
          const a = start + j;
          const b = a + quarter;
          const c = b + quarter;
          const d = c + quarter;
          const sRe = re[a] + re[c];
          const sIm = im[a] + im[c];
          const tRe = re[a] - re[c];
          const tIm = im[a] - im[c];
          const uRe = re[b] + re[d];
          const uIm = im[b] + im[d];
          const vRe = re[b] - re[d];
          const vIm = im[b] - im[d];
          re[a] = sRe + uRe;
          im[a] = sIm + uIm;
          const w = first + 6 * j;
          turn(re, im, b, tRe + vIm, tIm - vRe, turns[w], turns[w + 1]);
          turn(re, im, c, sRe - uRe, sIm - uIm, turns[w + 2], turns[w + 3]);
          turn(re, im, d, tRe - vIm, tIm + vRe, turns[w + 4], turns[w + 5]);
        }
      }
      first += 6 * quarter;
    }
    if (length === 2) {
      for (let i = 0; i < half; i += 2) {
        const [aRe, aIm, bRe, bIm] = [re[i], im[i], re[i + 1], im[i + 1]];
        re[i] = aRe + bRe;
        im[i] = aIm + bIm;
        re[i + 1] = aRe - bRe;
        im[i + 1] = aIm - bIm;
      }
    }
  }
}

/** Writes (x + i y) (cos + i sin) to place `at`. */
function turn(re: Float64Array, im: Float64Array, at: number, x: number, y: number, cos: number, sin: number): void {
  re[at] = x * cos - y * sin;
  im[at] = x * sin + y * cos;
}
