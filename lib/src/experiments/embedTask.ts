/** What a worker thread does for one encoder on one split. */
import { existsSync } from 'node:fs';
import { Encoder, loadCheckpoint } from '../encoder/index.js';
import { embedLayers, saveEmbeddingTable } from '../embeddings/index.js';
import { createRng, initBackend } from '../tensor/index.js';
import type { EmbeddingUnit } from './embeddingTables.js';
import { readMelShard } from './features.js';
import { stageTask, Stopped } from './stages.js';

/** Factory for `runStage`: a backend of its own for this thread, then table after table. */
export async function embedTask(
  init: unknown,
): Promise<(message: { unit: number; item: EmbeddingUnit; weight: number }) => Promise<void>> {
  await initBackend();
  return stageTask<EmbeddingUnit>(init, async ({ encoder: source, melPaths, outputs }, count, isStopped) => {
    const stop = new AbortController();
    const missing = outputs.filter(({ path }) => !existsSync(path));
    // As `initialEncoder` of pretraining draws it: a random encoder is exactly what its pretrained twin began as.
    const encoder =
      'checkpoint' in source
        ? loadCheckpoint(source.checkpoint).encoder
        : Encoder.init(source.config, createRng(source.seed).fork('encoder'));
    try {
      const tables = await embedLayers(
        encoder,
        melPaths.flatMap(readMelShard),
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
