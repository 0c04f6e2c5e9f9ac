/** What a trained probe is worth on a split: every track's answer, the scores, their intervals. */
import { type KeyScore, mirexScore, scoreKeys } from '../keys/index.js';
import { type BootstrapInterval, bootstrapInterval, drawResamples } from '../stats/index.js';
import { createRng } from '../tensor/index.js';
import type { Decision } from './config.js';
import { topKAccuracy } from './decide.js';
import type { Probe, ProbeData } from './probe.js';
import { assertData } from './train.js';

export interface TrackRow {
  readonly trackId: string;
  readonly referenceKey: number;
  readonly estimatedKey: number;
  /** mean logits of the track's clips, 24 */
  readonly logits: readonly number[];
}

export interface ScoreIntervals {
  readonly weighted: BootstrapInterval;
  readonly weightedBothFifths: BootstrapInterval;
  readonly accuracy: BootstrapInterval;
}

export interface Evaluation {
  readonly rows: readonly TrackRow[];
  readonly score: KeyScore;
  readonly top5: number;
  /** 95 % percentile bootstrap over tracks */
  readonly intervals: ScoreIntervals;
}

export interface IntervalOptions {
  /** of the resampling, default 0; the three intervals use the same resamples */
  readonly seed?: number;
  readonly resamples?: number;
  readonly level?: number;
}

/** Runs a probe on a split. @param options.decision default the probe's */
export function evaluateProbe(
  probe: Probe,
  data: ProbeData,
  options: IntervalOptions & { readonly decision?: Decision } = {},
): Evaluation {
  assertData('evaluated', data, probe.width);
  const { estimated, logits } = probe.decide(data.table, options.decision);
  const rows = data.table.trackIds.map((trackId, track) => ({
    trackId,
    referenceKey: data.keyOfTrack[track],
    estimatedKey: estimated[track],
    logits: Array.from(logits.subarray(24 * track, 24 * (track + 1))),
  }));
  return {
    rows,
    score: scoreKeys(data.keyOfTrack, estimated),
    top5: topKAccuracy(logits, data.keyOfTrack, 5),
    intervals: scoreIntervals(data.keyOfTrack, estimated, options),
  };
}

/** Bootstrap intervals over tracks of the weighted scores (both rulers) and of the exact match. */
export function scoreIntervals(
  reference: ArrayLike<number>,
  estimated: ArrayLike<number>,
  { seed = 0, resamples, level }: IntervalOptions = {},
): ScoreIntervals {
  const rng = createRng(seed);
  const drawn = drawResamples(reference.length, { uniform: () => rng.uniform(), resamples });
  const interval = (values: ArrayLike<number>): BootstrapInterval => bootstrapInterval(values, { drawn, level });
  return {
    weighted: interval(trackScores(reference, estimated, false)),
    weightedBothFifths: interval(trackScores(reference, estimated, true)),
    accuracy: interval(Float64Array.from(reference, (key, track) => (key === estimated[track] ? 1 : 0))),
  };
}

/** MIREX score of every track: what bootstrap and paired bootstrap resample. */
export function trackScores(
  reference: ArrayLike<number>,
  estimated: ArrayLike<number>,
  allowDescendingFifths: boolean,
): Float64Array {
  return Float64Array.from(reference, (key, track) => mirexScore(key, estimated[track], { allowDescendingFifths }));
}
