import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { basename, dirname, extname, join } from 'node:path';
import { InputError } from '../errors.js';

/** A sibling of `path` with the same extension, for writing before the rename; unique over processes and threads. */
export function temporaryPath(path: string): string {
  const extension = extname(path);
  const stem = basename(path, extension);
  return join(dirname(path), `.${stem}.${randomBytes(6).toString('hex')}${extension}`);
}

/**
 * Writes a whole file or nothing: into a temporary file beside it, then renamed.
 * Makes the parent folders. A reader, or a killed process, never sees a half-written file under the final name.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryPath(path);
  try {
    writeFileSync(temporary, data);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** What a failed open or read of `path` means to a person. */
function readProblem(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file; check the path.';
  if (code === 'EISDIR') return 'this is a folder, a file was expected.';
  if (code === 'EACCES' || code === 'EPERM') return 'the file may not be read (permission denied).';
  return `the file cannot be read (${error instanceof Error ? error.message : String(error)}).`;
}

/** The bytes of a small file. @throws InputError if it cannot be read. */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(path, readProblem(error), { cause: error });
  }
}

/** The text of a small UTF-8 file. @throws InputError if it cannot be read. */
export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

/** Random access to a file that may be large; `read` fills `into` from `position` (bytes) or throws. */
export interface OpenFile {
  readonly size: number;
  read(into: Uint8Array, position: number): void;
}

/** Opens `path`, hands it to `use`, closes it in any case. @throws InputError if it cannot be opened. */
export function withOpenFile<T>(path: string, use: (file: OpenFile) => T): T {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw new InputError(path, readProblem(error), { cause: error });
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new InputError(path, 'this is a folder, a file was expected.');
    return use({
      size: stat.size,
      read(into, position) {
        let done = 0;
        while (done < into.byteLength) {
          const count = readSync(descriptor, into, done, Math.min(into.byteLength - done, 1 << 30), position + done);
          if (count === 0) throw new InputError(path, 'the file became shorter while it was read; try again.');
          done += count;
        }
      },
    });
  } finally {
    closeSync(descriptor);
  }
}
