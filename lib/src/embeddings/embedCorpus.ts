/** Audio -> embedding table in bounded memory: tracks are read as streams, rows go to disk as they come. */
import { statSync } from 'node:fs';
import type { Track } from '../corpus/index.js';
import { loadCheckpoint, weightsId } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { configId } from '../store/index.js';
import { withOneBlasThread } from '../tensor/index.js';
import { parallelMap, type Progress } from '../workers/index.js';
import { assertLayers } from './embed.js';
import { type CorpusTaskInit, embedUnit, type UnitOptions } from './embedCorpusTask.js';
import { type EmbeddedUnit, type LeftOutTrack, PartialTable } from './partialTable.js';

export interface EmbedCorpusOptions extends Partial<UnitOptions> {
  /** What the checkpoint does not say; see `loadCheckpoint`. */
  readonly overrides?: Parameters<typeof loadCheckpoint>[1];
  /** 1 runs in this thread, with all threads of its BLAS */
  readonly threads: number;
  /** Of tracks. */
  readonly onProgress?: Progress;
  /** Called with each track that is left out. */
  readonly onLeftOut?: (track: LeftOutTrack) => void;
  readonly signal?: AbortSignal;
}

/** What `embedCorpus` wrote. */
export interface EmbedCorpusResult {
  readonly nClips: number;
  readonly nTracks: number;
  readonly width: number;
  readonly leftOut: readonly LeftOutTrack[];
}

/** Tracks that are embedded together: enough to fill batches, few enough that little is lost when a run is killed. */
const UNIT_TRACKS = 64;
const UNIT_SECONDS = 600;

/** Consecutive tracks, all those of a file together: a file is decoded once, by one thread. */
export function embeddingUnits(tracks: readonly Track[]): Track[][] {
  const units: Track[][] = [];
  let seconds = Infinity;
  let lastPath: string | null = null;
  for (const track of tracks) {
    const path = track.source.kind === 'file' ? track.source.path : null;
    const isNewFile = path === null || path !== lastPath;
    if (isNewFile && (seconds >= UNIT_SECONDS || units[units.length - 1].length >= UNIT_TRACKS)) {
      units.push([]);
      seconds = 0;
    }
    units[units.length - 1].push(track);
    // One of unknown length may be an hour long; it gets a unit of its own.
    seconds += track.durationSeconds || UNIT_SECONDS;
    lastPath = path;
  }
  return units;
}

/**
 * Embeds tracks and writes the table as `saveEmbeddingTable` does. Nothing is in memory whole, neither a recording nor the
 * table; killed and called again with the same arguments, it goes on with what `<out>.partial/` holds. A track that cannot
 * be read is left out and does not stop the rest.
 *
 * @param checkpointPath weights as `loadCheckpoint` reads them
 * @throws InputError for no tracks, if none of them can be read, or for embeddings that are not finite; the signal's
 *   reason on abort
 */
export async function embedCorpus(
  checkpointPath: string,
  tracks: readonly Track[],
  out: string,
  options: EmbedCorpusOptions,
): Promise<EmbedCorpusResult> {
  const { layer = 'output', clipFrames, clipHop, overrides, onProgress, onLeftOut, signal } = options;
  if (tracks.length === 0) throw new InputError('embedCorpus', 'no tracks; expected at least one');
  const unitOptions: UnitOptions = { layer, clipFrames, clipHop };
  const units = embeddingUnits(tracks);
  // Before any audio is read: a checkpoint that does not fit is known at once.
  const { encoder } = loadCheckpoint(checkpointPath, overrides);
  let table: PartialTable | null = null;
  try {
    assertLayers(encoder, [layer]);
    const id = configId({ weights: weightsId(encoder), overrides, ...unitOptions, units: units.map(unitId) });
    const partial = (table = new PartialTable(`${out}.partial`, id, units.length, encoder.outWidth));
    const missing = units.map((_, unit) => unit).filter((unit) => !partial.has(unit));
    let done = tracks.length - missing.reduce((sum, unit) => sum + units[unit].length, 0);
    if (done > 0) onProgress?.(done, tracks.length);
    const add = (unit: number, result: EmbeddedUnit): void => {
      partial.add(unit, result);
      result.leftOut.forEach((track) => onLeftOut?.(track));
      onProgress?.((done += units[unit].length), tracks.length);
    };
    const threads = Math.min(options.threads, missing.length);
    if (threads > 1) {
      const init: CorpusTaskInit = { checkpointPath, overrides, ...unitOptions };
      const items = missing.map((unit) => units[unit]);
      const onResult = (index: number, result: EmbeddedUnit): void => add(missing[index], result);
      const task = new URL('./embedCorpusTask.js', import.meta.url);
      await withOneBlasThread(() =>
        parallelMap<readonly Track[], EmbeddedUnit>(task, 'embedCorpusTask', items, {
          threads,
          init,
          signal,
          onResult,
        }),
      );
    } else {
      for (const unit of missing) {
        signal?.throwIfAborted();
        add(unit, await embedUnit(encoder, units[unit], unitOptions));
      }
    }
    const { leftOut } = partial;
    if (leftOut.length === tracks.length) {
      const [{ id: name, problem }] = leftOut;
      throw new InputError(name, tracks.length > 1 ? `${problem} (nor can any other track be read)` : problem);
    }
    return { ...partial.finish(out, (unit) => units[unit].map((track) => track.id)), width: encoder.outWidth, leftOut };
  } finally {
    table?.close();
    encoder.dispose();
  }
}

/** Names a unit's tracks by their files, as large and as old as they are, and their cuts. */
function unitId(unit: readonly Track[]): string {
  let last: { path: string; size: number; mtimeMs: number } | null = null;
  const files = unit.map(({ id, source }) => {
    if (source.kind === 'composed') return { id, source };
    if (last?.path !== source.path) {
      const stat = statSync(source.path, { throwIfNoEntry: false });
      last = { path: source.path, size: stat?.size ?? 0, mtimeMs: stat?.mtimeMs ?? 0 };
    }
    return { id, source, size: last.size, mtimeMs: last.mtimeMs };
  });
  return configId(files);
}
