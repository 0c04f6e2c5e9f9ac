/** A linear map beside what it must beat: no map, a mean shift, and the map with an offset. */
import type { BootstrapInterval } from '../stats/index.js';
import { fitMap, type FitOptions, RIDGES } from './fit.js';
import { type AugmentationMap, fitMeanShift, identityMap } from './map.js';
import { differenceOf, type EvaluateOptions, type MapEvaluation, measureMap, summarize } from './measures.js';
import { assertDisjoint, type EmbeddingPairs } from './pairs.js';

export interface PairSplits {
  readonly train: EmbeddingPairs;
  /** chooses the ridges */
  readonly valid: EmbeddingPairs;
  /** read once, at the end */
  readonly test: EmbeddingPairs;
}

export interface CompareOptions extends Omit<EvaluateOptions, 'train'> {
  /** of the augmentation */
  readonly name: string;
  readonly labelShift?: number;
  readonly towards: FitOptions['towards'];
  /** relative ridges to choose from, default `RIDGES` */
  readonly ridges?: readonly number[];
}

export type BaselineKind = 'identity' | 'meanShift' | 'affine';

/** The linear map minus a baseline, tracks resampled for both at once. */
export interface MapGain {
  readonly over: BaselineKind;
  readonly r2: BootstrapInterval;
  readonly cosine: BootstrapInterval;
  /** null without retrieval */
  readonly top1: BootstrapInterval | null;
}

export interface MapComparison {
  readonly maps: Readonly<Record<BaselineKind | 'linear', AugmentationMap>>;
  /** identity, mean shift, linear, affine on the test pairs */
  readonly rows: readonly MapEvaluation[];
  readonly gains: readonly MapGain[];
}

/**
 * Fits on train, chooses each ridge on valid, and measures all four maps on test.
 * @throws InputError for bad pairs, or a track in two splits
 */
export function compareMaps(splits: PairSplits, options: CompareOptions): MapComparison {
  const { train, valid, test } = splits;
  const { name, labelShift = 0, towards, ridges = RIDGES, bootstrap } = options;
  assertDisjoint('valid', valid, 'test', test);
  assertDisjoint('train', train, 'test', test);
  const fit = (kind: 'linear' | 'affine'): AugmentationMap =>
    fitMap(train, { name, labelShift, kind, towards, ridge: { candidates: ridges, valid } });
  const maps = {
    identity: { ...identityMap(train.width, name), labelShift },
    meanShift: fitMeanShift(train, name, labelShift),
    linear: fit('linear'),
    affine: fit('affine'),
  };
  const evaluate = { ...options, train };
  const measured = {
    identity: measureMap(maps.identity, test, evaluate),
    meanShift: measureMap(maps.meanShift, test, evaluate),
    linear: measureMap(maps.linear, test, evaluate),
    affine: measureMap(maps.affine, test, evaluate),
  };
  const kinds = ['identity', 'meanShift', 'linear', 'affine'] as const;
  const gainOver = (over: BaselineKind): MapGain => {
    const gain = (measure: 'r2' | 'cosine' | 'top1') =>
      differenceOf(measured.linear, measured[over], measure, bootstrap);
    return { over, r2: gain('r2'), cosine: gain('cosine'), top1: measured.linear.hasRanks ? gain('top1') : null };
  };
  return {
    maps,
    rows: kinds.map((kind) => summarize(maps[kind], measured[kind], evaluate)),
    gains: (['identity', 'meanShift', 'affine'] as const).map(gainOver),
  };
}
