/** Makes a cache smaller: what was not used for the longest time goes first. */
import { realpathSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CacheEntry, entryOf, isCacheFolder, listCache, usesOf, wallTime } from './cacheFolder.js';
import { temporaryPath } from './files.js';

export interface PruneOptions {
  /** Bytes that may stay, over all the caches; without it only age counts. */
  readonly maxBytes?: number;
  /** Milliseconds; what was used since then stays, whatever the size. */
  readonly olderThan?: number;
  /** Takes checkpoints of unfinished trainings too. */
  readonly unfinished?: boolean;
  /** Deletes nothing, says what it would. */
  readonly dryRun?: boolean;
  /** Milliseconds since 1970; the wall clock without. */
  readonly now?: number;
}

export interface PruneReport {
  readonly deleted: readonly CacheEntry[];
  /** Bytes of all entries before and after. */
  readonly before: number;
  readonly after: number;
  /** What would have gone by age and size but stays: used by a running process, or a checkpoint of an unfinished training. */
  readonly kept: { readonly inUse: number; readonly unfinished: number };
}

/** A writer that is at work dates its temporary file anew all the time. */
const LEFT_OVER_MILLISECONDS = 3600e3;

const total = (entries: readonly CacheEntry[]): number => entries.reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * Deletes entries, the longest unused first, until at most `maxBytes` are left; with `olderThan` only those not used for
 * so long, and with it alone all of those. What killed writers left goes in any case. Never deleted: what a process that
 * still runs has used, checkpoints of unfinished trainings unless `unfinished`, anything that is no entry, and anything
 * behind a link.
 *
 * @param roots folders of caches; the size counts over all of them
 * @throws InputError if one of them is no cache of ours; nothing has been deleted then
 */
export function pruneCaches(roots: readonly string[], options: PruneOptions = {}): PruneReport {
  const { maxBytes, olderThan = 0, unfinished = false, dryRun = false, now = wallTime() } = options;
  // Two names of one folder would count, and be pruned, twice.
  const folders = [...new Set(roots.map((root) => (listCache(root), realpathSync(root))))];
  const entries = folders.flatMap((root) => listCache(root).entries).sort((a, b) => a.lastUse - b.lastUse);
  const since = new Map(folders.map((root) => [root, Math.min(Infinity, ...usesOf(root))]));
  const before = total(entries);
  const byAge = maxBytes === undefined && options.olderThan !== undefined;
  const kept = { inUse: 0, unfinished: 0 };
  const deleted: CacheEntry[] = [];
  let after = before;
  for (const entry of entries) {
    const isLeftOver = entry.state === 'left over';
    const isTooMuch = byAge || (maxBytes !== undefined && after > maxBytes);
    const isOld = entry.lastUse <= now - (isLeftOver ? LEFT_OVER_MILLISECONDS : olderThan);
    if (!isOld || !(isLeftOver || isTooMuch)) continue;
    // A folder's date has the file system's own precision; a second more is on the safe side.
    if (entry.lastUse >= since.get(entry.root)! - 1000) kept.inUse++;
    else if (entry.state === 'unfinished' && !unfinished) kept.unfinished++;
    else if (dryRun || remove(entry)) {
      deleted.push(entry);
      after -= entry.bytes;
    }
  }
  return { deleted, before, after, kept };
}

/** Cuts a cache to a limit, if there is one and the folder is a cache of ours; null: nothing was looked at. */
export function keepLimit(root: string, maxBytes: number | undefined): PruneReport | null {
  return maxBytes === undefined || !isCacheFolder(root) ? null : pruneCaches([root], { maxBytes });
}

/** Deletes an entry that is still what was listed; false if it was used or replaced since. */
function remove({ root, kind, id, names, lastUse }: CacheEntry): boolean {
  const folder = join(root, kind);
  // A folder of a kind that became a link meanwhile would lead elsewhere.
  if (realpathSync(folder) !== folder || entryOf(root, kind, id, names).lastUse !== lastUse) return false;
  for (const name of names) {
    // Under another name first: killed in the middle, it leaves a left-over and never half a result.
    const leftOver = name.startsWith('.') ? join(folder, name) : temporaryPath(join(folder, name));
    if (!name.startsWith('.')) renameSync(join(folder, name), leftOver);
    rmSync(leftOver, { recursive: true, force: true }); // of links inside a folder it removes the link alone
  }
  return true;
}
