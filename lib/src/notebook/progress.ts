import { randomUUID } from 'node:crypto';
import type { Progress } from '../workers/index.js';
import { display, escapeHtml, inKernel, updateDisplay } from './display.js';

/** A bar that is called with (done, total, note), as every long computation of the library does. */
export interface ProgressBar extends Progress {
  /** Fills the bar and lets it stand, with an optional last word. */
  finish(note?: string): void;
}

const BETWEEN_UPDATES = 200; // ms; a notebook keeps every message that it is sent until the cell ends

/** What a bar looks like: done and total are counts, total 0 means unknown. */
export function progressText(label: string, done: number, total: number, note = ''): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const filled = Math.round(share * 24);
  const count = total > 0 ? `${done}/${total}` : `${done}`;
  return `${label} [${'#'.repeat(filled)}${'.'.repeat(24 - filled)}] ${count}${note && ` ${note}`}`;
}

/** Starts a bar: in the notebook, updated in place; outside a kernel, one line of the terminal (silent when piped). */
export function progressBar(label: string): ProgressBar {
  const displayId = randomUUID();
  const kernel = inKernel();
  let last = { done: 0, total: 0 };
  let shownAt = -Infinity;

  const bundle = (text: string) => ({
    'text/html': `<pre style="margin:0">${escapeHtml(text)}</pre>`,
    'text/plain': text,
  });
  const show = (text: string) => {
    if (kernel) updateDisplay(bundle(text), displayId);
    else if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`);
  };
  if (kernel) display(bundle(progressText(label, 0, 0)), displayId);

  const update: Progress = (done, total, note) => {
    last = { done, total };
    const now = performance.now();
    if (now - shownAt < BETWEEN_UPDATES && done < total) return;
    shownAt = now;
    show(progressText(label, done, total, note));
  };
  const finish = (note?: string) => {
    const total = Math.max(last.total, last.done);
    show(progressText(label, total, total, note ?? 'done'));
    if (!kernel && process.stderr.isTTY) process.stderr.write('\n');
  };
  return Object.assign(update, { finish });
}
