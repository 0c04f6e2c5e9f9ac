import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPrecomputed, saveEmbeddingTable } from '../../lib/src/embeddings/index.js';
import { float32, int32, writeSafetensors } from '../../lib/src/store/index.js';
import { floats, npy, zip } from '../store/zipFiles.js';

const dir = mkdtempSync(join(tmpdir(), 'precomputed-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const npz = (files: Record<string, Uint8Array>): string => {
  writeFileSync(join(dir, 'x.npz'), zip(files));
  return join(dir, 'x.npz');
};
const ints = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);

describe('precomputed embeddings', () => {
  it('a table of numpy: interleaved clips are put together', () => {
    const table = readPrecomputed(join(import.meta.dirname, '../fixtures/table.npz'));
    expect([table.nClips, table.width, [...table.trackOf], table.trackIds]).toEqual([3, 4, [0, 0, 1], ['été', 'b']]);
    expect([...table.embeddings]).toEqual([0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7].map((x) => x / 8));
  });

  it('one row a track, and one array a track', () => {
    const rows = npz({
      'embeddings.npy': npy('<f4', [2, 2], floats(1, 2, 3, 4)),
      'ids.npy': npy('|S1', [2], Buffer.from('ab')),
    });
    expect(readPrecomputed(rows)).toMatchObject({ nClips: 2, width: 2, trackIds: ['a', 'b'] });
    const tracks = npz({ 'one.npy': npy('<f4', [2, 2], floats(1, 2, 3, 4)), 'two.npy': npy('<f4', [2], floats(5, 6)) });
    const table = readPrecomputed(tracks);
    expect([[...table.embeddings], [...table.trackOf], table.trackIds]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [0, 0, 1],
      ['one', 'two'],
    ]);
  });

  it('what we write, and safetensors with one tensor a track', () => {
    const table = readPrecomputed(join(import.meta.dirname, '../fixtures/table.npz'));
    saveEmbeddingTable(join(dir, 'ours.safetensors'), table);
    expect(readPrecomputed(join(dir, 'ours.safetensors'))).toEqual(table);
    writeSafetensors(join(dir, 'tracks.safetensors'), new Map([['t', float32([1, 3], Float32Array.of(1, 2, 3))]]));
    expect(readPrecomputed(join(dir, 'tracks.safetensors'))).toMatchObject({ nClips: 1, width: 3, trackIds: ['t'] });
  });

  it.each([
    ['no track of a row', { 'embeddings.npy': npy('<f4', [2, 2], floats(1, 2, 3, 4)) }, /which track a row belongs to/],
    ['NaN', { 'a.npy': npy('<f4', [1, 2], floats(1, NaN)) }, /clip 0 \(track a\) has the value NaN/],
    ['two widths', { 'a.npy': npy('<f4', [2], floats(1, 2)), 'b.npy': npy('<f4', [1], floats(1)) }, /b has width 1/],
    ['whole numbers', { 'a.npy': npy('<i4', [2], ints(1, 2)) }, /an array of I32 \(2\); expected embeddings as floats/],
    [
      'an index out of range',
      { 'embeddings.npy': npy('<f4', [1, 1], floats(1)), 'track_of.npy': npy('<i4', [1], ints(2 ** 31 - 1)) },
      /names track 2147483647; the table has 1 clips/,
    ],
    [
      'an id twice',
      { 'embeddings.npy': npy('<f4', [2, 1], floats(1, 2)), 'ids.npy': npy('|S1', [2], Buffer.from('aa')) },
      /"a" occurs twice/,
    ],
    [
      'a track without clips',
      {
        'embeddings.npy': npy('<f4', [1, 1], floats(1)),
        'track_of.npy': npy('<i4', [1], ints(0)),
        'ids.npy': npy('|S1', [2], Buffer.from('ab')),
      },
      /track b: 0 values/,
    ],
  ] as [string, Record<string, Uint8Array>, RegExp][])('refuses %s', (_, files, message) => {
    expect(() => readPrecomputed(npz(files))).toThrow(message);
  });

  it('refuses a safetensors table without rows of tracks', () => {
    const tensors = new Map([['embeddings', float32([1, 1], Float32Array.of(1))], ['track_of', int32([1], Int32Array.of(-1))]]); // prettier-ignore
    writeSafetensors(join(dir, 'bad.safetensors'), tensors);
    expect(() => readPrecomputed(join(dir, 'bad.safetensors'))).toThrow(/track index -1/);
  });
});
