/** Static pictures of figures: SVG and PNG files beside each figure's page, and a PNG inside executed notebooks. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DEFAULT_SIZE, drawingJson, embedPicture, figureIdIn, type Drawing } from 'keymyna/notebook';
import { writeFileAtomic } from 'keymyna/store';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './browser.js';
import { isCode, joined, readNotebook, writeNotebook, type Lines } from './notebookFile.js';

const PLOTLY = createRequire(import.meta.url).resolve('plotly.js-dist/plotly.js');
const PAPER_SCALE = 2; // of the PNG beside the page; the one inside notebooks is at scale 1
const EXPORT_VERSION = 1; // a change of what is exported makes all pictures anew

interface ImageFiles {
  readonly svg: string;
  readonly png: string;
  readonly preview: string;
}
const imageFiles = (folder: string, id: string): ImageFiles => ({
  svg: join(folder, `${id}.svg`),
  png: join(folder, `${id}.png`),
  preview: join(folder, 'previews', `${id}.png`),
});

/** Ids of the figures whose pages stand in a folder, by name. */
export function figureIds(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.html') && name !== 'index.html')
    .map((name) => name.slice(0, -'.html'.length))
    .sort();
}

interface Picture {
  readonly id: string;
  readonly drawing: string;
  /** In the SVG: which drawing it was made from. */
  readonly mark: string;
}

/**
 * Makes SVG and PNG of each figure in a folder whose drawing is not the one that its pictures were made from; the SVG
 * carries the drawing's hash. The browser is started when there is first something to draw, and stays until `close`.
 */
export class Pictures {
  private readonly drawn = new Set<string>();
  private browser: Promise<Browser | null> | null = null;
  private page: Promise<Page> | null = null;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly folder: string,
    private readonly options: { log: (line: string) => void; signal?: AbortSignal },
  ) {}

  /** Draws what is new or changed by now, after what is being drawn. */
  draw(): Promise<void> {
    this.last = this.last.then(() => this.drawChanged());
    this.last.catch(() => {}); // told to whoever waits for it
    return this.last;
  }

  /** How many were drawn and how many were there already; `drawn` is null if no browser could be started. */
  async counts(): Promise<{ drawn: number | null; unchanged: number }> {
    const changed = this.changed().length;
    const unchanged = figureIds(this.folder).length - changed - this.drawn.size;
    return { drawn: this.browser && !(await this.browser) ? null : this.drawn.size, unchanged };
  }

  /** Ends the browser, once what is being drawn is done or has failed. */
  async close(): Promise<void> {
    await this.last.catch(() => {});
    await (await this.browser)?.close();
  }

  private changed(): Picture[] {
    return figureIds(this.folder)
      .flatMap((id) => {
        const drawing = drawingJson(readFileSync(join(this.folder, `${id}.html`), 'utf8'));
        return drawing === null ? [] : [{ id, drawing, mark: `<!--drawing ${drawingHash(drawing)}-->` }];
      })
      .filter(({ id, mark }) => !isDrawn(imageFiles(this.folder, id), mark));
  }

  private async drawChanged(): Promise<void> {
    const queue = this.changed();
    if (queue.length === 0) return;
    const browser = await (this.browser ??= launchBrowser(this.options.log));
    if (browser === null) return;
    // One page for all: loading Plotly takes as long as drawing a dozen figures.
    const page = await (this.page ??= openPage(browser));
    for (const picture of queue) {
      this.options.signal?.throwIfAborted();
      await this.drawOne(page, picture);
    }
  }

  private async drawOne(page: Page, { id, drawing, mark }: Picture): Promise<void> {
    const files = imageFiles(this.folder, id);
    const { svg, pngs } = await draw(page, JSON.parse(drawing) as Drawing, [PAPER_SCALE, 1]);
    writeFileAtomic(files.png, Buffer.from(pngs[0], 'base64'));
    writeFileAtomic(files.preview, Buffer.from(pngs[1], 'base64'));
    writeFileAtomic(files.svg, `${svg}${mark}\n`); // last: its mark says that all are there
    this.drawn.add(id);
  }
}

/** A page that can draw. It starts at a file, so that Plotly (10 MB) is read as one and not sent through the debugger. */
async function openPage(browser: Browser): Promise<Page> {
  const page = await (await browser.newContext({ offline: true })).newPage();
  await page.goto(pathToFileURL(join(PLOTLY, '../package.json')).href);
  await page.setContent('<!doctype html><meta charset="utf-8">');
  await page.addScriptTag({ url: pathToFileURL(PLOTLY).href });
  return page;
}

/** `Pictures` once: draws what changed in a folder. */
export async function exportImages(
  folder: string,
  options: { log: (line: string) => void; signal?: AbortSignal },
): Promise<{ drawn: number | null; unchanged: number }> {
  const pictures = new Pictures(folder, options);
  try {
    await pictures.draw();
    return await pictures.counts();
  } finally {
    await pictures.close();
  }
}

const drawingHash = (drawing: string): string =>
  createHash('sha256').update(`${EXPORT_VERSION} ${drawing}`).digest('hex').slice(0, 16);

const isDrawn = ({ svg, png, preview }: ImageFiles, mark: string): boolean =>
  existsSync(png) && existsSync(preview) && existsSync(svg) && readFileSync(svg, 'utf8').includes(mark);

/**
 * Draws a figure once in the page, as SVG text, and turns that into PNGs at several scales (base64) as Plotly.toImage
 * does; asking it for each format would draw the figure anew every time.
 */
async function draw(
  page: Page,
  figure: Drawing,
  scales: readonly number[],
): Promise<{ svg: string; pngs: readonly string[] }> {
  const { width = DEFAULT_SIZE.width, height = DEFAULT_SIZE.height } = figure.layout;
  return page.evaluate(
    async ([drawing, width, height, scales]) => {
      const { Plotly } = window as unknown as {
        Plotly: { toImage(drawing: unknown, options: object): Promise<string> };
      };
      const svg = await Plotly.toImage(drawing, { format: 'svg', width, height, imageDataOnly: true });
      const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml;charset=utf-8' }));
      const image = new Image();
      image.src = url;
      await image.decode();
      const pngs = scales.map((scale) => {
        const canvas = document.createElement('canvas');
        canvas.width = scale * width;
        canvas.height = scale * height;
        canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
        return canvas.toDataURL('image/png').split(',')[1];
      });
      URL.revokeObjectURL(url);
      return { svg, pngs };
    },
    [figure as unknown, width, height, scales] as const,
  );
}

/**
 * Puts each figure's small PNG into an executed notebook: inside its HTML, for viewers that drop scripts (an untrusted
 * notebook, a code host), and as image/png for those that take no HTML.
 * @returns how many figures got one
 */
export function embedImages(notebookPath: string, folder: string): number {
  const notebook = readNotebook(notebookPath);
  let count = 0;
  for (const output of notebook.cells.filter(isCode).flatMap((cell) => cell.outputs)) {
    if (output.output_type !== 'display_data') continue;
    const html = joined((output.data['text/html'] as Lines | undefined) ?? '');
    const id = figureIdIn(html);
    const preview = id === null ? null : imageFiles(folder, id).preview;
    if (id === null || preview === null || !existsSync(preview)) continue;
    const png = readFileSync(preview).toString('base64');
    output.data['text/html'] = embedPicture(html, id, png);
    output.data['image/png'] = png;
    count++;
  }
  if (count > 0) writeNotebook(notebookPath, notebook);
  return count;
}
