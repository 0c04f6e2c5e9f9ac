import { InputError } from '../errors.js';
import { withOpenFile, writeFileAtomic } from './files.js';
import { shown } from './shown.js';
import { checked, DISK_DTYPES, shapeProblem, sizeOf, type StoredTensor } from './tensors.js';

/** Tensors in the order of the header, and the free text pairs of its `__metadata__`. */
export interface SafetensorsFile {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

/** The format's own limit on the JSON header, bytes. */
const MAX_HEADER_BYTES = 100_000_000;

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file: 8 bytes of header length (little-endian), JSON header, raw data.
 * Header length, dtypes, shapes and offsets are checked against the size of the file before anything is allocated.
 * Source: the format description of github.com/huggingface/safetensors.
 * @throws InputError if the file is unreadable, no safetensors file, truncated, or inconsistent in itself
 */
export function readSafetensors(path: string): SafetensorsFile {
  return withOpenFile(path, (file) => {
    if (file.size < 8)
      throw new InputError(
        path,
        `the file has ${file.size} bytes, a safetensors file has at least 8; it is empty or truncated.`,
      );
    const prefix = new Uint8Array(8);
    file.read(prefix, 0);
    const headerBytes = new DataView(prefix.buffer).getBigUint64(0, true);
    if (headerBytes > BigInt(Math.min(file.size - 8, MAX_HEADER_BYTES)))
      throw new InputError(
        path,
        `the header claims ${headerBytes} bytes, the file has ${file.size} (limit ${MAX_HEADER_BYTES}); it is truncated or no safetensors file.`,
      );
    const headerLength = Number(headerBytes);
    const headerRaw = new Uint8Array(headerLength);
    file.read(headerRaw, 8);
    const dataStart = 8 + headerLength;
    const { entries, metadata } = parseHeader(path, headerRaw, file.size - dataStart);
    const tensors = new Map<string, StoredTensor>();
    for (const { name, dtype, shape, begin, end } of entries) {
      const bytes = new Uint8Array(end - begin);
      file.read(bytes, dataStart + begin);
      const disk = DISK_DTYPES[dtype];
      tensors.set(name, { dtype: disk.dtype, shape, data: disk.read(bytes, `${path}, tensor ${name}`) });
    }
    return { tensors, metadata };
  });
}

function parseHeader(
  path: string,
  raw: Uint8Array,
  dataBytes: number,
): { entries: Entry[]; metadata: Record<string, string> } {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch (error) {
    throw new InputError(path, 'the header is no JSON text; this is no safetensors file.', { cause: error });
  }
  if (!isRecord(header)) throw new InputError(path, 'the header must be a JSON object of tensors.');
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = parseMetadata(path, value);
    else entries.push(parseEntry(`${path}, tensor ${name.slice(0, 200)}`, name, value, dataBytes));
  }
  const byOffset = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (let i = 1; i < byOffset.length; i++) {
    if (byOffset[i].begin < byOffset[i - 1].end)
      throw new InputError(path, `the data of tensors ${byOffset[i - 1].name} and ${byOffset[i].name} overlap.`);
  }
  return { entries, metadata };
}

function parseMetadata(path: string, value: unknown): Record<string, string> {
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string'))
    throw new InputError(path, '__metadata__ must be an object of texts.');
  return value as Record<string, string>;
}

function parseEntry(where: string, name: string, value: unknown, dataBytes: number): Entry {
  if (!isRecord(value)) throw new InputError(where, 'the header entry must have dtype, shape and data_offsets.');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(DISK_DTYPES, dtype))
    throw new InputError(
      where,
      `dtype ${shown(dtype)} is not supported; known are ${Object.keys(DISK_DTYPES).join(', ')}.`,
    );
  const problem = shapeProblem(shape);
  if (problem) throw new InputError(where, problem);
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? (offsets as unknown[]) : [];
  if (!isOffset(begin) || !isOffset(end) || begin > end)
    throw new InputError(where, `data_offsets must be two whole numbers [begin, end], found ${shown(offsets)}.`);
  if (end > dataBytes)
    throw new InputError(
      where,
      `the data ends at byte ${end}, the file holds ${dataBytes} bytes of data; it is truncated.`,
    );
  const expected = sizeOf(shape as number[]) * DISK_DTYPES[dtype].bytes;
  if (expected !== end - begin)
    throw new InputError(
      where,
      `shape [${(shape as number[]).join(', ')}] of ${dtype} needs ${expected} bytes, data_offsets give ${end - begin}.`,
    );
  return { name, dtype, shape: shape as number[], begin, end };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const BYTES = { F64: 8, F32: 4, I32: 4, U8: 1 } as const;

/**
 * Writes a safetensors file atomically. The header lists the tensors in the order of the map. The data starts at a
 * multiple of 8 bytes and has no gaps (other readers refuse gaps): wide dtypes come first, so every tensor is aligned.
 * @throws InputError if a tensor's dtype, shape and data disagree
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Record<string, string>,
): void {
  const entries = [...tensors];
  for (const [name, tensor] of entries) {
    if (name === '__metadata__') throw new InputError(path, '__metadata__ is no name for a tensor.');
    checked(`${path}, tensor ${name}`, tensor);
  }
  const layout = [...entries].sort(([, a], [, b]) => BYTES[b.dtype] - BYTES[a.dtype]); // stable: map order inside a width
  const begins = new Map<string, number>();
  let dataBytes = 0;
  for (const [name, tensor] of layout) {
    begins.set(name, dataBytes);
    dataBytes += tensor.data.byteLength;
  }
  const parts: string[] = [];
  if (metadata && Object.keys(metadata).length > 0) parts.push(`"__metadata__":${JSON.stringify(metadata)}`);
  for (const [name, { dtype, shape, data }] of entries) {
    const begin = begins.get(name)!;
    const entry = { dtype, shape, data_offsets: [begin, begin + data.byteLength] };
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  }
  let header = new TextEncoder().encode(`{${parts.join(',')}}`);
  const padding = (8 - (header.length % 8)) % 8;
  header = new TextEncoder().encode(`{${parts.join(',')}}${' '.repeat(padding)}`);
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  for (const [name, { data }] of layout) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + header.length + begins.get(name)!);
  }
  writeFileAtomic(path, bytes);
}
