/**
 * `npm run notebooks:refresh -- [--preset study]`: copies a preset's executed notebooks into notebooks/, to be committed.
 * Figures become pictures with their caption and a link to the interactive page, so that every viewer shows them;
 * running the notebook brings the interactive ones back. Players become their label: no code host plays them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError } from 'keymyna';
import { captionHtml, escapeHtml, figureIdIn, parsePreset, type NumbersFile } from 'keymyna/notebook';
import { readJson } from 'keymyna/store';
import { isCode, joined, readNotebook, writeNotebook, type Lines, type Notebook, type Output } from './notebookFile.js';

const MAX_BYTES = 2_500_000; // of a committed notebook

/** A notebook's committed form: see above. @throws InputError if a figure has no picture, or the result is over 2.5 MB */
export function committedForm(
  notebook: Notebook,
  captionOf: (id: string) => string,
  preset: string,
  where: string,
): Notebook {
  const cells = notebook.cells.map((cell) =>
    isCode(cell)
      ? {
          ...cell,
          metadata: {},
          outputs: cell.outputs.flatMap((output) => smallOutputs(output, captionOf, preset, where)),
        }
      : cell,
  );
  const small = { ...notebook, cells };
  const bytes = Buffer.byteLength(JSON.stringify(small));
  if (bytes > MAX_BYTES)
    throw new InputError(
      where,
      `it would be ${(bytes / 1e6).toFixed(1)} MB, at most ${MAX_BYTES / 1e6} MB are committed; show fewer or smaller figures and clips.`,
    );
  return small;
}

function smallOutputs(output: Output, captionOf: (id: string) => string, preset: string, where: string): Output[] {
  if (output.output_type === 'error') throw new InputError(where, `it holds an error (${output.ename}); run it again.`);
  if (output.output_type !== 'display_data') return [output];
  const html = joined((output.data['text/html'] as Lines | undefined) ?? '');
  const clip = joined((output.data['text/plain'] as Lines | undefined) ?? '');
  if (html.includes('<audio '))
    return [
      { ...output, data: { 'text/html': `<p>${escapeHtml(clip)} Run this cell to listen.</p>`, 'text/plain': clip } },
    ];
  const id = figureIdIn(html);
  if (id === null) return [output];
  const png = output.data['image/png'];
  if (png === undefined)
    throw new InputError(where, `figure ${id} has no picture; run npm run reproduce with a Chromium.`);
  const link = `<a href="../figures/${preset}/${id}.html">interactive</a>`;
  return [
    { output_type: 'display_data', data: { 'image/png': png, 'text/plain': `[figure ${id}]` }, metadata: {} },
    {
      output_type: 'display_data',
      data: {
        'text/html': `<!--figure-caption:${id}--><p>${captionHtml(captionOf(id))} (${link})</p>`,
        'text/plain': captionOf(id),
      },
      metadata: {},
    },
  ];
}

function main(): void {
  const { values } = parseArgs({ options: { preset: { type: 'string', default: 'study' } } });
  const preset = parsePreset(values.preset, '--preset');
  const root = join(import.meta.dirname, '../..');
  const folder = join(root, 'figures', preset);
  const executed = join(folder, 'notebooks');
  const names = existsSync(executed) ? readdirSync(executed).filter((name) => name.endsWith('.ipynb')) : [];
  if (names.length === 0)
    throw new InputError(executed, `it holds no notebook; run npm run reproduce -- --preset ${preset} first.`);
  const captionOf = (id: string) => (readJson(join(folder, 'data', `${id}.json`)) as NumbersFile).caption;
  const small = names
    .sort()
    .map((name) => ({ name, notebook: committedForm(readNotebook(join(executed, name)), captionOf, preset, name) }));
  for (const { name, notebook } of small) {
    writeNotebook(join(root, 'notebooks', name), notebook);
    console.log(`notebooks/${name}`);
  }
}

if (process.argv[1] === import.meta.filename) {
  try {
    main();
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
