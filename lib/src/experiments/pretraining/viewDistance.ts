/** 02: how much two clips of a track share, by the distance between them. */
import { type EmbeddingTable, loadEmbeddingTable } from '../../embeddings/index.js';
import { bootstrapInterval } from '../../stats/index.js';
import { createRng } from '../../tensor/index.js';
import { melMeanPath } from '../features/embeddingTables.js';
import { loadChroma } from '../features/features.js';
import type { Interval, ViewDistanceMeasurement } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';

const SECONDS_PER_CLIP = 6.25;
const LONGEST = 3; // clips
const TIMBRE_BANDS = 8;

/**
 * Mean cosine of two clips of a train track, by their distance in clips (0 = the same clip, 1 by construction).
 * Notes: chroma. Timbre: log-mel mean, joined to 16 groups of 8 bands so that single notes vanish. Both with the mean
 * over all clips taken off, since what all music shares tells no track from another.
 */
export function viewDistance(run: Run): Promise<ViewDistanceMeasurement> {
  return measured(run, 'view-distance', { LONGEST, TIMBRE_BANDS }, async (base) => {
    const chroma = clipsOfTracks(loadChroma(run, 'train').clips, 1);
    const timbre = clipsOfTracks(loadEmbeddingTable(await melMeanPath(run, 'train')), TIMBRE_BANDS);
    const distances = Array.from({ length: LONGEST + 1 }, (_, k) => k);
    return {
      ...base,
      nTracks: chroma.length,
      seconds: distances.map((k) => k * SECONDS_PER_CLIP),
      chroma: distances.map((k) => similarityAt(run, chroma, k)),
      timbre: distances.map((k) => similarityAt(run, timbre, k)),
      chromaOther: betweenTracks(chroma),
      timbreOther: betweenTracks(timbre),
    };
  });
}

/** Centred rows of each track, `group` neighbouring columns joined: [track][clip][column]. */
function clipsOfTracks(
  { embeddings, width, trackOf, nClips, trackIds }: EmbeddingTable,
  group: number,
): Float64Array[][] {
  const nColumns = Math.floor(width / group);
  const rows = Array.from({ length: nClips }, (_, clip) =>
    Float64Array.from({ length: nColumns }, (_, column) => {
      let sum = 0;
      for (let i = 0; i < group; i++) sum += embeddings[clip * width + column * group + i];
      return sum / group;
    }),
  );
  for (let column = 0; column < nColumns; column++) {
    const mean = rows.reduce((sum, row) => sum + row[column], 0) / nClips;
    for (const row of rows) row[column] -= mean;
  }
  const tracks: Float64Array[][] = trackIds.map(() => []);
  rows.forEach((row, clip) => tracks[trackOf[clip]].push(row));
  return tracks;
}

/** Mean over tracks of the mean cosine of clips `distance` apart, with its interval. */
function similarityAt(run: Run, tracks: readonly Float64Array[][], distance: number): Interval {
  const values = tracks.flatMap((clips) => {
    const pairs = clips.slice(distance).map((clip, i) => cosine(clip, clips[i]));
    return pairs.length ? [pairs.reduce((a, b) => a + b, 0) / pairs.length] : [];
  });
  if (values.length === 0) return { estimate: 0, low: 0, high: 0 };
  const rng = createRng(0);
  const { estimate, low, high } = bootstrapInterval(values, {
    uniform: () => rng.uniform(),
    resamples: run.preset.resamples,
  });
  return { estimate: rounded(estimate), low: rounded(low), high: rounded(high) };
}

/** Mean cosine of the first clips of different tracks (each with the next one in the list). */
function betweenTracks(tracks: readonly Float64Array[][]): number {
  const values = tracks.map((clips, i) => cosine(clips[0], tracks[(i + 1) % tracks.length][0]));
  return rounded(values.reduce((a, b) => a + b, 0) / values.length);
}

function cosine(a: Float64Array, b: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}
