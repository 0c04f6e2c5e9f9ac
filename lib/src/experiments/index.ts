/**
 * experiments/: one file per figure or table: configuration -> measurement, kept in the cache under its configId, and
 * the heavy stages behind them: features, pretraining, embeddings, probes.
 * May import every room above; never figures or notebook.
 */
export type * from './gridMeasurements.js';
export type * from './claimMeasurements.js';
export type * from './measurements.js';
export type * from './ablationMeasurements.js';
export type * from './mixUpMeasurements.js';
export type * from './tsneMeasurements.js';
export type * from './mapMeasurements.js';
export type * from './mapProbeMeasurements.js';
export type * from './robustnessMeasurements.js';
export type * from './yourMusicMeasurements.js';
export { type ExperimentPreset, type PresetName, presetOf, type PretrainingData } from './presets.js';
export { encodersOf, type EncoderOfSeed, pretrainingJobs, type PretrainingJob } from './jobs.js';
export { openRun, type Run, type RunOptions, RECORDINGS_FOLDER, type StageProgress } from './run.js';
export { missingFor, prepare, runStageOf, type StageName, STAGES, type StageTime } from './prepare.js';
export {
  augmentedChains,
  type Chain,
  chainName,
  chainShift,
  CLEAN,
  COMPOSITIONS,
  MAP_AUGMENTATIONS,
  mapChains,
  robustnessChains,
  shiftChains,
} from './augmentedSets.js';
export { augmentedEncoders, augmentedTracks, loadAugmented, loadAugmentedChroma } from './augmentedTables.js';
export { loadMels } from './features.js';
export { bestLayer, loadRunProbe, type ProbeOutcome } from './probing.js';
export { checkpointOf } from './pretraining.js';
export { exampleTrack, exampleTracks, firstClip, heardTracks, type HeardTrack, trackCard } from './tracks.js';
export { melWalkthrough } from './melWalkthrough.js';
export { filterBank } from './filterBank.js';
export { gain } from './gain.js';
export { octave } from './octave.js';
export { tuning } from './tuning.js';
export { framework, maskCoverage, tokenCounts } from './framework.js';
export { viewDistance } from './viewDistance.js';
export { ablationOf, ablations } from './ablations.js';
export { budget, trainingCurves } from './trainingCurves.js';
export { snapshotScores } from './snapshots.js';
export { comparison, confusion, fifthsBetween, pairwise } from './comparison.js';
export { trackResults, type TrackResults } from './trackResults.js';
export { protocol } from './protocol.js';
export { layerScores } from './layers.js';
export { gridConfigs, gridScores, wholeGrid } from './grid.js';
export { pitchAugmentation } from './pitchAugmentation.js';
export { MIXUP_WAYS, type MixUpSetting, mixUpSettings, trainTracks } from './mixUp.js';
export { mixUpBetas, mixUpEffect } from './mixUpEffect.js';
export { mixLine } from './mixLine.js';
export { calibration } from './calibration.js';
export {
  NOT_AVAILABLE,
  PUBLISHED_MASK_RATIOS,
  PUBLISHED_SCORES,
  type PublishedRuler,
  type PublishedScore,
  type Reading,
} from './published.js';
export { copyDistances, mapQuality, pitchNeighbours } from './augmentedTsne.js';
export { augmentedMap, type EncodedSound, mapSounds, perplexityMaps, tsneJsComparison } from './augmentedTsneMaps.js';
export { gradientFits, mapComposition, mapAccuracy, mapRank, mapShifts } from './augmentationMaps.js';
export { mapProbes } from './mapProbeScores.js';
export { loadRunMap, mainEncoders } from './mapUnits.js';
export { robustness } from './robustness.js';
export { type ModelRecipe, SHIPPED_MODEL, type ShippedFiles, trainShippedModel } from './shippedModel.js';
export { type DetectorScore, type ModelScores, scoreShippedModel } from './shippedModelScores.js';
export { augmentationStrengths, heardAugmentations, type HeardAugmentation } from './robustnessStrengths.js';
export { equivariance, testTimeAveraging } from './equivariance.js';
export { confidence } from './abstention.js';
export { claim, claimsOf, type ClaimSources, paperClaims, verdictOf } from './claims.js';
export { studyOf } from './study.js';
export { MUSIC_FOLDER, type MusicOptions, openMusic } from './openMusic.js';
export { Music, type MusicReview } from './yourMusic.js';
