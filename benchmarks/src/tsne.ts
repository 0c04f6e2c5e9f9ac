/** A t-SNE map of Gaussian clusters, from points to finished positions. */
import { join } from 'node:path';
import { readNpy, writeNpy } from 'keymyna/store';
import { createRng, initBackend } from 'keymyna/tensor';
import { tsne } from 'keymyna/tsne';
import { divergence, type PairAffinities, pairAffinities } from './divergence.js';
import { type Answer, type Comparison, readSetting, type Setting, timed } from './measure.js';

/** How much larger our divergence may be for the maps to count as equally good. */
const TOLERANCE = 1.02;

/** Clusters of equal size around normal centres, in random order. */
export function writeInputs(folder: string, { n, width, clusters }: Setting): void {
  const rng = createRng('clusters');
  const centres = Float32Array.from({ length: clusters * width }, () => rng.normal());
  const data = new Float32Array(n * width);
  rng.permutation(n).forEach((place, row) => {
    const centre = (row % clusters) * width;
    for (let i = 0; i < width; i++) data[place * width + i] = centres[centre + i] + rng.normal();
  });
  writeNpy(join(folder, 'points.npy'), { shape: [n, width], data });
}

export async function measure(
  folder: string,
  { perplexity, iterations, repeats }: Setting,
): Promise<{ ms: number[]; check: number[] }> {
  await initBackend();
  const { shape, data } = readNpy(join(folder, 'points.npy'));
  const points = { data: data as Float32Array, shape: [shape[0], shape[1]] } as const;
  let mapPoints = new Float32Array();
  const ms = await timed(
    async () => {
      mapPoints = Float32Array.from((await tsne(points, { perplexity, iterations })).mapPoints);
    },
    { warmUp: 1, repeats },
  );
  writeNpy(join(folder, 'ours-map.npy'), { shape: [shape[0], 2], data: mapPoints });
  return { ms, check: [] };
}

/** Of the inputs in a folder; every round judges its maps by the same ones. */
const affinitiesOf = new Map<string, PairAffinities>();

/** Both maps by one and the same function. */
export function compare(_ours: Answer, _peer: Answer, folder: string): Comparison {
  const { perplexity } = readSetting(folder);
  let p = affinitiesOf.get(folder);
  if (!p) {
    const { shape, data } = readNpy(join(folder, 'points.npy'));
    p = pairAffinities(data as Float32Array, shape[0], shape[1], perplexity);
    affinitiesOf.set(folder, p);
  }
  const [ours, peer] = ['ours', 'peer'].map((side) => divergence(p, readNpy(join(folder, `${side}-map.npy`)).data));
  const note = `KL divergence ${ours.toFixed(3)}, the peer’s ${peer.toFixed(3)}`;
  return { problem: ours <= TOLERANCE * peer ? null : note, note };
}
