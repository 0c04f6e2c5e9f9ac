/**
 * What a stretch of music says about its key when its notes are known: how much of each pitch class there is, over which
 * basses, and what follows what. Letters: T bins, S pitch classes that sound, L the lowest, O those that begin, [T, 12]
 * each.
 *
 * A linear mean over clips, as probes on embeddings take it, can weigh notes but not ask for two at once; products of two
 * moments (second-order pooling) can, and a harmony is what sounds together.
 */
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import { InputError } from '../errors.js';

/** Tokens (64 ms) that make a bin: about a quarter of a second. */
export const BIN_TOKENS = 4;

/** First channel of each group. */
const [S, L, O] = [0, 12, 24];

/** What is averaged; numbers are first channels of a group of twelve. */
export const STATISTICS = {
  /** Over the whole stretch. */
  whole: [S, L, O],
  /** Over each of its quarters, by themselves. */
  byQuarter: [S, L],
  /** Over its first and last two seconds: where music begins and ends tells its key. */
  atEnds: [S, L],
  endBins: 8,
  /** Mean over t of a[t] b[t + lag]', lags in bins. */
  products: [
    [L, S, 0], // chords over their basses
    [L, O, 0],
    [S, S, 0], // intervals
    [L, L, 1], // steps of the bass
    [L, L, 4],
    [O, O, 4], // what follows within a second
  ],
} as const;

const VECTORS = STATISTICS.whole.length + 4 * STATISTICS.byQuarter.length + 2 * STATISTICS.atEnds.length;

/** Values that a stretch gives. */
export const STATISTICS_WIDTH = 12 * VECTORS + 144 * STATISTICS.products.length;

/** The stretches of time whose means are taken, in the order of their values: channels [channel, channel + 12). */
export function statisticsMeans(
  nBins: number,
): { readonly channel: number; readonly from: number; readonly to: number }[] {
  const { whole, byQuarter, atEnds, endBins } = STATISTICS;
  const edge = (quarter: number): number => Math.min(nBins - 1, Math.floor((quarter * nBins) / 4));
  return [
    ...whole.map((channel) => ({ channel, from: 0, to: nBins })),
    ...byQuarter.flatMap((channel) =>
      [0, 1, 2, 3].map((q) => ({
        channel,
        from: edge(q),
        to: q === 3 ? nBins : Math.max(edge(q) + 1, edge(q + 1)),
      })),
    ),
    ...atEnds.flatMap((channel) => [
      { channel, from: 0, to: Math.min(nBins, endBins) },
      { channel, from: Math.max(0, nBins - endBins), to: nBins },
    ]),
  ];
}

/** Activity in bins: [nBins, 36], means of `BIN_TOKENS` rows; an incomplete last bin counts as one if it is the only one. */
export function binActivity(activity: Float32Array): Float32Array {
  const nTokens = activity.length / ACTIVITY_CHANNELS;
  const nBins = Math.max(1, Math.floor(nTokens / BIN_TOKENS));
  const bins = new Float32Array(nBins * ACTIVITY_CHANNELS);
  for (let bin = 0; bin < nBins; bin++) {
    const from = bin * BIN_TOKENS;
    const to = Math.min(nTokens, from + BIN_TOKENS);
    for (let token = from; token < to; token++)
      for (let channel = 0; channel < ACTIVITY_CHANNELS; channel++)
        bins[bin * ACTIVITY_CHANNELS + channel] += activity[token * ACTIVITY_CHANNELS + channel] / (to - from);
  }
  return bins;
}

/**
 * The statistics of some bins, `[STATISTICS_WIDTH]`: twelve values for each mean, then twelve by twelve for each product,
 * all as square roots.
 *
 * @param bins [T, 36] of `binActivity`
 * @throws InputError for no bins
 */
export function noteStatistics(bins: Float32Array): Float32Array {
  const nBins = bins.length / ACTIVITY_CHANNELS;
  if (!(nBins >= 1)) throw new InputError('noteStatistics', `${nBins} bins; expected at least one`);
  const out = new Float32Array(STATISTICS_WIDTH);
  let at = 0;
  for (const { channel, from, to } of statisticsMeans(nBins)) {
    for (let t = from; t < to; t++)
      for (let p = 0; p < 12; p++) out[at + p] += bins[t * ACTIVITY_CHANNELS + channel + p] / (to - from);
    at += 12;
  }
  for (const [a, b, lag] of STATISTICS.products) {
    const n = nBins - lag; // none for a stretch shorter than the lag
    for (let t = 0; t < n; t++)
      for (let p = 0; p < 12; p++) {
        const left = bins[t * ACTIVITY_CHANNELS + a + p] / n;
        if (left === 0) continue;
        const row = at + 12 * p;
        const next = (t + lag) * ACTIVITY_CHANNELS + b;
        for (let q = 0; q < 12; q++) out[row + q] += left * bins[next + q];
      }
    at += 144;
  }
  // Shares vary with their size; their roots do not.
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(out[i]);
  return out;
}

/** The statistics of the same music `semitones` higher: every pitch class moves on, exactly. */
export function transposeStatistics(statistics: Float32Array, semitones: number): Float32Array {
  const up = ((semitones % 12) + 12) % 12;
  const out = new Float32Array(STATISTICS_WIDTH);
  for (let v = 0; v < VECTORS; v++) for (let p = 0; p < 12; p++) out[12 * v + ((p + up) % 12)] = statistics[12 * v + p];
  for (let m = 0; m < STATISTICS.products.length; m++) {
    const at = 12 * VECTORS + 144 * m;
    for (let p = 0; p < 12; p++)
      for (let q = 0; q < 12; q++) out[at + 12 * ((p + up) % 12) + ((q + up) % 12)] = statistics[at + 12 * p + q];
  }
  return out;
}
