/**
 * GiantSteps key (604 tracks) and GiantSteps MTG key (1,486 rows): two-minute previews of electronic dance music.
 * Layouts as in github.com/GiantSteps/giantsteps-key-dataset and giantsteps-mtg-key-dataset. The revised labels of
 * GiantSteps+ are another set and are not read here.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { quoted, readLabel } from './labels.js';
import {
  annotationText,
  assertRoot,
  audioByStem,
  type DatasetItem,
  type DatasetProblem,
  type DatasetReader,
  MAX_LABEL_BYTES,
  MAX_TABLE_BYTES,
  namesIn,
  publishedMd5,
  withoutLabel,
} from './listing.js';

const KEY_LAYOUT = 'audio/<id>.LOFI.mp3, annotations/key/<id>.LOFI.key, md5/<id>.LOFI.md5';
const KEY_FILE = /^(.+\.LOFI)\.key$/;

/** The md5 is that of the mp3; a converted file has none to compare with. */
function md5Of(
  root: string,
  stem: string,
  id: string,
  audio: string | null,
  problems: DatasetProblem[],
): string | null {
  if (audio !== null && !audio.toLowerCase().endsWith('.mp3')) return null;
  const { md5, problem } = publishedMd5(root, `md5/${stem}.md5`, id);
  if (problem) problems.push(problem);
  return md5;
}

export const giantStepsKey: DatasetReader = {
  name: 'giantsteps-key',
  title: 'GiantSteps key',
  layout: KEY_LAYOUT,
  subsets: [{ name: 'all', what: 'every track', tracks: 604 }],
  published: { listed: 604, major: 93, minor: 511 },
  list(root, _subset, otherModes) {
    assertRoot(root, KEY_LAYOUT);
    const folder = 'annotations/key';
    const files = namesIn(join(root, folder)).filter((name) => KEY_FILE.test(name));
    if (files.length === 0) throw new InputError(join(root, folder), `holds no <id>.LOFI.key; expected ${KEY_LAYOUT}`);
    const audio = audioByStem(root, ['audio']);
    const problems: DatasetProblem[] = [];
    const items: DatasetItem[] = files.map((file) => {
      const stem = KEY_FILE.exec(file)![1];
      const id = stem.slice(0, -'.LOFI'.length);
      const found = audio.get(stem) ?? null;
      return {
        id,
        label: readLabel(oneLine(annotationText(join(root, folder, file), MAX_LABEL_BYTES)), otherModes),
        audio: found,
        expectedAudio: `audio/${stem}.mp3`,
        md5: md5Of(root, stem, id, found, problems),
        artist: null,
        labels: {},
        outside: null,
      };
    });
    const stems = new Set(items.map(({ id }) => `${id}.LOFI`));
    return { items, problems: [...problems, ...withoutLabel(audio, stems)] };
  },
};

/** The text of a file of one line, without its line break; more lines are kept, for the label to be refused. */
function oneLine(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/(?:\r?\n)+$/, '');
}

const MTG_LAYOUT =
  'annotations/annotations.txt (ID, MANUAL KEY, C between tabs), annotations/key/<id>.LOFI.key, audio/, md5/';

export const giantStepsMtgKey: DatasetReader = {
  name: 'giantsteps-mtg-key',
  title: 'GiantSteps MTG key',
  layout: MTG_LAYOUT,
  subsets: [
    { name: 'one-key', what: 'one key that can be read', tracks: 1349 },
    { name: 'confidence-2', what: 'one key, confidence 2', tracks: 1159 },
    { name: 'confidence-2-no-comment', what: 'one key, confidence 2, no comment', tracks: 1077 },
  ],
  published: { listed: 1486, duplicateGroups: 9 },
  list(root, subset, otherModes) {
    assertRoot(root, MTG_LAYOUT);
    const path = join(root, 'annotations/annotations.txt');
    const problems: DatasetProblem[] = [];
    const rows = readAnnotations(path, annotationText(path, MAX_TABLE_BYTES), problems);
    const audio = audioByStem(root, ['audio']);
    const artists = artistsOf(join(root, 'annotations/beatport_metadata.txt'));
    const items = rows.map(({ id, label: text, confidence }): DatasetItem => {
      const stem = `${id}.LOFI`;
      const found = audio.get(stem) ?? null;
      const label = readLabel(text, otherModes);
      const comment = subset === 'confidence-2-no-comment' ? commentOf(root, stem, id, problems) : '';
      const outside =
        subset !== 'one-key' && confidence !== 2
          ? `confidence ${confidence}; the subset ${subset} takes 2`
          : comment
            ? `has the comment ${quoted(comment)}`
            : null;
      return {
        id,
        label,
        audio: found,
        expectedAudio: `audio/${stem}.mp3`,
        md5: md5Of(root, stem, id, found, problems),
        artist: artists.get(id) ?? null,
        labels: { confidence },
        outside,
      };
    });
    return { items, problems: [...problems, ...withoutLabel(audio, new Set(rows.map(({ id }) => `${id}.LOFI`)))] };
  },
};

interface MtgRow {
  readonly id: string;
  readonly label: string;
  readonly confidence: number;
}

/** Rows `ID<TAB>MANUAL KEY<TAB>C`. A row that is damaged is a problem and does not stop the rest. */
function readAnnotations(path: string, text: string, problems: DatasetProblem[]): MtgRow[] {
  const [head, ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = head.split('\t').map((name) => name.trim());
  const [idAt, keyAt, confidenceAt] = ['ID', 'MANUAL KEY', 'C'].map((name) => columns.indexOf(name));
  if (Math.min(idAt, keyAt, confidenceAt) < 0)
    throw new InputError(
      `${path} line 1`,
      `the columns are ${quoted(columns.join(', '))}; expected ID, MANUAL KEY and C between tabs`,
    );
  const rows: MtgRow[] = [];
  const lineOf = new Map<string, number>();
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    const number = i + 2;
    const fields = line.split('\t');
    const damaged = (reason: string): void => {
      problems.push({ kind: 'annotation', id: `annotations.txt line ${number}`, reason });
    };
    if (fields.length !== columns.length) return damaged(`${fields.length} fields, expected ${columns.length}`);
    const [id, label, c] = [fields[idAt].trim(), fields[keyAt], fields[confidenceAt].trim()];
    // The id becomes part of a path.
    if (!/^\d{1,12}$/.test(id)) return damaged(`the id ${quoted(id)} is no number`);
    if (!/^[012]$/.test(c)) return damaged(`the confidence is ${quoted(c)}; expected 0, 1 or 2`);
    const first = lineOf.get(id);
    if (first !== undefined) return damaged(`the id ${id} stands in line ${first} already`);
    lineOf.set(id, number);
    rows.push({ id, label, confidence: Number(c) });
  });
  if (rows.length === 0) throw new InputError(path, 'has no rows that can be read');
  return rows;
}

/** The third field of `annotations/key/<id>.LOFI.key`: key, confidence, comment between tabs. */
function commentOf(root: string, stem: string, id: string, problems: DatasetProblem[]): string {
  const file = `annotations/key/${stem}.key`;
  if (!existsSync(join(root, file))) {
    problems.push({ kind: 'missing label', id, reason: `${file} is not there; its comment decides on this subset` });
    return '(the file of the comment is missing)';
  }
  const fields = oneLine(annotationText(join(root, file), MAX_LABEL_BYTES)).split('\t');
  return fields.slice(2).join(' ').trim();
}

/** Artists by id, where the file that names them is there. */
function artistsOf(path: string): Map<string, string> {
  if (!existsSync(path)) return new Map();
  const [head, ...lines] = annotationText(path, MAX_TABLE_BYTES).split(/\r?\n/);
  const columns = head.split('\t').map((name) => name.trim());
  const [idAt, artistAt] = [columns.indexOf('ID'), columns.indexOf('ARTIST')];
  if (idAt < 0 || artistAt < 0) return new Map();
  const rows = lines.map((line) => line.split('\t').map((field) => field.trim()));
  return new Map(rows.filter((row) => row[artistAt]).map((row) => [row[idAt], row[artistAt]]));
}
