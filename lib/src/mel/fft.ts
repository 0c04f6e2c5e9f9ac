import { InputError } from '../errors.js';

/**
 * Discrete Fourier transform of real frames of one power-of-two size, in float64.
 *   X[k] = sum_n x[n] exp(-2 pi i k n / size), k = 0 .. size/2
 * Computed as a complex transform of half the size (even samples real, odd samples imaginary) and one unpacking pass.
 * Source: Sorensen, Jones, Heideman, Burrus, "Real-valued fast Fourier transform algorithms" (1987).
 */
export class RealFft {
  readonly nBins: number;
  private readonly half: number;
  private readonly reversed: Uint32Array;
  /** exp(-2 pi i k / size), k < size / 2 */
  private readonly cos: Float64Array;
  private readonly sin: Float64Array;
  private readonly re: Float64Array;
  private readonly im: Float64Array;

  /** @param size samples a frame: a power of two, 8 or more */
  constructor(readonly size: number) {
    const bits = Math.log2(size) - 1;
    if (!Number.isInteger(bits) || size < 8 || size > 1 << 24)
      throw new InputError('RealFft', `the size is ${size}, a power of two from 8 to ${1 << 24} was expected.`);
    this.half = size / 2;
    this.nBins = this.half + 1;
    this.reversed = new Uint32Array(this.half);
    for (let i = 1; i < this.half; i++) this.reversed[i] = (this.reversed[i >> 1] >> 1) | ((i & 1) << (bits - 1));
    this.cos = Float64Array.from({ length: this.half }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sin = Float64Array.from({ length: this.half }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.re = new Float64Array(this.half);
    this.im = new Float64Array(this.half);
  }

  /**
   * Power |X[k]|^2 of one frame.
   * @param frame `size` samples
   * @param power gets size/2 + 1 values
   */
  power(frame: Float64Array, power: Float64Array): void {
    const { half, re, im, cos, sin, reversed } = this;
    for (let i = 0; i < half; i++) {
      const at = reversed[i];
      re[i] = frame[2 * at];
      im[i] = frame[2 * at + 1];
    }
    this.transform();
    power[0] = (re[0] + im[0]) ** 2;
    power[half] = (re[0] - im[0]) ** 2;
    for (let k = 1; k <= half >> 1; k++) {
      const m = half - k;
      // even and odd samples' spectra: E = (Z[k] + conj Z[m]) / 2, O = -i (Z[k] - conj Z[m]) / 2; X[k] = E + w^k O
      const evenRe = 0.5 * (re[k] + re[m]);
      const evenIm = 0.5 * (im[k] - im[m]);
      const oddRe = 0.5 * (im[k] + im[m]);
      const oddIm = -0.5 * (re[k] - re[m]);
      const turnedRe = oddRe * cos[k] - oddIm * sin[k];
      const turnedIm = oddRe * sin[k] + oddIm * cos[k];
      power[k] = (evenRe + turnedRe) ** 2 + (evenIm + turnedIm) ** 2;
      power[m] = (evenRe - turnedRe) ** 2 + (evenIm - turnedIm) ** 2;
    }
  }

  /** Complex transform in place of re + i im, already in bit-reversed order: one radix-4 pass, then radix-2 passes. */
  private transform(): void {
    const { half, re, im, cos, sin } = this;
    for (let i = 0; i < half; i += 4) {
      const aRe = re[i] + re[i + 1];
      const aIm = im[i] + im[i + 1];
      const bRe = re[i] - re[i + 1];
      const bIm = im[i] - im[i + 1];
      const cRe = re[i + 2] + re[i + 3];
      const cIm = im[i + 2] + im[i + 3];
      const dRe = re[i + 2] - re[i + 3];
      const dIm = im[i + 2] - im[i + 3];
      re[i] = aRe + cRe;
      im[i] = aIm + cIm;
      re[i + 1] = bRe + dIm;
      im[i + 1] = bIm - dRe;
      re[i + 2] = aRe - cRe;
      im[i + 2] = aIm - cIm;
      re[i + 3] = bRe - dIm;
      im[i + 3] = bIm + dRe;
    }
    for (let span = 4; span < half; span *= 2) {
      const stride = half / span; // twiddle exp(-2 pi i k / (2 span)) is entry k * size / (2 span) of the table
      for (let start = 0; start < half; start += 2 * span) {
        for (let k = 0, w = 0; k < span; k++, w += stride) {
          const upper = start + k;
          const lower = upper + span;
          const turnedRe = re[lower] * cos[w] - im[lower] * sin[w];
          const turnedIm = re[lower] * sin[w] + im[lower] * cos[w];
          re[lower] = re[upper] - turnedRe;
          im[lower] = im[upper] - turnedIm;
          re[upper] += turnedRe;
          im[upper] += turnedIm;
        }
      }
    }
  }
}
