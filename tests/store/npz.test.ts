import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readNpz, withZip } from '../../lib/src/store/index.js';
import { floats, npy, zip } from './zipFiles.js';

const dir = mkdtempSync(join(tmpdir(), 'npz-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const put = (bytes: Uint8Array): string => {
  writeFileSync(join(dir, 'x.npz'), bytes);
  return join(dir, 'x.npz');
};

describe('npz', () => {
  it('reads what numpy wrote: numbers, texts, compressed', () => {
    const arrays = readNpz(join(import.meta.dirname, '../fixtures/table.npz'));
    expect([...arrays.keys()]).toEqual(['embeddings', 'track_of', 'track_ids']);
    expect(arrays.get('embeddings')).toEqual({
      dtype: 'F32',
      shape: [3, 4],
      data: Float32Array.from({ length: 12 }, (_, i) => i / 8),
    });
    expect(arrays.get('track_ids')).toEqual({ dtype: 'text', shape: [2], data: ['été', 'b'] });
  });

  it.each([false, true])('reads stored and deflated arrays (deflate %s)', (deflate) => {
    const path = put(zip({ 'a.npy': npy('<f4', [2], floats(1, 2)), 'b.npy': npy('|S3', [1], Buffer.from('ab\0')) }, { deflate })); // prettier-ignore
    expect(readNpz(path).get('a')!.data).toEqual(Float32Array.of(1, 2));
    expect(readNpz(path).get('b')!.data).toEqual(['ab']);
  });

  it.each([
    ['objects', zip({ 'o.npy': npy('|O', [1], new Uint8Array(8)) }), /o\.npy: dtype \|O .*pickles/],
    ['another file', zip({ 'readme.txt': Buffer.from('x') }), /readme\.txt: this is no \.npy array/],
    ['too little data', zip({ 'a.npy': npy('<f4', [9], floats(1)) }), /needs 36 bytes of data, the file has 4/],
    ['no archive', Buffer.from('no archive at all, only a text'), /x\.npz: this is no zip archive/],
    ['nothing', Buffer.alloc(0), /this is no zip archive/],
    ['characters that are none', zip({ 'a.npy': npy('<U1', [1], Buffer.alloc(4, 0xff)) }), /no characters/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readNpz(put(bytes))).toThrow(message);
  });

  it('names what is damaged: checksum, size, truncation, encryption', () => {
    const good = zip({ 'a.npy': npy('<f4', [2], floats(1, 2)) });
    const changed = (at: number, value: number): string => {
      const bytes = Buffer.from(good);
      bytes[at < 0 ? bytes.length + at : at] = value;
      return put(bytes);
    };
    const directory = good.indexOf('PK\x01\x02');
    expect(() => readNpz(changed(good.indexOf('PK\x01\x02') - 1, 9))).toThrow(/a\.npy: its checksum is wrong/);
    expect(() => readNpz(changed(directory + 27, 0x7f))).toThrow(/claims \d+ bytes from \d+|at most/);
    expect(() => readNpz(changed(directory + 8, 1))).toThrow(/encrypted/);
    expect(() => readNpz(changed(directory + 10, 12))).toThrow(/method 12 is unknown/);
    expect(() => readNpz(put(good.subarray(0, good.length - 30)))).toThrow(/no zip archive/);
    expect(() => readNpz(put(Buffer.concat([good.subarray(40)])))).toThrow(/outside the file|damaged/);
  });

  it('allocates nothing that a small file only claims', () => {
    const bytes = zip({ 'a.npy': new Uint8Array(3_000_000) }, { deflate: true });
    const directory = bytes.indexOf('PK\x01\x02');
    bytes.writeUInt32LE(0x7fffff00, directory + 24);
    expect(() => readNpz(put(bytes))).toThrow(/claims 2147483392 bytes from \d{4};/);
  });

  it('reads zip64 directories, as torch writes them', () => {
    const good = zip({ 'a.npy': npy('<f4', [1], floats(3)) });
    const end = good.length - 22;
    const start = good.readUInt32LE(end + 16);
    const record = Buffer.alloc(56);
    record.write('PK\x06\x06', 0, 'latin1');
    record.writeBigUInt64LE(1n, 32);
    record.writeBigUInt64LE(BigInt(end - start), 40);
    record.writeBigUInt64LE(BigInt(start), 48);
    const locator = Buffer.alloc(20);
    locator.write('PK\x06\x07', 0, 'latin1');
    locator.writeBigUInt64LE(BigInt(end), 8);
    const endRecord = Buffer.from(good.subarray(end));
    endRecord.fill(0xff, 8, 20);
    const path = put(Buffer.concat([good.subarray(0, end), record, locator, endRecord]));
    expect(readNpz(path).get('a')!.data).toEqual(Float32Array.of(3));
    expect(withZip(path, ({ entries }) => entries.map(({ name }) => name))).toEqual(['a.npy']);
    expect(readFileSync(path).length).toBe(good.length + 76);
  });
});
