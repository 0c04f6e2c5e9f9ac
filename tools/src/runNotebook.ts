/** Runs one notebook from a fresh kernel, cell by cell, and writes what came out. */
import { basename } from 'node:path';
import { after, Kernel, type KernelMessage, type Reply } from './kernel.js';
import {
  clearOutputs,
  isCode,
  joined,
  readNotebook,
  writeNotebook,
  type CodeCell,
  type Mime,
  type Output,
} from './notebookFile.js';

export interface RunOptions {
  /** Seconds that one cell may take. */
  readonly cellTimeout: number;
  /** Added to the kernel's environment, e.g. KEYMYNA_PRESET. */
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
}
export interface RunResult {
  /** What went wrong, with the cell's code and the trace; null if all cells ran. */
  readonly failure: string | null;
  readonly seconds: number;
  readonly cells: number;
}
type Display = Extract<Output, { output_type: 'display_data' }>;

/**
 * Runs `file` and writes it with its outputs to `out` (also when a cell failed: with the outputs so far).
 * Stops at the first error, at a cell over its time, and when `signal` is aborted; then throws its reason.
 * @throws InputError if `file` is no notebook
 */
export async function runNotebook(file: string, out: string, options: RunOptions): Promise<RunResult> {
  const log = options.log ?? (() => {});
  const notebook = readNotebook(file);
  clearOutputs(notebook);
  const cells = notebook.cells.filter(isCode).filter((cell) => joined(cell.source).trim() !== '');
  const displays = new Map<string, Display[]>();
  const startedAt = performance.now();
  const secondsSince = (time: number) => (performance.now() - time) / 1000;
  const aborted = new Promise<Reply>((resolve) => {
    const stop = () => resolve(failed('Interrupted', 'the run was stopped'));
    if (options.signal?.aborted) stop();
    options.signal?.addEventListener('abort', stop, { once: true });
  });
  let stray: string | null = null;
  let failure: string | null = null;
  const kernel = await Kernel.start({ KEYMYNA_NOTEBOOK: basename(file), ...options.env }, (message) => {
    stray ??= String(message.content.text);
  });
  try {
    for (const [i, cell] of cells.entries()) {
      const cellStart = performance.now();
      let reply = await runCell(kernel, cell, displays, options.cellTimeout, aborted);
      if (reply.status === 'ok' && stray !== null) reply = failed('UnhandledRejection', stray);
      if (reply.status !== 'ok' && !cell.outputs.some((output) => output.output_type === 'error'))
        collect(cell, displays, { msg_type: 'error', content: { ...reply } });
      options.signal?.throwIfAborted();
      const verdict = reply.status === 'ok' ? 'ok' : 'FAILED';
      log(`${basename(file)} cell ${i + 1}/${cells.length} ${verdict} ${secondsSince(cellStart).toFixed(1)} s`);
      if (reply.status !== 'ok') {
        failure = describeFailure(file, i, cell, reply);
        break;
      }
    }
    await after(50, null); // time for a rejection that the last cell left floating
    if (failure === null && stray !== null) failure = `${file}: a promise that no cell awaited was rejected: ${stray}`;
  } finally {
    await kernel.stop();
    writeNotebook(out, notebook);
  }
  return { failure, seconds: secondsSince(startedAt), cells: cells.length };
}

const failed = (ename: string, evalue: string): Reply => ({
  status: 'error',
  ename,
  evalue,
  traceback: [`${ename}: ${evalue}`],
});

async function runCell(
  kernel: Kernel,
  cell: CodeCell,
  displays: Map<string, Display[]>,
  cellTimeout: number,
  aborted: Promise<Reply>,
): Promise<Reply> {
  const done = kernel
    .execute(joined(cell.source), (message) => collect(cell, displays, message))
    .catch((error: Error) => failed('KernelDied', error.message));
  const late = after(cellTimeout * 1000, failed('Timeout', `the cell ran longer than ${cellTimeout} s`));
  const reply = await Promise.race([done, aborted, late]);
  if (reply.ename === 'Timeout' || reply.ename === 'Interrupted') {
    kernel.interrupt();
    await Promise.race([done, after(1000, null)]); // its last outputs; the kernel is ended in any case
    cell.outputs = cell.outputs.filter((output) => output.output_type !== 'error');
  }
  return reply;
}

/** Adds one iopub message to a cell's outputs, as Jupyter's own clients do. */
function collect(cell: CodeCell, displays: Map<string, Display[]>, { msg_type, content }: KernelMessage): void {
  const last = cell.outputs.at(-1);
  const displayId = (content.transient as { display_id?: string } | undefined)?.display_id;
  const shown = { data: content.data as Mime, metadata: (content.metadata ?? {}) as Record<string, unknown> };
  switch (msg_type) {
    case 'execute_input':
      cell.execution_count = content.execution_count as number;
      break;
    case 'stream': {
      const name = content.name as 'stdout' | 'stderr';
      if (last?.output_type === 'stream' && last.name === name) last.text = joined(last.text) + String(content.text);
      else cell.outputs.push({ output_type: 'stream', name, text: String(content.text) });
      break;
    }
    case 'display_data': {
      const output: Display = { output_type: 'display_data', ...shown };
      cell.outputs.push(output);
      if (displayId) displays.set(displayId, [...(displays.get(displayId) ?? []), output]);
      break;
    }
    case 'update_display_data':
      for (const output of displays.get(displayId ?? '') ?? []) Object.assign(output, shown);
      break;
    case 'error':
      cell.outputs.push({
        output_type: 'error',
        ename: String(content.ename),
        evalue: String(content.evalue),
        traceback: (content.traceback as string[] | undefined) ?? [],
      });
      break;
  }
}

function describeFailure(file: string, index: number, cell: CodeCell, reply: Reply): string {
  const code = joined(cell.source)
    .split('\n')
    .map((line, n) => `${String(n + 1).padStart(4)} | ${line}`);
  const title = `${file}: code cell ${index + 1} [${cell.id}] failed: ${reply.ename}: ${reply.evalue}`;
  return [title, ...code, ...(reply.traceback ?? [])].join('\n');
}
