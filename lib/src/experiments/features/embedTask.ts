/** What a worker thread does for one encoder on one split. */
import { existsSync } from 'node:fs';
import { embedLayers, saveEmbeddingTable } from '../../embeddings/index.js';
import type { MelTrack } from '../../mel/index.js';
import { initBackend } from '../../tensor/index.js';
import type { EmbeddingUnit } from './embeddingTables.js';
import { loadEncoder } from '../augmented/encoderSource.js';
import { readMelShard } from './features.js';
import { type Span, type StageItem, stageTask, Stopped } from '../run/stages.js';

/** Factory for `runStage`: a backend of its own for this thread, then table after table. */
export async function embedTask(init: unknown): Promise<(message: StageItem<EmbeddingUnit>) => Promise<Span>> {
  await initBackend();
  /** What the last unit read: the units of a split come one after the other. */
  let last: { key: string; tracks: MelTrack[] } | null = null;
  const tracksOf = (paths: readonly string[]): MelTrack[] => {
    const key = paths.join();
    if (last?.key !== key) last = { key, tracks: paths.flatMap(readMelShard) };
    return last.tracks;
  };
  return stageTask<EmbeddingUnit>(init, async ({ encoder: source, melPaths, outputs }, count, isStopped) => {
    const stop = new AbortController();
    const missing = outputs.filter(({ path }) => !existsSync(path));
    const encoder = loadEncoder(source);
    try {
      const tables = await embedLayers(
        encoder,
        tracksOf(melPaths),
        missing.map(({ layer }) => layer),
        {
          signal: stop.signal,
          onProgress: (done) => {
            count(done);
            if (isStopped()) stop.abort(new Stopped('embeddings'));
          },
        },
      );
      for (const { layer, path } of missing) saveEmbeddingTable(path, tables.get(layer)!);
    } finally {
      encoder.dispose();
    }
  });
}
