/**
 * Maps in place of really augmented audio when a probe is trained: a batch of embeddings goes through a random map, and
 * its labels move with it. Letters: N clips in the batch, M maps.
 */
import type { EmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { transposeKey } from '../keys/index.js';
import type { Rng } from '../tensor/index.js';
import { applyMap, type AugmentationMap, assertWidth } from './map.js';

export interface AugmentConfig {
  /** chance that a batch (or row) is augmented, 0..1; the paper's is .8 */
  readonly probability: number;
  /** one map for the whole batch, as in the paper, or one drawn for every row */
  readonly per: 'batch' | 'row';
}

/** The paper's: with probability .8 one random map for the whole batch. */
export const PAPER_AUGMENT: AugmentConfig = { probability: 0.8, per: 'batch' };

export interface Batch {
  /** [N, width] */
  readonly x: Float32Array;
  readonly width: number;
  /** [N] key ids 0..23 */
  readonly keyIds: Int32Array;
}

export interface AugmentedBatch extends Batch {
  /** [N] index of the map that each row went through; -1: left as it is */
  readonly mapOf: Int32Array;
}

/**
 * Which map each row goes through, -1 for none. Draws the same count of random numbers whatever they say, two for the
 * batch or two a row, so that runs with other probabilities see the same maps.
 */
export function drawMaps(nRows: number, nMaps: number, { probability, per }: AugmentConfig, rng: Rng): Int32Array {
  if (!(probability >= 0 && probability <= 1))
    throw new InputError('drawMaps', `probability ${probability}; expected a number from 0 to 1`);
  if (nMaps < 1) throw new InputError('drawMaps', 'no maps to draw from; expected at least one');
  const draw = (): number => {
    const isAugmented = rng.uniform() < probability;
    const map = rng.int(nMaps);
    return isAugmented ? map : -1;
  };
  return per === 'row' ? Int32Array.from({ length: nRows }, draw) : new Int32Array(nRows).fill(draw());
}

/** A batch with random maps applied and its labels moved by their label shifts; the batch itself is not changed. */
export function augmentBatch(
  batch: Batch,
  maps: readonly AugmentationMap[],
  config: AugmentConfig,
  rng: Rng,
): AugmentedBatch {
  const { x, width, keyIds } = batch;
  assertMaps(maps, width);
  assertBatch(x.length, width, keyIds);
  const mapOf = drawMaps(keyIds.length, maps.length, config, rng);
  const out = x.slice();
  maps.forEach((map, index) => {
    const rows = Array.from(mapOf, (_, row) => row).filter((row) => mapOf[row] === index);
    if (rows.length === 0) return;
    const some = new Float32Array(rows.length * width);
    rows.forEach((row, i) => some.set(x.subarray(row * width, (row + 1) * width), i * width));
    const mapped = applyMap(map, some);
    rows.forEach((row, i) => out.set(mapped.subarray(i * width, (i + 1) * width), row * width));
  });
  return { x: out, width, keyIds: moveKeys(keyIds, maps, mapOf), mapOf };
}

/** A training table with every map applied to every clip, so that a batch costs a copy and no matrix product. */
export interface MapBank {
  readonly maps: readonly AugmentationMap[];
  readonly width: number;
  /**
   * The batch that `augmentBatch` would make of these clips with the same generator.
   * @param clips [N] rows of the table
   * @param keyIds [N] their keys
   */
  batch(clips: Int32Array, keyIds: Int32Array, config: AugmentConfig, rng: Rng): AugmentedBatch;
}

/** Applies all maps to a table once. Holds (M + 1) tables. */
export function createMapBank(
  table: Pick<EmbeddingTable, 'embeddings' | 'nClips' | 'width'>,
  maps: readonly AugmentationMap[],
): MapBank {
  const { embeddings, width, nClips } = table;
  assertMaps(maps, width);
  const mapped = maps.map((map) => applyMap(map, embeddings));
  return {
    maps,
    width,
    batch: (clips, keyIds, config, rng) => {
      assertBatch(clips.length * width, width, keyIds);
      const stray = clips.find((clip) => clip < 0 || clip >= nClips);
      if (stray !== undefined) throw new InputError('map bank', `clip ${stray}; the table has ${nClips}`);
      const mapOf = drawMaps(clips.length, maps.length, config, rng);
      const x = new Float32Array(clips.length * width);
      clips.forEach((clip, row) => {
        const from = mapOf[row] < 0 ? embeddings : mapped[mapOf[row]];
        x.set(from.subarray(clip * width, (clip + 1) * width), row * width);
      });
      return { x, width, keyIds: moveKeys(keyIds, maps, mapOf), mapOf };
    },
  };
}

function moveKeys(keyIds: Int32Array, maps: readonly AugmentationMap[], mapOf: Int32Array): Int32Array {
  return keyIds.map((keyId, row) => transposeKey(keyId, mapOf[row] < 0 ? 0 : maps[mapOf[row]].labelShift));
}

function assertMaps(maps: readonly AugmentationMap[], width: number): void {
  if (maps.length === 0) throw new InputError('augmentation', 'no maps; expected at least one');
  for (const map of maps) assertWidth(map, width, 'the batch or table');
}

function assertBatch(nValues: number, width: number, keyIds: Int32Array): void {
  if (nValues !== keyIds.length * width)
    throw new InputError('augmentation', `${nValues} values and ${keyIds.length} keys; expected rows of ${width}, one key each`); // prettier-ignore
}
