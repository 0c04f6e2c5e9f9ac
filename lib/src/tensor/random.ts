/** Seeded random numbers. Everything random in the suite draws from here, so a seed determines a result. */

/** A generator's whole state, ready for JSON: four 32-bit words of the core, and the spare normal, if one is held. */
export interface RngState {
  readonly words: readonly [number, number, number, number];
  readonly spareNormal: number | null;
}

/** A seeded random generator (xoshiro128**, Blackman and Vigna 2018). */
export interface Rng {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Standard normal (Marsaglia's polar method). */
  normal(): number;
  /** Uniform integer in 0 .. n-1. */
  int(n: number): number;
  /** A uniformly random order of 0 .. n-1 (Fisher and Yates). */
  permutation(n: number): Int32Array;
  /** Beta(a, b) by two gamma draws; a, b > 0. */
  beta(a: number, b: number): number;
  /** One of the items, each with the same chance. */
  pick<T>(items: readonly T[]): T;
  /** An independent generator named by `label`; the parent does not advance. */
  fork(label: string | number): Rng;
  state(): RngState;
}

/** FNV-1a over the label's UTF-16 code units, continued from `hash`. */
function hashLabel(label: string, hash = 0x811c9dc5): number {
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** splitmix32: spreads one 32-bit seed over the words of a state. */
function splitMix(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x9e3779b9) >>> 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

class Xoshiro implements Rng {
  private readonly s: Uint32Array;
  private spareNormal: number | null;

  constructor(state: RngState) {
    this.s = Uint32Array.from(state.words);
    this.spareNormal = state.spareNormal;
  }

  private next(): number {
    const s = this.s;
    const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return result;
  }

  uniform(): number {
    return ((this.next() >>> 5) * 0x4000000 + (this.next() >>> 6)) / 0x20000000000000;
  }

  normal(): number {
    if (this.spareNormal !== null) {
      const spare = this.spareNormal;
      this.spareNormal = null;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const r = x * x + y * y;
      if (r === 0 || r >= 1) continue;
      const f = Math.sqrt((-2 * Math.log(r)) / r);
      this.spareNormal = y * f;
      return x * f;
    }
  }

  int(n: number): number {
    if (!Number.isInteger(n) || n < 1) throw new RangeError(`Rng.int: n must be a positive integer, found ${n}`);
    return Math.floor(this.uniform() * n);
  }

  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
    return order;
  }

  /** Gamma(shape, 1) by Marsaglia and Tsang 2000; shapes under 1 by the usual power of a uniform. */
  private gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * Math.pow(1 - this.uniform(), 1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      const u = 1 - this.uniform();
      if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  beta(a: number, b: number): number {
    if (!(a > 0 && b > 0)) throw new RangeError(`Rng.beta: a and b must be positive, found ${a} and ${b}`);
    for (;;) {
      const x = this.gamma(a);
      const y = this.gamma(b);
      if (x + y > 0) return x / (x + y);
    }
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('Rng.pick: there is nothing to pick from');
    return items[this.int(items.length)];
  }

  fork(label: string | number): Rng {
    return createRng(hashLabel(`${typeof label}:${label}`, hashLabel(Array.from(this.s).join(','))));
  }

  state(): RngState {
    const [a, b, c, d] = this.s;
    return { words: [a, b, c, d], spareNormal: this.spareNormal };
  }
}

/** A generator from a seed: a number (its integer part modulo 2^32) or any text. */
export function createRng(seed: number | string): Rng {
  if (typeof seed === 'number' && !Number.isFinite(seed)) {
    throw new RangeError(`createRng: the seed must be finite, found ${seed}`);
  }
  const next = splitMix(typeof seed === 'number' ? Math.trunc(seed) : hashLabel(seed));
  return new Xoshiro({ words: [next(), next(), next(), next()], spareNormal: null });
}

/** The generator that continues from a saved state. */
export function restoreRng(state: RngState): Rng {
  return new Xoshiro(state);
}
