/**
 * How good a map is on held-out pairs. Every measure is a sum over clips that is kept per track, so that tracks can be
 * resampled. Letters: N test pairs, T their tracks.
 */
import { type BootstrapInterval, bootstrapInterval, type BootstrapOptions } from '../stats/index.js';
import type { AugmentationMap, MapKind } from './map.js';
import type { EmbeddingPairs } from './pairs.js';
import type { Similarity } from './retrieval.js';
import {
  sumsOfTracks,
  type SumsOptions,
  type TrackStatistic,
  trackStatistics,
  type TrackStatistics,
} from './trackSums.js';

export interface EvaluateOptions extends SumsOptions {
  readonly bootstrap: BootstrapOptions;
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

interface MapStatistics extends TrackStatistics {
  readonly medianRank: TrackStatistic;
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
  const { sums, ranks, placeOf, r2PerDimension } = sumsOfTracks(map, test, options);
  const nTracks = sums.clips.length;
  return {
    nClips: test.n,
    nTracks,
    r2PerDimension,
    hasRanks: ranks.length > 0,
    statistics: { ...trackStatistics(sums), medianRank: medianOf(ranks, placeOf, nTracks) },
  };
}

/** Estimate and interval of one statistic, or of the difference of two on the same tracks. */
export function intervalOf(
  measured: MeasuredMap,
  statistic: TrackStatistic,
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

/** The median rank of a sample of tracks, all their clips together: one walk along the ranks, sorted once. */
function medianOf(ranks: Int32Array, placeOf: Int32Array, nTracks: number): TrackStatistic {
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
