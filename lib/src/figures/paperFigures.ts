/** Figures and tables of notebook 09: what the papers print over what this repository measures. Pure. */
import type { Layout } from 'plotly.js';
import type {
  AblationMeasurement,
  ClaimEvidence,
  ClaimMeasurement,
  ComparisonMeasurement,
  ComparisonRow,
  PublishedScore,
} from '../experiments/index.js';
import { colourOf, musicOf, SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import {
  axis,
  COLOUR,
  errorBars,
  figure,
  interval,
  layout,
  panelTitle,
  points,
  signedInterval,
  table,
} from './style.js';

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
          `${musicOf(m)}, ${SPLIT_LABEL[row.split]}`,
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
          label: `${row.system.replace(' augmentation,', '<br>augmentation,')}${row.ruler === 'both fifths' ? ' (both fifths)' : ''}`,
          value: { estimate: row.weighted / 100, low: row.weighted / 100, high: row.weighted / 100 },
          colour: row.system === 'KeyMyna' ? COLOUR.vertical : '#777777',
          symbol: 'square-open',
        })),
    })),
    ...SPLITS.map((split) => ({
      title: `this repo: ${musicOf(m)}, ${SPLIT_LABEL[split]} (n = ${own.find((row) => row.split === split)?.n ?? 0})`,
      rows: own
        .filter((row) => row.split === split)
        .map((row) => ({
          label: row.label,
          value: row.weighted,
          colour: colourOf(row),
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
    const hasIntervals = rows.some(({ value }) => value.low < value.high);
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
      ...(hasIntervals && {
        error_x: {
          ...errorBars(
            rows.map(({ value }) => value),
            100,
          ),
          color: '#777777',
        },
      }),
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
      margin: { l: 300, r: 20, t: 56, b: 60 },
      xaxis: axis('MIREX weighted (points)', { range: [0, 100] }),
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

/** Score against mask ratio: the printed curve, and ours where the preset has trained it. */
export function maskRatioFigure(
  published: readonly { readonly maskRatio: number; readonly weighted: number }[],
  m: AblationMeasurement,
): Figure {
  const choices = m.axes.find(({ id }) => id === 'mask')?.choices ?? [];
  const ratios = choices.map(({ label }) => Number.parseFloat(label));
  const ours = SPLITS.map((split, i): Trace => {
    const values = choices.map(({ scores }) => scores[split].weighted);
    return {
      type: 'scatter',
      mode: 'lines+markers',
      name: `this repo, ${SPLIT_LABEL[split]}`,
      x: ratios,
      y: values.map(({ estimate }) => 100 * estimate),
      error_y: { ...errorBars(values, 100), color: '#777777' },
      line: { color: i === 0 ? COLOUR.vertical : COLOUR.spectrum, dash: i === 0 ? 'solid' : 'dot' },
      marker: { size: 8, symbol: i === 0 ? 'circle' : 'square' },
      xaxis: 'x2',
      yaxis: 'y2',
    } as unknown as Trace;
  });
  const printed: Trace = {
    type: 'scatter',
    mode: 'lines+markers',
    name: 'published (Myna, square patches, GiantSteps, read off a figure to ±0.3)',
    x: published.map(({ maskRatio }) => 100 * maskRatio),
    y: published.map(({ weighted }) => weighted),
    line: { color: '#777777' },
    marker: { size: 9, symbol: 'square-open' },
  };
  const x = { tickvals: [50, 75, 90, 95], range: [45, 100] };
  return figure(
    'mask-ratio',
    m,
    'Key score against the share of masked tokens. Left: as printed, one encoder and seed a point, every ratio trained for as long. Right: ours, vertical patches, every ratio with as many tokens in all, mean over seeds, 95 % bootstrap over tracks. Other tracks, patches and budgets: only the shapes can be compared.',
    [printed, ...ours],
    layout('How much to mask', 380, {
      margin: { l: 64, r: 24, t: 72, b: 110 },
      xaxis: axis('masked tokens (%)', { ...x, domain: [0, 0.45], anchor: 'y' }),
      yaxis: axis('MIREX weighted (points)', { anchor: 'x' }),
      xaxis2: axis('masked tokens (%)', { ...x, domain: [0.55, 1], anchor: 'y2' }),
      yaxis2: axis('MIREX weighted (points)', { anchor: 'x2' }),
      annotations: [
        panelTitle('printed', 0, 1.01),
        panelTitle(`this repo (${m.seeds} ${m.seedsOf} seed${m.seeds === 1 ? '' : 's'})`, 0.55, 1.01),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.28, yanchor: 'top' },
    }),
  );
}

/** Every claim with its evidence and verdict. */
export function claimsTable(m: ClaimMeasurement): Table {
  return table(
    'paper-claims',
    m,
    'Claims of the papers, what this run measured of each, and the verdict that follows by rule: reproduced if all of the evidence speaks for the claim (interval above 0 in its direction, or every one of the counted comparisons), in part if some does, contradicted if all speaks against it, else not reproduced. Differences of the weighted score in points unless said, 95 % paired bootstrap over tracks.',
    ['claim', 'notebook', 'evidence', 'verdict', 'remark'],
    m.claims.map(({ claim, notebook, evidence, verdict, remark }) => [
      claim,
      notebook,
      evidence.map(evidenceText).join('; '),
      verdict,
      remark,
    ]),
  );
}

function evidenceText({ what, split, difference, count }: ClaimEvidence): string {
  const where = split === null ? '' : ` (${SPLIT_LABEL[split]})`;
  return `${what}${where}: ${difference ? signedInterval(difference) : `${count!.holds} of ${count!.of}`}`;
}
