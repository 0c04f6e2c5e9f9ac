import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { float32, readWeights, writeSafetensors, type StoredTensor } from '../../lib/src/store/index.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-weights-'));
const index = join(dir, 'model.safetensors.index.json');
afterAll(() => rmSync(dir, { recursive: true }));

const numbers = (...values: number[]): StoredTensor => float32([values.length], Float32Array.from(values));
writeSafetensors(join(dir, 'model-00001-of-00002.safetensors'), new Map([['a', numbers(1, 2)], ['b', numbers(3)]]), { format: 'pt' }); // prettier-ignore
writeSafetensors(join(dir, 'model-00002-of-00002.safetensors'), new Map([['c', numbers(4)]]));
const [FIRST, SECOND] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];

const withIndex = (weightMap: unknown): string => {
  writeFileSync(index, JSON.stringify({ metadata: { total_size: 16 }, weight_map: weightMap }));
  return index;
};

describe('sharded weights', () => {
  it('are read from their index, or from the folder', () => {
    withIndex({ a: FIRST, b: FIRST, c: SECOND });
    for (const path of [index, dir]) {
      const { tensors, metadata } = readWeights(path);
      expect([...tensors.keys()]).toEqual(['a', 'b', 'c']);
      expect(Array.from(tensors.get('c')!.data)).toEqual([4]);
      expect(metadata).toEqual({ format: 'pt' });
    }
  });

  it.each([
    '../outside.safetensors',
    '/etc/passwd',
    'sub/x.safetensors',
    'sub\\x.safetensors',
    '..',
    '.hidden.safetensors',
    'C:x.safetensors',
    'x.safetensors\0.safetensors',
    'x.bin',
    '',
    7,
    null,
    { nested: FIRST },
  ])('may only be files beside the index, not %j', (shard) => {
    expect(() => readWeights(withIndex({ a: shard }))).toThrow(/"a" is in .*; a safetensors file beside the index/);
  });

  it('must hold what the index says', () => {
    expect(() => readWeights(withIndex({ a: FIRST, b: FIRST, c: SECOND, d: SECOND }))).toThrow(/"d" is not in "model-00002/); // prettier-ignore
    expect(() => readWeights(withIndex({ a: FIRST, c: SECOND }))).toThrow(/00001.*holds tensor "b", which its index/);
    expect(() => readWeights(withIndex({ a: SECOND, b: FIRST, c: SECOND }))).toThrow(/holds tensor "a", which its/);
    expect(() => readWeights(withIndex({ a: 'model-3.safetensors' }))).toThrow(
      /model-3\.safetensors: there is no such/,
    );
    expect(() => readWeights(withIndex({}))).toThrow(/weight_map is empty/);
    for (const map of [null, 5, ['a'], undefined]) expect(() => readWeights(withIndex(map))).toThrow(/no weight_map/);
    writeFileSync(index, '{"weight_map":');
    expect(() => readWeights(index)).toThrow(/no JSON/);
  });
});

describe('a folder of weights', () => {
  it('with one file gives that file; without any it says what it looks for', () => {
    const single = join(dir, 'single');
    mkdirSync(single);
    expect(() => readWeights(single)).toThrow(/holds neither model\.safetensors\.index\.json nor model\.safetensors/);
    writeSafetensors(join(single, 'model.safetensors'), new Map([['x', numbers(9)]]));
    expect([...readWeights(single).tensors.keys()]).toEqual(['x']);
    expect(() => readWeights(join(dir, 'nowhere'))).toThrow(/no such file/);
  });
});
