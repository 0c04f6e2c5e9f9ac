import {
  closeSync,
  createReadStream,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
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

/** As `writeFileAtomic`, from pieces that are never in memory together. */
export function writePiecesAtomic(path: string, pieces: Iterable<Uint8Array>): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = temporaryPath(path);
  try {
    const descriptor = openSync(temporary, 'wx');
    try {
      for (const piece of pieces)
        for (let done = 0; done < piece.length;)
          done += writeSync(descriptor, piece, done, Math.min(piece.length - done, 1 << 30));
    } finally {
      closeSync(descriptor);
    }
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

/**
 * Names what a file holds, whatever its name: SHA-256, 64 hexadecimal digits, read in pieces.
 * @throws InputError if it cannot be read; the signal's reason on abort
 */
export async function fileSha256(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new InputError(path, readProblem(error), { cause: error });
  }
  return hash.digest('hex');
}

/** Random access to a file that may be large; `read` fills `into` from `position` (bytes) or throws. */
export interface OpenFile {
  readonly size: number;
  read(into: Uint8Array, position: number): void;
}

/** Opens `path`, hands it to `use`, closes it in any case. @throws InputError if it cannot be opened. */
export function withOpenFile<T>(path: string, use: (file: OpenFile) => T): T {
  const descriptor = openToRead(path);
  try {
    return use(openedFile(path, descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function openToRead(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new InputError(path, readProblem(error), { cause: error });
  }
}

function openedFile(path: string, descriptor: number): OpenFile {
  const stat = fstatSync(descriptor);
  if (stat.isDirectory()) throw new InputError(path, 'this is a folder, a file was expected.');
  return {
    size: stat.size,
    read(into, position) {
      let done = 0;
      while (done < into.byteLength) {
        const count = readSync(descriptor, into, done, Math.min(into.byteLength - done, 1 << 30), position + done);
        if (count === 0) throw new InputError(path, 'the file became shorter while it was read; try again.');
        done += count;
      }
    },
  };
}

/** Many files that are read again and again at any place: the ones used last stay open. */
export class OpenFiles {
  /** In the order of their last use. */
  private readonly open = new Map<string, { readonly file: OpenFile; readonly descriptor: number }>();

  /** @param most files open at once; systems allow a process some hundreds */
  constructor(private readonly most = 128) {}

  /** Fills `into` from `position` (bytes) of a file. @throws InputError if it cannot be read, or ends before */
  read(path: string, into: Uint8Array, position: number): void {
    let entry = this.open.get(path);
    if (entry) this.open.delete(path);
    else {
      const [oldest] = this.open.keys();
      if (this.open.size >= this.most && oldest !== undefined) this.closeOne(oldest);
      const descriptor = openToRead(path);
      entry = { file: openedFile(path, descriptor), descriptor };
    }
    this.open.set(path, entry);
    entry.file.read(into, position);
  }

  /** Closes all; the next read opens its file again. */
  close(): void {
    for (const path of [...this.open.keys()]) this.closeOne(path);
  }

  private closeOne(path: string): void {
    closeSync(this.open.get(path)!.descriptor);
    this.open.delete(path);
  }
}
