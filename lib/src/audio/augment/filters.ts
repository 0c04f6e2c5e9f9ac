/**
 * Recursive filters in sections of first or second order.
 * Butterworth: poles of the analogue prototype, moved to the band (low-pass, high-pass, band-stop), then to the z-plane
 * by the bilinear transform with the edges prewarped, so that the -3 dB points are exact (Oppenheim, Schafer,
 * "Discrete-Time Signal Processing", chapter 7).
 */

interface Complex {
  readonly re: number;
  readonly im: number;
}

/** y[i] = b0 x[i] + b1 x[i-1] + b2 x[i-2] - a1 y[i-1] - a2 y[i-2]. */
interface Section {
  readonly b: readonly [number, number, number];
  readonly a: readonly [a1: number, a2: number];
}

const multiply = (p: Complex, q: Complex): Complex => ({
  re: p.re * q.re - p.im * q.im,
  im: p.re * q.im + p.im * q.re,
});
const divide = (p: Complex, q: Complex): Complex => {
  const size = q.re * q.re + q.im * q.im;
  return { re: (p.re * q.re + p.im * q.im) / size, im: (p.im * q.re - p.re * q.im) / size };
};
const squareRoot = ({ re, im }: Complex): Complex => {
  const size = Math.hypot(re, im);
  return { re: Math.sqrt((size + re) / 2), im: Math.sign(im || 1) * Math.sqrt((size - re) / 2) };
};
/** The bilinear transform, time unit chosen so that the analogue frequency of f Hz is tan(pi f / sampleRate). */
const toZ = (s: Complex): Complex => divide({ re: 1 + s.re, im: s.im }, { re: 1 - s.re, im: -s.im });
const warp = (hz: number, sampleRate: number): number => Math.tan((Math.PI * hz) / sampleRate);

/** Poles of the prototype with its cut-off at 1 in the upper half plane, the real one (odd orders) last. */
function prototypePoles(order: number): Complex[] {
  return Array.from({ length: Math.ceil(order / 2) }, (_, k) => {
    const angle = (Math.PI * (2 * k + 1 + order)) / (2 * order);
    const isReal = 2 * k + 1 === order;
    return isReal ? { re: -1, im: 0 } : { re: Math.cos(angle), im: Math.sin(angle) };
  });
}

/** A section with these two poles (conjugate or both real), given zeros, and gain 1 at z = `unity`. */
function section(p: Complex, q: Complex, zeros: readonly [number, number, number], unity: 1 | -1): Section {
  const a1 = -(p.re + q.re);
  const a2 = multiply(p, q).re;
  const gain = (1 + unity * a1 + a2) / (zeros[0] + unity * zeros[1] + zeros[2]);
  return { b: [gain * zeros[0], gain * zeros[1], gain * zeros[2]], a: [a1, a2] };
}

const conjugate = ({ re, im }: Complex): Complex => ({ re, im: -im });

/** Low-pass or high-pass: `side` is 1 or -1, the z at which the gain is 1. */
function passSections(hz: number, order: number, side: 1 | -1, sampleRate: number): Section[] {
  const w = warp(hz, sampleRate);
  return prototypePoles(order).map((prototype) => {
    const s = side === 1 ? multiply({ re: w, im: 0 }, prototype) : divide({ re: w, im: 0 }, prototype);
    const z = toZ(s);
    return prototype.im === 0
      ? section(z, { re: 0, im: 0 }, [1, side, 0], side)
      : section(z, conjugate(z), [1, 2 * side, 1], side);
  });
}

function stopSections(lowHz: number, highHz: number, order: number, sampleRate: number): Section[] {
  const low = warp(lowHz, sampleRate);
  const high = warp(highHz, sampleRate);
  const centre = toZ({ re: 0, im: Math.sqrt(low * high) });
  const zeros = [1, -2 * centre.re, 1] as const;
  return prototypePoles(order).flatMap((prototype) => {
    // s / (s^2 + w^2) in place of s: each pole becomes the two roots of s^2 - (width / pole) s + w^2.
    const width = divide({ re: high - low, im: 0 }, prototype);
    const square = multiply(width, width);
    const root = squareRoot({ re: square.re - 4 * low * high, im: square.im });
    const [p, q] = [1, -1].map((sign) =>
      toZ({ re: (width.re + sign * root.re) / 2, im: (width.im + sign * root.im) / 2 }),
    );
    return prototype.im === 0
      ? [section(p, q, zeros, 1)]
      : [section(p, conjugate(p), zeros, 1), section(q, conjugate(q), zeros, 1)];
  });
}

function filter(samples: Float32Array, sections: readonly Section[]): Float32Array {
  const signal = Float64Array.from(samples);
  for (const { b, a } of sections) {
    const [b0, b1, b2] = b;
    const [a1, a2] = a;
    let s1 = 0;
    let s2 = 0;
    for (let i = 0; i < signal.length; i++) {
      const x = signal[i];
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      // A tail that fades for ever would end in denormal numbers, which are slow.
      if (Math.abs(y) < 1e-40 && Math.abs(s1) < 1e-40 && Math.abs(s2) < 1e-40) s1 = s2 = 0;
      signal[i] = y;
    }
  }
  return Float32Array.from(signal);
}

/** Butterworth low-pass, -3 dB at `hz`. */
export function lowPass(samples: Float32Array, hz: number, order: number, sampleRate: number): Float32Array {
  return filter(samples, passSections(hz, order, 1, sampleRate));
}

/** Butterworth high-pass, -3 dB at `hz`. */
export function highPass(samples: Float32Array, hz: number, order: number, sampleRate: number): Float32Array {
  return filter(samples, passSections(hz, order, -1, sampleRate));
}

/** The -3 dB points of a stopped band: `widthHz` apart, their geometric mean is the centre. */
export function stopEdges(centreHz: number, widthHz: number): [lowHz: number, highHz: number] {
  const high = widthHz / 2 + Math.hypot(widthHz / 2, centreHz);
  return [high - widthHz, high];
}

/** Butterworth band-stop of twice the order, -3 dB at both edges. */
export function bandStop(
  samples: Float32Array,
  [lowHz, highHz]: readonly [number, number],
  order: number,
  sampleRate: number,
): Float32Array {
  return filter(samples, stopSections(lowHz, highHz, order, sampleRate));
}

const TILT_STEP = 0.5; // octaves between pairs
const TILT_FROM = 15; // Hz
const TILT_TO = 0.495; // of the sample rate
const TILT_ROUNDS = 12;

/**
 * Tilts the spectrum by `slope` dB an octave, 0 dB at `pivotHz`. Pairs of a pole and a zero every half octave, each
 * rising at 6 dB an octave over its share of the way (Smith, Smith, "Closed form fractional integration and
 * differentiation via real exponentially spaced pole-zero pairs", 2016), every corner prewarped. Towards half the sample
 * rate the prewarped pairs lie ever further apart, so the shares there are corrected by the slope that they give.
 * Within 0.25 dB of the line from 50 Hz to 7 kHz (tests/audio/augment); flat below 15 Hz.
 */
export function tilt(samples: Float32Array, slope: number, pivotHz: number, sampleRate: number): Float32Array {
  const top = TILT_TO * sampleRate;
  const centres: number[] = [];
  for (let hz = TILT_FROM; hz < top; hz *= 2 ** TILT_STEP) centres.push(hz);
  // The correction is found at half a dB or more: at smaller slopes it is the same, but drowns in rounding.
  const designed = Math.sign(slope) * Math.max(0.5, Math.abs(slope));
  let shares = centres.map(() => designed / (20 * Math.log10(2)));
  const design = (): Section[] =>
    centres.map((hz, k) => {
      const corner = (sign: number): number =>
        toZ({ re: -warp(Math.min(top, hz * 2 ** ((sign * shares[k] * TILT_STEP) / 2)), sampleRate), im: 0 }).re;
      return section({ re: corner(1), im: 0 }, { re: 0, im: 0 }, [1, -corner(-1), 0], 1);
    });
  const gainAt = (sections: readonly Section[], hz: number): number =>
    sections.reduce((product, part) => product * response(part, hz, sampleRate), 1);

  let sections = design();
  for (let round = 0; round < TILT_ROUNDS; round++) {
    const current = sections;
    centres.forEach((hz, k) => {
      if (hz < 200) return; // nothing to correct; the lowest pairs lack neighbours by design
      const [low, high] = [hz / 2 ** (TILT_STEP / 2), Math.min(top, hz * 2 ** (TILT_STEP / 2))];
      const found = (20 * Math.log10(gainAt(current, high) / gainAt(current, low))) / Math.log2(high / low);
      shares[k] *= designed / found;
    });
    sections = design();
  }
  shares = shares.map((share) => (share * slope) / designed);
  sections = design();
  const gain = 1 / gainAt(sections, pivotHz);
  const { b, a } = sections[0];
  sections[0] = { b: [gain * b[0], gain * b[1], gain * b[2]], a };
  return filter(samples, sections);
}

/** |H| of a section at a frequency. */
function response({ b, a }: Section, hz: number, sampleRate: number): number {
  const w = (2 * Math.PI * hz) / sampleRate;
  const size = (c0: number, c1: number, c2: number): number =>
    Math.hypot(c0 + c1 * Math.cos(w) + c2 * Math.cos(2 * w), c1 * Math.sin(w) + c2 * Math.sin(2 * w));
  return size(...b) / size(1, ...a);
}
