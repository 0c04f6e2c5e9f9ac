/** figures/<preset>/index.html: every figure and table with caption, links, and the command that makes it again. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { captionHtml, escapeHtml, type NumbersFile } from 'keymyna/notebook';
import { readJson, writeFileAtomic } from 'keymyna/store';
import { isCode, joined, readNotebook, type Lines } from './notebookFile.js';

/** One entry of the gallery. */
export type Shown = Pick<NumbersFile, 'kind' | 'id' | 'caption' | 'notebook' | 'command'>;

/** Ids of figures and tables in the order in which executed notebooks show them. */
export function shownOrder(notebooksFolder: string): string[] {
  if (!existsSync(notebooksFolder)) return [];
  const files = readdirSync(notebooksFolder).filter((name) => name.endsWith('.ipynb'));
  return files.sort().flatMap((name) =>
    readNotebook(join(notebooksFolder, name))
      .cells.filter(isCode)
      .flatMap((cell) => cell.outputs)
      .flatMap((output) => (output.output_type === 'display_data' ? [output.data['text/html']] : []))
      .flatMap((html) => [...joined((html as Lines | undefined) ?? '').matchAll(/<!--(?:figure|table):([\w-]+)-->/g)])
      .map((match) => match[1]),
  );
}

/** What a preset's folder holds, by notebook, then in the order of `order`, then by id. */
export function listShown(folder: string, order: readonly string[]): Shown[] {
  const data = join(folder, 'data');
  if (!existsSync(data)) return [];
  const rank = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  return readdirSync(data)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readJson(join(data, name)) as NumbersFile)
    .filter(({ kind }) => kind === 'figure' || kind === 'table')
    .map(({ kind, id, caption, notebook, command }) => ({ kind, id, caption, notebook, command }))
    .sort(
      (a, b) =>
        (a.notebook ?? '~').localeCompare(b.notebook ?? '~') || rank(a.id) - rank(b.id) || a.id.localeCompare(b.id),
    );
}

/** Writes the gallery of one preset's folder. @returns its entries */
export function writeGallery(folder: string, preset: string, notebooksFolder: string): Shown[] {
  const shown = listShown(folder, shownOrder(notebooksFolder));
  const html = galleryHtml(preset, shown, {
    hasPicture: (id) => existsSync(join(folder, `${id}.png`)),
    tableOf: (id) => {
      const path = join(folder, 'tables', `${id}.md`);
      return existsSync(path) ? markdownTable(readFileSync(path, 'utf8')) : '';
    },
  });
  writeFileAtomic(join(folder, 'index.html'), html);
  return shown;
}

/** The rows of a Markdown table as HTML; text around it is left out. */
function markdownTable(markdown: string): string {
  const rows = markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replace(/\\\|/g, '|')),
    );
  const row = (cells: string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell).replace(/&lt;br&gt;/g, '<br>')}</${tag}>`).join('')}</tr>`;
  return `<table>\n${rows
    .filter((_, i) => i !== 1) // the line of dashes
    .map((cells, i) => row(cells, i === 0 ? 'th' : 'td'))
    .join('\n')}\n</table>`;
}

/** The page as text: no scripts, pictures beside it, relative links only. */
export function galleryHtml(
  preset: string,
  shown: readonly Shown[],
  files: { hasPicture: (id: string) => boolean; tableOf: (id: string) => string },
): string {
  const notebooks = [...new Set(shown.map((entry) => entry.notebook))];
  const sections = notebooks.map((notebook) => {
    const entries = shown.filter((entry) => entry.notebook === notebook);
    return `<h2>${escapeHtml(notebook ?? 'Shown outside the notebooks')}</h2>\n${entries.map((entry) => section(entry, files)).join('\n')}`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Figures: ${escapeHtml(preset)}</title>
<link rel="icon" href="data:,">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
figure { margin: 0 0 3rem } img { max-width: 100% } code { background: #f2f2f2; padding: 0 .3em }
table { border-collapse: collapse; display: block; overflow-x: auto } td, th { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: left }
</style>
</head>
<body>
<h1>Figures and tables, preset <code>${escapeHtml(preset)}</code></h1>
${sections.join('\n')}
</body>
</html>
`;
}

function section({ kind, id, caption, command }: Shown, files: Parameters<typeof galleryHtml>[2]): string {
  const body =
    kind === 'table'
      ? files.tableOf(id)
      : files.hasPicture(id)
        ? `<a href="${id}.html"><img alt="${escapeHtml(caption)}" src="${id}.png" loading="lazy"></a>`
        : `<p>No picture was made (no Chromium); the <a href="${id}.html">interactive page</a> has it.</p>`;
  const links =
    kind === 'table'
      ? `<a href="tables/${id}.md">Markdown</a> · <a href="tables/${id}.csv">CSV</a>`
      : `<a href="${id}.html">interactive</a> · <a href="${id}.svg">SVG</a> · <a href="${id}.png">PNG</a>`;
  return `<figure id="${id}">
${body}
<figcaption>${captionHtml(caption)}<br>${links} · <a href="data/${id}.json">numbers</a> · made by <code>${escapeHtml(command)}</code></figcaption>
</figure>`;
}
