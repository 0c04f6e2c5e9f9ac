/** Figures and tables of notebook 04: systems side by side. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout } from 'plotly.js';
import type { ComparisonMeasurement, ComparisonRow, PairwiseMeasurement, TestSplit } from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import {
  COLOUR,
  axis,
  errorBars,
  figure,
  interval,
  layout,
  namesAxis,
  panelTitle,
  points,
  probability,
  RULERS,
  SCORE_COLUMNS,
  scoreCells,
  signedInterval,
  table,
} from './style.js';

type Trace = Figure['data'][number];

export const SPLIT_LABEL: Record<TestSplit, string> = { test: 'test', testTimbre: 'unseen timbre' };
export const SPLITS: readonly TestSplit[] = ['test', 'testTimbre'];

/** Whose tracks were heard, in two words. */
export const musicOf = ({ music }: { readonly music?: string }): string =>
  music === undefined ? 'embedded corpus' : 'reader’s tracks';

/** Colour of a system: by patches where it is pretrained, else by its family. */
export function colourOf(row: ComparisonRow): string {
  if (row.family === 'template') return COLOUR.template;
  if (row.family === 'spectrum') return COLOUR.spectrum;
  if (row.family === 'random') return COLOUR.random;
  return row.id.startsWith('vertical') ? COLOUR.vertical : row.id.startsWith('square') ? COLOUR.square : COLOUR.hybrid;
}

/** A label whose remark in brackets stands on a second line, so that none is cut off. */
const twoLines = (label: string): string => label.replace(' (', '<br>(');

/** Rows as dots with intervals, one panel a test split; with `study`, its rows as hollow diamonds just below. */
export function comparisonFigure(m: ComparisonMeasurement, study?: ComparisonMeasurement): Figure {
  const labels = [...new Set([...m.rows, ...(study?.rows ?? [])].map((row) => row.label))].reverse();
  const data: Trace[] = [];
  SPLITS.forEach((split, panel) => {
    for (const [source, offset] of [
      [m, study ? 0.16 : 0],
      [study, -0.18],
    ] as const) {
      const rows = (source?.rows ?? []).filter((row) => row.split === split);
      if (rows.length === 0) continue;
      const bars = errorBars(
        rows.map((row) => row.weighted),
        100,
      );
      data.push({
        type: 'scatter',
        mode: 'markers',
        name: source === m ? `this run (${m.preset})` : 'study',
        showlegend: study !== undefined && panel === 0,
        x: rows.map((row) => 100 * row.weighted.estimate),
        y: rows.map((row) => labels.indexOf(row.label) + offset),
        error_x: { ...bars, color: '#777777' },
        marker: {
          color: rows.map(colourOf),
          size: 9,
          symbol: source === m ? 'circle' : 'diamond-open',
          line: { width: 1.5, color: rows.map(colourOf) },
        },
        text: rows.map(
          (row) =>
            `${row.label}: ${interval(row.weighted)}, exact ${points(row.accuracy.estimate)}, n ${row.n}, ${row.seeds} ${row.seedsOf ?? ''} seed${row.seeds === 1 ? '' : 's'}`,
        ),
        hoverinfo: 'text',
        xaxis: panel === 0 ? 'x' : 'x2',
        yaxis: 'y',
      } as unknown as Trace);
    }
  });
  const n = (split: TestSplit) => m.rows.find((row) => row.split === split)?.n ?? 0;
  return figure(
    'comparison',
    m,
    `Key estimation on the ${musicOf(m)} (${m.corpus}), MIREX weighted, fifth above only, with 95 % bootstrap intervals over tracks. Every learned row was chosen on the validation split; test splits were read once.`,
    data,
    layout('Who hears the key?', 150 + 34 * labels.length, {
      margin: { l: 262, r: 20, t: 72, b: 60 },
      xaxis: axis('MIREX weighted (points)', { domain: [0, 0.48], anchor: 'y' }),
      xaxis2: axis('MIREX weighted (points)', { domain: [0.52, 1], anchor: 'y', matches: 'x' }),
      yaxis: namesAxis(labels.map(twoLines)),
      annotations: [
        panelTitle(`test (n = ${n('test')})`, 0, 1.005),
        panelTitle(`unseen timbre (n = ${n('testTimbre')})`, 0.52, 1.005),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -40 / (34 * labels.length), yanchor: 'top' },
    }),
  );
}

/** The comparison as a table with both rulers, exact matches and the five shares. */
export function comparisonTable(m: ComparisonMeasurement): Table {
  return table(
    'comparison-table',
    m,
    `Key estimation on the ${musicOf(m)} (${m.corpus}), in points of 100 with 95 % bootstrap intervals over tracks. ${RULERS}`,
    ['system', 'split', 'n', 'seeds', ...SCORE_COLUMNS, 'deviation over seeds'],
    m.rows.map((r) => [
      r.label,
      SPLIT_LABEL[r.split],
      r.n,
      r.seedsOf === null ? '–' : `${r.seeds} (${r.seedsOf})`,
      ...scoreCells(r),
      r.deviation === null ? '–' : points(r.deviation),
    ]),
  );
}

/** Paired comparisons on the same tracks. */
export function pairwiseTable(m: PairwiseMeasurement): Table {
  return table(
    'pairwise',
    m,
    'Differences on the same tracks: weighted score by paired bootstrap (points), exact matches by McNemar’s exact test.',
    [
      'a',
      'b',
      'split',
      'n',
      'seeds',
      'a − b, weighted',
      'p (bootstrap)',
      'only a right',
      'only b right',
      'p (McNemar)',
    ],
    m.rows.map((r) => [
      r.a,
      r.b,
      SPLIT_LABEL[r.split],
      r.n,
      r.seeds,
      signedInterval(r.difference),
      probability(r.pBootstrap),
      r.onlyA,
      r.onlyB,
      probability(r.pMcNemar),
    ]),
  );
}

/** The five relations as stacked bars, one bar a system. */
export function errorSharesFigure(m: ComparisonMeasurement, split: TestSplit): Figure {
  const rows = m.rows.filter((row) => row.split === split).reverse();
  const parts = ['same', 'fifth', 'relative', 'parallel', 'other'] as const;
  return figure(
    split === 'test' ? 'error-shares' : 'error-shares-timbre',
    m,
    `What each system answers on the ${SPLIT_LABEL[split]} split (n = ${rows[0]?.n ?? 0}): the right key, a fifth above or below, the relative, the parallel, or another key.`,
    parts.map((part) => ({
      type: 'bar',
      orientation: 'h',
      name: part,
      y: rows.map((row) => twoLines(row.label)),
      x: rows.map((row) => 100 * row.sharesBothFifths[part]),
      marker: { color: COLOUR[part], line: { color: '#FFFFFF', width: 0.5 } },
    })),
    layout(`How the answers err (${SPLIT_LABEL[split]})`, 150 + 34 * rows.length, {
      barmode: 'stack',
      margin: { l: 262, r: 20, t: 48, b: 60 },
      xaxis: axis('share of tracks (%)', { range: [0, 100] }),
      yaxis: axis('', { automargin: false, ticks: '' }),
      legend: {
        orientation: 'h',
        x: 0,
        y: -60 / (34 * Math.max(4, rows.length)),
        yanchor: 'top',
        traceorder: 'normal',
      },
    }),
  );
}
