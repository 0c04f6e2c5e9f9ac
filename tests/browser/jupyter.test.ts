/** Notebook 10 as a reader has it: a browser, Jupyter, the project's kernel, recordings in a folder. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { launchBrowser } from '../../tools/src/browser.js';
import { ROOT, temporaryProject } from '../notebooks/runs.js';
import { hasNotebook, type JupyterServer, startJupyter } from './jupyterServer.js';
import { hasBrowser } from './open.js';

const NOTEBOOK = '10_your_own_music.ipynb';
const SECONDS = 14;
/** Patience for a loaded machine, ms; on an idle one all of it takes less than a minute. */
const PATIENCE = Number(process.env.KEYMYNA_TEST_PATIENCE ?? 120_000);

/** Chords of a major key at 16 kHz, then those a fifth higher. */
function song(): Uint8Array {
  const chord = (i: number): number[] => (i < (SECONDS / 2) * 16000 ? [262, 330, 392] : [294, 392, 494]);
  const sample = (i: number): number =>
    chord(i).reduce((sum, f) => sum + 0.2 * Math.sin((2 * Math.PI * f * i) / 16000), 0);
  return encodeWav(
    Float32Array.from({ length: SECONDS * 16000 }, (_, i) => sample(i)),
    16000,
  );
}

describe.skipIf(!(await hasBrowser()) || !hasNotebook())('notebook 10 in Jupyter, in a browser', () => {
  let project: ReturnType<typeof temporaryProject>;
  let jupyter: JupyterServer;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    project = temporaryProject();
    const music = join(project.root, 'my music');
    mkdirSync(music);
    writeFileSync(join(music, 'a song #1.wav'), song());
    writeFileSync(join(music, 'broken.wav'), 'no sound');
    writeFileSync(join(music, 'manifest.csv'), 'path,key,artist\nelsewhere.wav,D minor,somebody\n');
    copyFileSync(join(ROOT, 'notebooks', NOTEBOOK), join(project.root, 'notebooks', NOTEBOOK));
    const env = { KEYMYNA_ROOT: project.root, KEYMYNA_PRESET: 'smoke', KEYMYNA_MUSIC: music, KEYMYNA_CACHE: '' };
    jupyter = await startJupyter(project.root, env);
    const launched = await launchBrowser(console.warn);
    if (launched === null) throw new Error('a Chromium was found, but does not start');
    browser = launched;
    page = await (await browser.newContext({ viewport: { width: 1280, height: 1600 } })).newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
  }, PATIENCE * 2);
  afterAll(async () => {
    await browser?.close();
    await jupyter?.stop();
    project?.remove();
  }, PATIENCE);

  it('runs, draws, plays, follows, and keeps a correction', { timeout: PATIENCE * 4 }, async () => {
    page.setDefaultTimeout(PATIENCE);
    await page.goto(jupyter.address(`notebooks/notebooks/${NOTEBOOK}`));
    await page.waitForFunction(() => (window as unknown as { Jupyter?: { notebook?: { kernel?: { is_connected(): boolean } } } }).Jupyter?.notebook?.kernel?.is_connected()); // prettier-ignore
    await page.locator('#menubar').getByText('Cell', { exact: true }).click();
    await page.locator('#run_all_cells a').click();
    await page.locator('.review .status').first().waitFor({ state: 'attached' });
    const failed = await page.locator('.output_error').allInnerTexts();
    expect(failed).toEqual([]);

    // Drawn by Plotly, not the picture; the broken file is told of.
    const plot = page.locator('figure:has(.playback) .js-plotly-plot');
    await plot.waitFor();
    expect(await page.locator('.js-plotly-plot').count()).toBe(2);
    expect(await page.locator('.still').count()).toBe(0);
    await page.getByText('1 of 2 files could not be heard').waitFor();

    // A click in the figure starts the sound there, streamed from the kernel; the cursor goes along.
    const audio = page.locator('figure .playback audio');
    await expect
      .poll(() => audio.evaluate((el: HTMLAudioElement) => el.duration), { timeout: PATIENCE })
      .toBeCloseTo(SECONDS, 1);
    expect(await audio.getAttribute('src')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/sound\//);
    await plot.scrollIntoViewIfNeeded();
    const area = (await plot.locator('.nsewdrag').first().boundingBox())!;
    await page.mouse.move(area.x + area.width / 2, area.y + 30);
    await page.mouse.move(area.x + area.width / 2 + 1, area.y + 31);
    await plot.locator('.hoverlayer .hovertext').waitFor();
    await page.mouse.down();
    await page.mouse.up();
    const time = () => audio.evaluate((el: HTMLAudioElement) => el.currentTime);
    await expect.poll(time, { timeout: PATIENCE }).toBeGreaterThan(SECONDS / 2);
    const cursor = page.locator('figure .cursor');
    expect(await cursor.isVisible()).toBe(true);
    const before = (await cursor.boundingBox())!.x;
    await expect.poll(async () => (await cursor.boundingBox())!.x, { timeout: PATIENCE }).toBeGreaterThan(before);
    await audio.evaluate((el: HTMLAudioElement) => el.pause());

    // The sheet plays, and a choice goes into the manifest beside the rows that are there.
    const sheet = page.locator('.review');
    await sheet.getByRole('button', { name: '▶' }).click();
    const sheetAudio = sheet.locator('audio');
    await expect
      .poll(() => sheetAudio.evaluate((el: HTMLAudioElement) => el.currentTime), { timeout: PATIENCE })
      .toBeGreaterThan(0);
    await sheet.getByRole('combobox').selectOption('Eb minor');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await sheet.getByText('✓ a song #1.wav: Eb minor, saved in manifest.csv').waitFor();
    expect(readFileSync(join(project.root, 'my music', 'manifest.csv'), 'utf8')).toBe(
      'path,key,artist\nelsewhere.wav,D minor,somebody\na song #1.wav,Eb minor,\n',
    );
    const shot = process.env.KEYMYNA_SCREENSHOT;
    if (shot) {
      await page.screenshot({ path: `${shot}-sheet.png` });
      await plot.scrollIntoViewIfNeeded();
      await page.screenshot({ path: `${shot}-plot.png` });
      await page.getByText('How sure, on the circle').scrollIntoViewIfNeeded();
      await page.screenshot({ path: `${shot}-circle.png` });
    }

    // What the kernel wrote: figures for this preset, nothing elsewhere.
    expect(existsSync(join(project.root, 'figures/smoke/key-circle.html'))).toBe(true);
    expect(existsSync(join(project.root, 'data/user'))).toBe(false);
    expect(errors).toEqual([]);
  });

  it('without its kernel says which line to run', { timeout: PATIENCE * 2 }, async () => {
    await page.evaluate(async () => {
      const { kernel } = (window as unknown as { Jupyter: { notebook: { kernel: { kill(): void } } } }).Jupyter
        .notebook;
      kernel.kill();
    });
    const sheet = page.locator('.review');
    await expect
      .poll(
        async () => {
          await sheet.getByRole('button', { name: 'Save' }).click();
          await page.waitForTimeout(300);
          return sheet.locator('.status').innerText();
        },
        { timeout: PATIENCE },
      )
      .toContain('music.correct("a song #1.wav", "Eb minor");');
  });
});
