/** results.json: its rows, how a partial run merges into them, and the tables that show them. */
import { existsSync } from 'node:fs';
import { readJson, writeJson } from 'keymyna/store';
import { z } from 'zod';

const positive = z.number().positive();

export const RowSchema = z.strictObject({
  /** As --only takes it. */
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** What was measured, with its sizes. */
  setting: z.string().min(1),
  /** What it was measured beside: version, and the setting of it that was the fastest. */
  peer: z.string().min(1),
  /** Medians over the rounds, milliseconds. */
  oursMs: positive,
  peerMs: positive,
  /** Medians over the rounds of the processes' largest resident set, MB. */
  oursMB: positive.optional(),
  peerMB: positive.optional(),
  /** Of which of the two `ratio` is. */
  ratioOf: z.enum(['ms', 'MB']),
  /** Ours to the peer's, of the medians; and the smallest and largest of a round. */
  ratio: positive,
  ratioMin: positive,
  ratioMax: positive,
  /** The ratio to stay at or below. */
  goal: positive,
  /** Rounds: one process of ours, one of the peer's. */
  runs: z.number().int().positive(),
  machine: z.string().min(1),
  /** The machine's load over the minute before the row was measured; an idle one is near 0. */
  load: z.number().nonnegative(),
  date: z.iso.date(),
});

export type Row = z.infer<typeof RowSchema>;

/** The rows of the file; none if there is no file. @throws ZodError for anything else in it */
export function readRows(path: string): Row[] {
  return existsSync(path) ? z.array(RowSchema).parse(readJson(path)) : [];
}

export function writeRows(path: string, rows: readonly Row[]): void {
  writeJson(path, z.array(RowSchema).parse(rows), { indent: 2 });
}

/** New rows replace those of their name, the others stay. @param order names in the order in which they are kept */
export function mergeRows(old: readonly Row[], measured: readonly Row[], order: readonly string[]): Row[] {
  const byName = new Map([...old, ...measured].map((row) => [row.name, row]));
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...byName.values()].sort((a, b) => place(a.name) - place(b.name));
}

/** Milliseconds as a person reads them, three digits: `1.07 s`, `18.3 ms`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : ms < 100_000 ? 1 : 0)} s`;
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

function quantities({ ratioOf, oursMs, peerMs, oursMB, peerMB }: Row): [string, string] {
  if (ratioOf === 'ms') return [duration(oursMs), duration(peerMs)];
  return [`${oursMB?.toFixed(0)} MB`, `${peerMB?.toFixed(0)} MB`];
}

const ratioText = (ratio: number): string => ratio.toFixed(ratio < 0.1 ? 4 : 2);

/** The cells of a row: work, peer, ours, the peer's, ratio with its range, goal. */
function cells(row: Row): string[] {
  const range = row.runs > 1 ? ` [${ratioText(row.ratioMin)}, ${ratioText(row.ratioMax)}]` : '';
  const goal = `≤ ${row.goal}${row.ratio <= row.goal ? '' : ', missed'}`;
  return [row.setting, row.peer, ...quantities(row), `${ratioText(row.ratio)}${range}`, goal];
}

/** What README shows of the file: a table for each machine and day. */
export function benchmarksBlock(rows: readonly Row[]): string {
  if (rows.length === 0) return '\nNothing has been measured yet: `npm run bench`.\n\n';
  const sessions = new Map<string, Row[]>();
  for (const row of rows) {
    const session = `${row.date}, ${row.machine}`;
    sessions.set(session, [...(sessions.get(session) ?? []), row]);
  }
  const tables = [...sessions].map(([session, own]) => {
    const loads = own.map(({ load }) => load);
    const load = [...new Set([Math.min(...loads), Math.max(...loads)].map((x) => x.toFixed(1)))].join(' to ');
    return [
      `Measured ${session}; load before a row ${load}. Ratio: ours to the peer's, median [smallest, largest] of the rounds.`,
      '',
      '| work | peer | ours | peer’s | ratio | goal |',
      '|---|---|---|---|---|---|',
      ...own.map((row) => `| ${cells(row).join(' | ')} |`),
    ].join('\n');
  });
  return `\n${tables.join('\n\n')}\n\n`;
}

/** The rows in columns, for a terminal. */
export function terminalTable(rows: readonly Row[]): string {
  const lines = [
    ['', 'ours', 'peer', 'ratio', 'min', 'max', 'goal', 'peer'],
    ...rows.map((row) => {
      const { name, ratio, ratioMin, ratioMax, goal, peer } = row;
      const ratios = [ratio, ratioMin, ratioMax].map(ratioText);
      return [name, ...quantities(row), ...ratios, `${goal}${ratio <= goal ? '' : ' missed'}`, peer];
    }),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()).join('\n'); // prettier-ignore
}
