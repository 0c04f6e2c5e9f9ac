import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { InputError } from '../errors.js';

/** One data row; `line` counts from 1 (for a quoted field over several lines: its last). */
export interface CsvRow {
  readonly line: number;
  readonly fields: Record<string, string>;
}

/**
 * Parses CSV text with a header line (RFC 4180: quotes, doubled quotes, CRLF; a byte order mark is ignored). Where the
 * header has no comma, semicolons (Excel, where the comma is the decimal sign) or tabs may separate. Values and column
 * names are trimmed, empty lines skipped.
 * @param where named in errors, usually the path
 * @throws InputError if there is no header, a column comes twice, a row has another number of fields, or a quote is not closed
 */
export function parseCsv(text: string, where: string): { columns: string[]; rows: CsvRow[] } {
  let records: { info: { lines: number }; record: string[] }[];
  try {
    records = parse(text, {
      delimiter: delimiterOf(text),
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError(where, `this is no proper CSV: ${error.message}.`, { cause: error });
  }
  if (records.length === 0)
    throw new InputError(where, 'the file is empty; a first line with the names of the columns was expected.');
  const columns = records[0].record;
  columns.forEach((name, i) => {
    if (name === '') throw new InputError(`${where} line ${records[0].info.lines}`, `column ${i + 1} has no name.`);
    if (columns.indexOf(name) !== i)
      throw new InputError(`${where} line ${records[0].info.lines}`, `the column "${name}" comes twice.`);
  });
  const rows = records.slice(1).map(({ info, record }) => {
    if (record.length !== columns.length)
      throw new InputError(
        `${where} line ${info.lines}`,
        `${record.length} fields found, ${columns.length} expected (${columns.join(', ')}).`,
      );
    return { line: info.lines, fields: Object.fromEntries(columns.map((name, i) => [name, record[i]])) };
  });
  return { columns, rows };
}

function delimiterOf(text: string): string {
  const header = /^[\uFEFF\s]*([^\r\n]*)/.exec(text)![1];
  return [',', ';', '\t'].find((one) => header.includes(one)) ?? ',';
}

/** Formats rows as CSV with a header line; null and undefined give empty fields. Ends with a newline. */
export function formatCsv(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string | number | boolean | null | undefined>>[],
): string {
  const lines = rows.map((row) =>
    columns.map((name) => (row[name] === null || row[name] === undefined ? '' : String(row[name]))),
  );
  return stringify([[...columns], ...lines]);
}
