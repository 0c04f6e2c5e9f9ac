/** Tracks -> clips -> embedding tables. Letters: C clips, F frames, M mel bands (128). */
import type { Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { cutClips, type MelTrack } from '../mel/index.js';
import { tf } from '../tensor/index.js';
import type { Progress } from '../workers/index.js';
import { buildTable, type EmbeddingTable } from './table.js';

/** Where to read the encoder: its output, or the mean over tokens after that many blocks (0 = before the first). */
export type Layer = number | 'output';

export interface EmbedOptions {
  /** clips per forward pass, default 32; changes speed and memory only */
  readonly batchClips?: number;
  /** frames of a clip, default the encoder's */
  readonly clipFrames?: number;
  /** frames from one clip's start to the next's, default `clipFrames` (contiguous clips) */
  readonly clipHop?: number;
  /** called after each track */
  readonly onProgress?: Progress;
  /** on abort the current batch is finished and `signal.reason` is thrown */
  readonly signal?: AbortSignal;
}

/**
 * Embeds every clip of every track: clips are cut contiguously, the remainder is dropped, a shorter track is padded
 * with zero frames, nothing is masked.
 *
 * @param options.layer where to read the encoder, default its output
 * @returns table of width `encoder.outWidth`
 * @throws InputError for no tracks, or naming the track whose embedding is not finite
 */
export async function embedTracks(
  encoder: Encoder,
  tracks: readonly MelTrack[],
  options: EmbedOptions & { readonly layer?: Layer } = {},
): Promise<EmbeddingTable> {
  const { layer = 'output' } = options;
  return (await embedLayers(encoder, tracks, [layer], options)).get(layer)!;
}

/**
 * One table for each layer asked for, from one pass over the tracks.
 *
 * @returns tables by layer, in the order asked for
 */
export async function embedLayers(
  encoder: Encoder,
  tracks: readonly MelTrack[],
  layers: readonly Layer[],
  options: EmbedOptions = {},
): Promise<Map<Layer, EmbeddingTable>> {
  const { clipFrames = encoder.config.clipFrames, clipHop = clipFrames, onProgress, signal } = options;
  if (tracks.length === 0) throw new InputError('embedTracks', 'no tracks; expected at least one');
  assertLayers(encoder, layers);
  // All stages of a batch are held at once when several layers are read, so the batch is smaller then.
  const batchClips = layers.length > 1 ? Math.min(options.batchClips ?? 8, 8) : (options.batchClips ?? 32);
  const width = encoder.outWidth;

  const rows = layers.map(() => [] as Float32Array[]);
  for (const [done, { id, mel }] of tracks.entries()) {
    const clips = cutClips(mel, clipFrames, { hop: clipHop });
    const own = layers.map(() => new Float32Array(clips.length * width));
    for (let start = 0; start < clips.length; start += batchClips) {
      signal?.throwIfAborted();
      const batch = clips.slice(start, start + batchClips);
      const packed = new Float32Array(batch.length * mel.nMels * clipFrames);
      batch.forEach((clip, i) => packed.set(clip.data, i * clip.data.length));
      const embedded = readLayers(encoder, packed, batch.length, clipFrames, layers);
      embedded.forEach((values, i) => own[i].set(values, start * width));
      // The forward pass is synchronous; without this an abort or a progress bar would never get its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    own.forEach((values, i) => rows[i].push(values));
    onProgress?.(done + 1, tracks.length, id);
  }
  const ids = tracks.map((track) => track.id);
  return new Map(layers.map((layer, i) => [layer, buildTable(ids, rows[i], width)]));
}

/** Embeddings [C, outWidth] of one batch at each layer. */
function readLayers(
  encoder: Encoder,
  clips: Float32Array,
  nClips: number,
  clipFrames: number,
  layers: readonly Layer[],
): Float32Array[] {
  if (layers.length === 1) {
    const layer = layers[0] === 'output' ? undefined : layers[0];
    const out = encoder.forward(clips, nClips, { clipFrames, layer });
    const values = out.dataSync<'float32'>();
    out.dispose();
    return [values];
  }
  const patchings = (['square', 'vertical'] as const).filter(
    (patching) => encoder.config.patches === 'hybrid' || encoder.config.patches === patching,
  );
  const parts = patchings.map((patching) =>
    tf.tidy(() => {
      const stages = encoder.intermediates(clips, nClips, { clipFrames, patching });
      return layers.map((layer) => {
        if (layer === 'output') return stages.pooled.dataSync<'float32'>();
        const tokens = layer === 0 ? stages.tokens : stages.blocks[layer - 1].out;
        return tf.mean(tf.reshape(tokens, [nClips, stages.nTokens, tokens.shape[1]]), 1).dataSync<'float32'>();
      });
    }),
  );
  return layers.map((_, i) => {
    if (parts.length === 1) return parts[0][i];
    const width = encoder.config.width;
    const joined = new Float32Array(nClips * 2 * width);
    for (let clip = 0; clip < nClips; clip++)
      parts.forEach((part, p) =>
        joined.set(part[i].subarray(clip * width, (clip + 1) * width), (2 * clip + p) * width),
      );
    return joined;
  });
}

function assertLayers(encoder: Encoder, layers: readonly Layer[]): void {
  const { depth } = encoder.config;
  if (layers.length === 0) throw new InputError('embedTracks', 'no layers asked for; expected at least one');
  for (const layer of layers)
    if (layer !== 'output' && !(Number.isInteger(layer) && layer >= 0 && layer <= depth))
      throw new InputError('layer', `${layer} found; this encoder has layers 0 (no block) to ${depth} and "output"`);
}
