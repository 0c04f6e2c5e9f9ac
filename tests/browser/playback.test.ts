import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { keyOverTimeFigure } from '../../lib/src/figures/index.js';
import { drawingOf, figurePage } from '../../lib/src/notebook/page.js';
import type { SoundSource } from '../../lib/src/notebook/playback.js';
import { launchBrowser } from '../../tools/src/browser.js';
import { music } from '../figures/musicMeasurements.js';
import { hasBrowser } from './open.js';

/** A name that would run if it were ever taken for HTML. */
const HOSTILE = '</script><img src=x onerror="window.hacked = true">';
const SECONDS = 16;
const figure = keyOverTimeFigure(music, music.tracks[0], 1);
const tone = Float32Array.from({ length: SECONDS * 4000 }, (_, i) => 0.2 * Math.sin((2 * Math.PI * 440 * i) / 4000));
const wav = encodeWav(tone, 4000);

describe.skipIf(!(await hasBrowser()))('a figure that is played along with', () => {
  let browser: Browser;
  let root: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'keymyna-playback-'));
    mkdirSync(join(root, 'figures/smoke'), { recursive: true });
    mkdirSync(join(root, 'music'));
    writeFileSync(join(root, 'music/a tone #1.wav'), wav);
    symlinkSync(join(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'));
    const launched = await launchBrowser(console.warn);
    if (launched === null) throw new Error('a Chromium was found, but does not start');
    browser = launched;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const open = async (source: SoundSource): Promise<Page> => {
    const path = join(root, 'figures/smoke/over_time.html');
    const playback = { label: HOSTILE, source };
    writeFileSync(path, figurePage(figure, drawingOf(figure), 'npm run reproduce', { playback }));
    const page = await (await browser.newContext({ offline: true })).newPage();
    await page.goto(pathToFileURL(path).href);
    await page.locator('.playback audio').waitFor();
    return page;
  };
  const state = (page: Page) =>
    page.evaluate(() => {
      const audio = document.querySelector('audio')!;
      const cursor = document.querySelector<HTMLElement>('.cursor')!;
      const heat = document.querySelector('.js-plotly-plot .xy')!.getBoundingClientRect();
      const { left, width, height } = cursor.getBoundingClientRect();
      const share = (left + width / 2 - heat.left) / heat.width;
      return { time: audio.currentTime, paused: audio.paused, isSeen: cursor.style.display !== 'none', share, height };
    });

  it.each([
    ['inside the page', { sound: { type: 'audio/wav', base64: Buffer.from(wav).toString('base64') } }],
    [
      'a file of the project, once the kernel has ended',
      { address: 'http://127.0.0.1:9/sound/x/0/0', file: 'music/a tone #1.wav' },
    ],
  ] as const)(
    'sound %s: a click seeks, the cursor follows, a name is text',
    async (_, source) => {
      const page = await open(source);
      expect(await page.locator('.playback').innerText()).toContain(HOSTILE);
      await expect.poll(() => page.evaluate(() => document.querySelector('audio')!.duration), { timeout: 20_000 }).toBeCloseTo(SECONDS, 1); // prettier-ignore
      const drag = (await page.locator('.js-plotly-plot .nsewdrag').first().boundingBox())!;
      await page.mouse.move(drag.x + drag.width / 4, drag.y + drag.height / 2);
      await page.mouse.move(drag.x + drag.width / 4 + 1, drag.y + drag.height / 2);
      await page.locator('.hoverlayer .hovertext').waitFor();
      await page.mouse.down();
      await page.mouse.up();
      await expect.poll(async () => (await state(page)).time, { timeout: 20_000 }).toBeGreaterThan(SECONDS / 4 - 0.5);
      await page.evaluate(() => document.querySelector('audio')!.pause());
      await expect.poll(async () => (await state(page)).paused).toBe(true);
      const { time, isSeen, share, height } = await state(page);
      expect(time).toBeLessThan(SECONDS / 4 + 8);
      expect(isSeen).toBe(true);
      expect(share).toBeCloseTo(time / SECONDS, 1);
      expect(height).toBeGreaterThan(300);
      expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
      await page.context().close();
    },
    60_000,
  );

  it('without any sound says what to do', async () => {
    const page = await open({ file: 'music/gone.wav' });
    await page.getByText('This sound cannot be reached from here').waitFor();
    await page.context().close();
  }, 60_000);
});
