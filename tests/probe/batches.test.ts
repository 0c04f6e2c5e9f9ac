import { beforeAll, describe, expect, test } from 'vitest';
import { buildTable, type EmbeddingTable } from '../../lib/src/embeddings/index.js';
import { transposeKey } from '../../lib/src/keys/index.js';
import { createMapBank, identityMap, PAPER_AUGMENT } from '../../lib/src/maps/index.js';
import {
  drawUniformly,
  evaluateProbe,
  type ProbeConfig,
  type ProbeData,
  trainProbe,
  variantBatches,
} from '../../lib/src/probe/index.js';
import { createRng, initBackend, type Rng } from '../../lib/src/tensor/index.js';

beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

const WIDTH = 12;

/** The energy of a key lies in its tonic's column, so a transposition turns the columns. Two clips a track. */
function turning(nTracks: number, seed: string, keys: (track: number) => number): ProbeData {
  const rng = createRng(seed);
  const keyOfTrack = Int32Array.from({ length: nTracks }, (_, track) => keys(track));
  const rows = Array.from(keyOfTrack, (keyId) =>
    Float32Array.from(
      { length: 2 * WIDTH },
      (_, i) => (i % WIDTH === Math.floor(keyId / 2) ? 3 : 0) + 0.7 * rng.normal(),
    ),
  );
  const ids = Array.from(keyOfTrack, (_, track) => `${seed}${track}`);
  return { table: buildTable(ids, rows, WIDTH), keyOfTrack };
}

function turned(table: EmbeddingTable, semitones: number): EmbeddingTable {
  const embeddings = table.embeddings.map((_, i) => {
    const row = i - (i % WIDTH);
    return table.embeddings[row + (((i % WIDTH) - semitones + 12) % 12)];
  });
  return { ...table, embeddings };
}

const config: Partial<ProbeConfig> = { learningRate: 1e-2, epochs: 8, batchSize: 16, mixUp: { alpha: 2, beta: 5 } };
const valid = turning(48, 'valid', (track) => 2 * (track % 12));
const fourKeys = turning(48, 'train', (track) => 2 * (track % 4));

describe('batches that an augmentation supplies', () => {
  test.each(['train', 'none', 'perSplit'] as const)(
    'with variants that change nothing, training is the same to the bit (standardize: %s)',
    async (standardize) => {
      const { table } = fourKeys;
      const batchOf = variantBatches(table, [{ table: { ...table }, labelShift: 0 }]);
      const splits = { train: fourKeys, valid };
      const plain = await trainProbe({ ...config, standardize }, splits);
      const supplied = await trainProbe({ ...config, standardize }, splits, { batchOf });
      expect(supplied.weights).toEqual(plain.weights);
      expect(supplied.history).toEqual(plain.history);
    },
  );

  test('a bank of identity maps gives the same training, too', async () => {
    const bank = createMapBank(fourKeys.table, [identityMap(WIDTH)]);
    const batchOf = (clips: Int32Array, keyIds: Int32Array, rng: Rng) => bank.batch(clips, keyIds, PAPER_AUGMENT, rng);
    const splits = { train: fourKeys, valid };
    const [plain, mapped] = [await trainProbe(config, splits), await trainProbe(config, splits, { batchOf })];
    expect(mapped.weights).toEqual(plain.weights);
  });

  test('a row is the clip or its variant, and its key moves along', () => {
    const { table } = fourKeys;
    const shifts = [-3, 5];
    const batchOf = variantBatches(
      table,
      shifts.map((labelShift) => ({ table: turned(table, labelShift), labelShift })),
      () => Int32Array.of(-1, 0, 1),
    );
    const clips = Int32Array.of(4, 9, 9);
    const { x, keyIds } = batchOf(clips, Int32Array.of(0, 4, 4), createRng(0));
    expect(Array.from(keyIds)).toEqual([0, transposeKey(4, -3), transposeKey(4, 5)]);
    const row = (from: EmbeddingTable, clip: number) => from.embeddings.slice(clip * WIDTH, (clip + 1) * WIDTH);
    expect(x.slice(0, WIDTH)).toEqual(row(table, 4));
    expect(x.slice(WIDTH, 2 * WIDTH)).toEqual(row(turned(table, -3), 9));
    expect(x.slice(2 * WIDTH)).toEqual(row(turned(table, 5), 9));
  });

  test('the clip itself and its variants are drawn equally often', () => {
    const counts = new Map<number, number>();
    for (const from of drawUniformly(12_000, 3, createRng(1))) counts.set(from, (counts.get(from) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([-1, 0, 1, 2]);
    // 12,000 draws at 1/4: standard deviation 47, so 4 of them.
    for (const count of counts.values()) expect(Math.abs(count - 3000)).toBeLessThan(190);
  });

  test('keys that train never has are learned from transposed copies, and not without', async () => {
    const { table } = fourKeys;
    const labelShifts = [-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5];
    const batchOf = variantBatches(
      table,
      labelShifts.map((labelShift) => ({ table: turned(table, labelShift), labelShift })),
    );
    const long = { ...config, mixUp: null, epochs: 60 };
    const splits = { train: fourKeys, valid };
    const without = evaluateProbe(await trainProbe(long, splits), valid).score.accuracy;
    const withCopies = evaluateProbe(await trainProbe(long, splits, { batchOf }), valid).score.accuracy;
    expect(without).toBeLessThan(0.4);
    expect(withCopies).toBeGreaterThan(0.9);
  });

  test('refuses rows that are not those of the table, no variants, and batches of another shape', async () => {
    const { table } = fourKeys;
    expect(() => variantBatches(table, [])).toThrow('no variants');
    expect(() => variantBatches(table, [{ table: valid.table, labelShift: 0 }, { table: turning(9, 'x', () => 0).table, labelShift: 0 }])).toThrow(/variant 1: .*\[18, 12\].*\[96, 12\]/); // prettier-ignore
    const strange = { ...table, trackOf: table.trackOf.slice().reverse() };
    expect(() => variantBatches(table, [{ table: strange, labelShift: 0 }])).toThrow('other tracks');
    const batchOf = () => ({ x: new Float32Array(3), keyIds: new Int32Array(1) });
    await expect(trainProbe(config, { train: fourKeys, valid }, { batchOf })).rejects.toThrow(/batchOf: 3 values/);
  });
});
