import { join } from 'node:path';
import type { Table } from '../figures/index.js';
import { formatCsv, writeFileAtomic } from '../store/index.js';
import { InputError } from '../errors.js';
import { figuresFolder, regenerateCommand } from './context.js';
import { captionHtml, display, escapeHtml } from './display.js';
import { checkId, saveNumbers } from './figure.js';

/** A table as Markdown: caption, rows, and the command that makes it again. Pipes and line ends in cells are escaped. */
export function tableMarkdown(table: Table, command: string): string {
  const cell = (value: string | number) => String(value).replace(/\|/g, '\\|').replace(/\n/g, '<br>');
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(cell).join(' | ')} |`;
  const align = table.columns.map((_, c) => (isNumeric(table, c) ? '---:' : '---'));
  return [
    `${table.caption}\n`,
    line(table.columns),
    line(align),
    ...table.rows.map(line),
    `\nMade by \`${command}\`.\n`,
  ].join('\n');
}

/** A table as HTML, without scripts. */
export function tableHtml(table: Table): string {
  const side = table.columns.map((_, c) => (isNumeric(table, c) ? 'right' : 'left'));
  const row = (cells: readonly (string | number)[], tag: 'td' | 'th') =>
    `<tr>${cells.map((value, c) => `<${tag} style="text-align:${side[c]}">${escapeHtml(String(value))}</${tag}>`).join('')}</tr>`;
  return `<!--table:${table.id}--><table>
<caption style="caption-side:top;text-align:left">${captionHtml(table.caption)}</caption>
<thead>${row(table.columns, 'th')}</thead>
<tbody>
${table.rows.map((cells) => row(cells, 'td')).join('\n')}
</tbody>
</table>`;
}

/** Whether each cell of a column begins as a number does; such columns are set flush right. */
function isNumeric(table: Table, column: number): boolean {
  return table.rows.every((row) => typeof row[column] === 'number' || /^[-+−]?[\d.]/.test(String(row[column])));
}

/**
 * Shows a table and saves it: `figures/<preset>/tables/<id>.md` and `.csv`, and `data/<id>.json`, the numbers behind it.
 * @param numbers the measurement that the table was made from; without it, the rows themselves
 * @throws InputError if a row has not as many cells as there are columns
 */
export function showTable(table: Table, numbers: unknown = { columns: table.columns, rows: table.rows }): void {
  checkId(table.id);
  table.rows.forEach((row, i) => {
    if (row.length !== table.columns.length)
      throw new InputError(
        `table ${table.id} row ${i + 1}`,
        `${row.length} cells found, ${table.columns.length} expected.`,
      );
  });
  const command = regenerateCommand();
  const path = join(figuresFolder(), 'tables', table.id);
  const records = table.rows.map((row) => Object.fromEntries(table.columns.map((name, c) => [name, row[c]])));
  saveNumbers('table', table, numbers);
  writeFileAtomic(`${path}.md`, tableMarkdown(table, command));
  writeFileAtomic(`${path}.csv`, formatCsv(table.columns, records));
  display({ 'text/html': tableHtml(table), 'text/plain': tableMarkdown(table, command) });
}
