/**
 * 06: what a map is made of: clean clips to fit it on, and augmented copies of some of them to place on it.
 * Letters: n clean clips, m copies, d width of the embedding.
 */
import { augmentationInfo } from '../../audio/index.js';
import type { Split } from '../../corpus/index.js';
import { type EmbeddingTable, fitStandardizer, standardize } from '../../embeddings/index.js';
import { float32, readSafetensors, writeSafetensors } from '../../store/index.js';
import { createRng } from '../../tensor/index.js';
import type { Points } from '../../tsne/index.js';
import { augmentedChains, type Chain, chainName, chainShift, CLEAN } from '../augmented/augmentedSets.js';
import { loadAugmented } from '../augmented/augmentedTables.js';
import { loadTable } from '../features/embeddingTables.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import { type Run, tracksOf } from '../run/run.js';
import type { CopyKind, MappedTrack } from './tsneMeasurements.js';

/** Splits whose clean clips a map is fitted on: a track has neighbours of its key only among many others. */
export const MAP_SPLITS: readonly Split[] = ['train', 'valid', 'test'];

/** Where the clips of a map come from; the same for every encoder. */
export interface ClipIndex {
  readonly tracks: readonly MappedTrack[];
  /** [n] index into `tracks`, and which clip of the track */
  readonly trackOf: Int32Array;
  readonly clipOf: Int32Array;
  /** [n] */
  readonly keyIds: Int32Array;
  /** [copies of one chain] the clean clip that a copy was made of */
  readonly originals: Int32Array;
  /** What was done, one after the other; copy `kind * originals.length + i` is of clip `originals[i]`. */
  readonly chains: readonly Chain[];
}

/** The first `clips` rows of each track. */
function firstClips({ embeddings, width, trackOf, trackIds }: EmbeddingTable, clips: number): Float32Array[][] {
  const rows: Float32Array[][] = trackIds.map(() => []);
  trackOf.forEach((track, clip) => {
    if (rows[track].length < clips) rows[track].push(embeddings.subarray(clip * width, (clip + 1) * width));
  });
  return rows;
}

/** The chains of the test split's copies; the clean audio is not one of them. */
export function copyChains(run: Run): Chain[] {
  return augmentedChains(run.preset, 'test').filter((chain) => chain.length > 0);
}

/** What is said of a chain. */
export function copyKind(chain: Chain): CopyKind {
  const [first] = chain;
  const single = chain.length === 1;
  const info = augmentationInfo(first.id);
  return {
    chain: chainName(chain),
    augmentation: single ? first.id : 'composition',
    label: single ? info.name : 'Composition',
    axisLabel: single ? info.axisLabel : '',
    strength: single ? first.strength : null,
    semitones: chainShift(chain),
  };
}

/** Tables of the clean clips of one encoder, split by split; of tracks with copies the clips that the copies are of. */
function cleanRows(run: Run, encoder: EncoderOfSeed): { split: Split; rows: Float32Array[][] }[] {
  const { clips } = run.preset.augmented;
  const heard = loadAugmented(run, encoder, 'test', CLEAN);
  const place = new Map(heard.trackIds.map((id, i) => [id, i]));
  const heardRows = firstClips(heard, clips);
  return MAP_SPLITS.map((split) => {
    const table = loadTable(run, encoder, split);
    const rows = firstClips(table, clips).map((own, track) => heardRows[place.get(table.trackIds[track]) ?? -1] ?? own);
    return { split, rows };
  });
}

/** Which clips there are. @param encoder any: tables of all encoders have the same rows */
export function clipIndex(run: Run, encoder: EncoderOfSeed): ClipIndex {
  const heard = loadAugmented(run, encoder, 'test', CLEAN);
  const tracks: MappedTrack[] = [];
  const trackOf: number[] = [];
  const clipOf: number[] = [];
  const firstOf = new Map<string, number>();
  for (const { split, rows } of cleanRows(run, encoder)) {
    tracksOf(run, split).forEach((track, i) => {
      firstOf.set(track.id, trackOf.length);
      rows[i].forEach((_, clip) => {
        trackOf.push(tracks.length);
        clipOf.push(clip);
      });
      tracks.push({ id: track.id, keyId: track.keyId ?? -1, split, style: String(track.labels.style ?? '') });
    });
  }
  const seen = new Map<number, number>();
  const originals = Int32Array.from(heard.trackOf, (track) => {
    const clip = seen.get(track) ?? 0;
    seen.set(track, clip + 1);
    return firstOf.get(heard.trackIds[track])! + clip;
  });
  return {
    tracks,
    trackOf: Int32Array.from(trackOf),
    clipOf: Int32Array.from(clipOf),
    keyIds: Int32Array.from(trackOf, (track) => tracks[track].keyId),
    originals,
    chains: copyChains(run),
  };
}

/** Clean clips [n, d] and copies [m, d] of one encoder, standardized by the train split's clean clips as for probes. */
export interface MapPoints {
  readonly clean: Points;
  readonly copies: Points;
}

/** Reads the tables of one encoder. */
export function mapPointsOf(run: Run, encoder: EncoderOfSeed): MapPoints {
  const standardizer = fitStandardizer(loadTable(run, encoder, 'train'));
  const scaled = (rows: readonly Float32Array[]): Points => {
    const width = standardizer.mean.length;
    const embeddings = new Float32Array(rows.length * width);
    rows.forEach((row, i) => embeddings.set(row, i * width));
    const table = { embeddings, nClips: rows.length, width, trackOf: new Int32Array(rows.length), trackIds: ['all'] };
    return { data: standardize(table, standardizer).embeddings, shape: [rows.length, width] };
  };
  const copies = copyChains(run).flatMap((chain) => {
    const { embeddings, nClips, width } = loadAugmented(run, encoder, 'test', chain);
    return Array.from({ length: nClips }, (_, clip) => embeddings.subarray(clip * width, (clip + 1) * width));
  });
  return { clean: scaled(cleanRows(run, encoder).flatMap(({ rows }) => rows.flat())), copies: scaled(copies) };
}

/** Some rows of a cloud. */
export function rowsOf({ data, shape: [, d] }: Points, rows: ArrayLike<number>): Points {
  const taken = new Float32Array(rows.length * d);
  for (let i = 0; i < rows.length; i++) taken.set(data.subarray(rows[i] * d, (rows[i] + 1) * d), i * d);
  return { data: taken, shape: [rows.length, d] };
}

/** Every column permuted by itself: the columns' distributions stay, what clips have in common goes. */
export function shuffledColumns({ data, shape }: Points): Points {
  const [n, d] = shape;
  const rng = createRng('shuffled columns');
  const out = new Float32Array(n * d);
  for (let column = 0; column < d; column++)
    rng.permutation(n).forEach((from, to) => (out[to * d + column] = data[from * d + column]));
  return { data: out, shape };
}

/** Keeps clouds in a file that worker threads read. */
export function writePoints(path: string, { clean, copies }: MapPoints): void {
  writeSafetensors(
    path,
    new Map([
      ['clean', float32(clean.shape, clean.data)],
      ['copies', float32(copies.shape, copies.data)],
    ]),
  );
}

/** Reads a file of `writePoints`. */
export function readPoints(path: string): MapPoints {
  const { tensors } = readSafetensors(path);
  const cloud = (name: string): Points => {
    const { data, shape } = tensors.get(name)!;
    return { data: data as Float32Array, shape: [shape[0], shape[1]] };
  };
  return { clean: cloud('clean'), copies: cloud('copies') };
}
