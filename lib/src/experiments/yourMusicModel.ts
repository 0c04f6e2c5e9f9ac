/** 10: the model that listens: the reader's, the one that ships, or a random one for trying the notebook out. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../errors.js';
import { Encoder, encoderConfig, saveCheckpoint } from '../encoder/index.js';
import { NUM_KEYS } from '../keys/index.js';
import { type KeyModelFiles, shippedModel } from '../predict/index.js';
import { Probe, probeConfig, saveProbe } from '../probe/index.js';
import { createRng } from '../tensor/index.js';
import type { PresetName } from './presets.js';
import type { MusicModel } from './yourMusicMeasurements.js';

/** Rises when the random model is made otherwise. */
const RANDOM_VERSION = 1;

export interface ChosenModel {
  readonly files: KeyModelFiles;
  readonly origin: MusicModel['origin'];
}

/**
 * @param folder holds `encoder.safetensors` and `head.safetensors`; null: the model that ships. Where none does, preset
 *   smoke makes a random one, so that tests need no training
 * @throws InputError if the files are not there
 */
export function chooseModel(folder: string | null, preset: PresetName, cacheDir: string): ChosenModel {
  if (folder !== null) {
    const files = filesIn(folder);
    for (const path of [files.weights, files.head])
      if (!existsSync(path))
        throw new InputError(
          path,
          'there is no such file; a model is a folder with encoder.safetensors and head.safetensors, as keymyna pretrain and keymyna probe write them',
        );
    return { files, origin: 'yours' };
  }
  try {
    return { files: shippedModel(), origin: 'shipped' };
  } catch (error) {
    if (preset !== 'smoke' || !(error instanceof InputError)) throw error;
    return { files: randomModel(cacheDir), origin: 'random' };
  }
}

const filesIn = (folder: string): KeyModelFiles => ({
  weights: join(folder, 'encoder.safetensors'),
  head: join(folder, 'head.safetensors'),
});

/** A tiny encoder and a linear head as initialised, in the cache; the same on every machine. */
function randomModel(cacheDir: string): KeyModelFiles {
  const files = filesIn(join(cacheDir, `random-key-model-${RANDOM_VERSION}`));
  if (existsSync(files.weights) && existsSync(files.head)) return files;
  const encoder = Encoder.init(
    encoderConfig('vertical', 'tiny', { inputScale: 'log1p' }),
    createRng(0).fork('encoder'),
  );
  const width = encoder.outWidth;
  const rng = createRng(0).fork('head');
  const weight = Float32Array.from({ length: NUM_KEYS * width }, () => rng.normal());
  const head = new Map([
    ['0.weight', { dtype: 'F32' as const, shape: [NUM_KEYS, width], data: weight }],
    ['0.bias', { dtype: 'F32' as const, shape: [NUM_KEYS], data: new Float32Array(NUM_KEYS) }],
  ]);
  try {
    saveProbe(files.head, new Probe(probeConfig({ standardize: 'none' }), width, head, null));
    saveCheckpoint(files.weights, encoder, { metadata: { origin: 'random, for tests' } });
  } finally {
    encoder.dispose();
  }
  return files;
}

/** Identifies what a file holds, whatever its name: SHA-256 in hex, read in pieces. */
export async function contentHash(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}
