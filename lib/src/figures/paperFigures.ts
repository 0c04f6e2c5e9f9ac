/** Figures and tables of notebook 09: what the papers print over what this repository measures. Pure. */
import type { Layout } from 'plotly.js';
import type { ComparisonMeasurement, ComparisonRow, PublishedScore } from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import { axis, COLOUR, errorBars, figure, interval, layout, panelTitle, points, table } from './style.js';

type Trace = Figure['data'][number];

const READING: Record<PublishedScore['reading'], string> = {
  authors: "the authors' own pages",
  quoted: 'quoted by others',
  figure: 'read off a figure',
  computed: 'computed from published answers',
};

/** The rows of this repository that stand under the published ones: the best of each family. */
const OWN_ROWS = [
  'template-bgate',
  'chroma-linear',
  'vertical-random-linear',
  'vertical-pretrained-linear',
  'vertical-pretrained-mlp',
  'square-pretrained-linear',
  'hybrid-pretrained-linear',
];

const ownRows = (m: ComparisonMeasurement): ComparisonRow[] =>
  OWN_ROWS.flatMap((id) => m.rows.filter((row) => row.id === id));

/** Published key scores over this repository's, each with data set, ruler, n and source. */
export function publishedTable(published: readonly PublishedScore[], m: ComparisonMeasurement): Table {
  return table(
    'published-table',
    m,
    'Weighted MIREX score and exact matches in points of 100. Published rows are other tracks than ours, so no difference between a published row and one of ours is a result. "Fifth above" and "both": which fifths the ruler credits; "unknown": the source does not say. Ours: 95 % bootstrap intervals over tracks.',
    ['origin', 'system', 'data set', 'n', 'seeds', 'ruler', 'weighted', 'exact', 'source'],
    [
      ...published.map((row) => [
        'published',
        row.system,
        row.dataset,
        row.n ?? 'unknown',
        'unknown',
        row.ruler,
        row.weighted.toFixed(1),
        row.exact === null ? 'not printed' : row.exact.toFixed(1),
        `${row.source} (${READING[row.reading]})`,
      ]),
      ...ownRows(m).flatMap((row) =>
        (['fifth above', 'both fifths'] as const).map((ruler) => [
          'this repo',
          row.label,
          `embedded corpus, ${SPLIT_LABEL[row.split]}`,
          row.n,
          row.seedsOf === null ? '–' : `${row.seeds} (${row.seedsOf})`,
          ruler,
          interval(ruler === 'fifth above' ? row.weighted : row.weightedBothFifths),
          interval(row.accuracy),
          `measured, preset ${m.preset}`,
        ]),
      ),
    ],
  );
}

/** The same numbers as dots: published data sets and our test splits as panels of their own. */
export function publishedFigure(published: readonly PublishedScore[], m: ComparisonMeasurement): Figure {
  const own = ownRows(m);
  const panels = [
    ...(['GiantSteps', 'Billboard'] as const).map((dataset) => ({
      title: `published: ${dataset}`,
      rows: published
        .filter((row) => row.dataset === dataset)
        .map((row) => ({
          label: `${row.system}${row.ruler === 'both fifths' ? ' (both fifths)' : ''}`,
          value: { estimate: row.weighted / 100, low: row.weighted / 100, high: row.weighted / 100 },
          colour: row.system === 'KeyMyna' ? COLOUR.vertical : '#777777',
          symbol: 'square-open',
        })),
    })),
    ...SPLITS.map((split) => ({
      title: `this repo: embedded corpus, ${SPLIT_LABEL[split]} (n = ${own.find((row) => row.split === split)?.n ?? 0})`,
      rows: own
        .filter((row) => row.split === split)
        .map((row) => ({
          label: row.label,
          value: row.weighted,
          colour:
            row.family === 'template' ? COLOUR.template : row.family === 'pretrained' ? COLOUR.vertical : COLOUR.random,
          symbol: 'circle',
        })),
    })),
  ];
  const gap = 1.6; // rows of space for a panel's heading
  const total = panels.reduce((sum, { rows }) => sum + rows.length + gap, 0);
  const data: Trace[] = [];
  const ticks: { at: number; text: string }[] = [];
  const annotations: Layout['annotations'] = [];
  let at = total;
  for (const { title, rows } of panels) {
    at -= gap;
    annotations.push({
      ...panelTitle(title, 0, 0),
      y: at + 0.35,
      yref: 'y',
      yanchor: 'bottom',
      xanchor: 'left',
    } as Layout['annotations'][number]);
    const places = rows.map((_, i) => at - i);
    rows.forEach(({ label }, i) => ticks.push({ at: places[i], text: label }));
    data.push({
      type: 'scatter',
      mode: 'markers',
      showlegend: false,
      x: rows.map(({ value }) => 100 * value.estimate),
      y: places,
      error_x: {
        ...errorBars(
          rows.map(({ value }) => value),
          100,
        ),
        color: '#777777',
      },
      marker: { color: rows.map(({ colour }) => colour), symbol: rows.map(({ symbol }) => symbol), size: 9, line: { width: 1.5, color: rows.map(({ colour }) => colour) } }, // prettier-ignore
      text: rows.map(({ label, value }) => `${label}: ${points(value.estimate)}`),
      hoverinfo: 'text',
    } as unknown as Trace);
    at -= rows.length;
  }
  return figure(
    'published',
    m,
    'Published key scores (hollow squares, as printed, without intervals since none are printed) and ours (dots, 95 % bootstrap over tracks; fifth above only). The panels hold different tracks and cannot be compared with each other.',
    data,
    layout('Printed and measured', 150 + 24 * total, {
      margin: { l: 330, r: 20, t: 56, b: 60 },
      xaxis: axis('MIREX weighted (points)', { range: [20, 100] }),
      yaxis: axis('', {
        tickvals: ticks.map((tick) => tick.at),
        ticktext: ticks.map((tick) => tick.text),
        range: [at - 0.2, total],
        automargin: false,
        ticks: '',
        showgrid: false,
      }),
      annotations,
    }),
  );
}

/** What the papers measured and did not print where this project could read it. */
export function notAvailableTable(
  missing: readonly { readonly what: string; readonly ours: string }[],
  m: ComparisonMeasurement,
): Table {
  return table(
    'not-available',
    m,
    'Results that the papers speak of and whose numbers could not be read, so that ours stand alone.',
    ['of the papers', 'here'],
    missing.map(({ what, ours }) => [what, ours]),
  );
}
