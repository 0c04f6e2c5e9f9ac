/** Checkpoints: safetensors under the reference's names, configuration in the metadata; published ones are read too. */
import { InputError } from '../errors.js';
import { MEL, type MelConfig } from '../mel/index.js';
import { readWeights, writeSafetensors, type StoredTensor } from '../store/index.js';
import { parseEncoderConfig, type EncoderConfig } from './config.js';
import { Encoder } from './encoder.js';
import { isLinearHead, type ConfigOverrides } from './fromTensors.js';
import { withoutWrapper } from './wrapperNames.js';

/** What a checkpoint may hold beside the encoder. */
export interface CheckpointExtras {
  /** Text by name, e.g. `step`, `seed`, `configId`, `config`; `encoderConfig`, `melConfig` and `extraTensors` are taken. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Further tensors (a head, an optimizer's state), by names that the encoder does not use. */
  readonly tensors?: ReadonlyMap<string, StoredTensor>;
}

export interface Checkpoint {
  readonly encoder: Encoder;
  readonly metadata: Readonly<Record<string, string>>;
  /** The classification head that reference checkpoints carry along, if any. */
  readonly linearHead: { readonly weight: StoredTensor; readonly bias: StoredTensor } | null;
  /** The further tensors it was saved with, or that a wrapper holds beside the encoder. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Writes a checkpoint, atomically. Metadata gains `encoderConfig` and `melConfig` (JSON), `format` (`pt`, which Python's
 * readers ask for) and, if there are any, `extraTensors` (JSON list of the further tensors' names).
 *
 * @throws InputError for a further tensor whose name is taken
 */
export function saveCheckpoint(path: string, encoder: Encoder, extras: CheckpointExtras = {}): void {
  const tensors = encoder.toTensors();
  for (const [name, tensor] of extras.tensors ?? []) {
    if (tensors.has(name)) throw new InputError(path, `further tensor ${name} has a name of the encoder's`);
    tensors.set(name, tensor);
  }
  const metadata: Record<string, string> = {
    format: 'pt',
    ...extras.metadata,
    encoderConfig: JSON.stringify(encoder.config),
    melConfig: JSON.stringify(MEL),
  };
  if (extras.tensors && extras.tensors.size > 0) metadata.extraTensors = JSON.stringify([...extras.tensors.keys()]);
  writeSafetensors(path, tensors, metadata);
}

/**
 * Reads a checkpoint, ours or one with the reference's names: safetensors (a file, an index of shards, or a folder of
 * either) or a state dict that PyTorch saved; see `readWeights`. A wrapper's prefix (`module.`, `model.`) is taken off.
 * Width, depth and MLP size come from the tensors; patches, heads, clip length and input scale from `overrides`, else
 * from the metadata, else heads of 64 values, 196 or 192 frames and power.
 *
 * @throws InputError naming the file for a damaged file, a missing or unknown tensor, a wrong shape, a weight that is
 *   not finite, when vertical and square cannot be told apart, or for another mel spectrogram, patches or clip length
 *   than the checkpoint was trained with
 */
export function loadCheckpoint(path: string, overrides: ConfigOverrides = {}): Checkpoint {
  const { tensors, metadata } = readWeights(path);
  const stored = storedConfig(metadata, path);
  if (stored) checkAgainst(stored, overrides, path);
  checkMel(metadata, path);
  const { own, outside: further } = withoutWrapper(tensors);
  for (const name of extraNames(metadata, path)) {
    const tensor = own.get(name);
    if (!tensor) throw new InputError(path, `tensor ${name}, which the metadata lists, is missing`);
    further.set(name, tensor);
    own.delete(name);
  }
  const known = stored ? expectations(stored) : {};
  const encoder = Encoder.fromTensors(own, { ...known, ...definedOnly(overrides) }, path);
  const [weight, bias] = [own.get('linear_head.weight'), own.get('linear_head.bias')];
  return { encoder, metadata, linearHead: weight && bias ? { weight, bias } : null, tensors: further };
}

/** @throws InputError if a caller asks for what the checkpoint was not trained for */
function checkAgainst(stored: EncoderConfig, { patches, clipFrames }: ConfigOverrides, path: string): void {
  if (patches && patches !== stored.patches) {
    throw new InputError(path, `was saved with ${stored.patches} patches, but patches is '${patches}'`);
  }
  if (clipFrames !== undefined && clipFrames !== stored.clipFrames) {
    throw new InputError(
      path,
      `was trained on clips of ${stored.clipFrames} frames, but clipFrames is ${clipFrames}; it has not learned what ` +
        `the positions of other lengths mean, and a probe of its embeddings would be misled`,
    );
  }
}

/**
 * Embeddings of another mel spectrogram than that of training look like any others and are wrong. A checkpoint without
 * the entry is the reference's, which has one setting only.
 */
function checkMel(metadata: Readonly<Record<string, string>>, path: string): void {
  if (metadata.melConfig === undefined) return;
  const found = parseJson(metadata.melConfig, path) as Partial<MelConfig> | null;
  const other = (Object.keys(MEL) as (keyof MelConfig)[]).filter((field) => found?.[field] !== MEL[field]);
  if (other.length === 0) return;
  const asText = (config: Partial<MelConfig> | null): string =>
    other.map((field) => `${field} ${String(config?.[field])}`).join(', ');
  throw new InputError(
    path,
    `was trained on mel spectrograms of ${asText(found)}; here they have ${asText(MEL)}, and its embeddings of those ` +
      `would be wrong without a sign of it`,
  );
}

/** All of a stored configuration but what follows from it: a file that lost its last block is noticed. */
function expectations(config: EncoderConfig): ConfigOverrides {
  const { patches, clipFrames, width, depth, numHeads, mlpDim, inputScale } = config;
  return { patches, clipFrames, width, depth, numHeads, mlpDim, inputScale };
}

/** Without the fields that are undefined, so that an option nobody gave does not hide the metadata's value. */
function definedOnly(overrides: ConfigOverrides): ConfigOverrides {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
}

function storedConfig(metadata: Readonly<Record<string, string>>, path: string): EncoderConfig | null {
  if (metadata.encoderConfig === undefined) return null;
  return parseEncoderConfig(parseJson(metadata.encoderConfig, path), `${path}, metadata encoderConfig`);
}

function extraNames(metadata: Readonly<Record<string, string>>, path: string): string[] {
  if (metadata.extraTensors === undefined) return [];
  const names = parseJson(metadata.extraTensors, path);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new InputError(path, 'metadata extraTensors is not a list of names');
  }
  return names.filter((name) => !isLinearHead(name));
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new InputError(path, `its metadata is not JSON: ${text.slice(0, 60)}`, { cause });
  }
}
