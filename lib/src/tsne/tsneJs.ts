/** The published package tsne-js behind the same types: a reference for small sets, and a measure of progress. */
import { randomInitialization } from './initialization.js';
import { checkCount, checkOption, checkPoints, type Points } from './points.js';

export interface TsneJsOptions {
  readonly perplexity?: number;
  /** Iterations at most (default 1,000); it stops by itself earlier when KL no longer falls. */
  readonly iterations?: number;
  readonly learningRate?: number;
  readonly earlyExaggeration?: number;
  readonly seed?: number | string;
}

export interface TsneJsMap {
  /** [n, 2] */
  readonly mapPoints: Float32Array;
  /** What it reports: of its own dense affinities, so not comparable with ours to the last percent. */
  readonly klDivergence: number;
  readonly iterations: number;
}

/**
 * A map by tsne-js 1.0.3, with its defaults but for the learning rate (100, since its 1,000 throws small sets apart).
 * What is peculiar to it, and left as it is:
 * - every pair in every iteration, on boxed arrays: 1,000 points take minutes; its option `barneshut` does nothing;
 * - affinities fall with exp(-beta d), not d^2, over all others;
 * - early exaggeration 4 for 100 iterations, and the velocity starts again at each stage;
 * - a gain grows where step and gradient agree in sign, which is where the point has gone too far (van der Maaten's code
 *   does the opposite);
 * - it draws its start unseeded: the start is replaced by our seeded normals;
 * - it runs to the end in one go, without a pause for signals.
 *
 * @param points [n, d], n >= 2; some hundreds
 */
export async function tsneJs(points: Points, options: TsneJsOptions = {}): Promise<TsneJsMap> {
  const where = 'tsneJs';
  const [n, d] = checkPoints(`${where}: points`, points, 2);
  const { perplexity = 30, iterations = 1000, learningRate = 100, earlyExaggeration = 4, seed = 0 } = options;
  checkOption(where, 'perplexity', perplexity, 1, n - 1);
  checkCount(where, 'iterations', iterations, 100, Infinity); // fewer leave the map exaggerated
  checkOption(where, 'learningRate', learningRate, Number.MIN_VALUE, Infinity);
  checkOption(where, 'earlyExaggeration', earlyExaggeration, 1, Infinity);
  const { default: TSNE } = await import('tsne-js');
  const model = new TSNE({ dim: 2, perplexity, earlyExaggeration, learningRate, nIter: iterations, metric: 'euclidean' }); // prettier-ignore
  const data = Array.from({ length: n }, (_, i) => Array.from(points.data.subarray(i * d, (i + 1) * d)));
  model.init({ data, type: 'dense' });
  model.outputEmbedding.data.set(randomInitialization(n, seed));
  const [klDivergence, last] = model.run();
  return { mapPoints: Float32Array.from(model.outputEmbedding.data), klDivergence, iterations: last };
}
