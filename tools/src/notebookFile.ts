/** Notebooks as files: nbformat 4.5, the parts that running and showing need. */
import { randomUUID } from 'node:crypto';
import { readJson, writeFileAtomic } from 'keymyna/store';
import { InputError } from 'keymyna';

export type Lines = string | string[];
export type Mime = Record<string, unknown>;
export type Output =
  | { output_type: 'stream'; name: 'stdout' | 'stderr'; text: Lines }
  | { output_type: 'display_data'; data: Mime; metadata: Record<string, unknown> }
  | { output_type: 'error'; ename: string; evalue: string; traceback: string[] };
export interface Cell {
  id: string;
  cell_type: 'code' | 'markdown' | 'raw';
  source: Lines;
  metadata: Record<string, unknown>;
  outputs?: Output[];
  execution_count?: number | null;
}
export interface CodeCell extends Cell {
  cell_type: 'code';
  outputs: Output[];
  execution_count: number | null;
}
export interface Notebook {
  cells: Cell[];
  metadata: Record<string, unknown>;
  nbformat: 4;
  nbformat_minor: number;
}

export const joined = (text: Lines): string => (Array.isArray(text) ? text.join('') : text);
const lines = (text: Lines): string[] => joined(text).match(/[^\n]*\n|[^\n]+$/g) ?? [];
const isTextMime = (mime: string): boolean => /^text\/|\+xml$|^application\/javascript$/.test(mime);
const isJsonMime = (mime: string): boolean => /^application\/(.*\+)?json$/.test(mime);

/** Whether a cell holds code; a notebook read by `readNotebook` has its outputs and count. */
export const isCode = (cell: Cell): cell is CodeCell => cell.cell_type === 'code';

/** Reads a notebook; cells without id (nbformat 4.4 and older) get one. @throws InputError if it is no nbformat 4 notebook */
export function readNotebook(path: string): Notebook {
  const notebook = readJson(path) as Notebook;
  if (notebook?.nbformat !== 4 || !Array.isArray(notebook.cells))
    throw new InputError(path, `this is no notebook of nbformat 4 (nbformat ${String(notebook?.nbformat)} found).`);
  notebook.nbformat_minor = Math.max(notebook.nbformat_minor, 5);
  for (const cell of notebook.cells) {
    cell.id ??= randomUUID().slice(0, 8);
    if (isCode(cell)) {
      cell.outputs ??= [];
      cell.execution_count ??= null;
    }
  }
  return notebook;
}

/** Takes all outputs out, as before the first run. */
export function clearOutputs(notebook: Notebook): void {
  for (const cell of notebook.cells.filter(isCode)) Object.assign(cell, { outputs: [], execution_count: null });
}

/** What is wrong with a notebook by nbformat 4.5, one sentence each; empty if nothing. */
export function notebookProblems(notebook: Notebook): string[] {
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const [i, cell] of notebook.cells.entries()) {
    const where = `cell ${i + 1} [${cell.id}]`;
    if (!/^[a-zA-Z0-9-_]{1,64}$/.test(cell.id))
      problems.push(`${where}: its id is not 1 to 64 letters, digits, - or _`);
    if (ids.has(cell.id)) problems.push(`${where}: its id comes twice`);
    ids.add(cell.id);
    if (!isCode(cell)) continue;
    if (cell.execution_count !== null && !Number.isInteger(cell.execution_count))
      problems.push(`${where}: its execution count is no whole number`);
    for (const output of cell.outputs)
      problems.push(...outputProblems(output).map((problem) => `${where}: ${problem}`));
  }
  return problems;
}

function outputProblems(output: Output): string[] {
  const isText = (value: unknown) =>
    typeof value === 'string' || (Array.isArray(value) && value.every((line) => typeof line === 'string'));
  switch (output.output_type) {
    case 'stream':
      return isText(output.text) && ['stdout', 'stderr'].includes(output.name) ? [] : ['a stream without name or text'];
    case 'error':
      return isText(output.ename) &&
        isText(output.evalue) &&
        Array.isArray(output.traceback) &&
        isText(output.traceback)
        ? []
        : ['an error without name, message or trace'];
    case 'display_data':
      if (!output.data || !output.metadata) return ['a display without data or metadata'];
      return Object.entries(output.data)
        .filter(([mime, value]) => !isJsonMime(mime) && !isText(value))
        .map(([mime]) => `its ${mime} output is no text`);
    default:
      return [`an output of unknown type ${String((output as { output_type: unknown }).output_type)}`];
  }
}

/** Writes a notebook as Jupyter does (texts as lists of lines), whole or not at all. @throws Error if it is not valid nbformat 4.5 */
export function writeNotebook(path: string, notebook: Notebook): void {
  for (const cell of notebook.cells) {
    cell.source = lines(cell.source);
    for (const output of isCode(cell) ? cell.outputs : []) {
      if (output.output_type === 'stream') output.text = lines(output.text);
      if (output.output_type === 'display_data')
        for (const [mime, value] of Object.entries(output.data))
          if (isTextMime(mime) && typeof value === 'string') output.data[mime] = lines(value);
    }
  }
  const problems = notebookProblems(notebook);
  if (problems.length) throw new Error(`${path} would not be a valid notebook:\n${problems.join('\n')}`);
  writeFileAtomic(path, `${JSON.stringify(notebook, null, 1)}\n`);
}
