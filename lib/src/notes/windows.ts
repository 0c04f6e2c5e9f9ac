/** From notes to tables that a probe reads: a row of statistics for each window of a recording. */
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import { buildTable, type EmbeddingTable } from '../embeddings/index.js';
import type { Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { NUM_KEYS, transposeKey } from '../keys/index.js';
import { clipStarts, type MelTrack } from '../mel/index.js';
import type { Probe } from '../probe/index.js';
import type { Progress } from '../workers/index.js';
import { binActivity, BIN_TOKENS, noteStatistics, STATISTICS_WIDTH, transposeStatistics } from './statistics.js';
import { transcribe } from './overlap.js';
import { TOKEN_FRAMES, type Transcriber } from './transcriber.js';

/** Frames of a bin of activity. */
export const BIN_FRAMES = BIN_TOKENS * TOKEN_FRAMES;

/** How a recording is cut; both in bins. */
export interface WindowPlan {
  readonly length: number;
  readonly hop: number;
}

/** 25 s every 12.5 s: long enough for a loop of chords and its return, and a whole number of an encoder's clips. */
export const WHOLE_WINDOWS: WindowPlan = { length: 98, hop: 49 };
/** 6 s every 3 s, as clips of the encoder: for the key over time. */
export const MOMENT_WINDOWS: WindowPlan = { length: 24, hop: 12 };

/** Some bins of a recording. */
export interface NoteWindow {
  readonly start: number;
  readonly length: number;
}

/** The windows of a recording, its remainder dropped; one that is too short for two windows is heard as a whole. */
export function noteWindows(nBins: number, { length, hop }: WindowPlan): NoteWindow[] {
  if (nBins < length + hop) return [{ start: 0, length: nBins }];
  return clipStarts(nBins, length, hop).map((start) => ({ start, length }));
}

/** Statistics [C, STATISTICS_WIDTH] of windows of `bins` [T, 36]. */
export function windowStatistics(bins: Float32Array, windows: readonly NoteWindow[]): Float32Array {
  const rows = new Float32Array(windows.length * STATISTICS_WIDTH);
  windows.forEach(({ start, length }, row) => {
    const own = bins.subarray(start * ACTIVITY_CHANNELS, (start + length) * ACTIVITY_CHANNELS);
    rows.set(noteStatistics(own), row * STATISTICS_WIDTH);
  });
  return rows;
}

/** The windows of each track as rows of a table, in place of embeddings. @throws InputError for no tracks */
export async function noteTable(
  encoder: Encoder,
  transcriber: Transcriber,
  tracks: readonly MelTrack[],
  { onProgress, signal }: { readonly onProgress?: Progress; readonly signal?: AbortSignal } = {},
): Promise<EmbeddingTable> {
  if (tracks.length === 0) throw new InputError('noteTable', 'no tracks; expected at least one');
  const rows: Float32Array[] = [];
  for (const [done, { id, mel }] of tracks.entries()) {
    signal?.throwIfAborted();
    const bins = binActivity(transcribe(encoder, transcriber, mel));
    rows.push(windowStatistics(bins, noteWindows(bins.length / ACTIVITY_CHANNELS, WHOLE_WINDOWS)));
    onProgress?.(done + 1, tracks.length, id);
    // The forward pass is synchronous; without this an abort would never get its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return buildTable(tracks.map(({ id }) => id), rows, STATISTICS_WIDTH); // prettier-ignore
}

const SEMITONES = Array.from({ length: 12 }, (_, semitones) => semitones);
/** Rows that are asked about at once, at all twelve pitches. */
const BATCH_ROWS = 256;

/**
 * Logits [C, 24] of a head on statistics, asked about each row at all twelve pitches and averaged, every answer moved
 * back: transposed music then gets the transposed answer, exactly. On audio twelve shifts cost twelve passes; here notes
 * only change places.
 *
 * @param rows [C, STATISTICS_WIDTH]
 */
export function logitsOverPitches(probe: Probe, rows: Float32Array): Float32Array {
  const nRows = rows.length / STATISTICS_WIDTH;
  const logits = new Float32Array(nRows * NUM_KEYS);
  for (let first = 0; first < nRows; first += BATCH_ROWS) {
    const n = Math.min(BATCH_ROWS, nRows - first);
    const moved = Array.from({ length: n }, (_, row) => {
      const own = rows.subarray((first + row) * STATISTICS_WIDTH, (first + row + 1) * STATISTICS_WIDTH);
      const out = new Float32Array(12 * STATISTICS_WIDTH);
      for (const up of SEMITONES) out.set(transposeStatistics(own, up), up * STATISTICS_WIDTH);
      return out;
    });
    const ids = moved.map((_, row) => `row ${first + row}`);
    const answers = probe.clipLogits(buildTable(ids, moved, STATISTICS_WIDTH));
    for (let row = 0; row < n; row++)
      for (const up of SEMITONES)
        for (let key = 0; key < NUM_KEYS; key++)
          logits[(first + row) * NUM_KEYS + key] += answers[(12 * row + up) * NUM_KEYS + transposeKey(key, up)] / 12;
  }
  return logits;
}
