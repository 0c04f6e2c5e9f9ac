import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';

/** Bytes that are read piece by piece, of a file or of memory. */
export interface ByteSource {
  /** What to call it in errors. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Copies the bytes from `at` on into `into` and returns how many there were; fewer only at the end. */
  read(at: number, into: Uint8Array): number;
  close(): void;
}

export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read(at, into) {
      const found = bytes.subarray(at, at + into.length);
      into.set(found);
      return found.length;
    },
    close: () => undefined,
  };
}

/**
 * A file, opened.
 * @throws InputError if there is no such file, it is a folder, larger than `maxBytes`, or cannot be read
 */
export function fileSource(path: string, maxBytes: number): ByteSource {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new InputError(path, 'this is a folder, an audio file was expected.');
    if (stat.size > maxBytes)
      throw new InputError(
        path,
        `the file has ${stat.size} bytes, at most ${maxBytes} are read; cut it into shorter files.`,
      );
    return openedFile(path, file, stat.size);
  } catch (error) {
    if (file !== undefined) closeSync(file);
    throw readProblem(path, error);
  }
}

function openedFile(path: string, file: number, size: number): ByteSource {
  return {
    name: path,
    size,
    read(at, into) {
      let done = 0;
      try {
        while (done < into.length) {
          const n = readSync(file, into, done, into.length - done, at + done);
          if (n === 0) break;
          done += n;
        }
      } catch (error) {
        throw readProblem(path, error);
      }
      return done;
    },
    close: () => closeSync(file),
  };
}

function readProblem(path: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const problem =
    (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'there is no such file; check the path.'
      : `the file cannot be read (${(error as Error).message}).`;
  return new InputError(path, problem, { cause: error });
}

/** All bytes of a source. */
export function readAll(source: ByteSource): Uint8Array {
  const bytes = new Uint8Array(source.size);
  return bytes.subarray(0, source.read(0, bytes));
}

/** Some ranges of a source, [begin, end) each, one behind the other. */
export function partOf(source: ByteSource, ranges: readonly (readonly [number, number])[]): ByteSource {
  return {
    name: source.name,
    size: ranges.reduce((sum, [begin, end]) => sum + end - begin, 0),
    read(at, into) {
      let done = 0;
      let start = 0; // of the range, counted over the ranges
      for (const [begin, end] of ranges) {
        const from = Math.max(0, at + done - start);
        const n = Math.min(end - begin - from, into.length - done);
        if (n > 0) {
          const found = source.read(begin + from, into.subarray(done, done + n));
          done += found;
          if (found < n) break;
        }
        start += end - begin;
      }
      return done;
    },
    close: () => source.close(),
  };
}
