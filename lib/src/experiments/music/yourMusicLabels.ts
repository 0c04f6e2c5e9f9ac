/** 10: labels in a manifest that the whole suite reads: `path,key,split,artist,start,duration`, other columns kept. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { InputError } from '../../errors.js';
import { KEYS, parseKey } from '../../keys/index.js';
import { formatCsv, parseCsv, readText, writeFileAtomic } from '../../store/index.js';

const COLUMNS = ['path', 'key', 'split', 'artist', 'start', 'duration'] as const;

interface Manifest {
  readonly columns: string[];
  readonly rows: { line: number; fields: Record<string, string> }[];
}

/** @throws InputError if it is no CSV with a column path */
function readRows(manifest: string): Manifest {
  if (!existsSync(manifest)) return { columns: [...COLUMNS], rows: [] };
  const { columns, rows } = parseCsv(readText(manifest), manifest);
  if (!columns.includes('path'))
    throw new InputError(manifest, `has columns ${columns.join(', ')}; a column path is needed`);
  return { columns, rows };
}

/**
 * Keys by absolute path, of the rows that label a whole file.
 * @throws InputError naming file and line for a key that is none
 */
export function readLabels(manifest: string): Map<string, number> {
  const labels = new Map<string, number>();
  for (const { line, fields } of readRows(manifest).rows) {
    if (!fields.key || fields.start) continue;
    const key = parseKey(fields.key);
    if (key === null)
      throw new InputError(
        `${manifest} line ${line}, column key`,
        `"${fields.key}" is no key; expected a tonic and a mode such as "Eb minor" or "F# major", or nothing`,
      );
    labels.set(resolve(dirname(manifest), fields.path), key.id);
  }
  return labels;
}

/**
 * Writes the key of a file into the manifest, which is made if there is none: into the file's row, or a new one. All
 * other rows, columns and their order stay; the file is replaced whole or not at all.
 *
 * @param path absolute, of the audio file
 * @param keyId null takes the key away
 * @throws InputError if the manifest cannot be read, or has only rows that cut parts out of this file
 */
export function saveLabel(manifest: string, path: string, keyId: number | null): void {
  const { columns, rows } = readRows(manifest);
  if (!columns.includes('key')) columns.push('key');
  const key = keyId === null ? '' : KEYS[keyId].label;
  const own = rows.filter(({ fields }) => resolve(dirname(manifest), fields.path) === path);
  const whole = own.filter(({ fields }) => !fields.start);
  if (own.length > 0 && whole.length === 0)
    throw new InputError(
      `${manifest} line ${own[0].line}`,
      `the manifest cuts ${own.length} parts out of this file, which may be in different keys; edit their rows there`,
    );
  for (const { fields } of whole) fields.key = key;
  if (own.length === 0) rows.push({ line: 0, fields: { path: portable(dirname(manifest), path), key } });
  const written = rows.map(({ fields }) => fields);
  writeFileAtomic(manifest, formatCsv(columns, written));
}

/** From a folder with `/`; absolute where it lies on another drive. */
function portable(folder: string, file: string): string {
  const path = relative(folder, file);
  return isAbsolute(path) ? path : path.split(sep).join('/');
}
