/** What is used of tsne-js 1.0.3, an old CommonJS package without types. */
declare module 'tsne-js' {
  import type { EventEmitter } from 'node:events';

  export default class TSNE extends EventEmitter {
    constructor(config: {
      dim: number;
      perplexity: number;
      earlyExaggeration: number;
      learningRate: number;
      nIter: number;
      metric: 'euclidean';
    });
    init(options: { data: readonly (readonly number[])[]; type: 'dense' }): void;
    /** Blocks until done. @returns the last KL divergence and iteration */
    run(): [klDivergence: number, iteration: number];
    /** An ndarray [n, dim], float64, row-major. */
    outputEmbedding: { readonly data: Float64Array };
  }
}
