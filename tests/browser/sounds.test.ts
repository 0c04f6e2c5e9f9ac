import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import type { Figure } from '../../lib/src/figures/index.js';
import { checkSounds } from '../../lib/src/notebook/sounds.js';
import { drawingOf, figureHtml, figurePage } from '../../lib/src/notebook/page.js';
import { launchBrowser } from '../../tools/src/browser.js';
import { hasBrowser } from './open.js';

/** A name that would run if it were ever taken for HTML. */
const HOSTILE = '</script><img src=x onerror="window.hacked = true">';

const figure: Figure = {
  id: 'heard',
  caption: 'Points to click.',
  data: [
    { type: 'scatter', mode: 'markers', x: [1, 2], y: [1, 1], ids: ['a tone', HOSTILE], marker: { size: 40 } },
    { type: 'scatter', mode: 'markers', x: [3], y: [1], ids: ['silent'], marker: { size: 40 } },
  ],
  layout: { xaxis: { range: [0, 4] }, yaxis: { range: [0, 2] }, width: 700, height: 400, showlegend: false },
};
const tone = Float32Array.from({ length: 16000 }, (_, i) => 0.2 * Math.sin((2 * Math.PI * 440 * i) / 8000));
const wav = { type: 'audio/wav', base64: Buffer.from(encodeWav(tone, 8000)).toString('base64') };
const sounds = { 'a tone': wav, [HOSTILE]: wav };

describe('sounds of a figure', () => {
  it('must be audio in base64, and few enough', () => {
    expect(() => checkSounds('f', sounds)).not.toThrow();
    expect(() => checkSounds('f', { x: { type: 'text/html', base64: 'AAAA' } })).toThrow(/sound "x".*audio/);
    expect(() => checkSounds('f', { x: { type: 'audio/wav', base64: '"><b>' } })).toThrow(/base64/);
    expect(() => checkSounds('f', { x: { type: 'audio/wav', base64: 'A'.repeat(2_000_001) } })).toThrow(/MB/);
  });

  it('leave the output of a notebook a picture until scripts run', () => {
    const html = figureHtml(figure, drawingOf(figure), 'x', { sounds });
    expect(html).not.toContain('<audio');
    expect(html).not.toContain('<img src=x');
  });
});

describe.skipIf(!(await hasBrowser()))('in Chromium', () => {
  let browser: Browser;
  let root: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'keymyna-sounds-'));
    mkdirSync(join(root, 'figures/smoke'), { recursive: true });
    symlinkSync(join(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'));
    const launched = await launchBrowser(console.warn);
    if (launched === null) throw new Error('a Chromium was found, but does not start');
    browser = launched;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const page = async (shown: typeof sounds | null) => {
    const path = join(root, 'figures/smoke/heard.html');
    writeFileSync(path, figurePage(figure, drawingOf(figure), 'npm run reproduce', { sounds: shown }));
    const context = await browser.newContext({ offline: true });
    const opened = await context.newPage();
    await opened.goto(pathToFileURL(path).href);
    await opened.locator('.js-plotly-plot .points').first().waitFor();
    return opened;
  };

  it('a click on a point starts its sound, and its name is text', async () => {
    const opened = await page(sounds);
    const player = opened.locator('.sound audio');
    await player.waitFor();
    expect(await player.getAttribute('src')).toBeNull();
    const state = () =>
      player.evaluate((element) => {
        const { paused, currentTime, src, error } = element as HTMLAudioElement;
        return { playing: !paused || currentTime > 0, src, error: error?.message ?? null };
      });
    for (const [index, name] of [
      [0, 'a tone'],
      [1, HOSTILE],
    ] as const) {
      await opened.locator('.js-plotly-plot .points path').nth(index).hover({ force: true });
      await opened.mouse.down();
      await opened.mouse.up();
      await opened.waitForFunction((text) => document.querySelector('.sound span')?.textContent === text, name);
      await expect.poll(async () => (await state()).playing, { timeout: 5000 }).toBe(true);
      expect(await state()).toMatchObject({ src: `data:audio/wav;base64,${wav.base64}`, error: null });
    }
    expect(await opened.evaluate(() => 'hacked' in window)).toBe(false);
    await opened.context().close();
  });

  it('a click on a point without a sound changes nothing', async () => {
    const opened = await page(sounds);
    await opened.locator('.sound audio').waitFor();
    await opened.locator('.js-plotly-plot .points path').nth(2).hover({ force: true });
    await opened.mouse.down();
    await opened.mouse.up();
    await opened.waitForTimeout(500);
    expect(await opened.locator('.sound audio').getAttribute('src')).toBeNull();
    await opened.context().close();
  });

  it('a figure without sounds has no player', async () => {
    const opened = await page(null);
    expect(await opened.locator('audio').count()).toBe(0);
    await opened.context().close();
  });
});
