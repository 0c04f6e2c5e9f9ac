/** What the notebook tests share: notebooks made of cells, and a throw-away project folder to run them in. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCode, readNotebook, type Output } from '../../tools/src/notebookFile.js';
import { runNotebook, type RunResult } from '../../tools/src/runNotebook.js';

export const ROOT = join(import.meta.dirname, '../..');
export const GOOD = join(import.meta.dirname, 'fixtures/good.ipynb');

/** A project folder with notebooks/ and the checkout's node_modules, and how to delete it. */
export function temporaryProject(): { root: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'keymyna-notebooks-'));
  mkdirSync(join(root, 'notebooks'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'junction');
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Writes a notebook of code cells. */
export function writeCells(path: string, cells: readonly string[]): string {
  const notebook = {
    cells: cells.map((source, i) => ({ cell_type: 'code', execution_count: null, id: `c${i}`, metadata: {}, outputs: [], source })), // prettier-ignore
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5,
  };
  writeFileSync(path, JSON.stringify(notebook));
  return path;
}

/** Runs cells in a fresh kernel and gives each cell's outputs. */
export async function runCells(
  root: string,
  cells: readonly string[],
  cellTimeout = 60,
): Promise<{ result: RunResult; outputs: Output[][]; path: string }> {
  const file = writeCells(join(root, 'notebooks', `cells${cells.length}_${cellTimeout}.ipynb`), cells);
  const path = join(root, 'executed', 'cells.ipynb');
  const env = { KEYMYNA_ROOT: root, KEYMYNA_PRESET: 'smoke' };
  const result = await runNotebook(file, path, { cellTimeout, env });
  const outputs = readNotebook(path)
    .cells.filter(isCode)
    .map((cell) => cell.outputs);
  return { result, outputs, path };
}

/** Jupyter's nbconvert on a notebook, with the project's kernel. */
export function nbconvert(notebook: string, outDir: string, env: Record<string, string>): { ok: boolean; log: string } {
  const args = ['nbconvert', '--to', 'notebook', '--execute', '--ExecutePreprocessor.kernel_name=tslab', '--ExecutePreprocessor.timeout=600', '--output-dir', outDir, notebook]; // prettier-ignore
  const child = spawnSync('jupyter', args, {
    encoding: 'utf8',
    env: { ...process.env, JUPYTER_PATH: join(ROOT, 'jupyter'), ...env },
  });
  return { ok: child.status === 0, log: `${child.stdout}${child.stderr}` };
}

/** Whether this machine has Jupyter's nbconvert; says so if not. */
export function hasJupyter(): boolean {
  const has = spawnSync('jupyter', ['nbconvert', '--version']).status === 0;
  if (!has) console.warn('Skipped: jupyter nbconvert is not installed, so the kernel is not tried under Jupyter.');
  return has;
}

/** Problems that Jupyter's own validator has with a notebook; null if that validator is not installed. */
export function jupyterProblems(notebook: string): string | null {
  const code = 'import sys, nbformat; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))';
  for (const python of ['/usr/bin/python3', 'python3']) {
    if (spawnSync(python, ['-c', 'import nbformat']).status !== 0) continue;
    return spawnSync(python, ['-c', code, notebook], { encoding: 'utf8' }).stderr.trim();
  }
  return null;
}
