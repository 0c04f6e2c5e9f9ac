/**
 * `npm run readme`: writes the results of the committed study and of the benchmarks between their marks of README.md, so
 * that every number there is one that was measured. A test holds README.md against the same text.
 */
import { join } from 'node:path';
import { type experiments, figures, InputError } from 'keymyna';
import { readJson, readText, writeFileAtomic } from 'keymyna/store';
import { benchmarksBlock, readRows } from '../../benchmarks/dist/results.js';

const SPLITS = ['test', 'testTimbre'] as const;

type Row = experiments.ComparisonMeasurement['rows'][number];

/** README.md with the study's results and the benchmarks between their marks. @throws InputError if marks or numbers are missing */
export function readmeWithResults(root: string): string {
  const text = between(readText(join(root, 'README.md')), 'results', resultsBlock(root));
  return between(text, 'benchmarks', benchmarksBlock(readRows(join(root, 'benchmarks/results.json'))));
}

/** The text with `block` between the marks of that name. @throws InputError naming the file if it has no such marks */
export function between(text: string, name: string, block: string, file = 'README.md'): string {
  const [beginMark, endMark] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [begin, end] = [text.indexOf(beginMark), text.indexOf(endMark)];
  if (begin < 0 || end < begin) throw new InputError(file, `expected the marks ${beginMark} and ${endMark}`);
  return `${text.slice(0, begin + beginMark.length)}\n${block}${text.slice(end)}`;
}

function resultsBlock(root: string): string {
  const numbers = <T>(id: string): T =>
    (readJson(join(root, 'figures', 'study', 'data', `${id}.json`)) as { numbers: T }).numbers;
  const comparison = numbers<experiments.ComparisonMeasurement>('comparison-table');
  const pairwise = numbers<experiments.PairwiseMeasurement>('pairwise');
  const { claims } = numbers<experiments.ClaimMeasurement>('paper-claims');
  const n = SPLITS.map((split) => comparison.rows.find((row) => row.split === split)!.n);
  const seeds = Math.max(...comparison.rows.map((row) => row.seeds));
  return [
    '',
    `Preset \`study\`, embedded corpus (train / valid / test / unseen timbre: ${comparison.corpus}), ${seeds} pretraining seeds. ` +
      `Points of 100 with 95 % intervals; n = ${n[0]} and ${n[1]} tracks. Weighted credits a fifth above only, "both" a fifth below as well.`,
    '',
    '| system | test: weighted | both | exact | unseen timbre: weighted | both | exact |',
    '|---|---|---|---|---|---|---|',
    ...systems(comparison.rows).map(
      ([test, timbre]) => `| ${[test.label, ...cells(test), ...cells(timbre)].join(' | ')} |`,
    ),
    '',
    'On the same tracks (difference of the weighted score in points, paired bootstrap over tracks):',
    '',
    '| a minus b | test | unseen timbre |',
    '|---|---|---|',
    ...pairs(pairwise.rows).map(
      ([test, timbre]) =>
        `| ${test.a} − ${test.b} | ${figures.signedInterval(test.difference)} | ${figures.signedInterval(timbre.difference)} |`,
    ),
    '',
    'The claims of the papers, each judged by a rule that looks at the evidence alone (notebook 09):',
    '',
    '| claim | here | notebook |',
    '|---|---|---|',
    ...claims.map(({ claim, verdict, notebook }) => `| ${claim} | ${verdict} | ${notebook} |`),
    '',
    'The evidence behind each: [figures/study/tables/paper-claims.md](figures/study/tables/paper-claims.md). All rows, shares of error kinds and layers: [figures/study/tables/comparison-table.md](figures/study/tables/comparison-table.md), ' +
      '[figures/study/tables/pairwise.md](figures/study/tables/pairwise.md), notebook 04.',
    '',
    '',
  ].join('\n');
}

/** Rows of both splits side by side; MLP and best-layer probes stay in the full table. */
function systems(rows: readonly Row[]): [Row, Row][] {
  return rows
    .filter((row) => row.split === 'test' && row.method !== 'mlp' && !row.label.includes('best layer'))
    .map((row) => [row, rows.find((other) => other.split === 'testTimbre' && other.id === row.id)!]);
}

function pairs(rows: readonly experiments.PairwiseRow[]): [experiments.PairwiseRow, experiments.PairwiseRow][] {
  return rows
    .filter((row) => row.split === 'test' && !row.a.includes('best layer'))
    .map((row) => [row, rows.find((other) => other.split === 'testTimbre' && other.a === row.a && other.b === row.b)!]);
}

function cells({ weighted, weightedBothFifths, accuracy }: Row): string[] {
  return [figures.interval(weighted), figures.points(weightedBothFifths.estimate), figures.points(accuracy.estimate)];
}

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, '../..');
  writeFileAtomic(join(root, 'README.md'), readmeWithResults(root));
}
