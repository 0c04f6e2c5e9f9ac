/** The peer `tsne-js`, an npm package without types: exact gradients on nested arrays. Same inputs as tsne.ts. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readNpy, writeNpy } from 'keymyna/store';
import { type Setting, timed } from './measure.js';

interface TsneJs {
  init(options: { data: number[][]; type: 'dense' }): void;
  run(): [error: number, iterations: number];
  getOutput(): number[][];
}

const require = createRequire(import.meta.url);
export const version = `tsne-js ${(require('tsne-js/package.json') as { version: string }).version}`;

export async function measure(
  folder: string,
  { perplexity, peerIterations }: Setting,
): Promise<{ ms: number[]; check: number[] }> {
  const Tsne = require('tsne-js') as new (options: Record<string, unknown>) => TsneJs;
  const { shape, data } = readNpy(join(folder, 'points.npy'));
  const [n, width] = shape;
  const rows = Array.from({ length: n }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width)));
  let map: number[][] = [];
  const run = (): void => {
    // Its README's parameters.
    const model = new Tsne({ dim: 2, perplexity, earlyExaggeration: 4, learningRate: 100, nIter: peerIterations, metric: 'euclidean' }); // prettier-ignore
    model.init({ data: rows, type: 'dense' });
    model.run();
    map = model.getOutput();
  };
  // Once, without a warm-up: a run takes a minute and a half.
  const ms = await timed(run, { warmUp: 0, repeats: 1 });
  writeNpy(join(folder, 'peer-map.npy'), { shape: [n, 2], data: Float32Array.from(map.flat()) });
  return { ms, check: [] };
}
