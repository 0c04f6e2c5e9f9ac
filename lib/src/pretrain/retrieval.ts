/** Retrieval: does an encoder find the other view of the same track among many tracks? */
import type { Encoder } from '../encoder/index.js';
import type { MelTrack } from '../mel/index.js';
import { createRng, tf, type Rng } from '../tensor/index.js';
import { gatherPatches, maskClips, PATCHINGS, positivePair, type ClipOfTrack } from '../views/index.js';
import { checkTracks } from './batches.js';

export interface RetrievalOptions {
  /** Share of tokens removed from each view; 0 = whole clips. */
  readonly maskRatio: number;
  /** Largest distance of the two clips in frames; null = anywhere in the track. */
  readonly maxFrameDistance: number | null;
  readonly seed: number;
  /** Clips embedded at once. */
  readonly batchClips?: number;
}

export interface RetrievalScore {
  readonly nTracks: number;
  /** Share of views whose nearest among the nTracks other views is of the same track, 0 .. 1, mean of both directions. */
  readonly top1: number;
  /** Mean of 1 / rank of the right one, 0 .. 1, mean of both directions. */
  readonly meanReciprocalRank: number;
  /** Expected top1 of guessing, 1 / nTracks. */
  readonly chance: number;
}

/**
 * Draws two views of each track, embeds them without projection head, and ranks by cosine similarity each first view
 * against all second ones and the other way round; ties count as lost. With the same seed all encoders of one clip
 * length get the same clips.
 *
 * @param tracks held-out tracks, at least 2
 * @throws InputError for a mask ratio out of range or a track that cannot be used
 */
export function retrievalScore(
  encoder: Encoder,
  tracks: readonly MelTrack[],
  { maskRatio, maxFrameDistance, seed, batchClips = 32 }: RetrievalOptions,
): RetrievalScore {
  const nTracks = tracks.length;
  if (nTracks < 2) throw new RangeError(`retrievalScore: at least 2 tracks are needed, found ${nTracks}`);
  const { clipFrames, nMels } = encoder.config;
  checkTracks(tracks, nMels);
  const clips = createRng(seed).fork('clips');
  const starts = tracks.map(({ mel }) => positivePair(mel.nFrames, clipFrames, clips, { maxFrameDistance }));
  const masks = createRng(seed).fork('masks');
  const [first, second] = [0, 1].map((view) =>
    unitEmbeddings(
      encoder,
      tracks.map(({ mel }, i) => ({ mel, start: starts[i][view] })),
      maskRatio,
      masks,
      batchClips,
    ),
  );
  const ranks = [...ranksOf(first, second), ...ranksOf(second, first)];
  return {
    nTracks,
    top1: ranks.filter((rank) => rank === 1).length / ranks.length,
    meanReciprocalRank: ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length,
    chance: 1 / nTracks,
  };
}

/** Embeddings of length 1, one a clip; hybrid: each half of length 1 / sqrt 2, so that both count the same. */
function unitEmbeddings(
  encoder: Encoder,
  clips: readonly ClipOfTrack[],
  maskRatio: number,
  rng: Rng,
  batchClips: number,
): Float32Array[] {
  const { patches: variant, clipFrames, width, nMels } = encoder.config;
  const out = clips.map(() => new Float32Array(encoder.outWidth));
  for (let begin = 0; begin < clips.length; begin += batchClips) {
    const some = clips.slice(begin, begin + batchClips);
    const kept = maskRatio === 0 ? {} : maskClips(variant, some.length, clipFrames, maskRatio, rng, nMels);
    const patchings = PATCHINGS[variant];
    const patches = Object.fromEntries(patchings.map((p) => [p, gatherPatches(some, clipFrames, p, kept[p])]));
    tf.tidy(() => {
      const parts = encoder.forwardPatches(patches, some.length, { kept });
      patchings.forEach((patching, part) => {
        const data = parts[patching]!.dataSync<'float32'>();
        some.forEach((_, i) => {
          const row = data.subarray(i * width, (i + 1) * width);
          const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) * patchings.length) || 1;
          row.forEach((x, k) => (out[begin + i][part * width + k] = x / length));
        });
      });
    });
  }
  return out;
}

/** For each query the rank of the candidate with the same index, 1 = nearest. */
function ranksOf(queries: readonly Float32Array[], candidates: readonly Float32Array[]): number[] {
  return queries.map((query, i) => {
    const similarity = (other: Float32Array): number => query.reduce((sum, x, k) => sum + x * other[k], 0);
    const own = similarity(candidates[i]);
    return candidates.filter((other, j) => j === i || similarity(other) >= own).length;
  });
}
