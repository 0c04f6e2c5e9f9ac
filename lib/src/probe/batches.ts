/**
 * What a step of probe training reads: clips of the train table as they are, or what an augmentation makes of them.
 * Letters: N clips in a batch, V variants of a table.
 */
import { type EmbeddingTable, fitStandardizer, standardize, type Standardizer } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { transposeKey } from '../keys/index.js';
import type { Rng } from '../tensor/index.js';
import type { ProbeConfig } from './config.js';
import type { ProbeData } from './probe.js';

/** Embeddings [N, width] with the key of each. */
export interface ProbeBatch {
  readonly x: Float32Array;
  /** [N] 0..23 */
  readonly keyIds: Int32Array;
}

/**
 * Supplies the batch of a step in place of the clips drawn for it: really augmented audio (`variantBatches`) or maps
 * (`createMapBank(...).batch`). What it returns is raw, as the train table is; training standardizes it by that table's
 * statistics, which the clean splits are read by, too.
 *
 * @param clips [N] rows of the train table
 * @param keyIds [N] their keys
 * @param rng for this alone: order, dropout and MixUp draw the same numbers with it and without it
 */
export type BatchOf = (clips: Int32Array, keyIds: Int32Array, rng: Rng) => ProbeBatch;

/** The same clips heard another way, row by row. */
export interface TableVariant {
  readonly table: Pick<EmbeddingTable, 'embeddings' | 'nClips' | 'width' | 'trackOf'>;
  /** semitones by which every key has moved */
  readonly labelShift: number;
}

/** For each of `nRows` rows of a batch the variant that it is read from, 0..nVariants - 1; -1: the clip itself. */
export type DrawVariants = (nRows: number, nVariants: number, rng: Rng) => Int32Array;

/** For every row anew one of the clip itself and its variants, all equally likely. */
export const drawUniformly: DrawVariants = (nRows, nVariants, rng) =>
  Int32Array.from({ length: nRows }, () => rng.int(nVariants + 1) - 1);

/**
 * Batches in which a clip comes as itself or as one of its variants, its key moved along. An epoch has as many steps as
 * without variants.
 *
 * @param clean the train table
 * @throws InputError for no variants, or one whose rows are not those of `clean`
 */
export function variantBatches(
  clean: EmbeddingTable,
  variants: readonly TableVariant[],
  draw: DrawVariants = drawUniformly,
): BatchOf {
  if (variants.length === 0) throw new InputError('variantBatches', 'no variants; expected at least one');
  for (const [index, { table }] of variants.entries()) {
    const { nClips, width } = clean;
    if (table.nClips !== nClips || table.width !== width)
      throw new InputError(
        `variant ${index}`,
        `[${table.nClips}, ${table.width}] found; expected [${nClips}, ${width}] as the train table`,
      );
    if (table.trackOf.some((track, clip) => track !== clean.trackOf[clip]))
      throw new InputError(`variant ${index}`, 'its rows belong to other tracks than those of the train table');
  }
  const { width } = clean;
  return (clips, keyIds, rng) => {
    const x = new Float32Array(clips.length * width);
    const from = draw(clips.length, variants.length, rng);
    clips.forEach((clip, row) => {
      const { embeddings } = from[row] < 0 ? clean : variants[from[row]].table;
      x.set(embeddings.subarray(clip * width, (clip + 1) * width), row * width);
    });
    const moved = keyIds.map((keyId, row) =>
      from[row] < 0 ? keyId : transposeKey(keyId, variants[from[row]].labelShift),
    );
    return { x, keyIds: moved };
  };
}

/** Gives the batch of these clips, standardized; valid until the next call. */
export type BatchSource = (clips: Int32Array) => ProbeBatch;

/**
 * Where a training takes its batches from.
 * @param standardizer fitted on train if the configuration asks for that
 * @param rng for `batchOf`
 */
export function batchSource(
  config: ProbeConfig,
  { table, keyOfTrack }: ProbeData,
  standardizer: Standardizer | null,
  batchOf: BatchOf | undefined,
  rng: Rng,
): BatchSource {
  const { width, nClips, trackOf } = table;
  const scaling = config.standardize === 'none' ? null : (standardizer ?? fitStandardizer(table));
  const keysOf = (clips: Int32Array): Int32Array => Int32Array.from(clips, (clip) => keyOfTrack[trackOf[clip]]);
  const rows = new Float32Array(Math.min(config.batchSize, nClips) * width);
  if (batchOf === undefined) {
    const { embeddings } = scaling === null ? table : standardize(table, scaling);
    return (clips) => {
      const x = rows.subarray(0, clips.length * width);
      for (let i = 0; i < clips.length; i++) {
        const row = clips[i] * width;
        for (let j = 0; j < width; j++) x[i * width + j] = embeddings[row + j]; // views of rows would cost more
      }
      return { x, keyIds: keysOf(clips) };
    };
  }
  return (clips) => {
    const batch = batchOf(clips, keysOf(clips), rng);
    if (batch.x.length !== clips.length * width || batch.keyIds.length !== clips.length)
      throw new InputError(
        'batchOf',
        `${batch.x.length} values and ${batch.keyIds.length} keys; expected ${clips.length} rows of ${width}, one key each`,
      );
    if (scaling === null) return batch;
    const x = rows.subarray(0, batch.x.length);
    const { mean, scale } = scaling;
    for (let start = 0; start < x.length; start += width)
      for (let j = 0; j < width; j++) x[start + j] = (batch.x[start + j] - mean[j]) / scale[j];
    return { x, keyIds: batch.keyIds };
  };
}
