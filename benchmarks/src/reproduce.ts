/** The whole `npm run reproduce -- --preset laptop` from nothing, beside an earlier checkout that is built. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from 'keymyna';
import { readJson } from 'keymyna/store';
import { plainEnvironment } from './machine.js';
import type { Row } from './results.js';
import { type Command, runJob, type RunOptions } from './run.js';

export const REPRODUCE = 'reproduce-laptop';

/**
 * @param root this checkout
 * @param before folder of the earlier one
 * @throws InputError if `before` is no checkout
 */
export async function reproduceRow(root: string, before: string, rounds: number, options: RunOptions): Promise<Row> {
  const scripts = (readJson(join(before, 'package.json')) as { scripts?: Record<string, string> }).scripts;
  if (!scripts?.reproduce)
    throw new InputError('--before', `${before} has no script "reproduce"; name a built checkout`);
  const caches: string[] = [];
  const reproduce = (cwd: string): Command => {
    // --fresh empties the cache and the ignored figures of the preset, so that every round starts alike.
    const cache = mkdtempSync(join(tmpdir(), 'bench-reproduce-'));
    caches.push(cache);
    return {
      program: process.platform === 'win32' ? 'npm.cmd' : 'npm',
      args: ['run', '-s', 'reproduce', '--', '--preset', 'laptop', '--fresh'],
      env: { ...plainEnvironment(), KEYMYNA_CACHE: cache },
      cwd,
      byClock: true,
    };
  };
  try {
    return await runJob(
      {
        name: REPRODUCE,
        setting: 'reproduce --preset laptop, nothing in the cache, from the command to the gallery',
        goal: 0.5,
        ratioOf: 'ms',
        ours: reproduce(root),
        peers: [{ ...reproduce(before), label: `this suite${commitOf(before)}` }],
        rounds,
        compare: () => ({ problem: null }),
      },
      options,
    );
  } finally {
    for (const cache of caches) rmSync(cache, { recursive: true, force: true });
  }
}

/** ` at commit ...` where git knows it. */
function commitOf(folder: string): string {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' });
  return status === 0 ? ` at commit ${stdout.trim()}` : ', an earlier checkout';
}
