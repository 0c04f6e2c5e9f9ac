import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { claimCacheFolder, markUse, touch } from './cacheFolder.js';
import { temporaryPath } from './files.js';
import { configId, readJson, writeJson } from './json.js';

/**
 * Results kept in a folder under the id of the configuration that made them: `<root>/<kind>/<configId>.<ext>`, or in a
 * folder of their own, `<root>/<kind>/<configId>/`. A result is there whole or not at all; asking twice at once computes
 * once. What is asked for is dated as used, and the process leaves a mark as long as it runs, so that `pruneCaches` knows
 * what may go.
 */
export class Cache {
  /** How often a result was found (`hits`) or had to be computed (`misses`) through this object. */
  hits = 0;
  misses = 0;
  private readonly running = new Map<string, Promise<unknown>>();
  private readonly used = new Set<string>();

  constructor(readonly root: string) {}

  /** Where the result of this kind and id is or would be. */
  path(kind: string, id: string, ext: string): string {
    for (const part of [kind, id, ext]) assertName(part);
    return this.use(join(this.root, kind, `${id}.${ext}`));
  }

  /** Where the folder of this kind and id is or would be; for results of several files, made step by step. */
  folder(kind: string, id: string): string {
    for (const part of [kind, id]) assertName(part);
    return this.use(join(this.root, kind, id));
  }

  /** Leaves the mark of this process, as the first use does: for results that its threads alone ask for. */
  hold(): void {
    claimCacheFolder(this.root);
    markUse(this.root);
  }

  /** Dates a result as used, once for this object. */
  private use(path: string): string {
    if (this.used.size === 0) this.hold();
    if (!this.used.has(path)) touch(path);
    this.used.add(path);
    return path;
  }

  /** True if the result is there. */
  has(kind: string, id: string, ext: string): boolean {
    return existsSync(this.path(kind, id, ext));
  }

  /**
   * The JSON value of `kind` for `config`: read if it is there, else computed and kept (with its config beside it).
   * A file that is no longer readable is computed anew. The value must survive JSON (no NaN, no Map).
   */
  json<T>(kind: string, config: unknown, compute: () => Promise<T> | T): Promise<T> {
    const path = this.path(kind, configId(config), 'json');
    return this.once(path, async () => {
      const kept = existsSync(path) ? readKept(path) : undefined;
      if (kept) {
        this.hits++;
        return kept.value as T;
      }
      this.misses++;
      const value = await compute();
      writeJson(path, { config, value });
      return (readJson(path) as { value: T }).value; // the same value, first time or later
    });
  }

  /**
   * The path of the file of `kind` for `config`: as it is if it is there, else made by `write`, which gets a temporary
   * path with the same extension; the file is renamed into place when `write` has ended without an error.
   */
  file(kind: string, config: unknown, ext: string, write: (path: string) => Promise<void> | void): Promise<string> {
    const path = this.path(kind, configId(config), ext);
    return this.once(path, async () => {
      if (existsSync(path)) {
        this.hits++;
        return path;
      }
      this.misses++;
      mkdirSync(dirname(path), { recursive: true });
      const temporary = temporaryPath(path);
      try {
        await write(temporary);
        if (!existsSync(temporary))
          throw new Error(`Cache.file: the writer of ${kind} wrote no file to the path it was given`);
        renameSync(temporary, path);
      } finally {
        rmSync(temporary, { force: true });
      }
      return path;
    });
  }

  private once<T>(path: string, work: () => Promise<T>): Promise<T> {
    const known = this.running.get(path) as Promise<T> | undefined;
    if (known) return known;
    const promise = work().finally(() => this.running.delete(path));
    this.running.set(path, promise);
    return promise;
  }
}

/** @throws InputError */
function assertName(part: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(part))
    throw new InputError(
      'Cache.path',
      `"${part}" is no name for a kind, id or extension; letters, digits, ".", "_" and "-" are.`,
    );
}

function readKept(path: string): { value: unknown } | undefined {
  try {
    const kept = readJson(path);
    return typeof kept === 'object' && kept !== null && 'value' in kept ? (kept as { value: unknown }) : undefined;
  } catch {
    return undefined;
  }
}
