/**
 * The head that reads notes: learned first from composed notes, of which there are as many as one likes since no sound
 * is made of them, then from the notes that the encoder hears in the train pieces.
 */
import { ACTIVITY_CHANNELS, embeddedCorpus, keyShares, keySpans, pitchClassActivity, type Track } from '../../corpus/index.js'; // prettier-ignore
import { buildTable } from '../../embeddings/index.js';
import type { Encoder } from '../../encoder/index.js';
import { transposeKey } from '../../keys/index.js';
import {
  binActivity,
  BIN_TOKENS,
  noteStatistics,
  STATISTICS_WIDTH,
  TOKEN_SECONDS,
  transcribe,
  type Transcriber,
  transposeStatistics,
} from '../../notes/index.js';
import { clipOf, type MelSource } from '../../pretrain/index.js';
import { type Probe, type ProbeConfig, trainProbe } from '../../probe/index.js';
import { createRng, type Rng } from '../../tensor/index.js';

/** How the head is trained. */
export interface NoteHeadRecipe {
  /** Pieces of the corpus' train material, of a seed of their own. */
  readonly composed: { readonly pieces: number; readonly seed: number };
  readonly onComposed: Partial<ProbeConfig>;
  /** Goes on from the head that composed notes have taught. */
  readonly onHeard: Partial<ProbeConfig>;
}

/** Stretches of music: statistics [N, STATISTICS_WIDTH] and the key of each. */
export interface NoteRows {
  readonly rows: Float32Array;
  readonly keyIds: Int32Array;
}

/** Bins of a passage that is heard by itself: 6 to 19 s. */
const PASSAGE_BINS = [24, 74] as const;
/** Least share of its own time that a passage's key has. */
const CLEAR_SHARE = 0.7;
/** Least share of a passage in which any key is heard. */
const LEAST_KEYED = 0.5;
const BIN_SECONDS = BIN_TOKENS * TOKEN_SECONDS;

/** Collects rows without knowing beforehand how many there will be. */
class RowCollector {
  private readonly rows: Float32Array[] = [];
  private readonly keyIds: number[] = [];

  /** The whole piece, and a passage from anywhere in it where that has a key of its own. */
  add(track: Track, bins: Float32Array, rng: Rng): void {
    const nBins = bins.length / ACTIVITY_CHANNELS;
    this.rows.push(noteStatistics(bins));
    this.keyIds.push(track.keyId!);
    const length = Math.min(nBins, PASSAGE_BINS[0] + rng.int(PASSAGE_BINS[1] - PASSAGE_BINS[0]));
    const start = rng.int(nBins - length + 1);
    const { shares, keyed } = keyShares(keySpans(track), start * BIN_SECONDS, length * BIN_SECONDS);
    const keyId = shares.indexOf(Math.max(...shares));
    if (keyed < LEAST_KEYED || shares[keyId] < CLEAR_SHARE) return;
    this.rows.push(noteStatistics(bins.subarray(start * ACTIVITY_CHANNELS, (start + length) * ACTIVITY_CHANNELS)));
    this.keyIds.push(keyId);
  }

  end(): NoteRows {
    const rows = new Float32Array(this.rows.length * STATISTICS_WIDTH);
    this.rows.forEach((row, i) => rows.set(row, i * STATISTICS_WIDTH));
    return { rows, keyIds: Int32Array.from(this.keyIds) };
  }
}

/** Rows of composed pieces, from their notes as written. */
export function composedRows({ pieces, seed }: NoteHeadRecipe['composed']): NoteRows {
  const { tracks } = embeddedCorpus({ sizes: { train: pieces, valid: 0, test: 0, testTimbre: 0 }, seed });
  const collector = new RowCollector();
  const rng = createRng(seed);
  for (const [i, track] of tracks.entries()) {
    if (track.source.kind !== 'composed') continue;
    const { data } = pitchClassActivity(track.source.recipe, TOKEN_SECONDS);
    collector.add(track, binActivity(Float32Array.from(data, (share) => share / 255)), rng.fork(i));
  }
  return collector.end();
}

/** Rows of the same tracks as sound, from the notes that an encoder hears. */
export async function heardRows(
  encoder: Encoder,
  transcriber: Transcriber,
  tracks: readonly Track[],
  mels: readonly MelSource[],
  { seed, signal, onTrack }: { readonly seed: number; readonly signal?: AbortSignal; readonly onTrack?: (done: number) => void }, // prettier-ignore
): Promise<NoteRows> {
  const collector = new RowCollector();
  const rng = createRng(seed);
  for (const [i, { mel }] of mels.entries()) {
    signal?.throwIfAborted();
    collector.add(
      tracks[i],
      binActivity(transcribe(encoder, transcriber, clipOf(mel, 0, mel.nFrames).mel)),
      rng.fork(i),
    );
    onTrack?.(i + 1);
    // The forward pass is synchronous; without this an abort would never get its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return collector.end();
}

/**
 * Trains the head on rows, each at a pitch drawn anew whenever it is seen.
 * @param start the head to go on from
 */
export async function trainNoteHead(
  fields: Partial<ProbeConfig>,
  { rows, keyIds }: NoteRows,
  { start, ...options }: { readonly start?: Probe; readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void } = {}, // prettier-ignore
): Promise<Probe> {
  const row = (i: number): Float32Array => rows.subarray(i * STATISTICS_WIDTH, (i + 1) * STATISTICS_WIDTH);
  const ids = Array.from(keyIds, (_, i) => String(i));
  const table = buildTable(ids, ids.map((_, i) => row(i)), STATISTICS_WIDTH); // prettier-ignore
  return trainProbe(fields, { train: { table, keyOfTrack: keyIds } }, {
    ...options,
    weights: start?.weights,
    batchOf: (chosen, keys, rng) => {
      const x = new Float32Array(chosen.length * STATISTICS_WIDTH);
      const moved = keys.map((keyId, at) => {
        const semitones = rng.int(12);
        x.set(transposeStatistics(row(chosen[at]), semitones), at * STATISTICS_WIDTH);
        return transposeKey(keyId, semitones);
      });
      return { x, keyIds: moved };
    },
  }); // prettier-ignore
}
