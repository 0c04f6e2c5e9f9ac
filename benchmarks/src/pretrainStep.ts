/** One pretraining step: clips drawn, visible patches gathered, encoder, head, NT-Xent, gradients, AdamW. */
import { join } from 'node:path';
import { Encoder, parseEncoderConfig } from 'keymyna/encoder';
import type { MelTrack } from 'keymyna/mel';
import {
  batchOfStep,
  initialState,
  pretrainConfig,
  type PretrainConfig,
  pretrainStep,
  ProjectionHead,
} from 'keymyna/pretrain';
import { readNpy, readSafetensors, writeNpy, writeSafetensors } from 'keymyna/store';
import { createRng, initBackend } from 'keymyna/tensor';
import { type Setting, timed } from './measure.js';

const N_MELS = 128;
const LEARNING_RATE = 1e-3;
/** Steps on given batches whose losses both sides must share: the second and third show the update as well. */
const CHECKED_STEPS = 3;

function configOf({ width, depth, pairs, visible, clipFrames }: Setting): PretrainConfig {
  const encoder = parseEncoderConfig({
    patches: 'vertical',
    clipFrames,
    nMels: N_MELS,
    width,
    depth,
    numHeads: width / 64,
    headDim: 64,
    mlpDim: 4 * width,
    inputScale: 'power',
  });
  return pretrainConfig({
    encoder,
    steps: 1000,
    loss: 'ntXent',
    batchPairs: pairs,
    maskRatio: 1 - visible / (clipFrames / 2),
    maxFrameDistance: 0,
    optimizer: 'adamW',
    learningRate: LEARNING_RATE,
    weightDecay: 1e-4,
    clipNorm: 1,
    projectionHead: 'mlp-128-128',
  });
}

export async function writeInputs(folder: string, setting: Setting): Promise<void> {
  await initBackend();
  const config = configOf(setting);
  const { pairs, trackFrames } = setting;
  const rng = createRng('mel spectrograms');
  const mels = Float32Array.from({ length: pairs * N_MELS * trackFrames }, () => rng.uniform());
  writeNpy(join(folder, 'mels.npy'), { shape: [pairs, N_MELS, trackFrames], data: mels });

  const { encoder, head } = initialState(config, pairs, 1);
  writeSafetensors(join(folder, 'weights.safetensors'), new Map([...encoder.toTensors(), ...head.toTensors()]));

  const tracks = readTracks(folder);
  const batches = Array.from({ length: CHECKED_STEPS }, (_, step) => batchOfStep(config, tracks, step));
  const write = (name: string, rows: readonly (readonly number[])[], shape: readonly number[]): void =>
    writeNpy(join(folder, `batch_${name}.npy`), {
      shape: [CHECKED_STEPS, ...shape],
      data: Int32Array.from(rows.flat()),
    });
  const nViews = 2 * pairs;
  write('tracks', batches.map(({ trackIds }) => [...trackIds, ...trackIds]), [nViews]); // prettier-ignore
  write('starts', batches.map(({ views }) => views.map(({ start }) => start)), [nViews]); // prettier-ignore
  write('kept', batches.map(({ kept }) => [...kept.vertical!]), [nViews, batches[0].kept.vertical!.length / nViews]); // prettier-ignore
}

export async function measure(folder: string, setting: Setting): Promise<{ ms: number[]; check: number[] }> {
  await initBackend();
  const config = configOf(setting);
  const tracks = readTracks(folder);
  const { tensors } = readSafetensors(join(folder, 'weights.safetensors'));
  const ofEncoder = new Map([...tensors].filter(([name]) => !name.startsWith('projection_head.')));
  const encoder = Encoder.fromTensors(ofEncoder, { patches: 'vertical', clipFrames: setting.clipFrames });
  const head = ProjectionHead.fromTensors(config.projectionHead, setting.width, tensors, folder);
  const state = initialState(config, tracks.length, 1, { encoder, head });

  let step = 0;
  const oneStep = (): number => {
    const batch = batchOfStep(config, tracks, step++);
    return pretrainStep(state, config, batch, LEARNING_RATE, () => performance.now()).loss;
  };
  const check = Array.from({ length: CHECKED_STEPS }, oneStep);
  return { check, ms: await timed(oneStep, { warmUp: 1, repeats: setting.repeats }) };
}

function readTracks(folder: string): MelTrack[] {
  const { shape, data } = readNpy(join(folder, 'mels.npy'));
  const [nTracks, nMels, nFrames] = shape;
  const size = nMels * nFrames;
  return Array.from({ length: nTracks }, (_, i) => ({
    id: `track ${i}`,
    mel: { nMels, nFrames, data: data.slice(i * size, (i + 1) * size) as Float32Array },
  }));
}
