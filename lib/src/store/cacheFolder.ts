/**
 * What lies in the folder of a cache: whose it is, who uses it now, and its entries. Links are never followed, and what
 * does not look like an entry is nobody's to delete.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  type Stats,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { InputError } from '../errors.js';

/** Says, as for other programs' caches (bford.info/cachedir), that backups may leave the folder out; and whose it is. */
const TAG = 'CACHEDIR.TAG';
const SIGNATURE = 'Signature: 8a477f597d28d172789f06886806bc55';
const OWNER = '# A cache of keymyna; `keymyna cache` shows and prunes it.';
/** Folder of the marks of running processes. */
const USERS = '.users';

const KIND = /^[a-z][a-z0-9-]*$/i;
/** What `Cache` calls its entries: the id of a configuration, a few words, an extension; a folder has the id alone. */
const ENTRY_FILE = /^([0-9a-f]{12})(?:-[\w.-]+)?\.(?:json|safetensors|npy)$/;
const ENTRY_FOLDER = /^([0-9a-f]{12})$/;
/** What a writer that was killed leaves (temporaryPath), and a deletion that was. */
const LEFT_OVER_FILE = /^(\.[0-9a-f]{12}(?:-[\w.-]+)?\.[0-9a-f]{12})\.(?:json|safetensors|npy)$/;
const LEFT_OVER_FOLDER = /^(\.[0-9a-f]{12}\.[0-9a-f]{12})$/;

/** The id of the entry that a file or folder belongs to; null if it is none, a link among others. */
function idOf(name: string, stat: Stats): string | null {
  const patterns = stat.isFile() ? [ENTRY_FILE, LEFT_OVER_FILE] : stat.isDirectory() ? [ENTRY_FOLDER, LEFT_OVER_FOLDER] : []; // prettier-ignore
  return patterns.map((pattern) => pattern.exec(name)?.[1]).find((id) => id !== undefined) ?? null;
}

/** A mark of another machine, or of a system that does not tell when a process began, counts for so long. */
const MARK_MILLISECONDS = 7 * 86_400e3;

/** Milliseconds since 1970. It dates files and never goes into a result. */
export const wallTime = (): number => performance.timeOrigin + performance.now();

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** True if the folder says that it is a cache of ours. */
export function isCacheFolder(root: string): boolean {
  const tag = join(root, TAG);
  const stat = statOf(tag);
  if (!stat?.isFile() || stat.size > 10_000) return false;
  const text = readFileSync(tag, 'utf8');
  return text.startsWith(SIGNATURE) && text.includes(OWNER);
}

/**
 * Makes the folder of a cache, and says in it whose it is. A folder that is there already is told so only if it is empty
 * or holds nothing but entries of a cache; any other can be used, but is never pruned.
 */
export function claimCacheFolder(root: string): void {
  mkdirSync(root, { recursive: true });
  if (statOf(join(root, TAG)) || !holdsEntriesOnly(root)) return;
  writeFileSync(join(root, TAG), `${SIGNATURE}\n${OWNER}\n`);
}

function holdsEntriesOnly(root: string): boolean {
  return readdirSync(root).every((kind) => {
    const folder = join(root, kind);
    if (kind === USERS) return true;
    if (!KIND.test(kind) || !statOf(folder)?.isDirectory()) return false;
    return readdirSync(folder).every((name) => {
      const stat = statOf(join(folder, name));
      return !stat || idOf(name, stat) !== null;
    });
  });
}

/** Dates a file or folder as used now; one that is not there, or may not be changed, is left as it is. */
export function touch(path: string): void {
  const seconds = wallTime() / 1000;
  try {
    utimesSync(path, seconds, seconds);
  } catch {
    // Not there yet, or a cache that is shared for reading only.
  }
}

/** When a process began, in the system's own words; null where it does not tell (only Linux does, cheaply). */
function birthOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null; // field 22; the name before may hold spaces
  } catch {
    return null;
  }
}

const marks = new Set<string>();

/** Leaves a mark that this thread uses the cache from now on; it goes when the thread ends. */
export function markUse(root: string): void {
  const mark = resolve(root, USERS, `${hostname()}.${process.pid}.${threadId}.json`);
  if (statOf(mark)) return;
  try {
    mkdirSync(dirname(mark), { recursive: true });
    writeFileSync(mark, `${JSON.stringify({ host: hostname(), pid: process.pid, birth: birthOf(process.pid) })}\n`);
  } catch {
    return; // A cache that is shared for reading only: nothing in it can be pruned either.
  }
  if (marks.size === 0) process.once('exit', () => marks.forEach((own) => rmSync(own, { force: true })));
  marks.add(mark);
}

/** Since when processes that still run use the cache, milliseconds since 1970; marks of ended ones are removed. */
export function usesOf(root: string): number[] {
  const folder = join(root, USERS);
  if (!statOf(folder)?.isDirectory()) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const stat = statOf(path);
    if (!stat?.isFile()) return [];
    if (isRunning(path, stat)) return [stat.mtimeMs];
    rmSync(path, { force: true });
    return [];
  });
}

function isRunning(path: string, { mtimeMs, size }: Stats): boolean {
  let mark: { host?: unknown; pid?: unknown; birth?: unknown };
  try {
    mark = size > 10_000 ? {} : (JSON.parse(readFileSync(path, 'utf8')) as typeof mark);
  } catch {
    mark = {}; // being written, or damaged
  }
  const { host, pid, birth } = mark;
  const isRecent = wallTime() - mtimeMs < MARK_MILLISECONDS;
  if (host !== hostname() || typeof pid !== 'number') return isRecent;
  try {
    process.kill(pid, 0); // sends nothing
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // Another process may have got the number since.
  return typeof birth === 'string' ? birthOf(pid) === birth : isRecent;
}

/** One result in a cache, all its files, or what a killed writer left of one. */
export interface CacheEntry {
  /** Real path of the cache. */
  readonly root: string;
  readonly kind: string;
  /** What the names of its files begin with. */
  readonly id: string;
  /** Files of the kind's folder, or one folder there, sorted. */
  readonly names: readonly string[];
  /** Bytes; of a folder, of the files in it. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly lastUse: number;
  /** `unfinished`: a training that goes on when it is asked for again. */
  readonly state: 'whole' | 'unfinished' | 'left over';
}

export interface CacheListing {
  /** Sorted by kind and id. */
  readonly entries: readonly CacheEntry[];
  /** Paths that are no entries; they are left alone. */
  readonly others: readonly string[];
}

/**
 * The entries of a cache.
 * @throws InputError if the folder is not there, or does not say that it is a cache of ours
 */
export function listCache(root: string): CacheListing {
  if (!isCacheFolder(root))
    throw new InputError(
      root,
      `is no cache of keymyna (no ${TAG} of ours in it); a folder becomes one when a command first keeps results there.`,
    );
  const real = realpathSync(root);
  const entries: CacheEntry[] = [];
  const others: string[] = [];
  for (const kind of readdirSync(real).sort()) {
    const folder = join(real, kind);
    if (kind === TAG || kind === USERS) continue;
    if (!KIND.test(kind) || !statOf(folder)?.isDirectory()) {
      others.push(folder);
      continue;
    }
    const namesOf = new Map<string, string[]>();
    for (const name of readdirSync(folder).sort()) {
      const stat = statOf(join(folder, name));
      const id = stat && idOf(name, stat);
      if (id) namesOf.set(id, [...(namesOf.get(id) ?? []), name]);
      else if (stat) others.push(join(folder, name));
    }
    for (const [id, names] of namesOf) entries.push(entryOf(real, kind, id, names));
  }
  return { entries, others };
}

/** An entry as it is now; what is gone of it counts for nothing. */
export function entryOf(root: string, kind: string, id: string, names: readonly string[]): CacheEntry {
  let [bytes, lastUse] = [0, 0];
  const inFolder = new Set<string>();
  const count = (path: string): boolean => {
    const stat = statOf(path);
    if (!stat) return false;
    if (stat.isFile()) bytes += stat.size;
    lastUse = Math.max(lastUse, stat.mtimeMs);
    return stat.isDirectory();
  };
  for (const name of names) {
    const path = join(root, kind, name);
    if (!count(path)) continue;
    for (const file of readdirSync(path, { recursive: true, withFileTypes: true })) {
      inFolder.add(file.name);
      count(join(file.parentPath, file.name));
    }
  }
  const isUnfinished = inFolder.has('checkpoint.safetensors') && !inFolder.has('encoder.safetensors');
  const state = id.startsWith('.') ? 'left over' : isUnfinished ? 'unfinished' : 'whole';
  return { root, kind, id, names, bytes, lastUse, state };
}
