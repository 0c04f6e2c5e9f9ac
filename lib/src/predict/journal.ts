/** What a long run has answered so far, as JSON lines: stopped at any moment, the next run goes on from there. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { appendJsonLine, configId, readJsonLines } from '../store/index.js';
import type { FileAnswer } from './predictTask.js';

/** A line: which file in which state, asked how, and what came of it. */
type Entry = FileAnswer & { readonly id: string };

/**
 * Answers by file. A file counts as the same while its path, size and times of change are; another model or other
 * settings ask anew.
 */
export class Journal {
  private readonly known = new Map<string, FileAnswer>();

  /**
   * @param path of the JSON-lines file; null keeps nothing
   * @param asked what answers depend on beside the file: the model's id, the settings
   * @throws InputError if the file is no journal
   */
  constructor(
    private readonly path: string | null,
    private readonly asked: Readonly<Record<string, unknown>>,
  ) {
    if (path === null || !existsSync(path)) return;
    for (const { id, ...answer } of readJsonLines(path) as Entry[]) this.known.set(id, answer as FileAnswer);
  }

  /** The answer of an earlier run. @param id of `idOf` */
  find(id: string | null): FileAnswer | undefined {
    return id === null ? undefined : this.known.get(id);
  }

  /** Keeps an answer. @param id of the file before it was read */
  add(id: string | null, answer: FileAnswer): void {
    if (this.path !== null && id !== null) appendJsonLine(this.path, { id, ...answer });
  }

  /** Names a file in its present state and the question; null if it cannot be looked at, or nothing is kept. */
  idOf(file: string): string | null {
    if (this.path === null) return null;
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) return null;
    // ctime: a file that may be read now may not have been readable before, with the same content.
    return configId({ ...this.asked, file: resolve(file), size: stat.size, mtime: stat.mtimeMs, ctime: stat.ctimeMs });
  }
}
