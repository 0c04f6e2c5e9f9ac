import { randomUUID } from 'node:crypto';
import { InputError } from '../errors.js';
import { display, escapeHtml } from './display.js';
import { type DeskAddress, kernelServer } from './kernelServer.js';
import { BASES_IN_NOTEBOOK, scriptJson } from './page.js';
import { SOUND_ADDRESSES, type SoundSource } from './playback.js';
import { fileSource, isLive } from './playbackOf.js';

/** A list to listen through and to correct. */
export interface Review {
  /** What is said above the list; plain text. */
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly ReviewRow[];
  /** What can be chosen in each row; '' stands for nothing. */
  readonly choices: readonly string[];
  /** How the same is said in a cell: `music.correct` for `music.correct("a.wav", "Eb minor")`. */
  readonly command: string;
  /** Keeps a choice; returns one sentence, or throws an error with one. */
  readonly save: (name: string, choice: string) => string;
}

export interface ReviewRow {
  /** What `save` and `command` are given. */
  readonly name: string;
  /** Absolute path of the sound. */
  readonly path: string;
  readonly cells: readonly (string | number)[];
  /** What stands in the list of choices at first. */
  readonly choice: string;
}

/** Most rows of one sheet. */
const MAX_ROWS = 100;

/**
 * Shows a sheet with a player, a list of choices and a Save button in each row. Saving goes to this kernel over HTTP on
 * this machine; where a page cannot reach it (another machine, VS Code, an ended kernel), the row says which line to run
 * in a cell instead. Without scripts, and in the headless runner, the sheet is a table.
 * @throws InputError for a row whose first choice is none of the choices
 */
export async function showReview(review: Review): Promise<void> {
  const rows = review.rows.slice(0, MAX_ROWS);
  for (const { name, choice } of rows)
    if (!review.choices.includes(choice))
      throw new InputError(`review, row ${name}`, `"${choice}" is none of the ${review.choices.length} choices.`);
  const desk = isLive() ? await openDesk({ ...review, rows }) : null;
  const elementId = `review-${randomUUID()}`;
  display({
    'text/html': reviewHtml({ ...review, rows }, elementId, desk),
    'text/plain': reviewText({ ...review, rows }),
  });
}

/** A sheet's desk at the kernel's server, and the sounds of its rows. */
export interface ReviewDesk extends DeskAddress {
  readonly sources: readonly SoundSource[];
}

async function openDesk({ rows, choices, save }: Review): Promise<ReviewDesk> {
  const server = await kernelServer();
  const desk = server.open({
    files: rows.map(({ path }) => path),
    nChoices: choices.length,
    choose: (row, choice) => save(rows[row].name, choices[choice]),
  });
  const sources = rows.map(({ path }, row) => ({ address: server.soundAddress(desk, row), ...fileSource(path) }));
  return { ...desk, sources };
}

function reviewText({ caption, columns, rows, command }: Review): string {
  const lines = [columns, ...rows.map(({ cells }) => cells)].map((cells) => `| ${cells.join(' | ')} |`);
  return [caption, '', ...lines, '', `To correct: ${command}(name, choice)`].join('\n');
}

/** The sheet as HTML; with a desk, scripts add what can be used. */
export function reviewHtml(review: Review, elementId: string, desk: ReviewDesk | null): string {
  const { caption, columns, rows, choices, command } = review;
  const cell = (value: string | number, tag: 'td' | 'th'): string =>
    `<${tag} style="text-align:left">${escapeHtml(String(value))}</${tag}>`;
  const body = rows.map(
    ({ cells }) => `<tr>${cells.map((value) => cell(value, 'td')).join('')}<td class="tools"></td></tr>`,
  );
  const table = `<div id="${elementId}" class="review"><table>
<caption style="caption-side:top;text-align:left">${escapeHtml(caption)} <span class="how">In a cell: <code>${escapeHtml(command)}(file, key)</code>.</span></caption>
<thead><tr>${columns.map((name) => cell(name, 'th')).join('')}<th></th></tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
  if (desk === null) return table;
  const data = {
    ...desk,
    choices,
    command,
    rows: rows.map(({ name, choice }) => ({ name, choice: choices.indexOf(choice) })),
  };
  return `${table}
<script>(function () {
${SOUND_ADDRESSES}
${BASES_IN_NOTEBOOK}
${REVIEW}
review(document.getElementById(${scriptJson(elementId)}), ${scriptJson(data)}, bases());
})();</script>`;
}

/** Adds player, choices and Save to each row. All names are data: shown as text, never as HTML. */
const REVIEW = `function review(el, sheet, bases) {
  var panel = document.createElement('div');
  var label = document.createElement('div');
  var audio = null;
  panel.className = 'playback';
  panel.style.cssText = 'margin:.4em 0;min-height:5em';
  panel.appendChild(label);
  el.appendChild(panel);
  label.textContent = 'Press ▶ to listen.';
  function play(row) {
    if (audio) { audio.pause(); audio.remove(); }
    label.textContent = sheet.rows[row].name;
    audio = playerOf(soundAddresses(sheet.sources[row], bases), function (text) { label.textContent = text; });
    panel.appendChild(audio);
    var started = audio.play();
    if (started) started.catch(function () { /* the player is there */ });
  }
  function button(text, title, action) {
    var made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.title = title;
    made.style.cssText = 'margin:0 .3em;padding:.1em .6em';
    made.addEventListener('click', action);
    return made;
  }
  // Jupyter takes keys for commands wherever its own editor is not; here they belong to the list and the player.
  el.addEventListener('keydown', function (event) { event.stopPropagation(); });
  Array.prototype.forEach.call(el.querySelectorAll('tbody tr'), function (tr, row) {
    var tools = tr.querySelector('.tools');
    var select = document.createElement('select');
    var status = document.createElement('div');
    status.className = 'status';
    sheet.choices.forEach(function (choice) {
      var option = document.createElement('option');
      option.textContent = choice || '(no label)';
      select.appendChild(option);
    });
    select.selectedIndex = sheet.rows[row].choice;
    select.setAttribute('aria-label', 'key of ' + sheet.rows[row].name);
    function say(text, colour, code) {
      status.textContent = text;
      status.style.color = colour;
      if (!code) return;
      var shown = document.createElement('code');
      shown.textContent = code;
      status.appendChild(shown);
    }
    tools.style.cssText = 'white-space:nowrap;text-align:left';
    tools.appendChild(button('▶', 'Listen', function () { play(row); }));
    tools.appendChild(select);
    tools.appendChild(button('Save', 'Save this key as the label', function () {
      var choice = select.selectedIndex;
      say('saving …', '#555');
      fetch(sheet.base + '/choose', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: 'Bearer ' + sheet.token },
        body: JSON.stringify({ desk: sheet.desk, row: row, choice: choice }),
        credentials: 'omit',
        referrerPolicy: 'no-referrer'
      }).then(function (response) {
        if (!response.ok) throw new Error(String(response.status));
        return response.json();
      }).then(function (answer) {
        say((answer.saved ? '✓ ' : '✗ ') + answer.message, answer.saved ? '#2a7f3f' : '#b3261e');
      }).catch(function () {
        var line = sheet.command + '(' + JSON.stringify(sheet.rows[row].name) + ', ' + JSON.stringify(sheet.choices[choice]) + ');';
        say('✗ Not saved: this page cannot reach the kernel. Run in a cell: ', '#b3261e', line);
      });
    }));
    tools.appendChild(status);
  });
}`;
