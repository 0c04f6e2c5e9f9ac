import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { parseBytes } from '../store/index.js';

/** How much is computed: `smoke` for tests, `laptop` for a reader, `study` as published here, `paper` in full size. */
export const PRESETS = ['smoke', 'laptop', 'study', 'paper'] as const;
export type Preset = (typeof PRESETS)[number];

/** Reads a preset's name. @throws InputError for any other text, naming the four */
export function parsePreset(text: string, where: string): Preset {
  const preset = PRESETS.find((name) => name === text);
  if (preset === undefined)
    throw new InputError(where, `"${text}" is no preset; expected one of ${PRESETS.join(', ')}.`);
  return preset;
}

/** The preset that this kernel runs: the environment's KEYMYNA_PRESET, else `laptop`. */
export function preset(): Preset {
  return parsePreset(process.env.KEYMYNA_PRESET || 'laptop', 'KEYMYNA_PRESET');
}

/** The project's folder, as the kernel launcher sets it in KEYMYNA_ROOT. @throws InputError outside the project's kernel */
export function rootFolder(): string {
  const root = process.env.KEYMYNA_ROOT;
  if (!root)
    throw new InputError(
      'KEYMYNA_ROOT',
      'it is not set; run notebooks with the kernel "TypeScript (KeyMyna)", or set it to the folder of the checkout.',
    );
  return root;
}

/** Where this preset's figures, tables and numbers go: `figures/<preset>` in the project's folder. */
export function figuresFolder(): string {
  return join(rootFolder(), 'figures', preset());
}

/** Where this preset's experiments keep what they computed: KEYMYNA_CACHE, else `data/cache/<preset>`. */
export function cacheFolder(): string {
  return process.env.KEYMYNA_CACHE || join(rootFolder(), 'data', 'cache', preset());
}

/** Bytes that a cache is cut to after a run, the longest unused first: KEYMYNA_CACHE_LIMIT, such as 20GB; undefined without. */
export function cacheLimit(): number | undefined {
  const text = process.env.KEYMYNA_CACHE_LIMIT;
  return text ? parseBytes(text, 'KEYMYNA_CACHE_LIMIT') : undefined;
}

/** The running notebook's name, `03_pretraining`: the runner says it, newer Jupyter servers say its path; else null. */
export function notebookName(): string | null {
  const path = process.env.KEYMYNA_NOTEBOOK || process.env.JPY_SESSION_NAME || '';
  return /([^\\/]+)\.ipynb$/.exec(path)?.[1] ?? (path && !/[\\/]/.test(path) ? path : null);
}

/** The command that makes this notebook's figures again. */
export function regenerateCommand(): string {
  const number = /^\d+/.exec(notebookName() ?? '')?.[0];
  return `npm run reproduce -- --preset ${preset()}${number ? ` --only ${number}` : ''}`;
}

/**
 * The JSON file that names a reader's own data sets and weights for notebooks 03 to 09: KEYMYNA_DATA; the preset `paper`
 * takes `data/user/paper.json` where that is; null: the embedded corpus.
 */
export function dataFile(): string | null {
  if (process.env.KEYMYNA_DATA) return process.env.KEYMYNA_DATA;
  const usual = join(rootFolder(), 'data', 'user', 'paper.json');
  return preset() === 'paper' && existsSync(usual) ? usual : null;
}

/** A folder of recordings that the environment names in KEYMYNA_MUSIC; null: the usual place. */
export function musicFolder(): string | null {
  return process.env.KEYMYNA_MUSIC || null;
}

/** A folder with encoder.safetensors and head.safetensors that the environment names in KEYMYNA_MODEL; null: what ships. */
export function modelFolder(): string | null {
  return process.env.KEYMYNA_MODEL || null;
}
