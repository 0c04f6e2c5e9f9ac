import { InputError } from '../errors.js';
import { type OpenFile, withOpenFile, writePiecesAtomic } from './files.js';
import { shown } from './shown.js';
import { checked, DISK_DTYPES, type Dtype, dtypeOf, shapeProblem, sizeOf, type StoredTensor } from './tensors.js';

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
    const { entries, metadata, dataStart } = readEntries(path, file);
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

/** Where a tensor lies in its file. */
export interface TensorPlace {
  /** As on disk: F16, BF16, I64 and BOOL too. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte of the file that its data begins at. */
  readonly begin: number;
}

/** The header of a safetensors file, checked as by `readSafetensors`; no data is read. @throws InputError as that */
export function readSafetensorsHeader(path: string): {
  places: Map<string, TensorPlace>;
  metadata: Record<string, string>;
} {
  return withOpenFile(path, (file) => {
    const { entries, metadata, dataStart } = readEntries(path, file);
    const placeOf = ({ name, dtype, shape, begin }: Entry): [string, TensorPlace] => [
      name,
      { dtype, shape, begin: dataStart + begin },
    ];
    return { places: new Map(entries.map(placeOf)), metadata };
  });
}

function readEntries(
  path: string,
  file: OpenFile,
): { entries: Entry[]; metadata: Record<string, string>; dataStart: number } {
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
  return { ...parseHeader(path, headerRaw, file.size - dataStart), dataStart };
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
  for (const [name, tensor] of tensors) checked(`${path}, tensor ${name}`, tensor);
  const inPieces = Array.from(tensors, ([name, { dtype, shape, data }]): [string, TensorInPieces] => [
    name,
    { dtype, shape, pieces: () => [data] },
  ]);
  writeSafetensorsInPieces(path, new Map(inPieces), metadata);
}

/** A tensor whose data comes piece by piece, in order. */
export interface TensorInPieces {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Called once. */
  readonly pieces: () => Iterable<StoredTensor['data']>;
}

/**
 * As `writeSafetensors`, of tensors that are never in memory whole.
 * @throws InputError if the pieces of a tensor are not as long as its shape, or of another type; nothing is written then
 */
export function writeSafetensorsInPieces(
  path: string,
  tensors: ReadonlyMap<string, TensorInPieces>,
  metadata?: Record<string, string>,
): void {
  if (tensors.has('__metadata__')) throw new InputError(path, '__metadata__ is no name for a tensor.');
  const entries = [...tensors];
  const layout = [...entries].sort(([, a], [, b]) => BYTES[b.dtype] - BYTES[a.dtype]); // stable: map order inside a width
  const places = new Map<string, readonly [number, number]>();
  let dataBytes = 0;
  for (const [name, { dtype, shape }] of layout)
    places.set(name, [dataBytes, (dataBytes += sizeOf(shape) * BYTES[dtype])]);
  const parts: string[] = [];
  if (metadata && Object.keys(metadata).length > 0) parts.push(`"__metadata__":${JSON.stringify(metadata)}`);
  for (const [name, { dtype, shape }] of entries)
    parts.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: places.get(name) })}`);
  const text = new TextEncoder().encode(`{${parts.join(',')}}`);
  const header = new Uint8Array(8 + text.length + ((8 - (text.length % 8)) % 8)).fill(32);
  if (header.length - 8 > MAX_HEADER_BYTES)
    throw new InputError(path, `its header would have ${header.length - 8} bytes; ${MAX_HEADER_BYTES} are the limit.`);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(text, 8);
  writePiecesAtomic(path, piecesOf(path, header, layout));
}

function* piecesOf(
  path: string,
  header: Uint8Array,
  layout: readonly [string, TensorInPieces][],
): Generator<Uint8Array> {
  yield header;
  for (const [name, { dtype, shape, pieces }] of layout) {
    let length = 0;
    for (const data of pieces()) {
      if (dtypeOf(data) !== dtype)
        throw new InputError(`${path}, tensor ${name}`, `dtype says ${dtype}, a piece is ${dtypeOf(data)}.`);
      length += data.length;
      yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    }
    if (length !== sizeOf(shape))
      throw new InputError(
        `${path}, tensor ${name}`,
        `shape [${shape.join(', ')}] has ${sizeOf(shape)} elements, its pieces have ${length}.`,
      );
  }
}

/**
 * A list of names that a file's metadata holds as JSON, such as the tracks of its rows.
 * @returns null without the entry
 * @throws InputError if the entry is no list of texts
 */
export function namesInMetadata(
  path: string,
  metadata: Readonly<Record<string, string>>,
  entry: string,
): string[] | null {
  if (metadata[entry] === undefined) return null;
  let names: unknown;
  try {
    names = JSON.parse(metadata[entry]);
  } catch (error) {
    throw new InputError(path, `metadata entry "${entry}" is not JSON; expected a list of names`, { cause: error });
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new InputError(path, `metadata entry "${entry}" is not a list of names`);
  return names;
}
