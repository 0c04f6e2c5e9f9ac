/** Reads numpy archives: a zip of `.npy` arrays, as `numpy.savez` and `numpy.savez_compressed` write them. */
import { InputError } from '../errors.js';
import { type NpyArray, parseNpy } from './npy.js';
import { withZip } from './zip.js';

/** Most bytes that all arrays of an archive may have together. */
const MAX_TOTAL_BYTES = 4 * 2 ** 30;

/**
 * The arrays of an archive by name (without `.npy`), numbers or texts. Pickled objects are refused, never executed.
 * @throws InputError if the file is no zip archive, damaged, or holds anything but arrays
 */
export function readNpz(path: string): Map<string, NpyArray> {
  return withZip(path, (zip) => {
    const total = zip.entries.reduce((sum, entry) => sum + entry.size, 0);
    if (total > MAX_TOTAL_BYTES)
      throw new InputError(path, `its arrays have ${total} bytes together; at most ${MAX_TOTAL_BYTES} are read.`);
    const arrays = new Map<string, NpyArray>();
    for (const entry of zip.entries) {
      const where = `${path}, array ${entry.name}`;
      if (!entry.name.endsWith('.npy'))
        throw new InputError(where, 'this is no .npy array; expected a file of numpy.savez.');
      arrays.set(entry.name.slice(0, -'.npy'.length), parseNpy(zip.read(entry), where));
    }
    return arrays;
  });
}
