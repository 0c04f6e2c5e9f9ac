/** Opens local pages in the headless Chromium and reports what a reader would see. */
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { findBrowser, NO_BROWSER } from '../../lib/src/notebook/index.js';

/** Whether there is a Chromium; says so if not. */
export async function hasBrowser(): Promise<boolean> {
  const found = (await findBrowser()) !== null;
  if (!found) console.warn(`Skipped: ${NO_BROWSER}`);
  return found;
}

export interface Seen {
  /** Plots that Plotly has drawn (with a main SVG in it). */
  readonly plots: number;
  /** Pictures that are loaded, visible and larger than an icon. */
  readonly pictures: number;
  readonly text: string;
  readonly consoleErrors: readonly string[];
}

/** Opens a file; with scripts, waits until each figure is drawn, at most `patience` ms. */
export async function openPage(browser: Browser, path: string, scripts: boolean, patience = 20_000): Promise<Seen> {
  const context = await browser.newContext({ offline: true, javaScriptEnabled: scripts });
  try {
    const page = await context.newPage();
    const consoleErrors: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && consoleErrors.push(message.text())));
    page.on('pageerror', (error) => consoleErrors.push(String(error)));
    await page.goto(pathToFileURL(path).href, { waitUntil: 'load' });
    const stills = page.locator('figure:has(.plot) .still');
    if (scripts)
      for (let waited = 0; waited < patience && (await stills.count()) > 0; waited += 100)
        await page.waitForTimeout(100);
    let pictures = 0;
    for (const image of await page.locator('img').all()) {
      await image.scrollIntoViewIfNeeded(); // the gallery loads a picture when it comes into view
      for (let waited = 0; waited < 3000; waited += 100) {
        const box = await image.boundingBox(); // a picture that did not load has the size of its text
        if (box && box.width > 200 && box.height > 100) {
          pictures++;
          break;
        }
        await page.waitForTimeout(100);
      }
    }
    const plots = await page.locator('.js-plotly-plot .main-svg').first().count();
    const drawn = plots === 0 ? 0 : await page.locator('.js-plotly-plot').count();
    return { plots: drawn, pictures, text: await page.locator('body').innerText(), consoleErrors };
  } finally {
    await context.close();
  }
}
