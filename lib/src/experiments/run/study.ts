/** The study's numbers, to be shown beside a reader's own run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../store/index.js';
import type { Run } from './run.js';

/**
 * The measurement behind a figure or table of the committed study; null if there is none, and in the study itself.
 *
 * @param id of the figure or table, as in `figures/study/data/<id>.json`
 */
export function studyOf<T>(run: Run, id: string): T | null {
  const path = join(run.options.root, 'figures', 'study', 'data', `${id}.json`);
  if (run.preset.name === 'study' || !existsSync(path)) return null;
  const file = readJson(path);
  return typeof file === 'object' && file !== null && 'numbers' in file
    ? ((file as { numbers: T }).numbers ?? null)
    : null;
}
