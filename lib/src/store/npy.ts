import { InputError } from '../errors.js';
import { type OpenFile, withOpenFile, writeFileAtomic } from './files.js';
import { checked, DISK_DTYPES, dtypeOf, shapeProblem, sizeOf, type StoredTensor } from './tensors.js';

/** numpy type strings that are read, with the dtype on disk they stand for. */
const DESCRIPTIONS: Readonly<Record<string, keyof typeof DISK_DTYPES>> = {
  '<f8': 'F64', '<f4': 'F32', '<f2': 'F16', '<i8': 'I64', '<i4': 'I32', '|u1': 'U8', '|b1': 'BOOL',
}; // prettier-ignore
const WRITTEN = { F64: '<f8', F32: '<f4', I32: '<i4', U8: '|u1' } as const;

/** An array of texts: numpy's `<U` (UTF-32) and `|S` (bytes), without the zeros that fill them up. */
export interface TextArray {
  readonly dtype: 'text';
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

export type NpyArray = StoredTensor | TextArray;

/**
 * Reads a numpy array file, format 1.0, 2.0 or 3.0, little-endian, C order. Widened as for safetensors.
 * @throws InputError if the file is unreadable, no npy file, of another dtype or order, or its size does not fit
 */
export function readNpy(path: string): StoredTensor {
  return withOpenFile(path, (file) => numbers(readArray(path, file), path));
}

/** Reads a numpy array of numbers or texts from memory. @throws InputError as `readNpy` */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  return readArray(where, {
    size: bytes.length,
    read: (into, position) => into.set(bytes.subarray(position, position + into.length)),
  });
}

function numbers(array: NpyArray, where: string): StoredTensor {
  if (array.dtype === 'text') throw new InputError(where, 'this is an array of texts, one of numbers was expected.');
  return array;
}

function readArray(path: string, file: OpenFile): NpyArray {
  const prefix = new Uint8Array(Math.min(12, file.size));
  file.read(prefix, 0);
  if (prefix.length < 10 || prefix[0] !== 0x93 || new TextDecoder().decode(prefix.subarray(1, 6)) !== 'NUMPY')
    throw new InputError(path, 'this is no .npy file (its first bytes are not \\x93NUMPY).');
  const version = prefix[6];
  if (version < 1 || version > 3) throw new InputError(path, `npy format ${version} is unknown; 1, 2 and 3 are read.`);
  const view = new DataView(prefix.buffer);
  if (version > 1 && prefix.length < 12) throw new InputError(path, 'the file is truncated inside its header.');
  const headerStart = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerStart + headerLength > file.size)
    throw new InputError(path, `the header claims ${headerLength} bytes, the file has ${file.size}; it is truncated.`);
  if (headerLength > 1_000_000)
    throw new InputError(path, `the header claims ${headerLength} bytes; at most 1000000 are read.`);
  const headerRaw = new Uint8Array(headerLength);
  file.read(headerRaw, headerStart);
  const { description, shape } = parseHeader(path, new TextDecoder().decode(headerRaw));
  const width = elementBytes(path, description);
  const expected = sizeOf(shape) * width;
  const found = file.size - headerStart - headerLength;
  if (found !== expected)
    throw new InputError(
      path,
      `shape (${shape.join(', ')}) of ${description} needs ${expected} bytes of data, the file has ${found}.`,
    );
  const bytes = new Uint8Array(expected);
  file.read(bytes, headerStart + headerLength);
  if (TEXT.test(description))
    return { dtype: 'text', shape, data: texts(path, bytes, description, width, sizeOf(shape)) };
  const disk = DISK_DTYPES[DESCRIPTIONS[description]];
  return { dtype: disk.dtype, shape, data: disk.read(bytes, path) };
}

/** Texts of a fixed number of characters: `<U12` has 12 of 4 bytes each, `|S12` 12 of one. */
const TEXT = /^(?:<U|\|S)(\d{1,6})$/;

function elementBytes(path: string, description: string): number {
  const text = TEXT.exec(description);
  if (text) {
    const width = Number(text[1]) * (description[1] === 'U' ? 4 : 1);
    if (width === 0) throw new InputError(path, `dtype ${description} has no characters.`);
    return width;
  }
  if (!Object.hasOwn(DESCRIPTIONS, description)) {
    const why = description.includes('O') ? ' Arrays of objects are pickles; save numbers or texts instead.' : '';
    const known = Object.keys(DESCRIPTIONS).join(', ');
    throw new InputError(path, `dtype ${description} is not supported; known are ${known}.${why}`);
  }
  return DISK_DTYPES[DESCRIPTIONS[description]].bytes;
}

function texts(path: string, bytes: Uint8Array<ArrayBuffer>, description: string, width: number, n: number): string[] {
  const isWide = description[1] === 'U';
  const codes = isWide ? new Uint32Array(bytes.buffer) : bytes;
  const length = isWide ? width / 4 : width;
  return Array.from({ length: n }, (_, i) => {
    const own = codes.subarray(i * length, (i + 1) * length);
    if (own.some((code: number) => code > 0x10ffff))
      throw new InputError(path, `text ${i} holds no characters; it is damaged.`);
    let end = length;
    while (end > 0 && own[end - 1] === 0) end--;
    return Array.from(own.subarray(0, end), (code) => String.fromCodePoint(code)).join('');
  });
}

/** The header is a Python dictionary literal with the three keys descr, fortran_order, shape. */
function parseHeader(path: string, header: string): { description: string; shape: number[] } {
  const description = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(header)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header)?.[1];
  const lengths = /['"]shape['"]\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (description === undefined || order === undefined || lengths === undefined)
    throw new InputError(
      path,
      'the header lacks a plain descr, fortran_order or shape; structured arrays are not read.',
    );
  const shape = lengths.split(',').filter((text) => text.trim() !== '').map(Number); // prettier-ignore
  const problem = shapeProblem(shape);
  if (problem) throw new InputError(path, problem);
  if (order === 'True' && shape.filter((length) => length > 1).length > 1)
    throw new InputError(path, 'the array is in Fortran order; save it with numpy.ascontiguousarray first.');
  return { description, shape };
}

/**
 * Writes a numpy array file (format 1.0, little-endian, C order) atomically.
 * @throws InputError if the shape does not fit the data
 */
export function writeNpy(path: string, array: { shape: readonly number[]; data: StoredTensor['data'] }): void {
  const { shape, data } = array;
  const dtype = dtypeOf(data);
  checked(path, { dtype, shape, data });
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${WRITTEN[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const headerLength = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + headerLength + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, headerLength & 0xff, headerLength >> 8]);
  bytes.set(new TextEncoder().encode(`${dictionary.padEnd(headerLength - 1)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + headerLength);
  writeFileAtomic(path, bytes);
}
