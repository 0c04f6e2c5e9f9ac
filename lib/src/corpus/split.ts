/** The four splits, and the rule that keeps the material of one out of the others. */
import { createRng } from '../tensor/index.js';

/** `testTimbre` is the second test split: instruments (and a SoundFont) that training never heard. */
export type Split = 'train' | 'valid' | 'test' | 'testTimbre';

export const SPLITS: readonly Split[] = ['train', 'valid', 'test', 'testTimbre'];

const memory = new Map<string, Split>();

/**
 * The only split in which a piece of material (a loop's class, a cell's contour, a combination of instruments) may
 * occur. It depends on the material alone, so no seed and no size can move test material into training.
 */
export function splitOf(material: string): Split {
  let split = memory.get(material);
  if (split === undefined) {
    const u = createRng(material).uniform();
    split = u < 0.55 ? 'train' : u < 0.68 ? 'valid' : u < 0.84 ? 'test' : 'testTimbre';
    if (memory.size > 100_000) memory.clear();
    memory.set(material, split);
  }
  return split;
}
