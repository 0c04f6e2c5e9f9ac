/** An encoder as worker threads get it: a file, or what a random initialisation is drawn from. */
import { Encoder, type EncoderConfig, loadCheckpoint } from '../../encoder/index.js';
import { createRng } from '../../tensor/index.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import { checkpointOf } from '../pretraining/pretraining.js';
import type { Run } from '../run/run.js';

export type EncoderSource = { readonly checkpoint: string } | { readonly config: EncoderConfig; readonly seed: number };

/** @param step of its pretraining; default all */
export function encoderSource(run: Run, encoder: EncoderOfSeed, step?: number): EncoderSource {
  const checkpoint = checkpointOf(run, encoder, step);
  return checkpoint === null ? { config: encoder.config, seed: encoder.seed } : { checkpoint };
}

/** The encoder; the caller disposes it. A random one is exactly what its pretrained twin began as (`initialEncoder`). */
export function loadEncoder(source: EncoderSource): Encoder {
  return 'checkpoint' in source
    ? loadCheckpoint(source.checkpoint).encoder
    : Encoder.init(source.config, createRng(source.seed).fork('encoder'));
}
