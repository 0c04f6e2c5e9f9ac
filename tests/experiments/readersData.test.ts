/** A reader's own data sets and weights in the place of the embedded corpus and of pretraining: from trees to tables. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { verifyDataset } from '../../lib/src/corpus/index.js';
import { embedTracks } from '../../lib/src/embeddings/index.js';
import { Encoder, encoderConfig, loadCheckpoint, saveCheckpoint } from '../../lib/src/encoder/index.js';
import {
  checkpointOf,
  comparison,
  encodersOf,
  loadMels,
  openRun,
  type Run,
  runStageOf,
} from '../../lib/src/experiments/index.js';
import { loadTable } from '../../lib/src/experiments/features/embeddingTables.js';
import { comparisonTable } from '../../lib/src/figures/index.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { createRng, initBackend } from '../../lib/src/tensor/index.js';
import { giantStepsTree, MTG_ROWS, mtgTree, plant } from '../corpus/datasetTrees.js';

const root = mkdtempSync(join(tmpdir(), 'readers-data-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string): string => join(root, name);

/** Seven seconds of a key's triad; `n` makes the content of each file its own. */
function triad(keyId: number, n: number): Uint8Array {
  const { tonic, mode } = KEYS[keyId];
  const notes = [0, mode === 'major' ? 4 : 3, 7].map((step) => 220 * 2 ** ((tonic + step) / 12));
  const sample = (_: unknown, i: number): number =>
    notes.reduce((sum, hz, k) => sum + 0.2 * Math.sin((2 * Math.PI * hz * i) / 16000 + n + k), 0);
  return encodeWav(Float32Array.from({ length: 7 * 16000 }, sample), 16000);
}

/** The oddities of the real set, and thirty tracks in all keys of which ten are for validation. */
const plain = Array.from({ length: 30 }, (_, i) => [`7${i + 100}`, `${KEYS[i % 24].label} `, 2, ''] as const);
const usable = ['5061', '4970565', '298020', ...plain.map(([id]) => id)]; // of confidence 2, with one key
const audio = Object.fromEntries(
  [...MTG_ROWS, ...plain].map(([id], i) => [id, triad(i % 24, i)] as [string, Uint8Array]),
);
const giantSteps = { '1': 'D major', '2': 'F# minor', '3': '-', '4': 'Bb minor', '5': 'G minor' };
const heard = Object.fromEntries(Object.keys(giantSteps).map((id, i) => [id, triad(5 * i, 100 + i)]));
const write = (name: string, value: unknown): string => {
  writeFileSync(at(name), JSON.stringify(value));
  return at(name);
};
const MTG = { dataset: 'giantsteps-mtg-key', root: 'mtg', subset: 'confidence-2', splits: 'splits.csv' };
const GIANT_STEPS = { dataset: 'giantsteps-key', root: 'gs', split: 'test' };
const open = (dataFile: string): Promise<Run> =>
  openRun('smoke', { root, cacheDir: at('cache'), threads: 1, dataFile });

beforeAll(async () => {
  await initBackend();
  plant(at('mtg'), mtgTree(audio, [...MTG_ROWS, ...plain]));
  plant(at('gs'), giantStepsTree(giantSteps, heard));
  const splits = (isValid: (i: number) => boolean): string =>
    `id,split\n${usable.map((id, i) => `${id},${isValid(i) ? 'valid' : 'train'}\n`).join('')}`;
  writeFileSync(
    at('splits.csv'),
    splits((i) => i < 2 || i % 3 === 0),
  ); // the first two are of one artist
  writeFileSync(
    at('leaking.csv'),
    splits((i) => i % 3 === 0),
  );
  const encoder = Encoder.init(encoderConfig('vertical', 'tiny', { depth: 3 }), createRng(5));
  saveCheckpoint(at('published.safetensors'), encoder);
  encoder.dispose();
});

describe('published data sets and weights', () => {
  it('go from verification to the table of notebook 04, every count right', async () => {
    const reports = [
      await verifyDataset('giantsteps-mtg-key', at('mtg'), { subset: 'confidence-2' }),
      await verifyDataset('giantsteps-key', at('gs')),
    ];
    expect(reports.map(({ tracks }) => tracks.length)).toEqual([33, 4]);

    const run = await open(
      write('data.json', { sets: [MTG, GIANT_STEPS], weights: { vertical: 'published.safetensors' } }),
    );
    expect(run.preset.corpus.sizes).toEqual({ train: 21, valid: 12, test: 4, testTimbre: 24 });
    expect(run.corpus.skipped.map(({ path }) => path)).toContain('3');
    for (const stage of ['features', 'pretraining', 'embeddings', 'probes'] as const) await runStageOf(run, stage);

    const published = encodersOf(run.preset, false).find(({ name }) => name.id === 'vertical-pretrained')!;
    expect([published.name.label, published.config.depth]).toEqual(['vertical, pretrained', 3]);
    const { encoder } = loadCheckpoint(checkpointOf(run, published)!);
    const { embeddings } = await embedTracks(encoder, loadMels(run, 'test'));
    encoder.dispose();
    const table = loadTable(run, published, 'test');
    expect(table.trackIds).toEqual(['1', '2', '4', '5'].map((id) => `giantsteps-key/${id}`));
    expect([...table.embeddings]).toEqual([...embeddings]);
    expect(existsSync(join(checkpointOf(run, published)!, '..', 'log.jsonl'))).toBe(false); // nothing was trained

    const measured = await comparison(run);
    const nOf = (split: string): number[] => [...new Set(measured.rows.filter((row) => row.split === split).map(({ n }) => n))]; // prettier-ignore
    expect([nOf('test'), nOf('testTimbre')]).toEqual([[4], [24]]);
    const { caption, rows } = comparisonTable(measured);
    expect(caption).toMatch(/on the reader’s tracks \(21 \/ 12 \/ 4 \/ 24 tracks\)/);
    expect(caption).toMatch(
      /Tracks: giantsteps-mtg-key, giantsteps-key, unseen timbre: embedded corpus\. Pretrained elsewhere: vertical \w{12}\..*--data FILE/,
    );
    expect(rows.filter(([system]) => String(system).startsWith('vertical, pretrained')).length).toBeGreaterThan(0);
  }, 120_000);

  it('of which a track changed are other data', async () => {
    const file = write('two.json', { sets: [MTG, GIANT_STEPS] });
    const before = (await open(file)).corpus.config;
    writeFileSync(at('gs/audio/1.LOFI.mp3'), triad(4, 999));
    const after = (await open(file)).corpus.config;
    writeFileSync(at('gs/audio/1.LOFI.mp3'), heard['1']);
    expect(after).not.toEqual(before);
  });
});

describe('a data file', () => {
  it.each([
    ['nothing', {}, /names neither sets nor weights/],
    ['an unknown field', { data: [] }, /field "data" is unknown; expected of sets, weights, allowLeakage/],
    ['an unknown field of a set', { sets: [{ ...MTG, path: 'x' }] }, /sets\[0\]: field "path" is unknown/],
    [
      'an unknown set',
      { sets: [{ ...MTG, dataset: 'giantsteps' }] },
      /found "giantsteps", expected one of giantsteps-key/,
    ],
    ['a set and a manifest', { sets: [{ ...MTG, manifest: 'm.csv' }] }, /either dataset and root, or manifest/],
    [
      'no splits',
      { sets: [{ ...MTG, splits: undefined }] },
      /sets\[0\]: track \S+ has no split; give the set the field split/,
    ],
    ['an unknown split', { sets: [{ ...MTG, split: 'dev' }] }, /sets\[0\], split: "dev" is no split/],
    ['a split without tracks', { sets: [MTG] }, /no track is in split test/],
    [
      'an artist in two splits',
      { sets: [{ ...MTG, splits: 'leaking.csv' }, GIANT_STEPS] },
      /group "Ada" is in split valid/,
    ],
    [
      'a recording in two sets',
      { sets: [MTG, GIANT_STEPS, { ...GIANT_STEPS, root: 'leak' }] },
      /the same audio .* in split valid \(as giantsteps-mtg-key\/7100\) and in split test/,
    ],
    ['no file of weights', { weights: { vertical: 'nowhere.safetensors' } }, /nowhere\.safetensors/],
    ['other patches', { weights: { square: 'published.safetensors' } }, /vertical patches, but patches is 'square'/],
    [
      'unknown patches',
      { weights: { round: 'published.safetensors' } },
      /field "round" is unknown; expected of vertical, square, hybrid/,
    ],
  ])('with %s is refused in a sentence', async (_, value, message) => {
    // A training track's audio once more, as a test track of another set.
    if (!existsSync(at('leak'))) plant(at('leak'), giantStepsTree({ x: 'C major' }, { x: audio[plain[0][0]] }));
    await expect(open(write('bad.json', value))).rejects.toThrow(message);
  });
});
