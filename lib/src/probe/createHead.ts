/** Which implementation a probe's head gets. */
import type { HiddenEntry } from './config.js';
import { currentBackend, currentBlas } from '../tensor/index.js';
import { type Head, headLayers, type HeadOptions, type HeadWeights } from './head.js';
import { LinearHead } from './linearHead.js';
import { MlpHead } from './mlpHead.js';
import { TensorHead } from './tensorHead.js';

/**
 * A head that starts from `weights`, as the running backend asks: where that has the suite's kernels, an MLP has its own
 * as well; elsewhere (a GPU, a backend without acceleration) it trains on tensors. A linear one needs no backend.
 */
export function createHead(
  hidden: readonly HiddenEntry[],
  width: number,
  weights: HeadWeights,
  options: HeadOptions,
): Head {
  if (hidden.length === 0) return new LinearHead(weights, options);
  const layers = headLayers(hidden, width);
  if (currentBackend().accelerated) return new MlpHead(layers, weights, options, currentBlas());
  return new TensorHead(layers, weights, options);
}
