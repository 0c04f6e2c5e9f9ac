/** stats/: bootstrap intervals, paired comparisons, mean and deviation over seeds. Imports no other room. */
export {
  type BootstrapInterval,
  bootstrapInterval,
  type BootstrapOptions,
  drawResamples,
  type DrawOptions,
  type PairedBootstrap,
  pairedBootstrap,
  type Resamples,
} from './bootstrap.js';
export { type McNemar, mcnemar } from './mcnemar.js';
export { type MeanAndDeviation, meanAndDeviation, mean, quantileOfSorted, standardDeviation } from './summary.js';
