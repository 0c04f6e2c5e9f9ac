/** The embedding table: all that analyses and probes see of an encoder. Letters: C clips, T tracks. */
import { InputError } from '../errors.js';
import {
  float32,
  int32,
  namesInMetadata,
  readSafetensors,
  type StoredTensor,
  writeSafetensors,
} from '../store/index.js';

export interface EmbeddingTable {
  /** [C, width] row-major; the clips of a track stand together, tracks in the order of `trackIds` */
  readonly embeddings: Float32Array;
  readonly nClips: number;
  readonly width: number;
  /** [C] index into `trackIds` */
  readonly trackOf: Int32Array;
  readonly trackIds: readonly string[];
}

/**
 * Builds a table from the rows of each track.
 * @param rowsOfTrack per track the rows [nClips of the track, width]
 * @throws InputError for a track without clips or a value that is not finite
 */
export function buildTable(
  trackIds: readonly string[],
  rowsOfTrack: readonly Float32Array[],
  width: number,
): EmbeddingTable {
  const nClips = rowsOfTrack.reduce((sum, rows) => sum + rows.length / width, 0);
  const embeddings = new Float32Array(nClips * width);
  const trackOf = new Int32Array(nClips);
  let clip = 0;
  rowsOfTrack.forEach((rows, track) => {
    if (rows.length === 0 || rows.length % width !== 0)
      throw new InputError(
        `track ${trackIds[track]}`,
        `${rows.length} values; expected rows of ${width}, at least one`,
      );
    embeddings.set(rows, clip * width);
    trackOf.fill(track, clip, clip + rows.length / width);
    clip += rows.length / width;
  });
  return assertTable('embedding table', { embeddings, nClips, width, trackOf, trackIds });
}

/** The clips of the given tracks only, in the order asked for. @param tracks indices into `trackIds` */
export function selectTracks(table: EmbeddingTable, tracks: readonly number[]): EmbeddingTable {
  const clipsOf: number[][] = table.trackIds.map(() => []);
  table.trackOf.forEach((track, clip) => clipsOf[track].push(clip));
  const rows = tracks.map((track) => {
    const clips = clipsOf[track];
    if (clips === undefined)
      throw new InputError('selectTracks', `track ${track}; the table has ${table.trackIds.length} tracks`);
    const own = new Float32Array(clips.length * table.width);
    clips.forEach((clip, i) =>
      own.set(table.embeddings.subarray(clip * table.width, (clip + 1) * table.width), i * table.width),
    );
    return own;
  });
  const ids = tracks.map((track) => table.trackIds[track]);
  return buildTable(ids, rows, table.width);
}

/** Two descriptions of the same clips side by side: width = a.width + b.width. */
export function concatenateTables(a: EmbeddingTable, b: EmbeddingTable): EmbeddingTable {
  const sameClips = a.nClips === b.nClips && a.trackOf.every((track, clip) => track === b.trackOf[clip]);
  if (!sameClips || a.trackIds.some((id, i) => id !== b.trackIds[i]))
    throw new InputError(
      'concatenateTables',
      `the tables (${a.nClips} and ${b.nClips} clips) do not describe the same clips of the same tracks`,
    );
  const width = a.width + b.width;
  const embeddings = new Float32Array(a.nClips * width);
  for (let clip = 0; clip < a.nClips; clip++) {
    embeddings.set(a.embeddings.subarray(clip * a.width, (clip + 1) * a.width), clip * width);
    embeddings.set(b.embeddings.subarray(clip * b.width, (clip + 1) * b.width), clip * width + a.width);
  }
  return { ...a, embeddings, width };
}

/** Checks a table's shape and that every value is finite; returns it. */
export function assertTable(where: string, table: EmbeddingTable): EmbeddingTable {
  const { embeddings, nClips, width, trackOf, trackIds } = table;
  if (embeddings.length !== nClips * width || trackOf.length !== nClips)
    throw new InputError(
      where,
      `${embeddings.length} values and ${trackOf.length} track indices; expected ${nClips} x ${width} and ${nClips}`,
    );
  for (const track of trackOf)
    if (track < 0 || track >= trackIds.length)
      throw new InputError(where, `track index ${track}; the table names ${trackIds.length} tracks`);
  const bad = embeddings.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const clip = Math.floor(bad / width);
    throw new InputError(
      where,
      `clip ${clip} (track ${trackIds[trackOf[clip]]}) has the value ${embeddings[bad]} at ${bad % width}; expected finite numbers`,
    );
  }
  return table;
}

/**
 * Writes a table as safetensors: `embeddings` F32 [C, width], `track_of` I32 [C], the track ids as JSON in the
 * metadata entry `track_ids`. Atomic.
 */
export function saveEmbeddingTable(path: string, table: EmbeddingTable, metadata: Record<string, string> = {}): void {
  assertTable(path, table);
  const tensors = new Map<string, StoredTensor>([
    ['embeddings', float32([table.nClips, table.width], table.embeddings)],
    ['track_of', int32([table.nClips], table.trackOf)],
  ]);
  writeSafetensors(path, tensors, { ...metadata, track_ids: JSON.stringify(table.trackIds) });
}

/** Reads what `saveEmbeddingTable` wrote. @throws InputError naming the file if a tensor is missing or misshapen */
export function loadEmbeddingTable(path: string): EmbeddingTable {
  const { tensors, metadata } = readSafetensors(path);
  const embeddings = tensors.get('embeddings');
  const trackOf = tensors.get('track_of');
  if (!(embeddings?.data instanceof Float32Array) || embeddings.shape.length !== 2)
    throw new InputError(path, 'no F32 tensor "embeddings" [nClips, width]; expected a file written by keymyna embed');
  if (!(trackOf?.data instanceof Int32Array))
    throw new InputError(path, 'no I32 tensor "track_of" [nClips]; expected a file written by keymyna embed');
  const [nClips, width] = embeddings.shape;
  // Tables written elsewhere may carry no ids; the index is then the only name that a track has.
  const nTracks = 1 + trackOf.data.reduce((a, b) => Math.max(a, b), -1);
  const trackIds =
    namesInMetadata(path, metadata, 'track_ids') ?? Array.from({ length: nTracks }, (_, track) => String(track));
  return assertTable(path, { embeddings: embeddings.data, nClips, width, trackOf: trackOf.data, trackIds });
}
