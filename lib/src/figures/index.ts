/**
 * figures/: measurements -> Plotly figures and table rows. Pure: no computing, no files, no clock.
 * Imports types of experiments/ and peers/ (and plotly.js), nothing else.
 */
export type { Figure, Table } from './figure.js';
export {
  COLOUR,
  HEAT,
  HEAT_SPECTRUM,
  PALETTE,
  interval,
  ofStudy,
  points,
  probability,
  signedInterval,
} from './style.js';
export {
  filterBankFigure,
  gainFigure,
  melFigure,
  octaveFigure,
  stftFigure,
  trackTable,
  tuningFigure,
  waveformFigure,
} from './melFigures.js';
export { frameworkFigure } from './frameworkFigure.js';
export { coverageFigure, masksFigure, tokenTable, viewDistanceFigure } from './viewFigures.js';
export { ablationFigure, ablationTable } from './ablationFigures.js';
export { budgetTable, probeAgainstStepFigure, retrievalFigure, trainingCurvesFigure } from './pretrainFigures.js';
export {
  comparisonFigure,
  comparisonTable,
  errorSharesFigure,
  pairwiseTable,
  SPLIT_LABEL,
} from './comparisonFigures.js';
export { confusionFigure, fifthsFigure, layersFigure, protocolFigure, protocolTable } from './probeFigures.js';
export {
  gridChoiceFigure,
  gridFieldsTable,
  gridHeatFigure,
  gridNoiseTable,
  type Grids,
  gridTable,
} from './gridFigures.js';
export { pitchAugmentationFigure, pitchAugmentationTable } from './pitchFigures.js';
export { mixLineFigure, mixUpBetasFigure, mixUpEffectFigure, mixUpLikelihoodFigure } from './mixUpFigures.js';
export { mixUpEffectTable, mixUpScoreTable } from './mixUpTables.js';
export { calibrationTable, marginsFigure, mixUpReliabilityFigure } from './calibrationFigures.js';
export { augmentedMapFigure, perplexityFigure, tsneJsFigure, tsneMapFigure } from './tsneMapFigures.js';
export {
  copyCurvesFigure,
  copyDifferenceTable,
  copyRankTable,
  mapProgressFigure,
  mapQualityTable,
  pitchNeighboursFigure,
  tsneJsTable,
} from './tsneFigures.js';
export {
  gradientTable,
  mapEncodersFigure,
  mapAccuracyFigure,
  mapRankFigure,
  mapRankTable,
  mapTable,
} from './mapFigures.js';
export {
  compositionFigure,
  compositionTable,
  cycleTable,
  inverseFigure,
  keyMovesFigure,
  keyShiftFigure,
  powersFigure,
} from './mapAlgebraFigures.js';
export { mapProbeDifferencesTable, mapProbesFigure, mapProbesTable } from './mapProbeFigures.js';
export { robustnessFigure, robustnessPairsFigure, robustnessSummaryFigure } from './robustnessFigures.js';
export { cleanTable, robustnessTable, strengthTable } from './robustnessTables.js';
export { equivarianceFigure, equivarianceScoreFigure, testTimeFigure, testTimeTable } from './equivarianceFigures.js';
export { abstentionFigure, confidenceTable, degradedFigure, reliabilityFigure } from './confidenceFigures.js';
export { claimsTable, maskRatioFigure, notAvailableTable, publishedFigure, publishedTable } from './paperFigures.js';
export { peerPairsTable, peerTable } from './peerTables.js';
export { keyCircleFigure } from './keyCircleFigure.js';
export { keyOverTimeFigure } from './keyOverTimeFigure.js';
export { musicProblemsTable, musicTable } from './yourMusicTables.js';
