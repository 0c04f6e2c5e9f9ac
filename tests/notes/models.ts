/** Tiny heads on notes for the tests: random weights, every part of a real one. */
import { ACTIVITY_CHANNELS } from '../../lib/src/corpus/index.js';
import type { MelSpectrogram } from '../../lib/src/mel/index.js';
import { STATISTICS_WIDTH, Transcriber, TRANSCRIBER_PREFIX } from '../../lib/src/notes/index.js';
import { initialWeights } from '../../lib/src/probe/head.js';
import { Probe, probeConfig } from '../../lib/src/probe/index.js';
import { float32 } from '../../lib/src/store/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

export function randomTranscriber(width: number, seed = 0): Transcriber {
  const rng = createRng(seed).fork('transcriber');
  const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => 2 * rng.normal());
  const tensors = new Map([
    [`${TRANSCRIBER_PREFIX}weight`, float32([ACTIVITY_CHANNELS, width], draw(ACTIVITY_CHANNELS * width))],
    [`${TRANSCRIBER_PREFIX}bias`, float32([ACTIVITY_CHANNELS], draw(ACTIVITY_CHANNELS))],
  ]);
  return Transcriber.fromTensors(tensors, 'random')!;
}

/** A head on statistics, with a hidden layer and a standardizer. */
export function randomNoteProbe(seed = 0): Probe {
  const rng = createRng(seed).fork('note probe');
  const config = probeConfig({ hidden: [8], standardize: 'train', selection: 'last' });
  const mean = Float64Array.from({ length: STATISTICS_WIDTH }, () => 0.3 * rng.uniform());
  const scale = Float64Array.from({ length: STATISTICS_WIDTH }, () => 0.05 + 0.2 * rng.uniform());
  return new Probe(config, STATISTICS_WIDTH, initialWeights(config.hidden, STATISTICS_WIDTH, rng), { mean, scale });
}

export function randomMel(nFrames: number, seed = 0): MelSpectrogram {
  const rng = createRng(seed);
  return { nMels: 128, nFrames, data: Float32Array.from({ length: 128 * nFrames }, () => 50 * rng.uniform() ** 4) };
}
