import { InputError } from '../errors.js';
import { withOpenFile, writeFileAtomic } from './files.js';
import { checked, DISK_DTYPES, dtypeOf, shapeProblem, sizeOf, type StoredTensor } from './tensors.js';

/** numpy type strings that are read, with the dtype on disk they stand for. */
const DESCRIPTIONS: Readonly<Record<string, keyof typeof DISK_DTYPES>> = {
  '<f8': 'F64', '<f4': 'F32', '<f2': 'F16', '<i8': 'I64', '<i4': 'I32', '|u1': 'U8', '|b1': 'BOOL',
}; // prettier-ignore
const WRITTEN = { F64: '<f8', F32: '<f4', I32: '<i4', U8: '|u1' } as const;

/**
 * Reads a numpy array file, format 1.0, 2.0 or 3.0, little-endian, C order. Widened as for safetensors.
 * @throws InputError if the file is unreadable, no npy file, of another dtype or order, or its size does not fit
 */
export function readNpy(path: string): StoredTensor {
  return withOpenFile(path, (file) => {
    const prefix = new Uint8Array(Math.min(12, file.size));
    file.read(prefix, 0);
    if (prefix.length < 10 || prefix[0] !== 0x93 || new TextDecoder().decode(prefix.subarray(1, 6)) !== 'NUMPY')
      throw new InputError(path, 'this is no .npy file (its first bytes are not \\x93NUMPY).');
    const version = prefix[6];
    if (version < 1 || version > 3)
      throw new InputError(path, `npy format ${version} is unknown; 1, 2 and 3 are read.`);
    const view = new DataView(prefix.buffer);
    if (version > 1 && prefix.length < 12) throw new InputError(path, 'the file is truncated inside its header.');
    const headerStart = version === 1 ? 10 : 12;
    const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
    if (headerStart + headerLength > file.size)
      throw new InputError(
        path,
        `the header claims ${headerLength} bytes, the file has ${file.size}; it is truncated.`,
      );
    if (headerLength > 1_000_000)
      throw new InputError(path, `the header claims ${headerLength} bytes; at most 1000000 are read.`);
    const headerRaw = new Uint8Array(headerLength);
    file.read(headerRaw, headerStart);
    const { dtype, shape } = parseHeader(path, new TextDecoder().decode(headerRaw));
    const disk = DISK_DTYPES[dtype];
    const expected = sizeOf(shape) * disk.bytes;
    const found = file.size - headerStart - headerLength;
    if (found !== expected)
      throw new InputError(
        path,
        `shape (${shape.join(', ')}) of ${dtype} needs ${expected} bytes of data, the file has ${found}.`,
      );
    const bytes = new Uint8Array(expected);
    file.read(bytes, headerStart + headerLength);
    return { dtype: disk.dtype, shape, data: disk.read(bytes, path) };
  });
}

/** The header is a Python dictionary literal with the three keys descr, fortran_order, shape. */
function parseHeader(path: string, header: string): { dtype: string; shape: number[] } {
  const description = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(header)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header)?.[1];
  const lengths = /['"]shape['"]\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (description === undefined || order === undefined || lengths === undefined)
    throw new InputError(
      path,
      'the header lacks a plain descr, fortran_order or shape; structured arrays are not read.',
    );
  if (!Object.hasOwn(DESCRIPTIONS, description))
    throw new InputError(
      path,
      `dtype ${description} is not supported; known are ${Object.keys(DESCRIPTIONS).join(', ')}.`,
    );
  const shape = lengths.split(',').filter((text) => text.trim() !== '').map(Number); // prettier-ignore
  const problem = shapeProblem(shape);
  if (problem) throw new InputError(path, problem);
  if (order === 'True' && shape.filter((length) => length > 1).length > 1)
    throw new InputError(path, 'the array is in Fortran order; save it with numpy.ascontiguousarray first.');
  return { dtype: DESCRIPTIONS[description], shape };
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
