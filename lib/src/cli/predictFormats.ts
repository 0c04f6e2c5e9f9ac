/** What `keymyna predict` prints: a table for people, CSV and JSON for programs. */
import { KEYS } from '../keys/index.js';
import type { FileAnswer, KeyAnswer, KeySection } from '../predict/index.js';
import { formatCsv } from '../store/index.js';

export const PREDICT_FORMATS = ['table', 'json', 'csv'] as const;
export type PredictFormat = (typeof PREDICT_FORMATS)[number];

/** A file as it was asked for, and its answer. */
export interface AnsweredFile {
  readonly file: string;
  readonly answer: FileAnswer;
}

const label = (keyId: number): string => KEYS[keyId].label;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** @returns the whole text, with a newline at its end. Files without an answer stand in JSON only, as `error`. */
export function formatAnswers(format: PredictFormat, files: readonly AnsweredFile[]): string {
  const answered = files.flatMap(({ file, answer }) => ('answer' in answer ? [{ file, ...answer.answer }] : []));
  if (format === 'csv') return csvOf(answered);
  if (format === 'table') return tableOf(answered);
  const items = files.map(({ file, answer }) =>
    'answer' in answer ? jsonOf(file, answer.answer) : { file, error: answer.problem },
  );
  return items.length === 0 ? '[]\n' : `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`;
}

type Row = KeyAnswer & { readonly file: string };

function csvOf(rows: readonly Row[]): string {
  const columns = ['file', 'key', 'confidence', 'second', 'duration'];
  return formatCsv(
    columns,
    rows.map(({ file, keyId, confidence, secondKeyId, durationSeconds }) => ({
      file,
      key: label(keyId),
      confidence: rounded(confidence, 4),
      second: label(secondKeyId),
      duration: rounded(durationSeconds, 3),
    })),
  );
}

/** Confidence with 6 digits, seconds with 3: more would be noise. */
function jsonOf(file: string, answer: KeyAnswer): object {
  const { keyId, confidence, secondKeyId, durationSeconds, probabilities, sections } = answer;
  return {
    file,
    key: label(keyId),
    confidence: rounded(confidence, 6),
    second: label(secondKeyId),
    duration: rounded(durationSeconds, 3),
    probabilities: Object.fromEntries(probabilities.map((p, key) => [label(key), rounded(p, 6)])),
    ...(sections && {
      overTime: sections.map((section) => ({
        start: rounded(section.startSeconds, 3),
        end: rounded(section.endSeconds, 3),
        key: label(section.keyId),
        confidence: rounded(section.confidence, 6),
      })),
      modulations: sections.slice(1).map((section, i) => ({
        time: rounded(section.startSeconds, 3),
        from: label(sections[i].keyId),
        to: label(section.keyId),
      })),
    }),
  };
}

function tableOf(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const cells = rows.map(({ file, keyId, confidence, secondKeyId, durationSeconds }) => [
    file,
    label(keyId),
    `${(100 * confidence).toFixed(1)} %`,
    label(secondKeyId),
    clock(durationSeconds),
  ]);
  const lines = [['file', 'key', 'confidence', 'second', 'duration'], ...cells];
  const widths = lines[0].map((_, column) => lines.reduce((most, line) => Math.max(most, line[column].length), 0));
  const isNumber = (column: number): boolean => column === 2 || column === 4;
  const text = lines.map((line) =>
    line.map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '),
  );
  const courses = rows.map(({ sections }) => (sections ? `\n    ${courseOf(sections)}` : ''));
  return text.map((line, i) => `${line}${i === 0 ? '' : courses[i - 1]}\n`).join('');
}

/** `0:00 C major, 1:15 G major` */
const courseOf = (sections: readonly KeySection[]): string =>
  sections.map(({ startSeconds, keyId }) => `${clock(startSeconds)} ${label(keyId)}`).join(', ');

/** `3:05`, `1:00:00` */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
