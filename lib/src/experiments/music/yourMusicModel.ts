/** 10: the model that listens: the reader's or the one that ships. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { type KeyModelFiles, shippedModel } from '../../predict/index.js';
import type { MusicModel } from './yourMusicMeasurements.js';

export interface ChosenModel {
  readonly files: KeyModelFiles;
  readonly origin: MusicModel['origin'];
}

/**
 * @param folder holds `encoder.safetensors` and `head.safetensors`; null: the model that ships
 * @throws InputError if the files are not there
 */
export function chooseModel(folder: string | null): ChosenModel {
  if (folder === null) return { files: shippedModel(), origin: 'shipped' };
  const files = { weights: join(folder, 'encoder.safetensors'), head: join(folder, 'head.safetensors') };
  for (const path of [files.weights, files.head])
    if (!existsSync(path))
      throw new InputError(
        path,
        'there is no such file; a model is a folder with encoder.safetensors and head.safetensors, as keymyna pretrain and keymyna probe write them',
      );
  return { files, origin: 'yours' };
}
