/** Pairs: the embeddings of the same clips without and with an augmentation. Letters: N pairs, T tracks. */
import type { EmbeddingTable } from '../embeddings/index.js';
import { InputError } from '../errors.js';

export interface EmbeddingPairs {
  /** [N, width] row-major */
  readonly clean: Float32Array;
  /** [N, width], row by row the same clip, augmented */
  readonly augmented: Float32Array;
  readonly n: number;
  readonly width: number;
  /** [N] index into `trackIds`; tracks, not clips, are what intervals resample and splits keep apart */
  readonly trackOf: Int32Array;
  readonly trackIds: readonly string[];
}

/**
 * Pairs of two tables of the same clips of the same tracks, in the same order.
 * @throws InputError where the tables do not describe the same clips (an augmentation that changes a track's length,
 *   as time stretching does, must be applied clip by clip)
 */
export function pairTables(clean: EmbeddingTable, augmented: EmbeddingTable): EmbeddingPairs {
  if (clean.width !== augmented.width)
    throw new InputError('pairTables', `tables of width ${clean.width} and ${augmented.width}; expected the same`);
  const sameClips =
    clean.nClips === augmented.nClips && clean.trackOf.every((track, clip) => track === augmented.trackOf[clip]);
  const sameTracks =
    clean.trackIds.length === augmented.trackIds.length &&
    clean.trackIds.every((id, i) => id === augmented.trackIds[i]);
  if (!sameClips || !sameTracks)
    throw new InputError(
      'pairTables',
      `the tables (${clean.nClips} clips of ${clean.trackIds.length} tracks, ${augmented.nClips} of ${augmented.trackIds.length}) do not describe the same clips of the same tracks`,
    );
  return assertPairs('pairTables', {
    clean: clean.embeddings,
    augmented: augmented.embeddings,
    n: clean.nClips,
    width: clean.width,
    trackOf: clean.trackOf,
    trackIds: clean.trackIds,
  });
}

/** The pairs of the tracks that `keep` wants; `trackIds` becomes the kept ones, in their order. */
export function selectPairs(pairs: EmbeddingPairs, keep: (trackId: string) => boolean): EmbeddingPairs {
  const { clean, augmented, width, trackOf, trackIds } = pairs;
  const keptIds = trackIds.filter(keep);
  const placeOf = new Map(keptIds.map((id, place) => [id, place]));
  const rows = Array.from(trackOf, (_, row) => row).filter((row) => placeOf.has(trackIds[trackOf[row]]));
  const take = (from: Float32Array): Float32Array => {
    const out = new Float32Array(rows.length * width);
    rows.forEach((row, i) => out.set(from.subarray(row * width, (row + 1) * width), i * width));
    return out;
  };
  return {
    clean: take(clean),
    augmented: take(augmented),
    n: rows.length,
    width,
    trackOf: Int32Array.from(rows, (row) => placeOf.get(trackIds[trackOf[row]])!),
    trackIds: keptIds,
  };
}

/**
 * Checks pairs: at least one, sizes that agree, finite values. Returns them.
 * @param width the width that something else has already fixed
 */
export function assertPairs(where: string, pairs: EmbeddingPairs, width = pairs.width): EmbeddingPairs {
  const { clean, augmented, n, trackOf, trackIds } = pairs;
  if (!Number.isInteger(n) || n < 1) throw new InputError(where, `${n} pairs; expected at least one`);
  if (!Number.isInteger(pairs.width) || pairs.width < 1 || pairs.width !== width)
    throw new InputError(where, `pairs of width ${pairs.width}; expected ${width === pairs.width ? 'a whole number of at least 1' : width}`); // prettier-ignore
  if (clean.length !== n * width || augmented.length !== n * width || trackOf.length !== n)
    throw new InputError(
      where,
      `${clean.length} clean and ${augmented.length} augmented values and ${trackOf.length} tracks; expected ${n} x ${width} twice and ${n}`,
    );
  const stray = trackOf.find((track) => track < 0 || track >= trackIds.length);
  if (stray !== undefined)
    throw new InputError(where, `track index ${stray}; the pairs name ${trackIds.length} tracks`);
  for (const [side, values] of [
    ['clean', clean],
    ['augmented', augmented],
  ] as const)
    // prettier-ignore
    for (let i = 0; i < values.length; i++)
      if (!Number.isFinite(values[i])) {
        const row = Math.floor(i / width);
        throw new InputError(
          where,
          `the ${side} embedding of pair ${row} (track ${trackIds[trackOf[row]]}) has the value ${values[i]} at ${i % width}; expected finite numbers`,
        );
      }
  return pairs;
}

/** Checks that no track gives pairs to both splits: a map would be tested on tracks that it has seen. */
export function assertDisjoint(nameA: string, a: EmbeddingPairs, nameB: string, b: EmbeddingPairs): void {
  const used = (pairs: EmbeddingPairs): Set<string> =>
    new Set(Array.from(pairs.trackOf, (track) => pairs.trackIds[track]));
  const inB = used(b);
  const shared = [...used(a)].filter((id) => inB.has(id));
  if (shared.length > 0)
    throw new InputError(
      `${nameA} and ${nameB} pairs`,
      `share ${shared.length} tracks (first ${shared[0]}); expected splits that keep tracks apart`,
    );
}
