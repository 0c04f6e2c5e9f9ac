/**
 * probe/: linear and MLP probes on embedding tables, MixUp, selection on validation, grids, track decisions, evaluation,
 * template baselines. Imports embeddings, keys, stats, tensor, store, workers; knows no encoder.
 */
export {
  type BatchOf,
  type DrawVariants,
  drawUniformly,
  type ProbeBatch,
  type TableVariant,
  variantBatches,
} from './batches.js';
export {
  architectureGrid,
  type Decision,
  type HiddenEntry,
  PROBE_DEFAULTS,
  type ProbeConfig,
  probeConfig,
  PROTOCOLS,
  trainingGrid,
} from './config.js';
export { decideTracks, softmaxRows, topKAccuracy, type TrackDecisions } from './decide.js';
export {
  type Evaluation,
  evaluateProbe,
  type IntervalOptions,
  type ScoreIntervals,
  scoreIntervals,
  type TrackRow,
  trackScores,
} from './evaluate.js';
export {
  type GridChoice,
  gridChoice,
  type GridOptions,
  gridRuns,
  type GridTestResult,
  type PublishedClaim,
  publishedClaims,
  runGrid,
} from './grid.js';
export { type GridData, gridDataId, type GridRun, type GridTests, readGridTests } from './gridFiles.js';
export { type HeadWeights, headLayers, headParameterCount } from './head.js';
export { crossEntropy, mixRows, type MixUpDraw, softTargets } from './mixUp.js';
export { HEAD_PREFIX, loadProbe } from './loadProbe.js';
export { type EpochRecord, Probe, type ProbeData, saveProbe } from './probe.js';
export { type KeyOrder, probeFromHead } from './publishedHead.js';
export {
  chooseRun,
  probeRun,
  type ProbeRun,
  type SelectData,
  type Selected,
  selectProbe,
  type SelectOptions,
} from './select.js';
export { type EpochChoice, type ProbeSplits, trainProbe, trainProbeEachWay, type TrainProbeOptions } from './train.js';
export { estimateKeyByTemplate, type KeyProfile, TEMPLATE_PROFILES } from './templates.js';
