/** Notebook 03: what each choice of pretraining is worth. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout, Shape } from 'plotly.js';
import type { AblationAxis, AblationChoice, AblationMeasurement, TestSplit } from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import { axis, COLOUR, errorBars, figure, interval, layout, PALETTE, panelTitle, signedInterval, table } from './style.js'; // prettier-ignore

type Trace = Figure['data'][number];

const ROW = 19; // pixels
const LEGEND_AND_TITLE = 176; // pixels

/** The rows of the figure from top to bottom: each axis' name, then its choices. */
type Row = { readonly axis: AblationAxis; readonly choice: AblationChoice | null };

function rowsOf(m: AblationMeasurement): Row[] {
  return m.axes.flatMap((of) => [
    { axis: of, choice: null },
    ...of.choices.map((choice): Row => ({ axis: of, choice })),
  ]);
}

/** Every choice as a dot with its interval, grouped by axis, one panel a test split; the base is a line through all. */
export function ablationFigure(m: AblationMeasurement): Figure {
  const rows = rowsOf(m);
  const height = ROW * rows.length;
  const data = SPLITS.flatMap((split, panel) => panelTraces(rows, split, panel));
  return figure(
    'ablations',
    m,
    `What each choice of pretraining is worth: a linear probe on frozen embeddings, MIREX weighted, fifth above only (${m.corpus}; mean of ${m.seeds} ${m.seedsOf} seeds, small dots: each seed). Bars: 95 % bootstrap intervals over tracks, each by itself; whether two choices differ is a question of the same tracks (the table). Along an axis one choice changes. Line: the base, which stands on most axes as the diamond. Crosses: the random initialisation that the choice started from.`,
    data,
    layout('What is each choice worth?', LEGEND_AND_TITLE + height, {
      margin: { l: 252, r: 20, t: 74, b: 102 },
      xaxis: axis('MIREX weighted (points)', { domain: [0, 0.48], anchor: 'y' }),
      xaxis2: axis('MIREX weighted (points)', { domain: [0.52, 1], anchor: 'y', matches: 'x' }),
      yaxis: axis('', {
        tickvals: rows.map((_, i) => rows.length - 1 - i),
        ticktext: rows.map(({ axis: of, choice }) => (choice ? choice.label : `<b>${of.label}</b>`)),
        range: [-0.7, rows.length - 0.4],
        automargin: false,
        ticks: '',
        showgrid: false,
      }),
      shapes: SPLITS.map((split, panel) => baseLine(m, split, panel)),
      annotations: SPLITS.map((split, panel) =>
        panelTitle(`${SPLIT_LABEL[split]} (n = ${nOf(m, split)})`, panel === 0 ? 0 : 0.52, 1 + 4 / height),
      ) as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -56 / height, yanchor: 'top' },
    }),
  );
}

const nOf = (m: AblationMeasurement, split: TestSplit): number => m.axes[0]?.choices[0]?.scores[split].n ?? 0;

function baseLine(m: AblationMeasurement, split: TestSplit, panel: number): Partial<Shape> {
  const x = 100 * m.base.scores[split];
  return {
    type: 'line',
    x0: x,
    x1: x,
    xref: panel === 0 ? 'x' : 'x2',
    y0: 0,
    y1: 1,
    yref: 'paper',
    line: { color: COLOUR.vertical, width: 1, dash: 'dot' },
    layer: 'below',
  };
}

function panelTraces(rows: readonly Row[], split: TestSplit, panel: number): Trace[] {
  const shown = rows.flatMap(({ choice }, i) => (choice ? [{ choice, y: rows.length - 1 - i }] : []));
  const axes = { xaxis: panel === 0 ? 'x' : 'x2', yaxis: 'y' };
  const dots = (name: string, of: readonly (typeof shown)[number][], symbol: string, colour: string): Trace =>
    ({
      type: 'scatter',
      mode: 'markers',
      name,
      legendgroup: name,
      showlegend: panel === 0,
      x: of.map(({ choice }) => 100 * choice.scores[split].weighted.estimate),
      y: of.map(({ y }) => y),
      error_x: {
        ...errorBars(
          of.map(({ choice }) => choice.scores[split].weighted),
          100,
        ),
        color: '#777777',
      },
      marker: { color: colour, size: 9, symbol },
      text: of.map(({ choice }) => hover(choice, split)),
      hoverinfo: 'text',
      ...axes,
    }) as unknown as Trace;
  const small = (name: string, x: number[], y: number[], symbol: string, size: number, colour: string): Trace =>
    ({
      type: 'scatter',
      mode: 'markers',
      name,
      legendgroup: name,
      showlegend: panel === 0,
      x,
      y,
      marker: { color: colour, size, symbol },
      hoverinfo: 'skip',
      ...axes,
    }) as unknown as Trace;
  const seeds = shown.flatMap(({ choice, y }) =>
    choice.scores[split].perSeed.map((score) => ({ x: 100 * score, y: y - 0.32 })),
  );
  return [
    small(
      'random initialisation',
      shown.map(({ choice }) => 100 * choice.scores[split].random),
      shown.map(({ y }) => y),
      'x-thin-open',
      7,
      COLOUR.random,
    ),
    small(
      'each seed',
      seeds.map(({ x }) => x),
      seeds.map(({ y }) => y),
      'circle',
      3.5,
      PALETTE.sky,
    ),
    dots(
      'one choice changed',
      shown.filter(({ choice }) => !choice.isBase),
      'circle',
      PALETTE.red,
    ),
    dots(
      'the base',
      shown.filter(({ choice }) => choice.isBase),
      'diamond',
      COLOUR.vertical,
    ),
  ];
}

function hover(choice: AblationChoice, split: TestSplit): string {
  const { weighted, fromBase, fromRandom } = choice.scores[split];
  const against = fromBase ? `; against the base ${signedInterval(fromBase)}` : '';
  return `${choice.label}: ${interval(weighted)}${against}; against random ${signedInterval(fromRandom)}; ${choice.steps} steps`;
}

/** One row a choice: scores, paired differences and cost. */
export function ablationTable(m: AblationMeasurement): Table {
  const perSplit = SPLITS.flatMap((split) => [
    `${SPLIT_LABEL[split]}`,
    `${SPLIT_LABEL[split]} − base`,
    `${SPLIT_LABEL[split]} − reference`,
    `${SPLIT_LABEL[split]} − random`,
  ]);
  return table(
    'ablation-table',
    m,
    `Linear probe, MIREX weighted (fifth above only), in points of 100 with 95 % bootstrap intervals over tracks (${m.corpus}; mean of ${m.seeds} ${m.seedsOf} seeds). Differences are of the same tracks (paired bootstrap, not corrected for their number): from the base (${m.base.label}), from the reference of an axis that does not pass through the base, and from the own random initialisation. Tokens: read by the encoder of one seed; seconds: wall time of one seed's steps, on a machine that trained two at once.`,
    ['axis', 'choice', ...perSplit, 'steps', 'tokens (millions)', 'seconds'],
    m.axes.flatMap((of) =>
      of.choices.map((choice) => [
        of.reference === null ? of.label : `${of.label}; reference: ${of.reference}`,
        choice.label,
        ...SPLITS.flatMap((split) => {
          const { weighted, fromBase, fromReference, fromRandom } = choice.scores[split];
          const optional = (value: typeof fromBase): string => (value ? signedInterval(value) : '–');
          return [interval(weighted), optional(fromBase), optional(fromReference), signedInterval(fromRandom)];
        }),
        choice.steps,
        (choice.tokens / 1e6).toFixed(2),
        choice.seconds.toFixed(0),
      ]),
    ),
  );
}
