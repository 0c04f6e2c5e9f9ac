/**
 * maps/: what an augmentation does to an embedding, as a linear map: pairs, fits in closed form and by gradient,
 * applying, chaining, undoing, held-out measures beside baselines, rank, composition, maps as augmentation of probes.
 * Imports keys, stats, store, tensor; of embeddings the types.
 */
export { type AugmentConfig, type AugmentedBatch, augmentBatch, type Batch, createMapBank, drawMaps, type MapBank, PAPER_AUGMENT } from './augment.js'; // prettier-ignore
export {
  type BaselineKind,
  compareMaps,
  type CompareOptions,
  type MapComparison,
  type MapGain,
  type PairSplits,
} from './compare.js';
export {
  commutatorNorm,
  type CompositionGap,
  compositionGap,
  type IdentityGap,
  identityGap,
  powerGap,
} from './composition.js';
export { fitMap, type FitOptions, type RidgeChoice, RIDGES } from './fit.js';
export {
  fitMapByGradient,
  GRADIENT_FIT_DEFAULTS,
  type GradientEpoch,
  type GradientFit,
  type GradientFitConfig,
  type GradientFitOptions,
} from './fitByGradient.js';
export { type InverseMap, invertMap } from './inverse.js';
export {
  applyMap,
  applyMapToTable,
  type AugmentationMap,
  composeMaps,
  createMap,
  type FitRecord,
  fitMeanShift,
  identityMap,
  type MapKind,
  matrixOf,
  powerOfMap,
  residual,
  type RidgeTarget,
} from './map.js';
export { loadMap, saveMap } from './mapFile.js';
export { evaluateMap, type EvaluateOptions, type MapEvaluation, type RetrievalMeasures } from './measures.js';
export { type EmbeddingPairs, pairTables, selectPairs } from './pairs.js';
export {
  effectiveRank,
  type MapSpectrum,
  mapSpectrum,
  rankCurve,
  type RankedMap,
  rankForShare,
  type RankPoint,
  reducedRankMaps,
  truncateMap,
} from './rank.js';
export {
  clipLogits,
  keyPermutation,
  linearReadout,
  type LinearReadout,
  type ShiftAgreement,
  shiftAgreement,
  shiftStatistics,
  shiftSums,
  type ShiftSums,
} from './readout.js';
export type { Similarity } from './retrieval.js';
export {
  type SumsOptions,
  type TrackStatistic,
  trackStatistics,
  type TrackStatistics,
  trackSums,
  type TrackSums,
} from './trackSums.js';
