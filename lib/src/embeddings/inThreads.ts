/** Embedding over worker threads: the same tables as `embedLayers`, from a checkpoint on disk. */
import { loadCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import type { MelTrack } from '../mel/index.js';
import { withOneBlasThread } from '../tensor/index.js';
import { parallelMap, type ParallelOptions } from '../workers/index.js';
import { embedLayers, type Layer } from './embed.js';
import type { EmbeddedTrack, EmbedTaskInit } from './embedTask.js';
import { buildTable, type EmbeddingTable } from './table.js';

/**
 * As `embedLayers`, tracks shared out over threads that each load the checkpoint. Worth it for encoders of the paper's
 * size without a multi-threaded BLAS; otherwise `embedLayers` is as fast.
 *
 * @param options.threads 1 runs in this thread, on its backend
 */
export async function embedLayersInThreads(
  checkpointPath: string,
  tracks: readonly MelTrack[],
  layers: readonly Layer[],
  options: Omit<ParallelOptions, 'init'> & Omit<EmbedTaskInit, 'checkpointPath' | 'layers'>,
): Promise<Map<Layer, EmbeddingTable>> {
  if (tracks.length === 0) throw new InputError('embedLayersInThreads', 'no tracks; expected at least one');
  const { threads, onProgress, signal, ...task } = options;
  if (threads === 1) {
    const { encoder } = loadCheckpoint(checkpointPath, task.overrides);
    try {
      return await embedLayers(encoder, tracks, layers, { ...task, onProgress, signal });
    } finally {
      encoder.dispose();
    }
  }
  const init: EmbedTaskInit = { ...task, checkpointPath, layers };
  const embedded = await withOneBlasThread(() =>
    parallelMap<MelTrack, EmbeddedTrack>(new URL('./embedTask.js', import.meta.url), 'embedTask', tracks, {
      threads,
      init,
      onProgress,
      signal,
    }),
  );
  const ids = tracks.map((track) => track.id);
  const tableOf = (layer: number): EmbeddingTable => {
    const rows = embedded.map((track) => track.rows[layer]);
    return buildTable(ids, rows, embedded[0].width);
  };
  return new Map(layers.map((layer, i) => [layer, tableOf(i)]));
}
