/**
 * Ten thousand damaged copies of each file that a user may bring: what is not refused with an InputError is read, fast,
 * in little memory, and nothing is written anywhere.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { datasetOf, readManifest, readSplitFile } from '../../lib/src/corpus/index.js';
import { readPrecomputed } from '../../lib/src/embeddings/index.js';
import { InputError } from '../../lib/src/errors.js';
import { createRng, type Rng } from '../../lib/src/tensor/index.js';
import { floats, npy, zip } from '../store/zipFiles.js';
import { giantStepsTree, mtgTree, plant, wav } from './datasetTrees.js';

const MUTANTS = 10_000;
const MAX_CPU_MS = 2000;
const MAX_GROWTH_BYTES = 400 << 20;

const dir = mkdtempSync(join(tmpdir(), 'fuzz-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What damage and malice put into texts. */
const TOKENS = ['\t', ',', '"', '\n', '\r', '\0', '..', '../../etc/passwd', '/', '\\', '-1', '1e999', '999999999999', 'NaN', '__proto__', 'constructor', '\uFEFF', '♭', '{', '}', '(', ')', "'", '%s', 'C major', '-'].map((text) => Buffer.from(text)); // prettier-ignore

/** One to five changes: bytes set, pieces cut, doubled, moved, tokens and long runs put in, the end lost. */
function mutate(seed: Uint8Array, rng: Rng): Buffer {
  let bytes = Buffer.from(seed);
  for (let changes = 1 + rng.int(5); changes > 0; changes--) {
    const at = rng.int(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + rng.int(rng.int(4) === 0 ? 64 : 8));
    const [head, piece, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const kind = rng.int(8);
    if (kind < 3) bytes = Buffer.concat([head, Uint8Array.from(piece, () => rng.int(256)), tail]);
    else if (kind === 3) bytes = Buffer.concat([head, tail]);
    else if (kind === 4) bytes = Buffer.concat([head, piece, piece, tail]);
    else if (kind === 5) bytes = Buffer.concat([head, TOKENS[rng.int(TOKENS.length)], tail]);
    else if (kind === 6) bytes = Buffer.concat([head, Buffer.alloc(rng.int(2000), rng.int(256)), tail]);
    else if (rng.int(4) === 0) bytes = Buffer.from(head);
  }
  return bytes;
}

/** Every file below the folder, with its content. */
const contents = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(
      (entry) =>
        join(entry.parentPath, entry.name) +
        (entry.isFile() ? ` ${readFileSync(join(entry.parentPath, entry.name)).toString('base64')}` : ''),
    ) // prettier-ignore
    .sort()
    .join('\n');

/**
 * Reads mutants of `seeds`, written to `path`, with `read`; returns how many of them could be read. The folder around
 * holds what must not change.
 */
async function fuzz(name: string, path: string, seeds: readonly Uint8Array[], read: () => unknown): Promise<number> {
  const rng = createRng(`fuzz ${name}`);
  writeFileSync(path, '');
  const before = contents(dir);
  const memory = process.memoryUsage.rss();
  let readable = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = mutate(seeds[i % seeds.length], rng);
    writeFileSync(path, mutant);
    const begin = process.cpuUsage();
    try {
      await read();
      readable++;
    } catch (error) {
      if (!(error instanceof InputError)) {
        throw new Error(`mutant ${i} of ${name}: ${JSON.stringify(mutant.toString('latin1'))}`, { cause: error });
      }
    }
    const { user, system } = process.cpuUsage(begin);
    if (user + system > MAX_CPU_MS * 1000) throw new Error(`mutant ${i} of ${name} took ${(user + system) / 1000} ms`);
    if (i % 50 === 0) expect(process.memoryUsage.rss() - memory).toBeLessThan(MAX_GROWTH_BYTES);
  }
  writeFileSync(path, '');
  expect(contents(dir)).toBe(before);
  return readable;
}

const folder = (name: string): string => {
  mkdirSync(join(dir, name));
  return join(dir, name);
};
const TIMEOUT = 600_000;

describe('damaged files', () => {
  it('manifest', { timeout: TIMEOUT }, async () => {
    const root = plant(folder('manifest'), { 'a.wav': wav(300, 0.1), 'b/c.wav': wav(310, 0.1) });
    const path = join(root, 'manifest.csv');
    const seed = 'id,path,key,split,artist,start,duration,checksum,label\n1,a.wav,C major,train,Ada,0,1,ff,"C ""major"""\n2,b/c.wav,F# minor,test,Bo,.01,,ee,x\n'; // prettier-ignore
    const readable = await fuzz('manifest', path, [Buffer.from(seed)], () => readManifest(path));
    expect(readable).toBeGreaterThan(MUTANTS / 50);
  });

  it('splits', { timeout: TIMEOUT }, async () => {
    const path = join(folder('splits'), 'splits.csv');
    expect(await fuzz('splits', path, [Buffer.from('id,split\na,train\nb,test\nc,valid\n')], () => readSplitFile(path))).toBeGreaterThan(MUTANTS / 50); // prettier-ignore
  });

  it('.key', { timeout: TIMEOUT }, async () => {
    const root = plant(folder('key'), giantStepsTree({ '1': 'C minor' }, { '1': wav(300, 0.1) }));
    const path = join(root, 'annotations/key/1.LOFI.key');
    const seeds = ['C minor', 'Bb major', 'f# minor ', 'A / B minor', '-', 'D dorian'].map((text) => Buffer.from(text));
    const list = datasetOf('giantsteps-key');
    const readable = await fuzz('.key', path, seeds, () => {
      const { items } = list.list(root, 'all', 'by-third');
      if (items.length !== 1) throw new Error(`${items.length} items`);
    });
    expect(readable).toBe(MUTANTS); // a label that is none is a label without a key
  });

  it('annotations.txt', { timeout: TIMEOUT }, async () => {
    const rows = [['5061', 'D# minor', 2, ''], ['10981', '-', 0, ''], ['61578', 'C minor / F# minor', 2, 'x']] as const; // prettier-ignore
    const files = mtgTree({ '5061': wav(300, 0.1) }, rows);
    const root = plant(folder('mtg'), files);
    const path = join(root, 'annotations/annotations.txt');
    const reader = datasetOf('giantsteps-mtg-key');
    const seed = Buffer.from(files['annotations/annotations.txt'] as string);
    const readable = await fuzz('annotations.txt', path, [seed], () => {
      for (const { id, audio } of reader.list(root, 'confidence-2-no-comment', 'left-out').items) {
        if (!/^\d+$/.test(id) || (audio ?? '').includes('..')) throw new Error(`id ${id}, audio ${audio}`);
      }
    });
    expect(readable).toBeGreaterThan(MUTANTS / 4);
  });

  it('npz', { timeout: TIMEOUT }, async () => {
    const path = join(folder('npz'), 'table.npz');
    const arrays = {
      'embeddings.npy': npy('<f4', [2, 2], floats(1, 2, 3, 4)),
      'track_of.npy': npy('<i4', [2], new Uint8Array(8)),
      'ids.npy': npy('<U2', [1], Buffer.from('a\0\0\0b\0\0\0')),
    };
    const tracks = { 'one.npy': npy('<f4', [1, 2], floats(1, 2)), 'two.npy': npy('<f8', [2], new Uint8Array(16)) };
    const seeds = [
      readFileSync(join(import.meta.dirname, '../fixtures/table.npz')),
      zip(arrays),
      zip(tracks),
      zip(tracks, { deflate: true }),
    ];
    await fuzz('npz', path, seeds, () => readPrecomputed(path));
  });

  it('npy in a sound archive, so that no checksum hides the reader', { timeout: TIMEOUT }, async () => {
    const path = join(folder('npy'), 'table.npz');
    const inner = join(dir, 'npy', 'inner');
    const seeds = [npy('<f4', [2, 2], floats(1, 2, 3, 4)), npy('<U2', [1], Buffer.from('a\0\0\0b\0\0\0'))];
    const readable = await fuzz('npy', inner, seeds, () => {
      writeFileSync(path, zip({ 'a.npy': readFileSync(inner) }));
      try {
        return readPrecomputed(path);
      } finally {
        rmSync(path);
      }
    });
    expect(readable).toBeGreaterThan(0);
  });
});
