import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import type { Figure } from '../figures/index.js';
import { writeFileAtomic, writeJson } from '../store/index.js';
import { figuresFolder, notebookName, preset, regenerateCommand } from './context.js';
import { display } from './display.js';
import { drawingOf, figureHtml, figurePage, type Heard } from './page.js';
import { checkPlayback, type Playback } from './playback.js';
import { checkSounds } from './sounds.js';

/** What figures/<preset>/data/<id>.json holds, for figures and tables alike. */
export interface NumbersFile {
  readonly kind: 'figure' | 'table';
  readonly id: string;
  readonly caption: string;
  readonly preset: string;
  readonly notebook: string | null;
  readonly command: string;
  readonly numbers: unknown;
}

/** Ids are file names and anchors. @throws InputError for anything but letters, digits, `-` and `_` */
export function checkId(id: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(id))
    throw new InputError(
      `figure or table id "${id}"`,
      'only letters, digits, "-" and "_" may be used; it names files.',
    );
}

/** Writes the numbers behind a figure or table, as given and unrounded. */
export function saveNumbers(
  kind: NumbersFile['kind'],
  { id, caption }: { id: string; caption: string },
  numbers: unknown,
): void {
  const file: NumbersFile = {
    kind,
    id,
    caption,
    preset: preset(),
    notebook: notebookName(),
    command: regenerateCommand(),
    numbers,
  };
  writeJson(join(figuresFolder(), 'data', `${id}.json`), file);
}

/**
 * Shows a figure and saves it: `figures/<preset>/<id>.html` (interactive) and `data/<id>.json` (the numbers behind it).
 * In the notebook it is interactive where scripts run, and a picture everywhere else once `npm run reproduce` has put
 * one there. SVG and PNG are made by that command, too.
 * @param numbers the measurement that the figure was drawn from; without it, the drawn data themselves
 * @param options.sounds played when a point is clicked whose entry in its trace's `ids` names one; they go into the
 *   page and into the executed notebook, never into the committed one
 * @param options.playback played along with the figure, whose x axis is in seconds: a cursor follows, a click seeks
 * @throws InputError for an id that is no file name, or sounds that are none or too many
 */
export function showFigure(figure: Figure, numbers?: unknown, options: Heard = {}): void {
  checkId(figure.id);
  const { sounds = null, playback = null } = options;
  if (sounds) checkSounds(figure.id, sounds);
  if (playback) checkPlayback(figure.id, playback);
  const drawing = drawingOf(figure);
  saveNumbers('figure', figure, numbers ?? drawing.data);
  const page = figurePage(figure, drawing, regenerateCommand(), { sounds, playback: playback && kept(playback) });
  writeFileAtomic(join(figuresFolder(), `${figure.id}.html`), page);
  display({
    // Viewers that draw Plotly by themselves would draw it without sounds.
    ...(sounds || playback ? {} : { 'application/vnd.plotly.v1+json': drawing }),
    'text/html': figureHtml(figure, drawing, `figure-${randomUUID()}`, { sounds, playback }),
    'text/plain': `[figure ${figure.id}] ${figure.caption}`,
  });
}

/** For a page that outlives the kernel: without the kernel's address. */
function kept({ label, source: { sound, file } }: Playback): Playback {
  return { label, source: { sound, file } };
}
