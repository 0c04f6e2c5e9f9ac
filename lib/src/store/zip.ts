/**
 * Reads zip archives, the container of `.npz` and `.pth` files. Nothing is ever unpacked to disk: entries are bytes in
 * memory, their names are labels and no paths. Layout: PKWARE APPNOTE 6.3 (end record, zip64 records, central directory).
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { InputError } from '../errors.js';
import { type OpenFile, withOpenFile } from './files.js';

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes when unpacked. */
  readonly size: number;
  readonly packedSize: number;
  /** 0 stored, 8 deflated; nothing else is read. */
  readonly method: number;
  readonly crc: number;
  /** Where its local header stands, bytes from the start of the file. */
  readonly headerStart: number;
}

export interface ZipArchive {
  /** In the order of the central directory; every name once. */
  readonly entries: readonly ZipEntry[];
  /** The bytes of an entry, unpacked, of which size and checksum are right. @throws InputError */
  read(entry: ZipEntry): Uint8Array<ArrayBuffer>;
}

const END_RECORD_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** More entries, or a larger directory, than any checkpoint has. */
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 64 << 20;
/** Largest entry that is unpacked. */
const MAX_ENTRY_BYTES = 2 ** 31 - 1;
/** Deflate cannot make more of a byte than 1032; a directory that claims more lies. */
const MAX_INFLATION = 1032;

/**
 * Opens an archive, hands it to `use`, closes it in any case. Sizes and offsets are checked against the size of the file
 * before anything is allocated.
 * @throws InputError if it is no zip archive, damaged, encrypted, split, or beyond the limits
 */
export function withZip<T>(path: string, use: (zip: ZipArchive) => T): T {
  return withOpenFile(path, (file) => {
    const entries = readDirectory(path, file);
    return use({ entries, read: (entry) => readEntry(`${path}, entry ${entry.name}`, file, entry) });
  });
}

function bytesAt(file: OpenFile, start: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  file.read(bytes, start);
  return new DataView(bytes.buffer);
}

/** Where the central directory stands: bytes [start, start + size), with `count` entries. */
function findDirectory(path: string, file: OpenFile): { start: number; size: number; count: number } {
  const tailLength = Math.min(file.size, END_RECORD_BYTES + MAX_COMMENT_BYTES);
  const tailStart = file.size - tailLength;
  const tail = bytesAt(file, tailStart, tailLength);
  let at = tailLength - END_RECORD_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw new InputError(path, 'this is no zip archive (.npz, .pth), or its end is missing.');
  const end = tailStart + at;
  const directory = {
    start: tail.getUint32(at + 16, true),
    size: tail.getUint32(at + 12, true),
    count: tail.getUint16(at + 10, true),
  };
  if (end < LOCATOR_BYTES) return directory;
  const locator = bytesAt(file, end - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.getUint32(0, true) !== 0x07064b50) return directory;
  const end64 = Number(locator.getBigUint64(8, true));
  if (end64 + END64_BYTES > end)
    throw new InputError(path, 'the zip64 end record lies outside the file; it is damaged.');
  const record = bytesAt(file, end64, END64_BYTES);
  if (record.getUint32(0, true) !== 0x06064b50) throw new InputError(path, 'the zip64 end record is damaged.');
  return {
    start: Number(record.getBigUint64(48, true)),
    size: Number(record.getBigUint64(40, true)),
    count: Number(record.getBigUint64(32, true)),
  };
}

function readDirectory(path: string, file: OpenFile): ZipEntry[] {
  const { start, size, count } = findDirectory(path, file);
  if (count > MAX_ENTRIES || size > MAX_DIRECTORY_BYTES)
    throw new InputError(
      path,
      `the zip archive claims ${count} entries in ${size} bytes; at most ${MAX_ENTRIES} are read.`,
    );
  if (start + size > file.size || count * ENTRY_BYTES > size)
    throw new InputError(path, 'the directory of the zip archive lies outside the file; it is truncated or damaged.');
  const view = bytesAt(file, start, size);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  for (let i = 0, at = 0; i < count; i++) {
    if (at + ENTRY_BYTES > size || view.getUint32(at, true) !== 0x02014b50)
      throw new InputError(path, `entry ${i + 1} of the zip archive is damaged.`);
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + ENTRY_BYTES + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > size) throw new InputError(path, `entry ${i + 1} of the zip archive is damaged.`);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + ENTRY_BYTES, nameBytes));
    const extra = new DataView(view.buffer, at + ENTRY_BYTES + nameBytes, extraBytes);
    if (names.has(name)) throw new InputError(path, `the zip archive has two entries "${name}".`);
    names.add(name);
    entries.push(checkedEntry(`${path}, entry ${name}`, file.size, name, view, at, extra));
    at = next;
  }
  return entries;
}

function checkedEntry(
  where: string,
  fileSize: number,
  name: string,
  view: DataView,
  at: number,
  extra: DataView,
): ZipEntry {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if (flags & 1) throw new InputError(where, 'it is encrypted; save the archive without a password.');
  if (method !== 0 && method !== 8)
    throw new InputError(where, `zip method ${method} is unknown; stored and deflated entries are read.`);
  const wide = wideNumbers(extra, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ]);
  const [size, packedSize, headerStart] = wide;
  if (![size, packedSize, headerStart].every(Number.isSafeInteger) || headerStart + packedSize + LOCAL_BYTES > fileSize)
    throw new InputError(where, 'it lies outside the file; the archive is truncated or damaged.');
  if (size > MAX_ENTRY_BYTES) throw new InputError(where, `it has ${size} bytes, at most ${MAX_ENTRY_BYTES} are read.`);
  if (method === 0 ? size !== packedSize : size > (packedSize + 64) * MAX_INFLATION)
    throw new InputError(where, `it claims ${size} bytes from ${packedSize}; the archive is damaged.`);
  return { name, size, packedSize, method, crc: view.getUint32(at + 16, true), headerStart };
}

/** Numbers of 2^32 - 1 stand, in this order, with 64 bits each in the extra field 1. */
function wideNumbers(extra: DataView, narrow: readonly number[]): number[] {
  let wide: { at: number; end: number } | null = null;
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) wide = { at: at + 4, end: Math.min(extra.byteLength, at + 4 + length) };
    at += 4 + length;
  }
  return narrow.map((value) => {
    if (value !== 0xffffffff || !wide || wide.at + 8 > wide.end) return value;
    wide.at += 8;
    return Number(extra.getBigUint64(wide.at - 8, true));
  });
}

function readEntry(where: string, file: OpenFile, entry: ZipEntry): Uint8Array<ArrayBuffer> {
  const local = bytesAt(file, entry.headerStart, LOCAL_BYTES);
  if (local.getUint32(0, true) !== 0x04034b50) throw new InputError(where, 'its header is damaged.');
  const start = entry.headerStart + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + entry.packedSize > file.size) throw new InputError(where, 'it is truncated.');
  const packed = new Uint8Array(entry.packedSize);
  file.read(packed, start);
  const bytes = entry.method === 0 ? packed : inflate(where, packed, entry.size);
  if (crc32(bytes) !== entry.crc) throw new InputError(where, 'its checksum is wrong; the archive is damaged.');
  return bytes;
}

function inflate(where: string, packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: size + 1 });
  } catch (error) {
    throw new InputError(where, `it cannot be unpacked (${(error as Error).message}); the archive is damaged.`, {
      cause: error,
    });
  }
  if (bytes.length !== size)
    throw new InputError(where, `${bytes.length} bytes unpacked, ${size} expected; it is damaged.`);
  return Uint8Array.from(bytes);
}
