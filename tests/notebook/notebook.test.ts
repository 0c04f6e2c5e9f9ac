import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder, checkClaim, drawingJson, embedPicture, figureIdIn, figuresFolder, preset, progressBar, rootFolder, showAudio, showFigure, showTable } from '../../lib/src/notebook/index.js'; // prettier-ignore
import { drawingOf, figureHtml, figurePage } from '../../lib/src/notebook/page.js';
import { progressText } from '../../lib/src/notebook/progress.js';
import { tableHtml, tableMarkdown } from '../../lib/src/notebook/table.js';

let root: string;
let printed: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keymyna-notebook-'));
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(String(text)));
  vi.stubEnv('KEYMYNA_ROOT', root);
  vi.stubEnv('KEYMYNA_PRESET', 'smoke');
  vi.stubEnv('KEYMYNA_CACHE', '');
  vi.stubEnv('KEYMYNA_NOTEBOOK', '04_embeddings.ipynb');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

const figure = {
  id: 'a_figure',
  caption: 'Scores & <keys>.',
  data: [{ x: [1, 2], y: Float32Array.of(0.1, Number.NaN), type: 'scatter' as const }],
  layout: { title: { text: '</script><b>' } },
};

describe('where things are', () => {
  it('comes from the environment; a wrong preset and a missing root are named', () => {
    expect([rootFolder(), preset()]).toEqual([root, 'smoke']);
    expect(figuresFolder()).toBe(join(root, 'figures', 'smoke'));
    expect(cacheFolder()).toBe(join(root, 'data', 'cache', 'smoke'));
    vi.stubEnv('KEYMYNA_CACHE', join(root, 'elsewhere'));
    expect(cacheFolder()).toBe(join(root, 'elsewhere'));
    vi.stubEnv('KEYMYNA_PRESET', '');
    expect(preset()).toBe('laptop');
    vi.stubEnv('KEYMYNA_PRESET', 'huge');
    expect(preset).toThrow('KEYMYNA_PRESET: "huge" is no preset; expected one of smoke, laptop, study, paper.');
    vi.stubEnv('KEYMYNA_ROOT', '');
    expect(rootFolder).toThrow(/KEYMYNA_ROOT: it is not set/);
  });
});

describe('showFigure', () => {
  it('saves page and numbers, and names the command', () => {
    showFigure(figure, { scores: [0.123456789] });
    const page = readFileSync(join(root, 'figures/smoke/a_figure.html'), 'utf8');
    expect(JSON.parse(drawingJson(page)!)).toEqual(drawingOf(figure));
    expect(page).toContain('<code>npm run reproduce -- --preset smoke --only 04</code>');
    expect(page).toContain('Scores &amp; &lt;keys&gt;.');
    expect(JSON.parse(readFileSync(join(root, 'figures/smoke/data/a_figure.json'), 'utf8'))).toEqual({
      kind: 'figure',
      id: 'a_figure',
      caption: 'Scores & <keys>.',
      preset: 'smoke',
      notebook: '04_embeddings',
      command: 'npm run reproduce -- --preset smoke --only 04',
      numbers: { scores: [0.123456789] },
    });
    expect(printed).toEqual(['[figure a_figure] Scores & <keys>.']);
  });

  it('without numbers keeps the drawn data', () => {
    showFigure(figure);
    const { numbers } = JSON.parse(readFileSync(join(root, 'figures/smoke/data/a_figure.json'), 'utf8'));
    expect(numbers).toEqual([{ x: [1, 2], y: [0.1, null], type: 'scatter' }]);
  });

  it('refuses an id that is no file name, and writes nothing', () => {
    expect(() => showFigure({ ...figure, id: '../up' })).toThrow(/id "\.\.\/up": only letters/);
    expect(existsSync(join(root, 'figures'))).toBe(false);
  });
});

describe('pages', () => {
  it('data cannot end the script that holds them, and survive', () => {
    const drawing = drawingOf(figure);
    const page = figurePage(figure, drawing, 'command');
    expect(page.match(/<\/script>/g)).toHaveLength(page.match(/<script\b/g)!.length);
    expect(JSON.parse(drawingJson(page)!).layout.title.text).toBe('</script><b>');
    expect(drawingJson('<p>another page</p>')).toBeNull();
  });

  it('a picture is put in once, and replaced when put in again', () => {
    const html = figureHtml(figure, drawingOf(figure), 'element');
    expect(figureIdIn(html)).toBe('a_figure');
    const once = embedPicture(html, 'words', 'AAAA');
    const twice = embedPicture(once, 'words', 'BB$$');
    expect(once).toContain('src="data:image/png;base64,AAAA"');
    expect(twice).toContain('src="data:image/png;base64,BB$$"');
    expect(twice.match(/<img /g)).toHaveLength(1);
    expect(figureIdIn('<p>no figure</p>')).toBeNull();
  });

  it('a drawing has six digits, no typed arrays, nothing undefined', () => {
    const layout = { width: undefined, shapes: [] };
    const data = [{ y: Float64Array.of(1 / 3, Infinity), name: undefined }];
    expect(drawingOf({ id: 'x', caption: '', data, layout })).toEqual({
      data: [{ y: [0.333333, null] }],
      layout: { height: 450, shapes: [] },
    });
  });
});

describe('showTable', () => {
  const table = { id: 'a_table', caption: 'Two.', columns: ['encoder', 'score'], rows: [['a | b', 0.5] as const, ['c\nd', '61 [57, 64]'] as const] }; // prettier-ignore

  it('saves Markdown, CSV and numbers', () => {
    showTable(table);
    const folder = join(root, 'figures/smoke');
    expect(readFileSync(join(folder, 'tables/a_table.md'), 'utf8')).toBe(tableMarkdown(table, 'npm run reproduce -- --preset smoke --only 04')); // prettier-ignore
    expect(readFileSync(join(folder, 'tables/a_table.csv'), 'utf8')).toBe('encoder,score\na | b,0.5\n"c\nd","61 [57, 64]"\n'); // prettier-ignore
    const { kind, numbers } = JSON.parse(readFileSync(join(folder, 'data/a_table.json'), 'utf8'));
    expect({ kind, numbers }).toEqual({ kind: 'table', numbers: { columns: table.columns, rows: table.rows } });
  });

  it('sets numbers flush right and escapes what would break a row', () => {
    expect(tableMarkdown(table, 'c').split('\n').slice(2, 6)).toEqual(['| encoder | score |', '| --- | ---: |', '| a \\| b | 0.5 |', '| c<br>d | 61 [57, 64] |']); // prettier-ignore
    expect(tableHtml({ ...table, caption: '<i>' })).toContain('&lt;i&gt;');
  });

  it('refuses a row of another length', () => {
    expect(() => showTable({ ...table, rows: [['a']] })).toThrow('table a_table row 1: 1 cells found, 2 expected.');
  });
});

describe('checkClaim', () => {
  it('reports a measured claim that does not hold, and throws for a strict one', () => {
    checkClaim('Pretrained is better', false, '58.1 against 60.2');
    expect(printed[0]).toBe('Claim: Pretrained is better\n✗ does not hold here: 58.1 against 60.2');
    expect(() => checkClaim('One is one', false, '1 and 2', 'strict')).toThrow('The claim "One is one" fails: 1 and 2');
    checkClaim('One is one', true, '1 and 1', 'strict');
    expect(printed[2]).toBe('Claim: One is one\n✓ holds: 1 and 1');
    expect(() => checkClaim('', true, 'x')).toThrow(/checkClaim/);
  });
});

describe('showAudio', () => {
  it('takes a short finite clip at any rate', () => {
    showAudio(
      Float32Array.from({ length: 4410 }, (_, i) => 2 * Math.sin(i / 10)),
      44100,
      'sine',
    );
    expect(printed).toEqual(['[clip sine, 0.1 s]']);
    expect(() => showAudio(new Float32Array(0), 16000, 'none')).toThrow(/clip "none": it lasts 0 s/);
    expect(() => showAudio(new Float32Array(16000 * 31), 16000, 'long')).toThrow(/31 s; expected/);
    expect(() => showAudio(Float32Array.of(0, Number.NaN), 16000, 'nan')).toThrow(/holds the sample NaN/);
  });
});

describe('progressBar', () => {
  it('is a text of one width; silent where nobody watches', () => {
    expect(progressText('probe', 6, 12)).toBe(`probe [${'#'.repeat(12)}${'.'.repeat(12)}] 6/12`);
    expect(progressText('probe', 3, 0, 'steps')).toBe(`probe [${'.'.repeat(24)}] 3 steps`);
    const bar = progressBar('probe');
    bar(1, 2, 'x');
    bar.finish();
    expect(printed).toEqual([]);
  });
});
