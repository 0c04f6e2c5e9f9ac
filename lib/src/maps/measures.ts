/**
 * How good a map is on held-out pairs. Every measure is a sum over clips that is kept per track, so that tracks can be
 * resampled. Letters: N test pairs, T their tracks.
 */
import { type BootstrapInterval, bootstrapInterval, type BootstrapOptions } from '../stats/index.js';
import { type AugmentationMap, assertWidth, type MapKind, predict } from './map.js';
import { columnMeans } from './matrix.js';
import { assertDisjoint, assertPairs, type EmbeddingPairs } from './pairs.js';
import { retrievalRanks, type Similarity } from './retrieval.js';

export interface EvaluateOptions {
  /** the pairs that the maps were fitted on: their mean augmented embedding is what R2 and centring refer to */
  readonly train: EmbeddingPairs;
  readonly bootstrap: BootstrapOptions;
  /** how retrieval compares, default cosine; null leaves retrieval out (its cost grows with N squared) */
  readonly similarity?: Similarity | null;
}

/** Each with a bootstrap interval over tracks. */
export interface RetrievalMeasures {
  readonly similarity: Similarity;
  /** augmented clips among which the right one was to be found; guessing has top1 = 1 / nCandidates */
  readonly nCandidates: number;
  /** share of clips whose mapped embedding is nearest to their own augmented one, 0..1; ties count as lost */
  readonly top1: BootstrapInterval;
  /** share with the right one among the first five */
  readonly top5: BootstrapInterval;
  /** mean of 1 / rank */
  readonly meanReciprocalRank: BootstrapInterval;
  /** 1 = nearest */
  readonly medianRank: BootstrapInterval;
}

/** Measures with bootstrap intervals over tracks; candidates of the retrieval stay all test pairs in every resample. */
export interface MapEvaluation {
  readonly name: string;
  readonly kind: MapKind;
  readonly nClips: number;
  readonly nTracks: number;
  /** pooled over dimensions: 1 - |Y - map(X)|^2 / |Y - mean of train's Y|^2 */
  readonly r2: BootstrapInterval;
  /** [width], null for a dimension that does not vary */
  readonly r2PerDimension: readonly (number | null)[];
  /** 1 - |Y - map(X)|^2 / |Y - X|^2: share of the augmentation's effect that the map explains; 0 for the identity, and
   *  where there is no effect */
  readonly explainedChange: BootstrapInterval;
  /** mean over clips of the cosine of map(x) and y; 0 if either is the zero vector */
  readonly cosine: BootstrapInterval;
  /** the same after taking off the mean of train's Y from both: embeddings share a large common part */
  readonly centredCosine: BootstrapInterval;
  /** |Y - map(X)| / |Y| */
  readonly relativeError: BootstrapInterval;
  readonly retrieval: RetrievalMeasures | null;
}

/**
 * Measures a map on held-out pairs.
 * @throws InputError for bad pairs, other widths, or a track that is in train too
 */
export function evaluateMap(map: AugmentationMap, test: EmbeddingPairs, options: EvaluateOptions): MapEvaluation {
  return summarize(map, measureMap(map, test, options), options);
}

/** A statistic of a sample of tracks, given by their places among the T tracks with pairs. */
type Statistic = (tracks: ArrayLike<number>) => number;

interface MapStatistics {
  readonly r2: Statistic;
  readonly explainedChange: Statistic;
  readonly cosine: Statistic;
  readonly centredCosine: Statistic;
  readonly relativeError: Statistic;
  readonly top1: Statistic;
  readonly top5: Statistic;
  readonly meanReciprocalRank: Statistic;
  readonly medianRank: Statistic;
}

export interface MeasuredMap {
  readonly nClips: number;
  readonly nTracks: number;
  readonly r2PerDimension: readonly (number | null)[];
  readonly hasRanks: boolean;
  readonly statistics: MapStatistics;
}

/** Measures once; intervals and paired differences are then statistics of its tracks. */
export function measureMap(map: AugmentationMap, test: EmbeddingPairs, options: EvaluateOptions): MeasuredMap {
  const { train, similarity = 'cosine' } = options;
  const { width } = map;
  assertPairs('test pairs', test);
  assertWidth(map, test.width, 'the test pairs');
  assertPairs('train pairs', train, width);
  assertDisjoint('train', train, 'test', test);
  const mean = columnMeans(train.augmented, width);
  const predicted = predict(map, test.clean);
  const { placeOf, nTracks } = placesOfTracks(test);
  const sums = (): Float64Array => new Float64Array(nTracks);
  const [clips, error, total, change, energy, cosine, centred] = [sums(), sums(), sums(), sums(), sums(), sums(), sums()]; // prettier-ignore
  const errorOf = new Float64Array(width);
  const totalOf = new Float64Array(width);
  for (let row = 0; row < test.n; row++) {
    const track = placeOf[row];
    let yy = 0, pp = 0, py = 0, cyy = 0, cpp = 0, cpy = 0; // prettier-ignore
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      const y = test.augmented[at];
      const p = predicted[at];
      const cy = y - mean[column];
      const cp = p - mean[column];
      yy += y * y;
      pp += p * p;
      py += p * y; // prettier-ignore
      cyy += cy * cy;
      cpp += cp * cp;
      cpy += cp * cy; // prettier-ignore
      errorOf[column] += (y - p) ** 2;
      totalOf[column] += cy * cy;
      error[track] += (y - p) ** 2;
      change[track] += (y - test.clean[at]) ** 2;
    }
    clips[track]++;
    energy[track] += yy;
    total[track] += cyy;
    cosine[track] += cosineOf(py, pp, yy);
    centred[track] += cosineOf(cpy, cpp, cyy);
  }
  const ranks = similarity === null ? new Int32Array(0) : retrievalRanks(predicted, test, similarity, mean);
  const perTrack = (value: (rank: number) => number): Float64Array => {
    const out = sums();
    ranks.forEach((rank, row) => (out[placeOf[row]] += value(rank)));
    return out;
  };
  const perClip =
    (values: Float64Array): Statistic =>
    (tracks) =>
      sumOver(values, tracks) / sumOver(clips, tracks);
  return {
    nClips: test.n,
    nTracks,
    r2PerDimension: Array.from(totalOf, (value, column) => (value > 0 ? 1 - errorOf[column] / value : null)),
    hasRanks: similarity !== null,
    statistics: {
      r2: (tracks) => explained(sumOver(error, tracks), sumOver(total, tracks)),
      explainedChange: (tracks) => explained(sumOver(error, tracks), sumOver(change, tracks)),
      cosine: perClip(cosine),
      centredCosine: perClip(centred),
      relativeError: (tracks) => Math.sqrt(ratio(sumOver(error, tracks), sumOver(energy, tracks))),
      top1: perClip(perTrack((rank) => (rank === 1 ? 1 : 0))),
      top5: perClip(perTrack((rank) => (rank <= 5 ? 1 : 0))),
      meanReciprocalRank: perClip(perTrack((rank) => 1 / rank)),
      medianRank: medianOf(ranks, placeOf, nTracks),
    },
  };
}

/** Estimate and interval of one statistic, or of the difference of two on the same tracks. */
export function intervalOf(
  measured: MeasuredMap,
  statistic: Statistic,
  bootstrap: BootstrapOptions,
): BootstrapInterval {
  const places = Float64Array.from({ length: measured.nTracks }, (_, place) => place);
  return bootstrapInterval(places, { ...bootstrap, statistic });
}

/** a - b of one measure on the same test pairs: tracks are resampled for both at once. */
export function differenceOf(
  a: MeasuredMap,
  b: MeasuredMap,
  measure: keyof MapStatistics,
  bootstrap: BootstrapOptions,
): BootstrapInterval {
  return intervalOf(a, (tracks) => a.statistics[measure](tracks) - b.statistics[measure](tracks), bootstrap);
}

/** Every measure of a map with its interval. */
export function summarize(map: AugmentationMap, measured: MeasuredMap, options: EvaluateOptions): MapEvaluation {
  const { nClips, nTracks, r2PerDimension, statistics, hasRanks } = measured;
  const interval = (name: keyof MapStatistics) => intervalOf(measured, statistics[name], options.bootstrap);
  const { similarity } = options;
  return {
    name: map.name,
    kind: map.kind,
    nClips,
    nTracks,
    r2: interval('r2'),
    r2PerDimension,
    explainedChange: interval('explainedChange'),
    cosine: interval('cosine'),
    centredCosine: interval('centredCosine'),
    relativeError: interval('relativeError'),
    retrieval: hasRanks
      ? {
          similarity: similarity ?? 'cosine',
          nCandidates: nClips,
          top1: interval('top1'),
          top5: interval('top5'),
          meanReciprocalRank: interval('meanReciprocalRank'),
          medianRank: interval('medianRank'),
        }
      : null,
  };
}

/** The tracks that have rows, numbered 0 .. T - 1 in the order in which they come. */
export function placesOfTracks({ trackOf }: { readonly trackOf: Int32Array }): {
  placeOf: Int32Array;
  nTracks: number;
} {
  const places = new Map<number, number>();
  const placeOf = trackOf.map((track) => {
    const place = places.get(track) ?? places.size;
    places.set(track, place);
    return place;
  });
  return { placeOf, nTracks: places.size };
}

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
const explained = (error: number, total: number): number => (total > 0 ? 1 - error / total : 0);
const cosineOf = (product: number, aa: number, bb: number): number => ratio(product, Math.sqrt(aa) * Math.sqrt(bb));

/** Sum of a per-track quantity over a sample of tracks. */
export function sumOver(values: Float64Array, tracks: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < tracks.length; i++) sum += values[tracks[i]];
  return sum;
}

/** The median rank of a sample of tracks, all their clips together: one walk along the ranks, sorted once. */
function medianOf(ranks: Int32Array, placeOf: Int32Array, nTracks: number): Statistic {
  const order = Array.from(ranks, (_, row) => row).sort((a, b) => ranks[a] - ranks[b]);
  const times = new Int32Array(nTracks);
  return (tracks) => {
    times.fill(0);
    for (let i = 0; i < tracks.length; i++) times[tracks[i]]++;
    let clips = 0;
    for (const row of order) clips += times[placeOf[row]];
    // The clips in the middle are number (clips - 1) >> 1 and clips >> 1, counted from 0.
    let seen = 0;
    let lower: number | null = null;
    for (const row of order) {
      seen += times[placeOf[row]];
      if (lower === null && seen > (clips - 1) >> 1) lower = ranks[row];
      if (lower !== null && seen > clips >> 1) return (lower + ranks[row]) / 2;
    }
    return 0;
  };
}
