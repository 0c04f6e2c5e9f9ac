import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import {
  float32, halfToNumber, int32, readNpy, readSafetensors, writeNpy, writeSafetensors, type StoredTensor,
} from '../../lib/src/store/index.js'; // prettier-ignore
import { goldenPath } from '../golden.js';

let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'keymyna-store-'));
  file = join(dir, 'x.bin');
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A safetensors file from any header (an object, or text as it is) and data. */
function safetensors(header: unknown, data: Uint8Array = new Uint8Array(0), headerLength?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const tensor: fc.Arbitrary<StoredTensor> = fc
  .tuple(shape, fc.constantFrom('F32', 'F64', 'I32', 'U8'), fc.nat())
  .map(([shape, dtype, seed]) => {
    const n = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: n }, (_, i) => ((seed + i * 7919) % 1000) / (dtype[0] === 'F' ? 7 : 1));
    const type = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array }[dtype];
    return { dtype, shape, data: type.from(values) } as StoredTensor;
  });

describe('safetensors', () => {
  it('what is written is read, in the order of the map, aligned, without gaps', () => {
    const named = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__metadata__'),
      tensor,
      { noNullPrototype: true },
    );
    const metadata = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true });
    fc.assert(
      fc.property(named, metadata, (tensors, metadata) => {
        // JSON objects put whole-number names first; parameter names are no numbers
        const map = new Map(Object.entries(tensors).filter(([name]) => !/^\d+$/.test(name)));
        writeSafetensors(file, map, metadata);
        const read = readSafetensors(file);
        expect([...read.tensors]).toEqual([...map]);
        expect(read.metadata).toEqual(metadata);
        const bytes = readFileSync(file);
        const headerLength = Number(bytes.readBigUInt64LE(0));
        expect(headerLength % 8).toBe(0);
        const total = [...map.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
        expect(bytes.length).toBe(8 + headerLength + total);
        const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<
          string,
          { data_offsets: number[] }
        >;
        for (const [name, { data }] of map) expect(header[name].data_offsets[0] % data.BYTES_PER_ELEMENT).toBe(0);
      }),
    );
  });

  it('the same tensors give the same bytes, and no temporary file stays', () => {
    const map = new Map([['a', float32([2], new Float32Array([1, 2]))], ['b', int32([], new Int32Array([7]))]]); // prettier-ignore
    const inner = join(dir, 'deep', 'er');
    writeSafetensors(join(inner, 'one.safetensors'), map, { step: '3' });
    writeSafetensors(join(inner, 'two.safetensors'), map, { step: '3' });
    expect(readFileSync(join(inner, 'one.safetensors'))).toEqual(readFileSync(join(inner, 'two.safetensors')));
    expect(readdirSync(inner).sort()).toEqual(['one.safetensors', 'two.safetensors']);
  });

  it('a view into a larger buffer is written as the view', () => {
    const view = new Float32Array([0, 1, 2, 3]).subarray(1, 3);
    writeSafetensors(file, new Map([['x', float32([2], view)]]));
    expect(Array.from(readSafetensors(file).tensors.get('x')!.data)).toEqual([1, 2]);
  });

  it('reads files of the reference', () => {
    const { tensors } = readSafetensors(goldenPath('resample.safetensors'));
    expect(tensors.size).toBe(9);
    expect(tensors.get('out64_44100')).toMatchObject({ dtype: 'F64', shape: [4000] });
  });

  it('F16, BF16, I64 and BOOL are widened exactly', () => {
    const data = Uint8Array.of(
      ...bytesOf(new BigInt64Array([-5n, 2147483647n])), ...bytesOf(new Uint16Array([0x3c00, 0xc000, 0x0001, 0x7bff])),
      ...bytesOf(new Uint16Array([0x3f80, 0xc0a0])), 1, 0,
    ); // prettier-ignore
    writeFileSync(file, safetensors({
      i: { dtype: 'I64', shape: [2], data_offsets: [0, 16] },
      h: { dtype: 'F16', shape: [4], data_offsets: [16, 24] },
      b: { dtype: 'BF16', shape: [2], data_offsets: [24, 28] },
      t: { dtype: 'BOOL', shape: [2], data_offsets: [28, 30] },
    }, data)); // prettier-ignore
    const { tensors } = readSafetensors(file);
    expect(tensors.get('i')).toEqual({ dtype: 'I32', shape: [2], data: new Int32Array([-5, 2147483647]) });
    expect(tensors.get('h')).toEqual({ dtype: 'F32', shape: [4], data: new Float32Array([1, -2, 2 ** -24, 65504]) });
    expect(tensors.get('b')).toEqual({ dtype: 'F32', shape: [2], data: new Float32Array([1, -5]) });
    expect(tensors.get('t')).toEqual({ dtype: 'U8', shape: [2], data: new Uint8Array([1, 0]) });
    expect([halfToNumber(0x7c00), halfToNumber(0xfc00), halfToNumber(0x7e00)]).toEqual([Infinity, -Infinity, NaN]);
    writeFileSync(
      file,
      safetensors({ i: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, bytesOf(new BigInt64Array([1n << 40n]))),
    );
    expect(() => readSafetensors(file)).toThrow(/tensor i.*1099511627776 does not fit/);
  });

  const f32 = (shape: unknown, begin: unknown, end: unknown): object => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
  });
  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /0 bytes.*at least 8/],
    ['7 bytes', new Uint8Array(7), /7 bytes/],
    ['a header longer than the file', safetensors({}, eight, 1000n), /claims 1000 bytes/],
    ['a header of 2^63 bytes', safetensors({}, eight, 1n << 63n), /claims 9223372036854775808 bytes/],
    ['no JSON', safetensors('{"a": '), /no JSON/],
    ['no UTF-8', safetensors('x', Uint8Array.of(0xff), 2n), /no JSON/],
    ['a list', safetensors([]), /JSON object/],
    ['a tensor without fields', safetensors({ a: 3 }), /tensor a: .*dtype, shape/],
    [
      'an unknown dtype',
      safetensors({ a: { dtype: 'F8_E4M3', shape: [8], data_offsets: [0, 8] } }, eight),
      /dtype "F8_E4M3" is not supported/,
    ],
    [
      'a dtype from the prototype',
      safetensors({ a: { dtype: 'toString', shape: [8], data_offsets: [0, 8] } }, eight),
      /dtype "toString"/,
    ],
    ['a negative length', safetensors({ a: f32([-1], 0, 8) }, eight), /whole numbers/],
    ['a shape that is no list', safetensors({ a: f32('2', 0, 8) }, eight), /list of lengths/],
    ['a shape beyond all memory', safetensors({ a: f32([1e9, 1e9, 1e9], 0, 8) }, eight), /too large/],
    ['a shape that does not fit', safetensors({ a: f32([3], 0, 8) }, eight), /needs 12 bytes, data_offsets give 8/],
    ['an offset beyond the file', safetensors({ a: f32([3], 0, 12) }, eight), /ends at byte 12.*truncated/],
    ['a negative offset', safetensors({ a: f32([3], -4, 8) }, eight), /data_offsets/],
    ['offsets the wrong way round', safetensors({ a: f32([1], 8, 4) }, eight), /data_offsets/],
    ['an offset that is text', safetensors({ a: f32([1], '0', 4) }, eight), /data_offsets/],
    ['overlapping tensors', safetensors({ a: f32([1], 0, 4), b: f32([2], 0, 8) }, eight), /a and b overlap/],
    ['metadata that is no text', safetensors({ __metadata__: { step: 3 } }), /__metadata__/],
  ])('%s is refused with one sentence', (_, bytes, message) => {
    writeFileSync(file, bytes);
    expect(() => readSafetensors(file)).toThrow(InputError);
    expect(() => readSafetensors(file)).toThrow(message);
  });

  it('any bytes: a file or an InputError, nothing else', () => {
    const good = safetensors({ a: f32([2], 0, 8), __metadata__: { x: 'y' } }, eight);
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, length) => {
        const bytes = good.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        writeFileSync(file, bytes);
        try {
          readSafetensors(file);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('no such file, a folder, a tensor that contradicts itself', () => {
    expect(() => readSafetensors(join(dir, 'none'))).toThrow(/no such file/);
    expect(() => readSafetensors(dir)).toThrow(/folder/);
    expect(() => float32([3], new Float32Array(2))).toThrow(/3 elements, the data has 2/);
    const wrong = new Map<string, StoredTensor>([['a', { dtype: 'F64', shape: [1], data: new Float32Array(1) }]]);
    expect(() => writeSafetensors(join(dir, 'never'), wrong)).toThrow(/dtype says F64, the data is F32/);
    expect(readdirSync(dir)).not.toContain('never');
  });
});

describe('npy', () => {
  it('what is written is read; the data starts at a multiple of 64', () => {
    fc.assert(
      fc.property(tensor, ({ dtype, shape, data }) => {
        writeNpy(file, { shape, data });
        expect(readNpy(file)).toEqual({ dtype, shape, data });
        expect((readFileSync(file).length - data.byteLength) % 64).toBe(0);
      }),
    );
  });

  it('reads files of numpy', () => {
    const mel = readNpy(goldenPath('mel_truth_f64.npy'));
    expect([mel.dtype, mel.shape, mel.data.length]).toEqual(['F64', [128, 196], 128 * 196]);
  });

  /** A file of any version and header text. */
  function npy(header: string, data: Uint8Array, version = 1): Uint8Array {
    const length =
      version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
    return Uint8Array.of(
      0x93,
      ...new TextEncoder().encode('NUMPY'),
      version,
      0,
      ...length,
      ...new TextEncoder().encode(header),
      ...data,
    );
  }
  const header = (descr: string, shape: string, order = 'False'): string =>
    `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`;

  it('version 2, I64, a scalar', () => {
    writeFileSync(file, npy(header('<i8', '2,'), bytesOf(new BigInt64Array([1n, -2n])), 2));
    expect(readNpy(file)).toEqual({ dtype: 'I32', shape: [2], data: new Int32Array([1, -2]) });
    writeFileSync(file, npy(header('<f8', ''), bytesOf(new Float64Array([2.5]))));
    expect(readNpy(file)).toEqual({ dtype: 'F64', shape: [], data: new Float64Array([2.5]) });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /no .npy file/],
    ['text', new TextEncoder().encode('hello world, hello'), /no .npy file/],
    ['version 9', npy(header('<f4', '1,'), new Uint8Array(4), 9), /format 9/],
    ['a header beyond the file', npy('x'.repeat(10), new Uint8Array(0)).slice(0, 15), /truncated/],
    ['big endian', npy(header('>f4', '1,'), new Uint8Array(4)), /dtype >f4 is not supported/],
    ['objects', npy(header('|O', '1,'), new Uint8Array(4)), /dtype \|O/],
    ['Fortran order', npy(header('<f4', '2, 2', 'True'), new Uint8Array(16)), /Fortran order/],
    ['too little data', npy(header('<f4', '2, 2'), new Uint8Array(15)), /needs 16 bytes of data, the file has 15/],
    ['too much data', npy(header('<f4', '2, 2'), new Uint8Array(17)), /has 17/],
    ['no shape', npy("{'descr': '<f4', 'fortran_order': False}", new Uint8Array(4)), /lacks/],
  ])('%s is refused with one sentence', (_, bytes, message) => {
    writeFileSync(file, bytes);
    expect(() => readNpy(file)).toThrow(InputError);
    expect(() => readNpy(file)).toThrow(message);
  });
});
