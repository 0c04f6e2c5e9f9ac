/** Scoring two CSV files against each other: what `keymyna score` does, without files. */
import { parse } from 'csv-parse/sync';
import { InputError } from '../errors.js';
import { parseKey } from './key.js';
import { type KeyScore, scoreKeys } from './score.js';

export interface CsvScore {
  readonly score: KeyScore;
  /** in the order of the reference file */
  readonly rows: readonly { readonly id: string; readonly referenceKey: number; readonly estimatedKey: number }[];
}

/**
 * Matches estimates to references by id and scores them. Both texts are CSV with a header line and at least the
 * columns `id` and `key` (any order, further columns ignored).
 *
 * @param names what error messages call the two texts, usually the file names
 * @throws InputError naming file, line and column: a missing column, an empty or repeated id, an unknown key name,
 *   an id that the other file lacks (scores are comparable only on the same track list)
 */
export function scoreCsv(
  referenceCsvText: string,
  estimatesCsvText: string,
  names: { reference: string; estimates: string } = { reference: 'reference', estimates: 'estimates' },
): CsvScore {
  const reference = readKeys(referenceCsvText, names.reference);
  const estimates = readKeys(estimatesCsvText, names.estimates);
  for (const [id, { line }] of estimates)
    if (!reference.has(id))
      throw new InputError(
        `${names.estimates} line ${line}, column id`,
        `"${id}" is not in ${names.reference}; both files must list the same tracks`,
      );
  const rows = [...reference].map(([id, { keyId, line }]) => {
    const estimate = estimates.get(id);
    if (estimate === undefined)
      throw new InputError(
        `${names.reference} line ${line}, column id`,
        `"${id}" has no estimate in ${names.estimates}; add a row with this id`,
      );
    return { id, referenceKey: keyId, estimatedKey: estimate.keyId };
  });
  const score = scoreKeys(
    rows.map((row) => row.referenceKey),
    rows.map((row) => row.estimatedKey),
  );
  return { score, rows };
}

interface ParsedRecord {
  record: Record<string, string>;
  info: { lines: number };
}

function readKeys(text: string, name: string): Map<string, { keyId: number; line: number }> {
  let records: ParsedRecord[];
  let columns: string[] = [];
  try {
    records = parse(text, {
      bom: true,
      trim: true,
      info: true,
      skip_empty_lines: true,
      columns: (header: string[]) => (columns = header),
    }) as unknown as ParsedRecord[];
  } catch (error) {
    throw new InputError(name, `not a readable CSV file: ${(error as Error).message}`, { cause: error });
  }
  for (const column of ['id', 'key'])
    if (!columns.includes(column))
      throw new InputError(
        `${name} line 1`,
        `no column "${column}" (found: ${columns.join(', ') || 'nothing'}); expected a header line with id,key`,
      );
  if (records.length === 0) throw new InputError(name, 'no rows under the header line; expected one per track');

  const keys = new Map<string, { keyId: number; line: number }>();
  for (const { record, info } of records) {
    const line = info.lines;
    const { id, key } = record;
    if (id === '') throw new InputError(`${name} line ${line}, column id`, 'empty; expected the id of a track');
    const first = keys.get(id);
    if (first !== undefined)
      throw new InputError(
        `${name} line ${line}, column id`,
        `"${id}" stands in line ${first.line} already; expected each track once`,
      );
    const parsed = parseKey(key);
    if (parsed === null)
      throw new InputError(
        `${name} line ${line}, column key`,
        `"${key}" is not a key name; expected a tonic and a mode such as "Eb minor" or "F# major"`,
      );
    keys.set(id, { keyId: parsed.id, line });
  }
  return keys;
}
