/** Answers of other programs from CSV: one program or several, keys in any usual notation, confidence if there is one. */
import { readLabel } from '../corpus/index.js';
import { InputError } from '../errors.js';
import { parseKey, parseWheelCode } from '../keys/index.js';
import { type CsvRow, parseCsv } from '../store/index.js';
import type { KeyAnswer } from './detector.js';

/** What one program says of each track. */
export interface ProgramEstimates {
  /** the program's name in the file; null where the file holds one program and does not name it */
  readonly program: string | null;
  readonly answers: ReadonlyMap<string, KeyAnswer>;
  /** why a track has no answer, by its id */
  readonly problems: ReadonlyMap<string, string>;
  /** what was read in another way than it is written, for the reader to know */
  readonly notes: readonly string[];
}

/** Columns that name the track; `file` is what `keymyna predict` writes. */
const ID_COLUMNS = ['id', 'file', 'path'] as const;
const CONFIDENCE = /^(.*?)[ _]confidence$/i;
/** A column of texts is a program's if at least so many of them, as a share, are keys. */
const LEAST_KEYS = 0.5;

interface Cell {
  readonly id: string;
  readonly line: number;
  readonly key: string;
  readonly confidence: string;
}

/**
 * Reads estimates in one of three layouts, told from the header line:
 *
 * - `id,key` and perhaps `confidence`: one program (`file` or `path` for `id` are taken too);
 * - `id,program,key` and perhaps `confidence`: one row a program and track;
 * - `id` and one column a program, each perhaps with a column `<program> confidence`. Columns without keys are left out.
 *
 * Keys are written as `keys/` reads them, or as Camelot (`8A`) or Open Key (`1m`) codes. A tonic alone (`A` beside `Am`)
 * is major where every other key of the program is minor and marked by an m; a note says so. What names no key
 * (empty, `-`, several keys) is a track without an answer.
 *
 * @param where the file's name, for messages
 * @throws InputError naming file, line and column: no track column, no program, a track twice, a confidence that is no
 *   number
 */
export function readEstimates(text: string, where: string): ProgramEstimates[] {
  const { columns, rows } = parseCsv(text, where);
  const idColumn = ID_COLUMNS.find((name) => columns.includes(name));
  if (idColumn === undefined)
    throw new InputError(`${where} line 1`, `no column ${ID_COLUMNS.join(', ')} (found: ${columns.join(', ')})`);
  if (rows.length === 0) throw new InputError(where, 'no rows under the header line; expected one per track');
  const cellsOf = (own: readonly CsvRow[], key: string, confidence: string): Cell[] =>
    own.map(({ line, fields }) => ({
      id: fields[idColumn],
      line,
      key: fields[key],
      confidence: fields[confidence] ?? '',
    }));
  if (columns.includes('program') && columns.includes('key')) {
    const programs = [...new Set(rows.map(({ fields }) => fields.program))];
    return programs.map((program) => {
      const own = rows.filter(({ fields }) => fields.program === program);
      if (program === '')
        throw new InputError(`${where} line ${own[0].line}, column program`, 'is empty; expected a name');
      return programOf(where, program, 'key', cellsOf(own, 'key', 'confidence'));
    });
  }
  if (columns.includes('key')) return [programOf(where, null, 'key', cellsOf(rows, 'key', 'confidence'))];
  return wideColumns(where, columns, rows, idColumn).map(({ program, confidence }) =>
    programOf(where, program, program, cellsOf(rows, program, confidence)),
  );
}

/** Columns of keys, each with its column of confidence. */
function wideColumns(
  where: string,
  columns: readonly string[],
  rows: readonly CsvRow[],
  idColumn: string,
): { program: string; confidence: string }[] {
  const isKeyColumn = (column: string): boolean => {
    const texts = rows.map(({ fields }) => fields[column]).filter((text) => text !== '');
    const keys = texts.filter((text) => parseKey(text) ?? parseWheelCode(text) ?? /^[a-g][b#♭♯]?$/i.test(text));
    return keys.length > 0 && keys.length >= LEAST_KEYS * texts.length;
  };
  const programs = columns.filter((column) => column !== idColumn && column !== 'reference' && isKeyColumn(column));
  if (programs.length === 0)
    throw new InputError(
      `${where} line 1`,
      `no column "key", and none of ${columns.join(', ')} holds keys; expected id,key or one column of keys a program`,
    );
  return programs.map((program) => ({
    program,
    confidence: columns.find((column) => CONFIDENCE.exec(column)?.[1] === program) ?? '',
  }));
}

function programOf(where: string, program: string | null, column: string, cells: readonly Cell[]): ProgramEstimates {
  const lines = new Map<string, number>();
  for (const { id, line } of cells) {
    const before = lines.get(id);
    if (id === '') throw new InputError(`${where} line ${line}`, 'the track has no name; expected an id');
    if (before !== undefined)
      throw new InputError(
        `${where} line ${line}`,
        `"${id}" stands in line ${before} already; expected each track once`,
      );
    lines.set(id, line);
  }
  const plainIsMajor = marksMinorOnly(cells.map(({ key }) => key));
  const answers = new Map<string, KeyAnswer>();
  const problems = new Map<string, string>();
  let plain = 0;
  for (const { id, line, key, confidence } of cells) {
    const label = readLabel(key);
    let keyId = label.keyId ?? parseWheelCode(key)?.id ?? null;
    if (keyId === null && plainIsMajor && label.quirks.includes('tonic only')) {
      keyId = parseKey(`${key} major`)!.id;
      plain++;
    }
    if (keyId === null) {
      problems.set(id, `${where} line ${line}, column ${column}: ${label.reason}`);
      continue;
    }
    answers.set(id, { keyId, confidence: confidenceOf(`${where} line ${line}`, confidence), scores: null });
  }
  const notes = plain > 0 ? [`${plain} keys are a tonic alone; read as major, because minor keys are marked`] : [];
  return { program, answers, problems, notes };
}

/** `A` beside `Am`: minor keys carry an m, no key is marked as major. */
function marksMinorOnly(keys: readonly string[]): boolean {
  const marked = keys.filter((text) => parseKey(text));
  return (
    marked.length > 0 && marked.every((text) => /^[a-g][b#♭♯]*m$/.test(text.charAt(0).toLowerCase() + text.slice(1)))
  );
}

function confidenceOf(where: string, text: string): number | null {
  if (text === '') return null;
  const value = Number(text.replace(/%$/, ''));
  if (!Number.isFinite(value)) throw new InputError(where, `the confidence "${text}" is no number; leave it empty`);
  return value;
}
