/**
 * store/: files in and out. safetensors, npy, JSON, JSON lines, CSV; atomic writes; the content-addressed cache.
 * Imports no other room.
 */
export { readBytes, readText, temporaryPath, writeFileAtomic } from './files.js';
export { dtypeOf, float32, halfToNumber, int32, sizeOf, type Dtype, type StoredTensor } from './tensors.js';
export { readSafetensors, writeSafetensors, type SafetensorsFile } from './safetensors.js';
export { readNpy, writeNpy } from './npy.js';
export { appendJsonLine, canonicalJson, configId, readJson, readJsonLines, writeJson } from './json.js';
export { formatCsv, parseCsv, type CsvRow } from './csv.js';
export { Cache } from './cache.js';
