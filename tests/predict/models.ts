/** Tiny models for the tests: random weights, every file of a real one. */
import { join } from 'node:path';
import { Encoder, encoderConfig, saveCheckpoint, type EncoderConfig } from '../../lib/src/encoder/index.js';
import { NUM_KEYS } from '../../lib/src/keys/index.js';
import type { Transcriber } from '../../lib/src/notes/index.js';
import type { KeyModelFiles } from '../../lib/src/predict/index.js';
import { Probe, probeConfig, type ProbeConfig, saveProbe } from '../../lib/src/probe/index.js';
import { float32 } from '../../lib/src/store/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

/** A linear probe; its weights are large, so that clips differ in their answers. */
export function randomProbe(width: number, seed = 0, config: Partial<ProbeConfig> = {}): Probe {
  const rng = createRng(seed).fork('probe');
  const draw = (n: number): Float32Array => Float32Array.from({ length: n }, () => 6 * (rng.uniform() - 0.5));
  const weights = new Map([
    ['0.weight', float32([NUM_KEYS, width], draw(NUM_KEYS * width))],
    ['0.bias', float32([NUM_KEYS], draw(NUM_KEYS))],
  ]);
  return new Probe(probeConfig({ standardize: 'none', selection: 'last', ...config }), width, weights, null);
}

/** Writes encoder and head into `dir`. Needs `initBackend` first. */
export function tinyModel(
  dir: string,
  options: {
    readonly name?: string;
    readonly seed?: number;
    readonly config?: Partial<EncoderConfig>;
    readonly headMetadata?: Record<string, string>;
    readonly probe?: Probe;
    /** Beside a head on notes. */
    readonly transcriber?: Transcriber;
  } = {},
): KeyModelFiles {
  const { name = 'tiny', seed = 0, headMetadata = { temperature: '2' } } = options;
  const encoder = Encoder.init(encoderConfig('vertical', 'tiny', options.config), createRng(seed));
  const files = { weights: join(dir, `${name}.safetensors`), head: join(dir, `${name}-head.safetensors`) };
  saveCheckpoint(files.weights, encoder);
  saveProbe(
    files.head,
    options.probe ?? randomProbe(encoder.outWidth, seed),
    headMetadata,
    options.transcriber?.toTensors(),
  );
  encoder.dispose();
  return files;
}
