/**
 * The Kullback-Leibler divergence of a map, by one plain function for every library, so that "the same quality" does
 * not rest on what a library says of itself. Definition: van der Maaten and Hinton 2008; P over the 3 * perplexity
 * nearest neighbours as Barnes-Hut t-SNE has it (van der Maaten 2014); Z over all pairs.
 */

/** P as pairs i < j with p_ij + p_ji; the values add up to 1. */
export interface PairAffinities {
  readonly i: Int32Array;
  readonly j: Int32Array;
  readonly p: Float64Array;
}

/** @param points [n, d] row-major */
export function pairAffinities(points: Float32Array, n: number, d: number, perplexity: number): PairAffinities {
  const k = Math.min(n - 1, Math.floor(3 * perplexity));
  const pairs = new Map<number, number>();
  const distances = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    for (let other = 0; other < n; other++) {
      let sum = 0;
      for (let x = row * d, y = other * d, end = x + d; x < end; x++, y++) sum += (points[x] - points[y]) ** 2;
      distances[other] = other === row ? Infinity : sum;
    }
    const nearest = Int32Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b]).subarray(0, k); // prettier-ignore
    const own = Float64Array.from(nearest, (other) => distances[other]);
    conditional(own, perplexity).forEach((p, at) => {
      const [low, high] = [Math.min(row, nearest[at]), Math.max(row, nearest[at])];
      pairs.set(low * n + high, (pairs.get(low * n + high) ?? 0) + p / n);
    });
  }
  const keys = [...pairs.keys()];
  return {
    i: Int32Array.from(keys, (key) => Math.floor(key / n)),
    j: Int32Array.from(keys, (key) => key % n),
    p: Float64Array.from(pairs.values()),
  };
}

/** exp(-beta d) / sum with the beta whose entropy is log(perplexity), by bisection. */
function conditional(distances: Float64Array, perplexity: number): Float64Array {
  const nearest = distances.reduce((a, b) => Math.min(a, b));
  let [low, high, beta] = [0, Infinity, 1];
  for (let iteration = 0; ; iteration++) {
    const weights = distances.map((d) => Math.exp(-beta * (d - nearest)));
    const sum = weights.reduce((a, b) => a + b);
    const p = weights.map((w) => w / sum);
    const entropy = -p.reduce((total, q) => total + (q > 0 ? q * Math.log(q) : 0), 0);
    if (iteration === 200 || Math.abs(entropy - Math.log(perplexity)) < 1e-10) return p;
    if (entropy > Math.log(perplexity)) low = beta;
    else high = beta;
    beta = high === Infinity ? 2 * beta : (low + high) / 2;
  }
}

/** KL(P || Q) in nats. @param map [n, 2] */
export function divergence({ i, j, p }: PairAffinities, map: ArrayLike<number>): number {
  const n = map.length / 2;
  const weight = (a: number, b: number): number => {
    const [x, y] = [map[2 * a] - map[2 * b], map[2 * a + 1] - map[2 * b + 1]];
    return 1 / (1 + x * x + y * y);
  };
  let z = 0; // over i < j, as P is
  for (let a = 0; a < n; a++) for (let b = a + 1; b < n; b++) z += weight(a, b);
  let sum = 0;
  for (let pair = 0; pair < p.length; pair++) {
    if (p[pair] > 0) sum += p[pair] * Math.log((p[pair] * z) / weight(i[pair], j[pair]));
  }
  return sum;
}
