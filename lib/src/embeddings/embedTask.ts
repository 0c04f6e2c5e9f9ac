/** What one thread of `embedLayersInThreads` runs: an encoder of its own, one track at a time. */
import { loadCheckpoint } from '../encoder/index.js';
import type { MelTrack } from '../mel/index.js';
import { initBackend, type BackendOptions } from '../tensor/index.js';
import { embedLayers, type Layer } from './embed.js';

export interface EmbedTaskInit {
  readonly checkpointPath: string;
  readonly overrides?: Parameters<typeof loadCheckpoint>[1];
  readonly backend?: BackendOptions;
  readonly layers: readonly Layer[];
  readonly batchClips?: number;
  readonly clipFrames?: number;
  readonly clipHop?: number;
}

export interface EmbeddedTrack {
  readonly width: number;
  /** rows [nClips, width] for each layer */
  readonly rows: readonly Float32Array[];
}

/** Called once per thread; the function it gives embeds a track. */
export async function embedTask(init: unknown): Promise<(track: MelTrack) => Promise<EmbeddedTrack>> {
  const { checkpointPath, overrides, backend, layers, ...options } = init as EmbedTaskInit;
  await initBackend({ ...backend, blasThreads: 1 });
  const { encoder } = loadCheckpoint(checkpointPath, overrides);
  return async (track) => {
    const tables = await embedLayers(encoder, [track], layers, options);
    return { width: encoder.outWidth, rows: layers.map((layer) => tables.get(layer)!.embeddings) };
  };
}
