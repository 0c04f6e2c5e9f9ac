/** From audio to mel shards: every track decoded once, over threads; killed, it goes on with the shards that are there. */
import { createHash } from 'node:crypto';
import { examineRecording, type Track } from '../corpus/index.js';
import { InputError } from '../errors.js';
import type { Cache } from '../store/index.js';
import { parallelMap, type Progress } from '../workers/index.js';
import { MelShards, type LeftOut, type MelSource } from './melShards.js';
import type { ShardTaskInit } from './shardTask.js';

export interface ShardTracksOptions {
  /** Shards are kept there by the content of the files, so that a moved folder is not analysed again. */
  readonly cache: Cache;
  readonly threads: number;
  /** Of tracks. */
  readonly onProgress?: Progress;
  readonly signal?: AbortSignal;
}

export interface ShardedTracks {
  readonly tracks: readonly MelSource[];
  /** Closes the files when the tracks are no longer read. */
  readonly shards: MelShards;
  /** Tracks that could not be read. */
  readonly leftOut: readonly LeftOut[];
}

/** A longer track is cut into pieces of that length, seconds: 38 MB of samples. */
const PIECE_SECONDS = 600;
/** A shard holds so much at most: 29 MB of mels. */
const SHARD_SECONDS = 1800;
const SHARD_TRACKS = 64;
/** One file in so many begins a new shard by its name alone. */
const NEW_SHARD_FILES = 32;

/** Bytes of the mels of so many seconds. */
export function melBytes(seconds: number): number {
  return Math.ceil(seconds * 31.25) * 128 * 4;
}

/** Pieces of tracks that are longer than ten minutes, with their starts in the ids; other tracks as they are. */
export async function pretrainingPieces(tracks: readonly Track[], cache?: Cache): Promise<Track[]> {
  const pieces: Track[] = [];
  for (const track of tracks) {
    const { source } = track;
    if (source.kind === 'composed') {
      pieces.push(track);
      continue;
    }
    const known = track.durationSeconds || (await examineRecording(source.path, 30, { quick: true, cache })).seconds;
    const { start: begin = 0 } = source;
    for (let start = 0; start === 0 || start < known; start += PIECE_SECONDS) {
      const duration = Math.min(PIECE_SECONDS, known - start);
      if (start === 0 && known <= PIECE_SECONDS) pieces.push({ ...track, durationSeconds: known });
      // A rest of a few frames is no track.
      else if (duration >= 1)
        pieces.push({
          ...track,
          id: `${track.id}@${begin + start}`,
          durationSeconds: duration,
          source: { ...source, start: begin + start, duration },
        });
    }
  }
  return pieces;
}

/**
 * The tracks of each shard, those of a file one after the other and in one unit of work. Where a shard begins is told by
 * the names of files as well as by lengths, so that a file that is added moves few of the shards behind it.
 */
export function shardUnits(tracks: readonly Track[]): Track[][][] {
  const units: Track[][][] = [];
  let [seconds, lastPath] = [0, ''];
  for (const track of tracks) {
    const { source, durationSeconds, group } = track;
    const path = source.kind === 'file' ? source.path : track.id;
    const shard = units.at(-1)?.at(-1);
    const isFull = !shard || seconds + durationSeconds > SHARD_SECONDS || shard.length >= SHARD_TRACKS;
    const isNewFile = path !== lastPath;
    if (!shard || (isNewFile && (isFull || startsShard(group)))) units.push([[]]);
    else if (isFull) units.at(-1)!.push([]);
    if (units.at(-1)!.at(-1)!.length === 0) seconds = 0;
    units.at(-1)!.at(-1)!.push(track);
    seconds += durationSeconds;
    lastPath = path;
  }
  return units;
}

function startsShard(name: string): boolean {
  return createHash('md5').update(name).digest().readUInt32LE(0) % NEW_SHARD_FILES === 0;
}

/**
 * Mel spectrograms of tracks on disk. What cannot be read is left out and does not stop the rest.
 * @throws InputError if no track can be read; the signal's reason on abort
 */
export async function shardTracks(all: readonly Track[], options: ShardTracksOptions): Promise<ShardedTracks> {
  const { cache, threads, onProgress, signal } = options;
  const pieces = await pretrainingPieces(all, cache);
  const units = shardUnits(pieces);
  const paths: string[][] = [];
  const init: ShardTaskInit = { cacheRoot: cache.root };
  cache.hold();
  let done = 0;
  await parallelMap<Track[][], string[]>(new URL('./shardTask.js', import.meta.url), 'shardTask', units, {
    threads,
    init,
    signal,
    onResult: (unit, own) => {
      paths[unit] = own;
      onProgress?.((done += units[unit].flat().length), pieces.length);
    },
  });
  const shards = new MelShards();
  const opened = paths.flat().map((path) => shards.open(path));
  const tracks = opened.flatMap((shard) => shard.tracks);
  const leftOut = opened.flatMap((shard) => shard.leftOut);
  if (tracks.length === 0) throw new InputError(leftOut[0]?.id ?? 'tracks', leftOut[0]?.problem ?? 'there are none');
  return { tracks, shards, leftOut };
}
