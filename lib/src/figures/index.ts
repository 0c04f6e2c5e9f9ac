/**
 * figures/: measurements -> Plotly figures and table rows. Pure: no computing, no files, no clock.
 * Imports types of experiments/ (and plotly.js), nothing else.
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
export { coverageFigure, frameworkFigure, masksFigure, tokenTable, viewDistanceFigure } from './viewFigures.js';
export { budgetTable, probeAgainstStepFigure, retrievalFigure, trainingCurvesFigure } from './pretrainFigures.js';
export {
  comparisonFigure,
  comparisonTable,
  confusionFigure,
  errorSharesFigure,
  fifthsFigure,
  layersFigure,
  pairwiseTable,
  protocolFigure,
  protocolTable,
} from './probeFigures.js';
