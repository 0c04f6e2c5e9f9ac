/** Every notebook at the smallest size, in order, as `npm run reproduce -- --preset smoke` does it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launchBrowser } from '../../tools/src/browser.js';
import { notebooksToRun, reproduce } from '../../tools/src/reproduce.js';
import { hasBrowser, openPage } from '../browser/open.js';
import { hasJupyter, nbconvert, ROOT } from './runs.js';

const names = notebooksToRun(ROOT, []);
const LIMIT = 600_000; // ms; all notebooks together are to take less than 90 s on two idle cores

/** Tracked files as git sees them, with the hash of each changed one. */
const tracked = () => execFileSync('git', ['diff', 'HEAD', '--no-ext-diff'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 }); // prettier-ignore

describe('notebooks at preset smoke', () => {
  it('are numbered without gaps', () => {
    expect(names.map((name) => Number(name.slice(0, 2)))).toEqual(names.map((_, i) => i + 1));
  });

  it.skipIf(names.length === 0)(
    'run from a clean kernel each, change no tracked file, and every figure has its page drawn',
    async () => {
      const before = tracked();
      const said: string[] = [];
      const options = { root: ROOT, preset: 'smoke', only: [], fresh: false, prepare: true, cellTimeout: 300 } as const;
      const { shown, failure } = await reproduce({ ...options, log: (line) => said.push(line) });
      expect(failure).toBeNull();
      expect(tracked()).toBe(before);
      expect(shown.length).toBeGreaterThanOrEqual(names.length);
      console.log(said.slice(said.findIndex((line) => line.startsWith('Wall time'))).join('\n'));
      if (!(await hasBrowser())) return;
      const browser = await launchBrowser(console.warn);
      expect(browser).not.toBeNull();
      try {
        const figures = shown.filter(({ kind }) => kind === 'figure');
        const left = [...figures];
        const openSome = async (): Promise<void> => {
          for (let next = left.shift(); next; next = left.shift()) {
            const seen = await openPage(browser!, join(ROOT, 'figures/smoke', `${next.id}.html`), true);
            expect({ id: next.id, ...seen }).toMatchObject({ id: next.id, plots: 1, consoleErrors: [] });
          }
        };
        // A page mostly waits, for its scripts and for the picture to be replaced.
        await Promise.all([1, 2, 3, 4].map(openSome));
        const gallery = await openPage(browser!, join(ROOT, 'figures/smoke/index.html'), true);
        expect(gallery).toMatchObject({ consoleErrors: [] });
        expect(gallery.pictures).toBeGreaterThanOrEqual(figures.length);
      } finally {
        await browser?.close();
      }
    },
    LIMIT,
  );

  const views = names.find((name) => name.startsWith('02_'));
  it.skipIf(views === undefined || !hasJupyter())(
    'nbconvert runs notebook 02 with the project kernel',
    () => {
      const out = mkdtempSync(join(tmpdir(), 'keymyna-nbconvert-'));
      const { ok, log } = nbconvert(join(ROOT, 'notebooks', views!), out, { KEYMYNA_PRESET: 'smoke' });
      rmSync(out, { recursive: true, force: true });
      expect(ok, log).toBe(true);
    },
    LIMIT,
  );
});
