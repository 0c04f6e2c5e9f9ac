/** `keymyna cache`: how large the caches are, and making them smaller. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import { cacheLimit } from '../notebook/index.js';
import {
  Cache,
  type CacheEntry,
  formatBytes,
  isCacheFolder,
  keepLimit,
  listCache,
  parseAge,
  parseBytes,
  pruneCaches,
} from '../store/index.js';

interface FolderOptions {
  readonly cache?: string;
}

interface PruneCommandOptions extends FolderOptions {
  readonly maxSize?: number;
  readonly olderThan?: number;
  readonly unfinished?: boolean;
  readonly dryRun?: boolean;
}

/** Where results are remembered: --cache, KEYMYNA_CACHE, else the user's cache folder. */
export function cacheOf(option: string | undefined): Cache {
  return new Cache(option ?? (process.env.KEYMYNA_CACHE || userFolder()));
}

const userFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keymyna');

/** Reads an option that is a size. */
export const sizeOption = (option: string) => (text: string) => parseBytes(text, `option ${option}`);

/** Cuts a cache to --cache-limit, else KEYMYNA_CACHE_LIMIT, after a run; what the run used stays. */
export function afterRun(cache: Cache, limit: number | undefined): void {
  const report = keepLimit(cache.root, limit ?? cacheLimit());
  if (report && report.deleted.length > 0)
    console.error(
      `cache: ${formatBytes(report.before - report.after)} not used for long deleted, ${formatBytes(report.after)} left`,
    );
}

/** The caches that there are: the named one; else KEYMYNA_CACHE; else the user's and those of the project's presets. */
function cacheFolders({ cache }: FolderOptions): string[] {
  const named = cache ?? process.env.KEYMYNA_CACHE;
  if (named) return [named];
  const presets = fileURLToPath(new URL('../../../data/cache', import.meta.url));
  const ofPresets = existsSync(presets) ? readdirSync(presets).map((name) => join(presets, name)) : [];
  return [userFolder(), ...ofPresets].filter(isCacheFolder);
}

const FOLDER_HELP = 'folder of the cache (default: KEYMYNA_CACHE, else ~/.cache/keymyna and the presets’ data/cache/*)';

export function registerCache(program: Command): void {
  const command = program.command('cache').description('sizes of the caches by kind; prune makes them smaller');
  command
    .command('list', { isDefault: true })
    .description('sizes of the caches by kind of result')
    .option('--cache <dir>', FOLDER_HELP)
    .action((options: FolderOptions) => {
      const folders = cacheFolders(options);
      if (folders.length === 0) console.log('there is no cache yet');
      for (const folder of folders) console.log(listing(folder));
    });
  command
    .command('prune')
    .description(
      'delete what was not used for the longest time; never what a running process uses, nor checkpoints of unfinished trainings',
    )
    .option('--cache <dir>', FOLDER_HELP)
    .option('--max-size <size>', 'what may stay, over all the caches, such as 20GB', sizeOption('--max-size'))
    .option('--older-than <age>', 'only what was not used for so long, such as 30d or 12h', (text) =>
      parseAge(text, 'option --older-than'),
    )
    .option('--unfinished', 'checkpoints of unfinished trainings too')
    .option('--dry-run', 'delete nothing, say what would go')
    .action(prune);
}

function prune({ maxSize, olderThan, unfinished, dryRun, ...options }: PruneCommandOptions): void {
  if (maxSize === undefined && olderThan === undefined)
    throw new InputError('cache prune', 'needs --max-size or --older-than, such as --max-size 20GB --older-than 30d');
  const folders = cacheFolders(options);
  const { deleted, before, after, kept } = pruneCaches(folders, { maxBytes: maxSize, olderThan, unfinished, dryRun });
  for (const row of kindRows(deleted)) console.log(`  ${row}`);
  const verb = dryRun ? 'would be deleted' : 'deleted';
  console.log(`${formatBytes(before - after)} in ${deleted.length} results ${verb}, ${formatBytes(after)} left`);
  if (kept.inUse > 0) console.log(`${kept.inUse} stay: a running process uses them`);
  if (kept.unfinished > 0)
    console.log(`${kept.unfinished} stay: checkpoints of unfinished trainings (--unfinished takes them too)`);
  if (maxSize !== undefined && after > maxSize) console.log(`still above ${formatBytes(maxSize)}`);
}

function listing(folder: string): string {
  const { entries, others } = listCache(folder);
  const sum = entries.reduce((bytes, entry) => bytes + entry.bytes, 0);
  const lines = [`${folder}: ${formatBytes(sum)} in ${entries.length} results`];
  lines.push(...kindRows(entries).map((row) => `  ${row}`));
  const unfinished = entries.filter(({ state }) => state === 'unfinished').length;
  if (unfinished > 0) lines.push(`  ${unfinished} unfinished trainings, which the same command goes on with`);
  if (others.length > 0) lines.push(`  ${others.length} files or links that are no results (${others[0]}); left alone`);
  return lines.join('\n');
}

/** One line a kind of result, the largest first: size, results, when one of them was last used. */
function kindRows(entries: readonly CacheEntry[]): string[] {
  const kinds = new Map<string, { bytes: number; n: number; lastUse: number }>();
  for (const { kind, bytes, lastUse, state } of entries) {
    const name = state === 'left over' ? 'left over by killed processes' : kind;
    const known = kinds.get(name) ?? { bytes: 0, n: 0, lastUse: 0 };
    kinds.set(name, { bytes: known.bytes + bytes, n: known.n + 1, lastUse: Math.max(known.lastUse, lastUse) });
  }
  const rows = [...kinds].sort(([, a], [, b]) => b.bytes - a.bytes);
  return rows.map(([name, { bytes, n, lastUse }]) => {
    const date = new Date(lastUse).toISOString().slice(0, 10);
    return `${formatBytes(bytes).padStart(8)}  ${String(n).padStart(7)}  last used ${date}  ${name}`;
  });
}
