/** The checksum that names a file's content wherever it lies: md5, as data sets are published with. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { InputError } from '../errors.js';
import type { Cache } from '../store/index.js';

/**
 * md5 of a file, read as a stream, 32 hexadecimal digits.
 * @param options.cache remembers it as long as the file's size and time of change stay the same
 * @throws InputError if the file cannot be read; the signal's reason on abort
 */
export async function checksumOf(
  path: string,
  { cache, signal }: { readonly cache?: Cache; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const compute = async (): Promise<string> => {
    const hash = createHash('md5');
    try {
      for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
    } catch (error) {
      signal?.throwIfAborted();
      throw new InputError(path, `cannot be read (${(error as Error).message})`, { cause: error });
    }
    return hash.digest('hex');
  };
  if (!cache) return compute();
  const { size, mtimeMs } = statSync(path);
  return cache.json('checksum', { path, size, mtimeMs }, compute);
}
