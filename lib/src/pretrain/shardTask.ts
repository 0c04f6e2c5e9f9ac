/** What one thread of `shardTracks` runs: shards of mels, each written once. */
import { existsSync, statSync } from 'node:fs';
import { checksumOf, trackAudio, type Track } from '../corpus/index.js';
import { InputError } from '../errors.js';
import { MEL, melSpectrogram } from '../mel/index.js';
import { Cache, configId, float32, type StoredTensor, writeSafetensors } from '../store/index.js';
import type { LeftOut } from './melShards.js';

export interface ShardTaskInit {
  readonly cacheRoot: string;
}

/** Rises whenever the mels change. */
const SHARDS_VERSION = 1;

/** Called once per thread; the function it gives writes the shards of a unit that are missing and says where all are. */
export function shardTask(init: unknown): (unit: readonly (readonly Track[])[]) => Promise<string[]> {
  const cache = new Cache((init as ShardTaskInit).cacheRoot);
  return async (unit) => {
    const checksums = await checksumsOf(cache, unit.flat());
    const paths: string[] = [];
    for (const shard of unit) {
      const id = configId({
        melShard: SHARDS_VERSION,
        mel: MEL,
        tracks: shard.map(({ id, source }) =>
          source.kind === 'file'
            ? { id, checksum: checksums.get(source.path), start: source.start, duration: source.duration }
            : { id, source },
        ),
      });
      const path = cache.path('mels', id, 'safetensors');
      if (!existsSync(path)) await writeShard(path, shard);
      paths.push(path);
    }
    return paths;
  };
}

/** Checksums by path, remembered as long as all files of the unit keep their sizes and times of change. */
async function checksumsOf(cache: Cache, tracks: readonly Track[]): Promise<Map<string, string>> {
  const paths = [...new Set(tracks.flatMap(({ source }) => (source.kind === 'file' ? [source.path] : [])))];
  const files = paths.map((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return { path, size: stat?.size ?? null, mtimeMs: stat?.mtimeMs ?? null };
  });
  const sums = await cache.json('checksums', { files }, async () => {
    const found: string[] = [];
    for (const path of paths) found.push(await checksumOf(path).catch(unreadable));
    return found;
  });
  return new Map(paths.map((path, i) => [path, sums[i]]));
}

/** A file that cannot be read has no content; once it can be, it is another one. */
function unreadable(error: unknown): string {
  if (error instanceof InputError) return 'unreadable';
  throw error;
}

async function writeShard(path: string, tracks: readonly Track[]): Promise<void> {
  const mels = new Map<string, StoredTensor>();
  const ids: string[] = [];
  const leftOut: LeftOut[] = [];
  for (const track of tracks) {
    try {
      const { nMels, nFrames, data } = melSpectrogram(await trackAudio(track));
      mels.set(String(ids.length), float32([nMels, nFrames], data));
      ids.push(track.id);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      leftOut.push({ id: track.id, problem: error.problem });
    }
  }
  writeSafetensors(path, mels, { track_ids: JSON.stringify(ids), left_out: JSON.stringify(leftOut) });
}
