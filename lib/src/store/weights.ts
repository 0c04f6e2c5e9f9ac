/** Named tensors of weights, whatever they are kept in: safetensors (one file or shards) or a file of PyTorch. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { withOpenFile } from './files.js';
import { readJson } from './json.js';
import { readSafetensors, type SafetensorsFile } from './safetensors.js';
import { shown } from './shown.js';
import type { StoredTensor } from './tensors.js';
import { readTorchFile } from './torchFile.js';

/** File names that a folder of published weights has (Hugging Face), the one of shards first. */
const IN_FOLDER = ['model.safetensors.index.json', 'model.safetensors'];

// As the header length of a safetensors file, either mark would be far above that format's limit.
const ZIP_MARK = [0x50, 0x4b, 3, 4];
/** PyTorch's magic number, pickled. */
const OLD_TORCH_MARK = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46];

/** The index of shards lists some 60 bytes a tensor. */
const MAX_INDEX_BYTES = 32 * 2 ** 20;

/**
 * Reads weights from
 * - a safetensors file,
 * - an index of shards, `*.safetensors.index.json` with `weight_map`: the shards lie in its folder,
 * - a folder with `model.safetensors.index.json` or `model.safetensors`,
 * - a file that PyTorch saved (.pth, .pt); it has no metadata.
 *
 * What a file is, its first bytes tell, not its name.
 *
 * @throws InputError if there is none of these, or what it is is damaged; see the readers of each
 */
export function readWeights(path: string): SafetensorsFile {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const found = IN_FOLDER.map((name) => join(path, name)).find((file) => existsSync(file));
    if (!found) throw new InputError(path, `the folder holds neither ${IN_FOLDER.join(' nor ')}.`);
    return readWeights(found);
  }
  if (path.endsWith('.index.json')) return readShards(path);
  const start = withOpenFile(path, (file) => {
    const bytes = new Uint8Array(Math.min(8, file.size));
    file.read(bytes, 0);
    return bytes;
  });
  const beginsWith = (mark: readonly number[]): boolean => mark.every((byte, i) => start[i] === byte);
  if (beginsWith(ZIP_MARK)) return { tensors: readTorchFile(path), metadata: {} };
  if (beginsWith(OLD_TORCH_MARK))
    throw new InputError(
      path,
      'is a pickle without an archive, as PyTorch saved before 1.6; load it there and save its state dict again.',
    );
  return readSafetensors(path);
}

/**
 * Reads the shards that an index names, each once, and checks that they hold what the index says.
 *
 * @throws InputError for an index without a `weight_map`, a shard outside the index's folder, a shard that lacks a
 *   tensor or has one that the index gives to another shard
 */
export function readShards(indexPath: string): SafetensorsFile {
  const size = withOpenFile(indexPath, (file) => file.size);
  if (size > MAX_INDEX_BYTES)
    throw new InputError(indexPath, `has ${size} bytes; an index of at most ${MAX_INDEX_BYTES} is read.`);
  const shardOf = weightMap(indexPath, readJson(indexPath));
  const tensors = new Map<string, StoredTensor>();
  const metadata: Record<string, string> = {};
  for (const shard of new Set(shardOf.values())) {
    const path = join(dirname(indexPath), shard);
    const part = readSafetensors(path);
    Object.assign(metadata, part.metadata);
    for (const [name, tensor] of part.tensors) {
      if (shardOf.get(name) !== shard)
        throw new InputError(path, `holds tensor ${shown(name)}, which its index does not look for there.`);
      tensors.set(name, tensor);
    }
  }
  const missing = [...shardOf.keys()].find((name) => !tensors.has(name));
  if (missing !== undefined)
    throw new InputError(indexPath, `tensor ${shown(missing)} is not in ${shown(shardOf.get(missing))}.`);
  return { tensors, metadata };
}

function weightMap(path: string, index: unknown): Map<string, string> {
  const map: unknown = typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : null;
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new InputError(path, 'has no weight_map, the object that gives each tensor its file.');
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(map as Record<string, unknown>)) {
    // A plain file name: no folder, no way up, no drive, no hidden file.
    if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard))
      throw new InputError(
        path,
        `tensor ${shown(name)} is in ${shown(shard)}; a safetensors file beside the index was expected.`,
      );
    shardOf.set(name, shard);
  }
  if (shardOf.size === 0) throw new InputError(path, 'its weight_map is empty.');
  return shardOf;
}
