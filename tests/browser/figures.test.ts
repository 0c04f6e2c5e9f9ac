import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../tools/src/browser.js';
import { exportImages } from '../../tools/src/images.js';
import { isCode, joined, readNotebook, type Lines } from '../../tools/src/notebookFile.js';
import { reproduce } from '../../tools/src/reproduce.js';
import { committedForm } from '../../tools/src/refreshNotebooks.js';
import { GOOD, temporaryProject } from '../notebooks/runs.js';
import { hasBrowser, openPage } from './open.js';

const OPTIONS = { preset: 'smoke', only: [], fresh: false, prepare: false, cellTimeout: 60, log: () => {} } as const;

/** All HTML outputs of a notebook in one page, as nbconvert and Jupyter show them. */
function notebookPage(path: string): string {
  const html = readNotebook(path)
    .cells.filter(isCode)
    .flatMap((cell) => cell.outputs)
    .map((output) => (output.output_type === 'display_data' ? joined((output.data['text/html'] as Lines) ?? '') : ''));
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>${html.join('\n')}</body>`;
}

describe('without any browser', () => {
  it('everything but the pictures is made, and one line says what is missing', async () => {
    const project = temporaryProject();
    const asked = process.env.CHROMIUM;
    const said: string[] = [];
    try {
      process.env.CHROMIUM = 'none';
      writeFileSync(join(project.root, 'notebooks/01_good.ipynb'), readFileSync(GOOD));
      const { shown, failure } = await reproduce({ ...OPTIONS, root: project.root, log: (line) => said.push(line) });
      expect(failure).toBeNull();
      expect(shown.map(({ id }) => id)).toEqual(['fixture_line', 'fixture_heat', 'fixture_table']);
      expect(said.filter((line) => line.includes('No Chromium found'))).toHaveLength(1);
      expect(readFileSync(join(project.root, 'figures/smoke/index.html'), 'utf8')).toContain('No picture was made');
      expect(existsSync(join(project.root, 'figures/smoke/fixture_line.png'))).toBe(false);
    } finally {
      if (asked === undefined) delete process.env.CHROMIUM;
      else process.env.CHROMIUM = asked;
      project.remove();
    }
  });
});

describe.skipIf(!(await hasBrowser()))('in Chromium', () => {
  let project: ReturnType<typeof temporaryProject>;
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    project = temporaryProject();
    folder = join(project.root, 'figures/smoke');
    writeFileSync(join(project.root, 'notebooks/01_good.ipynb'), readFileSync(GOOD));
    const { failure } = await reproduce({ ...OPTIONS, root: project.root });
    expect(failure).toBeNull();
    const launched = await launchBrowser(console.warn);
    if (launched === null) throw new Error('a Chromium was found, but does not start');
    browser = launched;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    project.remove();
  });

  it("a figure's page is drawn, with its caption and without console errors", async () => {
    const seen = await openPage(browser, join(folder, 'fixture_line.html'), true);
    expect(seen).toMatchObject({ plots: 1, pictures: 0, consoleErrors: [] });
    expect(seen.text).toContain('A line & its <square>.');
    expect(seen.text).toContain('npm run reproduce -- --preset smoke --only 01');
  });

  it('without scripts, the picture is there', async () => {
    expect(await openPage(browser, join(folder, 'fixture_line.html'), false)).toMatchObject({ plots: 0, pictures: 1 });
  });

  it('where plotly.js cannot be loaded, the picture stays', async () => {
    const away = readFileSync(join(folder, 'fixture_line.html'), 'utf8').replace('../../node_modules', '../../nowhere');
    writeFileSync(join(folder, 'away.htm'), away);
    expect(await openPage(browser, join(folder, 'away.htm'), true, 1500)).toMatchObject({ plots: 0, pictures: 1 });
  });

  it('the gallery shows every picture and table, in the order of the notebook', async () => {
    const seen = await openPage(browser, join(folder, 'index.html'), true);
    expect(seen).toMatchObject({ pictures: 2, consoleErrors: [] });
    const at = ['A line & its <square>.', 'A small heat map.', '61.2 [57.9, 64.4]'].map((text) => seen.text.indexOf(text)); // prettier-ignore
    expect(at.every((position) => position >= 0)).toBe(true);
    expect([...at].sort((a, b) => a - b)).toEqual(at);
  });

  it.each(['notebooks', 'figures/smoke/notebooks'])('a notebook in %s draws its figures', async (place) => {
    const path = join(project.root, place, 'page.html');
    writeFileSync(path, notebookPage(join(folder, 'notebooks/01_good.ipynb')));
    const seen = await openPage(browser, path, true);
    expect(seen).toMatchObject({ plots: 2, pictures: 0 });
    rmSync(path);
  });

  it('a notebook without scripts, or far from plotly.js, shows the pictures', async () => {
    const path = join(folder, 'notebooks/page.html');
    writeFileSync(path, notebookPage(join(folder, 'notebooks/01_good.ipynb')));
    expect(await openPage(browser, path, false)).toMatchObject({ plots: 0, pictures: 2 });
    const far = join(project.root, 'page.html');
    writeFileSync(far, notebookPage(join(folder, 'notebooks/01_good.ipynb')).replaceAll('node_modules/', 'nowhere/'));
    expect((await openPage(browser, far, true, 1500)).pictures).toBe(2);
    rmSync(path);
  });

  it('the committed form holds each picture once and stays small', () => {
    const executed = readNotebook(join(folder, 'notebooks/01_good.ipynb'));
    const text = JSON.stringify(committedForm(executed, (id) => `Caption of ${id}.`, 'smoke', '01'));
    expect(text.match(/"image\/png"/g)).toHaveLength(2);
    expect(text).not.toMatch(/<script|vnd\.plotly/);
    expect(text.length).toBeLessThan(200_000);
  });

  it('pictures are made again only when their drawing changed', async () => {
    const log = (line: string) => console.warn(line);
    const time = (name: string) => statSync(join(folder, name)).mtimeMs;
    const before = [time('fixture_heat.svg'), time('fixture_line.svg')];
    expect(await exportImages(folder, { log })).toEqual({ drawn: 0, unchanged: 2 });
    const page = join(folder, 'fixture_heat.html');
    writeFileSync(page, readFileSync(page, 'utf8').replace('"Viridis"', '"Greys"'));
    expect(await exportImages(folder, { log })).toEqual({ drawn: 1, unchanged: 1 });
    expect(time('fixture_heat.svg')).toBeGreaterThan(before[0]);
    expect(time('fixture_line.svg')).toBe(before[1]);
  });
});
