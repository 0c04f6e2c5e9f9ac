import { InputError } from '../errors.js';
import { shown } from './shown.js';

/** Element types in memory. F16 and BF16 on disk become F32, I64 becomes I32 (range checked), BOOL becomes U8. */
export type Dtype = 'F32' | 'F64' | 'I32' | 'U8';

/** An array with its shape, row-major (the last dimension runs fastest). */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

/** Number of elements of a shape; 1 for the empty shape (a scalar). */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** A float32 tensor of the given shape. @throws InputError if the number of elements does not match. */
export function float32(shape: readonly number[], data: Float32Array): StoredTensor {
  return checked('float32', { dtype: 'F32', shape: [...shape], data });
}

/** An int32 tensor of the given shape. @throws InputError if the number of elements does not match. */
export function int32(shape: readonly number[], data: Int32Array): StoredTensor {
  return checked('int32', { dtype: 'I32', shape: [...shape], data });
}

/** Dtype of a typed array. */
export function dtypeOf(data: StoredTensor['data']): Dtype {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Float64Array) return 'F64';
  return data instanceof Int32Array ? 'I32' : 'U8';
}

/** Passes `tensor` on if dtype, shape and data agree. @throws InputError naming `where` and both sizes. */
export function checked(where: string, tensor: StoredTensor): StoredTensor {
  const { dtype, shape, data } = tensor;
  const problem = shapeProblem(shape);
  if (problem) throw new InputError(where, problem);
  if (sizeOf(shape) !== data.length)
    throw new InputError(
      where,
      `shape [${shape.join(', ')}] has ${sizeOf(shape)} elements, the data has ${data.length}.`,
    );
  if (dtypeOf(data) !== dtype) throw new InputError(where, `dtype says ${dtype}, the data is ${dtypeOf(data)}.`);
  return tensor;
}

/** Why `shape` is no shape, or null. The product must stay an exact integer. */
export function shapeProblem(shape: unknown): string | null {
  if (!Array.isArray(shape)) return `the shape must be a list of lengths, found ${shown(shape)}.`;
  if (shape.length > 32) return `the shape has ${shape.length} dimensions, at most 32 are allowed.`;
  let product = 1;
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) return `the shape ${shown(shape)} must hold whole numbers >= 0.`;
    product *= length || 1;
    if (!Number.isSafeInteger(product)) return `the shape ${shown(shape)} is too large.`;
  }
  return null;
}

/** How a dtype on disk is read: bytes an element, dtype in memory, conversion of the raw bytes (little-endian). */
export interface DiskDtype {
  readonly bytes: number;
  readonly dtype: Dtype;
  /** `bytes` starts at offset 0 of its own buffer. */
  read(bytes: Uint8Array<ArrayBuffer>, where: string): StoredTensor['data'];
}

/** The dtypes that safetensors and npy files may hold. */
export const DISK_DTYPES: Readonly<Record<string, DiskDtype>> = {
  F64: { bytes: 8, dtype: 'F64', read: (bytes) => new Float64Array(bytes.buffer) },
  F32: { bytes: 4, dtype: 'F32', read: (bytes) => new Float32Array(bytes.buffer) },
  F16: { bytes: 2, dtype: 'F32', read: (bytes) => Float32Array.from(new Uint16Array(bytes.buffer), halfToNumber) },
  BF16: { bytes: 2, dtype: 'F32', read: readBf16 },
  I64: { bytes: 8, dtype: 'I32', read: readInt64 },
  I32: { bytes: 4, dtype: 'I32', read: (bytes) => new Int32Array(bytes.buffer) },
  U8: { bytes: 1, dtype: 'U8', read: (bytes) => bytes },
  BOOL: { bytes: 1, dtype: 'U8', read: (bytes) => bytes },
};

/** IEEE 754 binary16 bits to a number, exactly. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function readBf16(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const upper = new Uint16Array(bytes.buffer);
  return new Float32Array(Uint32Array.from(upper, (bits) => bits << 16).buffer);
}

function readInt64(bytes: Uint8Array<ArrayBuffer>, where: string): Int32Array {
  const wide = new BigInt64Array(bytes.buffer);
  return Int32Array.from(wide, (value) => {
    if (value < -0x80000000n || value > 0x7fffffffn)
      throw new InputError(
        where,
        `the I64 value ${value} does not fit into 32 bits; ids and counts of that size are not supported.`,
      );
    return Number(value);
  });
}
