/** Tracks -> clips -> embedding tables. Letters: C clips, F frames, M mel bands (128). */
import type { Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { clipStarts, type MelTrack } from '../mel/index.js';
import type { Progress } from '../workers/index.js';
import { buildTable, type EmbeddingTable } from './table.js';

/** Where to read the encoder: its output, or the mean over tokens after that many blocks (0 = before the first). */
export type Layer = number | 'output';

export interface EmbedOptions {
  /** clips per forward pass, default 16 (what a batch works on stays near the core); changes speed and memory only */
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
  const { clipFrames = encoder.config.clipFrames, clipHop = clipFrames, batchClips = 16, onProgress, signal } = options;
  if (tracks.length === 0) throw new InputError('embedTracks', 'no tracks; expected at least one');
  assertLayers(encoder, layers);
  const { nMels } = encoder.config;
  for (const { id, mel } of tracks)
    if (mel.nMels !== nMels)
      throw new InputError(`track ${id}`, `${mel.nMels} mel bands; the encoder was made for ${nMels}`);
  const starts = tracks.map(({ mel }) => clipStarts(mel.nFrames, clipFrames, clipHop));
  const clips = starts.flatMap((own, track) => own.map((start) => ({ track, start })));
  const width = encoder.outWidth;
  const values = layers.map(() => new Float32Array(clips.length * width));

  let done = 0; // tracks
  for (let first = 0; first < clips.length; first += batchClips) {
    signal?.throwIfAborted();
    // A batch takes clips of as many tracks as it needs: tracks are short, and a full batch costs less a clip.
    const batch = clips.slice(first, first + batchClips);
    const ofTracks = batch.map(({ track, start }) => ({ mel: tracks[track].mel, start }));
    const embedded = named(batch, tracks, () => encoder.forwardLayers(ofTracks, layers, { clipFrames }));
    embedded.forEach((tensor, layer) => {
      values[layer].set(tensor.dataSync<'float32'>(), first * width);
      tensor.dispose();
    });
    // The forward pass is synchronous; without this an abort or a progress bar would never get its turn.
    await new Promise((resolve) => setImmediate(resolve));
    const isWhole = first + batchClips >= clips.length;
    for (; done < (isWhole ? tracks.length : clips[first + batchClips].track); done++) {
      signal?.throwIfAborted();
      onProgress?.(done + 1, tracks.length, tracks[done].id);
    }
  }
  const ids = tracks.map((track) => track.id);
  return new Map(layers.map((layer, i) => [layer, buildTable(ids, rowsOf(values[i], starts, width), width)]));
}

/** The rows of each track. */
function rowsOf(values: Float32Array, starts: readonly number[][], width: number): Float32Array[] {
  let at = 0;
  return starts.map((own) => values.subarray(at, (at += own.length * width)));
}

/** Runs a batch; an error about a clip of it is told of the clip's track. */
function named<T>(
  batch: readonly { readonly track: number; readonly start: number }[],
  tracks: readonly MelTrack[],
  run: () => T,
): T {
  try {
    return run();
  } catch (error) {
    const clip = error instanceof InputError ? batch[Number(/^clip (\d+)$/.exec(error.where)?.[1])] : undefined;
    if (!clip) throw error;
    const { problem } = error as InputError;
    throw new InputError(`track ${tracks[clip.track].id}, clip from frame ${clip.start}`, problem, { cause: error });
  }
}

/** @throws InputError for no layer, or one that the encoder does not have */
export function assertLayers(encoder: Encoder, layers: readonly Layer[]): void {
  const { depth } = encoder.config;
  if (layers.length === 0) throw new InputError('embedTracks', 'no layers asked for; expected at least one');
  for (const layer of layers)
    if (layer !== 'output' && !(Number.isInteger(layer) && layer >= 0 && layer <= depth))
      throw new InputError('layer', `${layer} found; this encoder has layers 0 (no block) to ${depth} and "output"`);
}
