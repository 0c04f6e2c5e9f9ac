/** stats/: bootstrap intervals, paired comparisons, calibration and abstention, mean and deviation over seeds. Imports no other room. */
export {
  type BootstrapInterval,
  bootstrapInterval,
  type BootstrapOptions,
  drawResamples,
  type DrawOptions,
  type PairedBootstrap,
  pairedBootstrap,
  resampledMeans,
  type Resamples,
} from './bootstrap.js';
export {
  brierScores,
  type Confidences,
  confidences,
  type LogitAnswers,
  negativeLogLikelihoods,
  probabilities,
  softmax,
} from './answers.js';
export {
  type Binning,
  type BinOptions,
  calibratedErrors,
  classwiseCalibrationError,
  expectedCalibrationError,
  fitTemperature,
  type ReliabilityBin,
  reliabilityBins,
  TEMPERATURE_RANGE,
} from './calibration.js';
export { holm } from './holm.js';
export { type McNemar, mcnemar } from './mcnemar.js';
export { rankCorrelation } from './rankCorrelation.js';
export { type RiskCoverage, riskCoverage, scoreAtCoverage } from './riskCoverage.js';
export {
  type MeanAndDeviation,
  meanAndDeviation,
  mean,
  meanOfArrays,
  quantileOfSorted,
  standardDeviation,
} from './summary.js';
