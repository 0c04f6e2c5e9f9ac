/**
 * store/: files in and out. safetensors, PyTorch's files (read only), npy, npz, zip, JSON, JSON lines, CSV; atomic
 * writes; the content-addressed cache.
 * Imports no other room.
 */
export {
  fileSha256,
  OpenFiles,
  readBytes,
  readText,
  temporaryPath,
  withOpenFile,
  writeFileAtomic,
  type OpenFile,
} from './files.js';
export { shown } from './shown.js';
export { dtypeOf, float32, halfToNumber, int32, sizeOf, type Dtype, type StoredTensor } from './tensors.js';
export {
  namesInMetadata,
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
  writeSafetensorsInPieces,
  type SafetensorsFile,
  type TensorInPieces,
  type TensorPlace,
} from './safetensors.js';
export { parseNpy, readNpy, writeNpy, type NpyArray, type TextArray } from './npy.js';
export { readNpz } from './npz.js';
export { withZip, type ZipArchive, type ZipEntry } from './zip.js';
export { readTorchFile } from './torchFile.js';
export { readShards, readWeights } from './weights.js';
export { appendJsonLine, canonicalJson, configId, readJson, readJsonLines, writeJson } from './json.js';
export { formatCsv, parseCsv, type CsvRow } from './csv.js';
export { Cache } from './cache.js';
export { type CacheEntry, type CacheListing, isCacheFolder, listCache } from './cacheFolder.js';
export { keepLimit, pruneCaches, type PruneOptions, type PruneReport } from './prune.js';
export { formatBytes, parseAge, parseBytes } from './bytes.js';
