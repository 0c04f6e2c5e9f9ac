/**
 * experiments/: one file per figure or table: configuration -> measurement, kept in the cache under its configId, and
 * the heavy stages behind them. May import every room above; never figures or notebook.
 *
 * Folders, in the order in which things are made: run (presets, stages, the cache), features, spectra (notebook 01),
 * pretraining (02, 03), probing and grid (04), mixup (05), augmented (the augmented copies that 06 to 08 share), tsne
 * (06), maps (07), robustness (08), paper (09), music (10), model (the detector that ships).
 */
export type * from './grid/gridMeasurements.js';
export type * from './paper/claimMeasurements.js';
export type * from './measurements.js';
export type * from './pretraining/ablationMeasurements.js';
export type * from './mixup/mixUpMeasurements.js';
export type * from './tsne/tsneMeasurements.js';
export type * from './maps/mapMeasurements.js';
export type * from './maps/mapProbeMeasurements.js';
export type * from './robustness/robustnessMeasurements.js';
export type * from './music/yourMusicMeasurements.js';
export { type ExperimentPreset, type PresetName, presetOf, type PretrainingData } from './run/presets.js';
export { encodersOf, type EncoderOfSeed, pretrainingJobs, type PretrainingJob } from './pretraining/jobs.js';
export { openRun, type Run, type RunOptions, RECORDINGS_FOLDER, type StageProgress } from './run/run.js';
export { missingFor, prepare, runStageOf, type StageName, STAGES, type StageTime } from './run/prepare.js';
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
} from './augmented/augmentedSets.js';
export { augmentedEncoders, augmentedTracks, loadAugmented, loadAugmentedChroma } from './augmented/augmentedTables.js';
export { loadMels } from './features/features.js';
export { bestLayer, loadRunProbe, type ProbeOutcome } from './probing/probing.js';
export { checkpointOf } from './pretraining/pretraining.js';
export { exampleTrack, exampleTracks, firstClip, heardTracks, type HeardTrack, trackCard } from './features/tracks.js';
export { melWalkthrough } from './spectra/melWalkthrough.js';
export { filterBank } from './spectra/filterBank.js';
export { gain } from './spectra/gain.js';
export { octave } from './spectra/octave.js';
export { tuning } from './spectra/tuning.js';
export { framework, maskCoverage, tokenCounts } from './spectra/framework.js';
export { viewDistance } from './pretraining/viewDistance.js';
export { ablationOf, ablations } from './pretraining/ablations.js';
export { budget, trainingCurves } from './pretraining/trainingCurves.js';
export { snapshotScores } from './pretraining/snapshots.js';
export { comparison, confusion, fifthsBetween, pairwise } from './probing/comparison.js';
export { trackResults, type TrackResults } from './probing/trackResults.js';
export { protocol } from './probing/protocol.js';
export { layerScores } from './probing/layers.js';
export { gridConfigs, gridScores, wholeGrid } from './grid/grid.js';
export { pitchAugmentation } from './grid/pitchAugmentation.js';
export { MIXUP_WAYS, type MixUpSetting, mixUpSettings, trainTracks } from './mixup/mixUp.js';
export { mixUpBetas, mixUpEffect } from './mixup/mixUpEffect.js';
export { mixLine } from './mixup/mixLine.js';
export { calibration } from './mixup/calibration.js';
export {
  NOT_AVAILABLE,
  PUBLISHED_MASK_RATIOS,
  PUBLISHED_SCORES,
  type PublishedRuler,
  type PublishedScore,
  type Reading,
} from './paper/published.js';
export { copyDistances, mapQuality, pitchNeighbours } from './tsne/augmentedTsne.js';
export {
  augmentedMap,
  type EncodedSound,
  mapSounds,
  perplexityMaps,
  tsneJsComparison,
} from './tsne/augmentedTsneMaps.js';
export { gradientFits, mapComposition, mapAccuracy, mapRank, mapShifts } from './maps/augmentationMaps.js';
export { mapProbes } from './maps/mapProbeScores.js';
export { loadRunMap, mainEncoders } from './maps/mapUnits.js';
export { robustness } from './robustness/robustness.js';
export { type ModelRecipe, SHIPPED_MODEL } from './model/recipe.js';
export { type ShippedFiles, trainShippedModel } from './model/shippedModel.js';
export { type DetectorScore, type ModelScores, scoreShippedModel } from './model/shippedModelScores.js';
export { augmentationStrengths, heardAugmentations, type HeardAugmentation } from './robustness/robustnessStrengths.js';
export { equivariance, testTimeAveraging } from './robustness/equivariance.js';
export { confidence } from './robustness/abstention.js';
export { claim, claimsOf, type ClaimSources, paperClaims, verdictOf } from './paper/claims.js';
export { studyOf } from './run/study.js';
export { MUSIC_FOLDER, type MusicOptions, openMusic } from './music/openMusic.js';
export { Music, type MusicReview } from './music/yourMusic.js';
