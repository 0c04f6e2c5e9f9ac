import { createRequire } from 'node:module';

/** One Jupyter output in several formats: mime type -> text, or plain JSON for `+json` types. */
export type MimeBundle = Readonly<Record<string, unknown>>;

interface Message {
  data: MimeBundle;
  metadata: Record<string, unknown>;
  transient: { display_id?: string };
}
type Write = (message: Message, update: boolean) => void;

const require = createRequire(import.meta.url);
const TSLAB = require.resolve('tslab/dist/jupyter.js');

/**
 * tslab's way out of the running cell, or null outside a kernel. Set anew for every cell, so read at each call;
 * taken from the modules that are loaded, because loading tslab (with its compiler) just to find no kernel takes seconds.
 */
function writer(): Write | null {
  const loaded = require.cache[TSLAB]?.exports as { lastWriteDisplayData: Write | null } | undefined;
  return loaded?.lastWriteDisplayData ?? null;
}

/** Whether a notebook cell is there to show something in. */
export function inKernel(): boolean {
  return writer() !== null;
}

/** Shows one output; a viewer takes the richest format that it knows. Outside a kernel, prints the text/plain one. */
export function display(data: MimeBundle, displayId?: string): void {
  const write = writer();
  const transient = displayId === undefined ? {} : { display_id: displayId };
  if (write) write({ data, metadata: {}, transient }, false);
  else console.log(String(data['text/plain'] ?? `[${Object.keys(data).join(', ')}]`));
}

/** Replaces what `display(_, displayId)` showed. Does nothing outside a kernel. */
export function updateDisplay(data: MimeBundle, displayId: string): void {
  writer()?.({ data, metadata: {}, transient: { display_id: displayId } }, true);
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/** A caption as HTML: escaped, and what stands between backticks as code. */
export function captionHtml(caption: string): string {
  return escapeHtml(caption).replace(/`([^`]+)`/g, '<code>$1</code>');
}
