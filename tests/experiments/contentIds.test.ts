/** What names the features of a run: the embedded corpus' recipes, and of recordings their content, not their place. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { readFolder } from '../../lib/src/corpus/index.js';
import { openRun } from '../../lib/src/experiments/index.js';
import { featureShards } from '../../lib/src/experiments/features/features.js';
import { Cache } from '../../lib/src/store/index.js';

const root = mkdtempSync(join(tmpdir(), 'content-ids-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const sine = (hz: number): Uint8Array =>
  encodeWav(
    Float32Array.from({ length: 32000 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * hz * i) / 16000)),
    16000,
  );

it('features of the embedded corpus keep the names that caches know them by', async () => {
  const run = await openRun('smoke', { root, cacheDir: join(root, 'cache') });
  // Written by the version before recordings were named by content.
  expect(featureShards(run, 'train').map(({ melPath }) => basename(melPath))).toEqual([
    '1281e92e60fc-mel.safetensors',
    '1cbb18015c6e-mel.safetensors',
  ]);
  expect(featureShards(run, 'test').map(({ chromaPath }) => basename(chromaPath))).toEqual([
    'f7969279b91a-chroma.safetensors',
  ]);
});

it('features of recordings are named by content and cut: a moved folder keeps them, a changed file does not', async () => {
  const smoke = await openRun('smoke', { root, cacheDir: join(root, 'cache') });
  const cache = new Cache(join(root, 'lengths'));
  const shardNames = async (folder: string, itemSeconds = 30): Promise<string[]> => {
    const recordings = await readFolder(folder, { checksums: true, cache, itemSeconds });
    return featureShards({ ...smoke, recordings }, 'recordings').map(({ melPath }) => basename(melPath));
  };
  mkdirSync(join(root, 'a'));
  writeFileSync(join(root, 'a', 'x.wav'), sine(440));
  writeFileSync(join(root, 'a', 'y.wav'), sine(550));
  const before = await shardNames(join(root, 'a'));
  renameSync(join(root, 'a'), join(root, 'b'));
  const misses = cache.misses;
  expect(await shardNames(join(root, 'b'))).toEqual(before);
  expect(cache.misses - misses).toBe(2); // checksums of the two files; neither was decoded again
  expect(await shardNames(join(root, 'b'), 1)).not.toEqual(before);
  writeFileSync(join(root, 'b', 'y.wav'), sine(660));
  expect(await shardNames(join(root, 'b'))).not.toEqual(before);
});
