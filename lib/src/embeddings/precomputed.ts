/** Reads embeddings that other programs computed: `.npz` of numpy.savez, or safetensors. */
import { basename } from 'node:path';
import { InputError } from '../errors.js';
import { namesInMetadata, type NpyArray, readNpz, readSafetensors } from '../store/index.js';
import { assertTable, buildTable, type EmbeddingTable, selectTracks } from './table.js';

/** Names under which one array of all clips, its track indices and the names of the tracks are found. */
const TABLE_NAME = 'embeddings';
const TRACK_OF_NAMES = ['track_of', 'track_index'];
const TRACK_ID_NAMES = ['track_ids', 'ids', 'names'];

/**
 * Reads a table of embeddings in one of three layouts:
 *
 * - `embeddings` [nClips, width] with `track_of` [nClips], indices into `track_ids` (texts, or the metadata entry
 *   `track_ids` as JSON; without either the index is the name): what `keymyna embed` writes;
 * - `embeddings` [nTracks, width] with `track_ids` (or `ids`, `names`) [nTracks]: one row a track;
 * - one array a track, named by its id: [nClips, width] or [width].
 *
 * Label arrays are never read: label orders differ between programs, and the order of a file cannot be seen in it.
 * Labels come from a manifest, by id.
 * @throws InputError if the file is damaged, none of these, of several widths, or holds a value that is not finite
 */
export function readPrecomputed(path: string): EmbeddingTable {
  const { arrays, ids } = readArrays(path);
  const table = arrays.get(TABLE_NAME);
  return table ? tableOf(path, table, arrays, ids) : tableOfTracks(path, arrays);
}

function readArrays(path: string): { arrays: Map<string, NpyArray>; ids: string[] | null } {
  if (path.toLowerCase().endsWith('.npz')) {
    const arrays = readNpz(path);
    const named = TRACK_ID_NAMES.map((name) => arrays.get(name)).find((array) => array !== undefined);
    if (named === undefined) return { arrays, ids: null };
    if (named.shape.length !== 1)
      throw new InputError(path, `the track ids have shape (${named.shape.join(', ')}); expected one a track`);
    return { arrays, ids: Array.from(named.data, String) };
  }
  const { tensors, metadata } = readSafetensors(path);
  return { arrays: new Map(tensors), ids: namesInMetadata(path, metadata, 'track_ids') };
}

/** Rows of numbers as float32: [n, width], a single row may be [width]. */
function rowsOf(where: string, array: NpyArray): { rows: Float32Array; width: number } {
  const { dtype, shape, data } = array;
  const isMatrix = shape.length === 2 || shape.length === 1;
  if ((dtype !== 'F32' && dtype !== 'F64') || !isMatrix || data.length === 0)
    throw new InputError(
      where,
      `an array of ${dtype} (${shape.join(', ')}); expected embeddings as floats [nClips, width]`,
    );
  return { rows: data instanceof Float32Array ? data : Float32Array.from(data), width: shape[shape.length - 1] };
}

function tableOf(
  path: string,
  table: NpyArray,
  arrays: ReadonlyMap<string, NpyArray>,
  ids: string[] | null,
): EmbeddingTable {
  const { rows: embeddings, width } = rowsOf(`${path}, array ${TABLE_NAME}`, table);
  const nClips = embeddings.length / width;
  const named = TRACK_OF_NAMES.map((name) => arrays.get(name)).find((array) => array !== undefined);
  if (named === undefined) {
    if (ids === null)
      throw new InputError(
        path,
        `neither ${TRACK_OF_NAMES[0]} nor ${TRACK_ID_NAMES.join(', ')}; nothing says which track a row belongs to`,
      );
    if (ids.length !== nClips)
      throw new InputError(path, `${ids.length} track ids and ${nClips} rows; expected one id a row`);
    assertUnique(path, ids);
    const trackOf = Int32Array.from({ length: nClips }, (_, i) => i);
    return assertTable(path, { embeddings, nClips, width, trackOf, trackIds: ids });
  }
  if (!(named.data instanceof Int32Array) || named.shape.length !== 1)
    throw new InputError(path, `${TRACK_OF_NAMES[0]} must hold whole numbers, one a clip`);
  const trackOf = named.data;
  const nTracks = 1 + trackOf.reduce((a, b) => Math.max(a, b), -1);
  // A damaged index may be in the billions; the table has no more tracks than clips.
  if (nTracks > nClips && ids === null)
    throw new InputError(path, `${TRACK_OF_NAMES[0]} names track ${nTracks - 1}; the table has ${nClips} clips`);
  const trackIds = ids ?? Array.from({ length: nTracks }, (_, i) => `${i}`);
  assertUnique(path, trackIds);
  const asFound = assertTable(path, { embeddings, nClips, width, trackOf, trackIds });
  // Others may interleave the clips; ours stand together.
  return selectTracks(asFound, Array.from(trackIds.keys()));
}

function tableOfTracks(path: string, arrays: ReadonlyMap<string, NpyArray>): EmbeddingTable {
  const ids = [...arrays.keys()];
  if (ids.length === 0) throw new InputError(path, 'holds no array; expected embeddings');
  const rows: Float32Array[] = [];
  let width = 0;
  for (const [id, array] of arrays) {
    const own = rowsOf(`${path}, array ${id}`, array);
    width ||= own.width;
    if (own.width !== width)
      throw new InputError(
        path,
        `array ${id} has width ${own.width}, ${ids[0]} has ${width}; embeddings of one encoder have one width`,
      );
    rows.push(own.rows);
  }
  return buildTable(ids, rows, width);
}

function assertUnique(path: string, ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw new InputError(path, `the track id "${id}" occurs twice in ${basename(path)}`);
    seen.add(id);
  }
}
