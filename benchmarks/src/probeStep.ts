/** One training step of an MLP probe: 64 clips, ReLU, dropout .9, Adam with L2. */
import { join } from 'node:path';
import { buildTable } from 'keymyna/embeddings';
import { type ProbeData, trainProbe } from 'keymyna/probe';
import { float32, readNpy, readSafetensors, type StoredTensor, writeNpy, writeSafetensors } from 'keymyna/store';
import { createRng, initBackend } from 'keymyna/tensor';
import type { Setting } from './measure.js';

const N_KEYS = 24;
export const BATCH = 64;
const WARM_UP_STEPS = 5;
const CHECKED_STEPS = 3;
/** As the probe's defaults: all clips raw, the last epoch kept, so that nothing but steps is measured. */
export const TRAINING = { learningRate: 3e-4, weightDecay: 1e-5, batchSize: BATCH, epochs: 1, selection: 'last', standardize: 'none' } as const; // prettier-ignore

/** Embeddings around one centre a key, so that there is something to learn. */
export function writeEmbeddings(folder: string, nClips: number, width: number): void {
  const rng = createRng('embeddings');
  const normals = (n: number): Float32Array => Float32Array.from({ length: n }, () => rng.normal());
  const centres = Array.from({ length: N_KEYS }, () => normals(width));
  const keys = Int32Array.from({ length: nClips }, () => rng.int(N_KEYS));
  const data = normals(nClips * width);
  for (let i = 0; i < data.length; i++) data[i] += 0.5 * centres[keys[Math.floor(i / width)]][i % width];
  writeNpy(join(folder, 'embeddings.npy'), { shape: [nClips, width], data });
  writeNpy(join(folder, 'keys.npy'), { shape: [nClips], data: keys });
}

/** Clips `from` up to `until` as a table with one clip a track. */
export function readProbeData(folder: string, from = 0, until = Infinity): ProbeData {
  const { shape, data } = readNpy(join(folder, 'embeddings.npy'));
  const width = shape[1];
  const keyOfTrack = (readNpy(join(folder, 'keys.npy')).data as Int32Array).slice(from, until);
  const rowOf = (clip: number): Float32Array => data.slice(clip * width, (clip + 1) * width) as Float32Array;
  const rows = Array.from(keyOfTrack, (_, i) => rowOf(from + i));
  const ids = rows.map((_, i) => `clip ${from + i}`);
  return { table: buildTable(ids, rows, width), keyOfTrack };
}

export function writeInputs(folder: string, { width, hidden, repeats }: Setting): void {
  writeEmbeddings(folder, (WARM_UP_STEPS + repeats) * BATCH, width);
  const rng = createRng('weights');
  const weights = new Map<string, StoredTensor>();
  const layers = [['0', width, hidden], ['2', hidden, N_KEYS]] as const; // prettier-ignore
  for (const [name, inputs, outputs] of layers) {
    const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => (2 * rng.uniform() - 1) / Math.sqrt(inputs)); // prettier-ignore
    weights.set(`${name}.weight`, float32([outputs, inputs], draw(inputs * outputs)));
    weights.set(`${name}.bias`, float32([outputs], draw(outputs)));
  }
  writeSafetensors(join(folder, 'weights.safetensors'), weights);
}

export async function measure(folder: string, { hidden }: Setting): Promise<{ ms: number[]; check: number[] }> {
  await initBackend();
  const check: number[] = [];
  const { tensors: weights } = readSafetensors(join(folder, 'weights.safetensors'));
  const inOrder = (_: number, n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);
  // Without dropout, whose masks no two libraries share.
  await trainProbe(
    { ...TRAINING, hidden: [hidden] },
    { train: readProbeData(folder, 0, CHECKED_STEPS * BATCH) },
    { weights, draws: { order: inOrder }, onStep: (loss) => check.push(loss) },
  );
  const ends: number[] = [];
  await trainProbe(
    { ...TRAINING, hidden: [hidden, 'd0.9'] },
    { train: readProbeData(folder) },
    { onStep: () => ends.push(performance.now()) },
  );
  const counted = ends.length - WARM_UP_STEPS;
  return { check, ms: [(ends[ends.length - 1] - ends[WARM_UP_STEPS - 1]) / counted] };
}
