/**
 * FMAK (Wong and Hernandez 2023) and FMAKv2 (Kong et al. 2024, about 200 labels changed): keys of 5,489 songs of the Free
 * Music Archive. Columns, file names and checksums as in the mirdata loader; audio laid out as by github.com/mdeff/fma,
 * `<first 3 of 6 digits>/<6 digits>.mp3`, below the root or a folder named like an fma archive.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { parseCsv } from '../../store/index.js';
import { quoted, readLabel } from './labels.js';
import {
  annotationText,
  assertRoot,
  type DatasetItem,
  type DatasetProblem,
  type DatasetReader,
  MAX_TABLE_BYTES,
} from './listing.js';

const LAYOUT = 'fmakv2.csv (or fma_keys_metadata.csv) and <3 digits>/<6 digits>.mp3';
const AUDIO_FOLDERS = ['', 'audio', 'fma_full', 'fma_large', 'fma_medium', 'fma_small'];

/** Files of an edition with the md5 that was published for them, if one was. */
const EDITIONS: Readonly<Record<string, readonly { file: string; md5: string | null }[]>> = {
  v2: [
    { file: 'fmakv2.csv', md5: '3b2d16784ffbda850c8ddf0519478bfd' },
    { file: 'fmakv2_metadata.csv', md5: '3b2d16784ffbda850c8ddf0519478bfd' },
  ],
  v1: [
    { file: 'fma_keys_metadata.csv', md5: 'd80a03bc8659edc60e335bd7f6bdf12a' },
    { file: 'keys.csv', md5: null },
  ],
};

export const fmak: DatasetReader = {
  name: 'fmak',
  title: 'FMAK',
  layout: LAYOUT,
  subsets: [
    { name: 'v2', what: 'FMAKv2, about 200 labels changed', tracks: 5489 },
    { name: 'v1', what: 'FMAK as first published', tracks: 5489 },
  ],
  published: { listed: 5489 },
  list(root, edition, otherModes) {
    assertRoot(root, LAYOUT);
    const found = EDITIONS[edition].find(({ file }) => existsSync(join(root, file)));
    if (!found) {
      const files = EDITIONS[edition].map(({ file }) => file).join(' nor ');
      throw new InputError(root, `holds neither ${files}; expected the labels of edition ${edition} there`);
    }
    const path = join(root, found.file);
    const text = annotationText(path, MAX_TABLE_BYTES);
    const problems: DatasetProblem[] = [];
    const md5 = createHash('md5').update(readFileSync(path)).digest('hex');
    if (found.md5 !== null && md5 !== found.md5) {
      const reason = `its md5 is ${md5}, published is ${found.md5}; this is another edition or a damaged file`;
      problems.push({ kind: 'checksum', id: found.file, reason });
    }
    const items: DatasetItem[] = [];
    const lineOf = new Map<string, number>();
    for (const { id, label, line } of readRows(path, text)) {
      const where = `${found.file} line ${line}`;
      if (!/^\d{1,6}$/.test(id)) {
        problems.push({ kind: 'annotation', id: where, reason: `the track_id ${quoted(id)} is no number of 6 digits` });
        continue;
      }
      const digits = id.padStart(6, '0');
      const first = lineOf.get(digits);
      if (first !== undefined) {
        problems.push({ kind: 'annotation', id: where, reason: `the track_id ${id} stands in line ${first} already` });
        continue;
      }
      lineOf.set(digits, line);
      const file = `${digits.slice(0, 3)}/${digits}.mp3`;
      const folder = AUDIO_FOLDERS.find((name) => existsSync(join(root, name, file)));
      items.push({
        id: digits,
        label: readLabel(label, otherModes),
        audio: folder === undefined ? null : folder === '' ? file : `${folder}/${file}`,
        expectedAudio: file,
        md5: null,
        artist: null,
        labels: {},
        outside: null,
      });
    }
    if (items.length === 0) throw new InputError(path, 'has no rows that can be read');
    return { items, problems };
  },
};

/** Rows below the first line that names both columns: one edition has a line of group names above it. */
function readRows(path: string, text: string): { id: string; label: string; line: number }[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const head = lines.findIndex((line) => {
    const names = line.split(',').map((name) => name.trim());
    return names.includes('track_id') && names.includes('key_and_mode');
  });
  if (head < 0) throw new InputError(path, 'no line names the columns track_id and key_and_mode');
  // The index column of pandas has no name.
  const table = lines.slice(head).join('\n').replace(/^,/, 'row,');
  return parseCsv(table, path).rows.map(({ line, fields }) => ({
    id: fields.track_id,
    label: fields.key_and_mode,
    line: line + head,
  }));
}
