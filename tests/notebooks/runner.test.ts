import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isCode, joined, notebookProblems, readNotebook, writeNotebook, type Notebook, type Output } from '../../tools/src/notebookFile.js'; // prettier-ignore
import { committedForm } from '../../tools/src/refreshNotebooks.js';
import { notebooksToRun } from '../../tools/src/reproduce.js';
import { runNotebook } from '../../tools/src/runNotebook.js';
import { GOOD, hasJupyter, jupyterProblems, nbconvert, runCells, temporaryProject, writeCells } from './runs.js';

let project: ReturnType<typeof temporaryProject>;
beforeAll(() => {
  project = temporaryProject();
});
afterAll(() => project.remove());

const errorOf = (outputs: Output[]) => outputs.find((output) => output.output_type === 'error');
const textOf = (outputs: Output[]) =>
  outputs.map((output) => (output.output_type === 'stream' ? joined(output.text) : `<${output.output_type}>`)).join('');

describe('a notebook that is right', () => {
  it('leaves outputs in order, files of each figure and table, and itself as it was', async () => {
    const before = readFileSync(GOOD, 'utf8');
    const out = join(project.root, 'figures/smoke/notebooks/good.ipynb');
    const env = { KEYMYNA_ROOT: project.root, KEYMYNA_PRESET: 'smoke' };
    const result = await runNotebook(GOOD, out, { cellTimeout: 60, env });
    expect(result.failure).toBeNull();
    expect(readFileSync(GOOD, 'utf8')).toBe(before);
    const executed = readNotebook(out);
    expect(notebookProblems(executed)).toEqual([]);
    expect(jupyterProblems(out) ?? '').toBe('');
    const cells = executed.cells.filter(isCode);
    expect(cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(textOf(cells[0].outputs)).toBe('smoke\n');
    expect(textOf(cells[5].outputs)).toBe('before\n<display_data>after\n<display_data>');
    const bar = cells[5].outputs[1];
    expect(bar.output_type === 'display_data' && joined(bar.data['text/plain'] as string[])).toMatch(/3\/3 done/);
    for (const file of [
      'fixture_line.html',
      'data/fixture_line.json',
      'tables/fixture_table.md',
      'tables/fixture_table.csv',
    ])
      // prettier-ignore
      expect(existsSync(join(project.root, 'figures/smoke', file)), file).toBe(true);
    const numbers = JSON.parse(readFileSync(join(project.root, 'figures/smoke/data/fixture_line.json'), 'utf8'));
    expect(numbers).toMatchObject({ kind: 'figure', notebook: 'good', numbers: { squares: [0, 1, 4, 9] } });
  });

  it('carries types from cell to cell, and allows await at the top and redeclaration', async () => {
    const { result } = await runCells(project.root, [
      `import { progressBar } from 'keymyna/notebook';\nconst bar = progressBar('a');`,
      `bar.finish('done');\nconst n: number = await Promise.resolve(1);`,
      `const n = 'now a text';\nconsole.log(n.length);`,
    ]);
    expect(result.failure).toBeNull();
  });
});

describe('a cell that fails stops the run, with a proper error output', () => {
  it('type error', async () => {
    const { result, outputs, path } = await runCells(project.root, [
      `const n: number = 'text';`,
      `console.log('late');`,
    ]);
    expect(result.failure).toMatch(/code cell 1 .*TypeScriptError: 1:7 - Type 'string' is not assignable/);
    expect(errorOf(outputs[0])).toMatchObject({ ename: 'TypeScriptError' });
    expect(outputs[1]).toEqual([]);
    expect(jupyterProblems(path) ?? '').toBe('');
  });

  it('strict checking', async () => {
    const { result } = await runCells(project.root, [`const f = (x?: number) => x.toFixed();`]);
    expect(result.failure).toMatch(/possibly 'undefined'/);
  });

  it('thrown error, after the output that came before it', async () => {
    const { result, outputs } = await runCells(project.root, [
      `console.log('first');\nthrow new RangeError('too far');`,
    ]);
    expect(textOf(outputs[0])).toBe('first\n<error>');
    expect(errorOf(outputs[0])).toMatchObject({ ename: 'RangeError', evalue: 'too far' });
    expect(result.failure).toMatch(/RangeError: too far/);
  });

  it('error thrown in the library: its message names what to do', async () => {
    const cell = `import { showTable } from 'keymyna/notebook';\nshowTable({ id: 'a/b', caption: '', columns: [], rows: [] });`;
    const { outputs } = await runCells(project.root, [cell]);
    const error = errorOf(outputs[0]);
    expect(error).toMatchObject({ ename: 'InputError' });
    expect(error?.output_type === 'error' && error.traceback.join('\n')).toMatch(/notebook[\\/]figure\.ts:\d+/);
  });

  it('rejection that nobody awaited', async () => {
    const { result } = await runCells(project.root, [`void Promise.reject(new Error('adrift'));`, `1 + 1;`]);
    expect(result.failure).toMatch(/adrift/);
  });

  it('strict claim that fails', async () => {
    const cell = `import { checkClaim } from 'keymyna/notebook';\ncheckClaim('One is two', 1 > 2, '1 < 2', 'strict');`;
    const { result } = await runCells(project.root, [cell]);
    expect(result.failure).toMatch(/The claim "One is two" fails/);
  });

  it('timeout, even in a loop that never yields', async () => {
    const { result, outputs } = await runCells(project.root, [`console.log('in');\n(() => { for (;;); })();`], 2);
    expect(result.failure).toMatch(/Timeout: the cell ran longer than 2 s/);
    expect(textOf(outputs[0])).toBe('in\n<error>');
    expect(result.seconds).toBeLessThan(30);
  });

  it('process.exit in a cell', async () => {
    const { result, outputs } = await runCells(project.root, [`process.exit(3);`]);
    expect(result.failure).toMatch(/KernelDied: the kernel died \(exit code 3\)/);
    expect(errorOf(outputs[0])).toBeDefined();
  });

  it('stopping the run ends the kernel and throws the reason', async () => {
    const file = writeCells(join(project.root, 'notebooks/stop.ipynb'), [
      `await new Promise((r) => setTimeout(r, 60000));`,
    ]);
    const out = join(project.root, 'executed/stop.ipynb');
    const run = runNotebook(file, out, { cellTimeout: 60, signal: AbortSignal.timeout(4000) });
    await expect(run).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(existsSync(out)).toBe(true);
  });
});

describe('notebook files', () => {
  const display = (data: Record<string, unknown>): Output => ({ output_type: 'display_data', data, metadata: {} });
  const withOutput = (output: Output): Notebook => ({
    cells: [{ cell_type: 'code', id: 'a', source: '', metadata: {}, execution_count: 1, outputs: [output] } as never],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  });

  it('that would not be valid are not written', () => {
    const path = join(project.root, 'invalid.ipynb');
    expect(() => writeNotebook(path, withOutput(display({ 'image/png': { not: 'text' } })))).toThrow(/image\/png output is no text/); // prettier-ignore
    expect(existsSync(path)).toBe(false);
  });

  it('that are no notebooks are named', () => {
    const path = join(project.root, 'three.ipynb');
    writeFileSync(path, '{"nbformat": 3, "worksheets": []}');
    expect(() => readNotebook(path)).toThrow(/three\.ipynb: this is no notebook of nbformat 4 \(nbformat 3 found\)/);
  });

  it('to be committed: a picture with its caption and link, no script; an error or a missing picture is refused', () => {
    const html = '<figure id="x"><!--figure:one--><script>draw()</script></figure>';
    const small = committedForm(
      withOutput(display({ 'text/html': html, 'image/png': 'AAAA' })),
      () => 'Caption',
      'study',
      'n',
    );
    const text = JSON.stringify(small);
    expect(text).toContain('../figures/study/one.html');
    expect(text).toContain('"image/png":"AAAA"');
    expect(text).not.toContain('<script');
    expect(() => committedForm(withOutput(display({ 'text/html': html })), () => '', 'study', 'n')).toThrow(
      /no picture/,
    );
    const clip = display({
      'text/html': '<div><audio src="data:audio/wav;base64,AA"></div>',
      'text/plain': '[clip a]',
    });
    expect(JSON.stringify(committedForm(withOutput(clip), () => '', 'study', 'n'))).toMatch(/clip a\] Run this cell/);
    const error: Output = { output_type: 'error', ename: 'E', evalue: '', traceback: [] };
    expect(() => committedForm(withOutput(error), () => '', 'study', 'n')).toThrow(/holds an error/);
    const large = withOutput({ output_type: 'stream', name: 'stdout', text: 'x'.repeat(2_600_000) });
    expect(() => committedForm(large, () => '', 'study', 'n')).toThrow(/2\.6 MB/);
  });

  it('are chosen by number, in order', () => {
    for (const name of ['02_b.ipynb', '01_a.ipynb', 'draft.ipynb'])
      writeCells(join(project.root, 'notebooks', name), []);
    expect(notebooksToRun(project.root, [])).toEqual(['01_a.ipynb', '02_b.ipynb']);
    expect(notebooksToRun(project.root, ['02'])).toEqual(['02_b.ipynb']);
    expect(() => notebooksToRun(project.root, ['07'])).toThrow(/there is no notebook 07; expected of 01, 02/);
  });
});

describe.skipIf(!hasJupyter())('under Jupyter', () => {
  const env = () => ({ KEYMYNA_ROOT: project.root, KEYMYNA_PRESET: 'smoke' });

  it('nbconvert runs the same notebook with the project kernel', () => {
    const out = join(project.root, 'nbconvert');
    const { ok, log } = nbconvert(GOOD, out, env());
    expect(ok, log).toBe(true);
    const cells = readNotebook(join(out, 'good.ipynb')).cells.filter(isCode);
    expect(cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(textOf(cells[5].outputs)).toBe('before\n<display_data>after\n<display_data>');
  });

  it('nbconvert says what a cell threw', () => {
    const file = writeCells(join(project.root, 'notebooks/throws.ipynb'), [`throw new RangeError('too far');`]);
    const { ok, log } = nbconvert(file, join(project.root, 'nbconvert'), env());
    expect(ok).toBe(false);
    expect(log).toMatch(/RangeError: too far/);
  });
});
