/** The published data sets by name. */
import { InputError } from '../../errors.js';
import { billboardKey } from './billboard.js';
import { fmak } from './fmak.js';
import { giantStepsKey, giantStepsMtgKey } from './giantSteps.js';
import { gtzanKey } from './gtzan.js';
import type { DatasetReader, Subset } from './listing.js';

/** Data sets with a published layout; folders and manifests are read by `readFolder` and `readManifest`. */
export const DATASETS: readonly DatasetReader[] = [giantStepsKey, giantStepsMtgKey, billboardKey, gtzanKey, fmak];

/** The reader of a data set. @throws InputError naming all of them */
export function datasetOf(name: string): DatasetReader {
  const reader = DATASETS.find((one) => one.name === name);
  if (!reader)
    throw new InputError('data set', `found "${name}", expected one of ${DATASETS.map((one) => one.name).join(', ')}`);
  return reader;
}

/** A subset by name, the default one without. @throws InputError naming the reader's subsets */
export function subsetOf(reader: DatasetReader, name?: string): Subset {
  const subset = name === undefined ? reader.subsets[0] : reader.subsets.find((one) => one.name === name);
  if (!subset) {
    const known = reader.subsets.map((one) => `${one.name} (${one.what})`).join(', ');
    throw new InputError(`${reader.name}, subset`, `found "${name}", expected one of ${known}`);
  }
  return subset;
}
