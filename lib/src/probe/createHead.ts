/** Which implementation a probe's head gets. */
import type { HiddenEntry } from './config.js';
import { type Head, headLayers, type HeadOptions, type HeadWeights } from './head.js';
import { LinearHead } from './linearHead.js';
import { TensorHead } from './tensorHead.js';

/** A head that starts from `weights`. A linear one runs on plain arrays, which is faster than any backend here. */
export function createHead(
  hidden: readonly HiddenEntry[],
  width: number,
  weights: HeadWeights,
  options: HeadOptions,
): Head {
  if (hidden.length === 0) return new LinearHead(weights, options);
  return new TensorHead(headLayers(hidden, width), weights, options);
}
