/**
 * What is kept of a map's errors: sums over the clips of each track, so that tracks can be resampled, and several maps
 * or encoders compared on the same tracks. Letters: N test pairs, T their tracks.
 */
import { type AugmentationMap, assertWidth, predict } from './map.js';
import { columnMeans } from './matrix.js';
import { assertDisjoint, assertPairs, type EmbeddingPairs } from './pairs.js';
import { retrievalRanks, type Similarity } from './retrieval.js';

export interface SumsOptions {
  /** the pairs that the maps were fitted on: their mean augmented embedding is what R2 and centring refer to */
  readonly train: EmbeddingPairs;
  /** how retrieval compares, default cosine; null leaves retrieval out (its cost grows with N squared) */
  readonly similarity?: Similarity | null;
}

/** Each [T], summed over the clips of a track. m: the mean of train's Y. */
export interface TrackSums {
  readonly clips: ArrayLike<number>;
  /** |y - map(x)|^2 */
  readonly error: ArrayLike<number>;
  /** |y - m|^2 */
  readonly total: ArrayLike<number>;
  /** |y - x|^2 */
  readonly change: ArrayLike<number>;
  /** |y|^2 */
  readonly energy: ArrayLike<number>;
  /** cosine of map(x) and y; centred: of map(x) - m and y - m; 0 if either is the zero vector */
  readonly cosine: ArrayLike<number>;
  readonly centred: ArrayLike<number>;
  /** clips whose mapped embedding has its own augmented one nearest, and among the nearest five; zeros without retrieval */
  readonly top1: ArrayLike<number>;
  readonly top5: ArrayLike<number>;
  readonly reciprocalRank: ArrayLike<number>;
}

/** A statistic of a sample of tracks, given by their places among the T tracks with pairs. */
export type TrackStatistic = (tracks: ArrayLike<number>) => number;

/** As `MapEvaluation` describes them. */
export interface TrackStatistics {
  readonly r2: TrackStatistic;
  readonly explainedChange: TrackStatistic;
  readonly cosine: TrackStatistic;
  readonly centredCosine: TrackStatistic;
  readonly relativeError: TrackStatistic;
  readonly top1: TrackStatistic;
  readonly top5: TrackStatistic;
  readonly meanReciprocalRank: TrackStatistic;
}

/**
 * The sums of a map on held-out pairs.
 * @throws InputError for bad pairs, other widths, or a track that is in train too
 */
export function trackSums(map: AugmentationMap, test: EmbeddingPairs, options: SumsOptions): TrackSums {
  return sumsOfTracks(map, test, options).sums;
}

/** The measures of a sample of tracks from their sums. */
export function trackStatistics(sums: TrackSums): TrackStatistics {
  const perClip =
    (values: ArrayLike<number>): TrackStatistic =>
    (tracks) =>
      sumOver(values, tracks) / sumOver(sums.clips, tracks);
  return {
    r2: (tracks) => explained(sumOver(sums.error, tracks), sumOver(sums.total, tracks)),
    explainedChange: (tracks) => explained(sumOver(sums.error, tracks), sumOver(sums.change, tracks)),
    cosine: perClip(sums.cosine),
    centredCosine: perClip(sums.centred),
    relativeError: (tracks) => Math.sqrt(ratio(sumOver(sums.error, tracks), sumOver(sums.energy, tracks))),
    top1: perClip(sums.top1),
    top5: perClip(sums.top5),
    meanReciprocalRank: perClip(sums.reciprocalRank),
  };
}

/** The sums, with what only whole test sets have. */
export interface SummedMap {
  readonly sums: TrackSums;
  /** [N] of the true augmented clip; empty without retrieval */
  readonly ranks: Int32Array;
  /** [N] place of a clip's track among the T */
  readonly placeOf: Int32Array;
  readonly r2PerDimension: readonly (number | null)[];
}

export function sumsOfTracks(map: AugmentationMap, test: EmbeddingPairs, options: SumsOptions): SummedMap {
  const { train, similarity = 'cosine' } = options;
  const { width } = map;
  assertPairs('test pairs', test);
  assertWidth(map, test.width, 'the test pairs');
  assertPairs('train pairs', train, width);
  assertDisjoint('train', train, 'test', test);
  const mean = columnMeans(train.augmented, width);
  const predicted = predict(map, test.clean);
  const { placeOf, nTracks } = placesOfTracks(test);
  const zeros = (): Float64Array => new Float64Array(nTracks);
  const [clips, error, total, change, energy, cosine, centred] = [zeros(), zeros(), zeros(), zeros(), zeros(), zeros(), zeros()]; // prettier-ignore
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
    const out = zeros();
    ranks.forEach((rank, row) => (out[placeOf[row]] += value(rank)));
    return out;
  };
  return {
    sums: {
      clips,
      error,
      total,
      change,
      energy,
      cosine,
      centred,
      top1: perTrack((rank) => (rank === 1 ? 1 : 0)),
      top5: perTrack((rank) => (rank <= 5 ? 1 : 0)),
      reciprocalRank: perTrack((rank) => 1 / rank),
    },
    ranks,
    placeOf,
    r2PerDimension: Array.from(totalOf, (value, column) => (value > 0 ? 1 - errorOf[column] / value : null)),
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
export function sumOver(values: ArrayLike<number>, tracks: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < tracks.length; i++) sum += values[tracks[i]];
  return sum;
}
