/** Figures and tables of notebook 07: how good augmentation maps are, and how many directions they need. Pure. */
import type { Layout } from 'plotly.js';
import type {
  EncoderName,
  FittedKind,
  GradientMeasurement,
  Interval,
  MapAccuracyMeasurement,
  MapRankMeasurement,
  MapRow,
  PairCounts,
} from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import { COLOUR, PALETTE, axis, errorBars, figure, interval, layout, namesAxis, panelTitle, table } from './style.js';

type Trace = Figure['data'][number];

const KIND_LABEL: Record<FittedKind, string> = {
  identity: 'no map',
  meanShift: 'mean shift',
  linear: 'linear map, no bias',
  affine: 'affine map',
};
const KIND_COLOUR: Record<FittedKind, string> = {
  identity: PALETTE.grey,
  meanShift: PALETTE.orange,
  linear: PALETTE.blue,
  affine: PALETTE.green,
};
const KIND_SYMBOL: Record<FittedKind, string> = {
  identity: 'x-thin-open',
  meanShift: 'diamond',
  linear: 'circle',
  affine: 'square-open',
};
const KINDS = Object.keys(KIND_LABEL) as FittedKind[];

/** The colour of an encoder, as in the other notebooks. */
export function encoderColour({ patches, origin }: EncoderName): string {
  return origin === 'random' ? COLOUR.random : COLOUR[patches];
}

/** Encoders once each, in the order of the rows. */
export function encodersIn<Row extends { readonly encoder: EncoderName }>(rows: readonly Row[]): EncoderName[] {
  return [...new Map(rows.map(({ encoder }) => [encoder.id, encoder])).values()];
}

/** For captions: what was fitted on what. */
export function pairsText({ width, train, trainTracks, valid, test, testTracks }: PairCounts): string {
  return `Matrices ${width} × ${width} fitted on ${train} pairs of clips (${trainTracks} tracks), ridge chosen on ${valid}, measured on ${test} pairs of ${testTracks} other tracks`;
}

export const seedsText = (seeds: number): string =>
  seeds > 1 ? `mean over ${seeds} pretraining seeds, 95 % bootstrap over tracks` : '95 % bootstrap over tracks';

const isSingle = ({ group }: MapRow): boolean => group !== 'chain';

/** Rows of one encoder as dots: what each map leaves unexplained, and the centred cosine. */
export function mapAccuracyFigure(m: MapAccuracyMeasurement): Figure {
  const [main] = encodersIn(m.rows);
  const rows = m.rows.filter((row) => row.encoder.id === main.id && isSingle(row)).reverse();
  const labels = rows.map(({ augmentation }) => augmentation);
  const offset = (kind: FittedKind): number => 0.24 - 0.16 * KINDS.indexOf(kind);
  const unexplained = ({ estimate, low, high }: Interval): Interval => ({
    estimate: Math.max(1e-6, 1 - estimate),
    low: Math.max(1e-6, 1 - high),
    high: Math.max(1e-6, 1 - low),
  });
  const trace = (kind: FittedKind, values: readonly Interval[], panel: 1 | 2): Trace => ({
    type: 'scatter',
    mode: 'markers',
    name: KIND_LABEL[kind],
    legendgroup: kind,
    showlegend: panel === 1,
    x: values.map(({ estimate }) => estimate),
    y: values.map((_, i) => i + offset(kind)),
    error_x: { ...errorBars(values, 1), color: KIND_COLOUR[kind], width: 0 },
    marker: { color: KIND_COLOUR[kind], symbol: KIND_SYMBOL[kind], size: 7, line: { width: 1.5, color: KIND_COLOUR[kind] } }, // prettier-ignore
    text: rows.map(({ augmentation }, i) => `${augmentation}, ${KIND_LABEL[kind]}: ${values[i].estimate}`),
    hoverinfo: 'text',
    xaxis: panel === 1 ? 'x' : 'x2',
    yaxis: 'y',
  });
  const data = KINDS.flatMap((kind): Trace[] => [
    trace(kind, rows.map((row) => unexplained(row.kinds[kind].r2)), 1), // prettier-ignore
    trace(kind, rows.map((row) => row.kinds[kind].centredCosine), 2), // prettier-ignore
  ]);
  return figure(
    'map-accuracy',
    m,
    `Predicting the embedding of an augmented clip from that of the clean clip, ${main.label}. ${pairsText(m.pairs)}; ${seedsText(rows[0]?.seeds ?? 1)}. Left: share of the variance left unexplained, 1 − R²; "no map" shows how much the augmentation changes. Right: cosine after the mean embedding is taken off.`,
    data,
    layout('How well do maps foretell an augmentation?', 150 + 27 * rows.length, {
      margin: { l: 208, r: 20, t: 76, b: 60 },
      xaxis: axis('1 − R² on test (log axis, less is better)', {
        type: 'log',
        dtick: 1,
        exponentformat: 'power',
        domain: [0, 0.54],
        anchor: 'y',
      }),
      xaxis2: axis('centred cosine (more is better)', {
        domain: [0.59, 1],
        anchor: 'y',
        range: [lowestOf(rows), 1.03],
      }),
      yaxis: namesAxis(labels),
      annotations: [panelTitle('error', 0, 1.003), panelTitle('direction', 0.59, 1.003)] as Layout['annotations'],
      legend: { orientation: 'h', x: -0.3, y: -46 / (27 * Math.max(4, rows.length)), yanchor: 'top' },
    }),
  );
}

function lowestOf(rows: readonly MapRow[]): number {
  const all = rows.flatMap(({ kinds }) => KINDS.map((kind) => kinds[kind].centredCosine.low));
  return Math.min(0, Math.floor(10 * Math.min(...all)) / 10);
}

/** Below this an explained change is drawn at the edge: a map that is far worse than none says no more. */
const FLOOR = -0.5;

/** Points with intervals, those below the floor drawn on it as triangles; for explained changes. */
export function flooredPoints(values: readonly Interval[], symbol: string, colour: string): Partial<Trace> {
  const cut = (value: number): number => Math.max(FLOOR, value);
  const shown = values.map(({ estimate, low, high }) => ({
    estimate: cut(estimate),
    low: estimate < FLOOR ? FLOOR : cut(low),
    high: estimate < FLOOR ? FLOOR : high,
  }));
  return {
    error_x: { ...errorBars(shown, 1), color: colour, width: 0 },
    marker: {
      color: colour,
      symbol: values.map(({ estimate }) => (estimate < FLOOR ? 'triangle-left' : symbol)),
      size: 8,
      line: { width: 1.5, color: colour },
    },
    x: shown.map(({ estimate }) => estimate),
  } as Partial<Trace>;
}

/** The axis that goes with `flooredPoints`. */
export const EXPLAINED_RANGE = [FLOOR - 0.04, 1.02];

/** Explained change of the linear map, three encoders side by side. */
export function mapEncodersFigure(m: MapAccuracyMeasurement): Figure {
  const encoders = encodersIn(m.rows);
  const labels = m.rows.filter((row) => row.encoder.id === encoders[0].id && isSingle(row)).map((row) => row.augmentation).reverse(); // prettier-ignore
  const data = encoders.map((encoder, e): Trace => {
    const rows = labels.map((label) => m.rows.find((row) => row.encoder.id === encoder.id && row.augmentation === label)!); // prettier-ignore
    return {
      type: 'scatter',
      mode: 'markers',
      name: encoder.label,
      y: labels.map((_, i) => i + 0.22 - 0.22 * e),
      ...flooredPoints(rows.map(({ kinds }) => kinds.linear.explainedChange), ['circle', 'x', 'square'][e % 3], encoderColour(encoder)), // prettier-ignore
      text: rows.map(({ augmentation, kinds }) => `${encoder.label}, ${augmentation}: ${kinds.linear.explainedChange.estimate}`), // prettier-ignore
      hoverinfo: 'text',
    } as Trace;
  });
  return figure(
    'map-encoders',
    m,
    `Share of an augmentation's effect that its linear map explains on test, 1 − |y − Wx|² / |y − x|²: 1 is all of it, 0 no better than no map; triangles lie below ${FLOOR}. ${pairsText(m.pairs)}; ${seedsText(m.rows[0]?.seeds ?? 1)}.`,
    data,
    layout('Whose augmentations are linear?', 150 + 24 * labels.length, {
      margin: { l: 208, r: 20, t: 48, b: 60 },
      xaxis: axis('explained change on test', { range: EXPLAINED_RANGE, zeroline: true, zerolinecolor: '#444444' }),
      yaxis: namesAxis(labels),
      legend: { orientation: 'h', x: -0.3, y: -46 / (24 * Math.max(4, labels.length)), yanchor: 'top' },
    }),
  );
}

const three = (value: number): string => value.toFixed(3);

/** The maps of the first encoder in numbers. */
export function mapTable(m: MapAccuracyMeasurement): Table {
  const [main] = encodersIn(m.rows);
  return table(
    'map-table',
    m,
    `Augmentation maps of the encoder "${main.label}". ${pairsText(m.pairs)}. Explained change in points of 100 with 95 % bootstrap intervals over tracks; ridge relative to the mean eigenvalue, with what it pulls towards, seed by seed; top-1: the share of clips whose mapped embedding is nearest (cosine) to its own augmented one among all ${m.pairs.test}.`,
    ['augmentation', 'ridge', 'R² no map', 'R² linear', 'explained: mean shift', 'explained: linear', 'explained: affine', 'centred cosine no map', 'centred cosine linear', 'top-1 no map', 'top-1 linear'], // prettier-ignore
    m.rows
      .filter((row) => row.encoder.id === main.id)
      .map(({ augmentation, ridges, towards, kinds }) => [
        augmentation,
        ridges.map((ridge, seed) => `${ridge} (${towards[seed]})`).join(', '),
        three(kinds.identity.r2.estimate),
        three(kinds.linear.r2.estimate),
        interval(kinds.meanShift.explainedChange),
        interval(kinds.linear.explainedChange),
        interval(kinds.affine.explainedChange),
        three(kinds.identity.centredCosine.estimate),
        three(kinds.linear.centredCosine.estimate),
        three(kinds.identity.top1.estimate),
        three(kinds.linear.top1.estimate),
      ]),
  );
}

/** What is followed in the rank figure: a filter, noise, a room, gaps, tuning, and the smallest and largest shift up. */
const FOLLOWED = ['Low-pass', 'High-pass', 'White noise', 'Time masking', 'Tuning'];
const LINES = [PALETTE.blue, PALETTE.sky, PALETTE.grey, PALETTE.purple, PALETTE.green, PALETTE.orange, PALETTE.red];
const SYMBOLS = ['circle', 'square', 'x', 'diamond', 'triangle-up', 'cross', 'star'];

/** Singular values of W − 1, and what is left of a map that is cut to rank r. */
export function mapRankFigure(m: MapRankMeasurement): Figure {
  const [main] = encodersIn(m.rows);
  const own = m.rows.filter((row) => row.encoder.id === main.id);
  const up = own.filter((row) => row.group === 'shift' && row.augmentation.includes('+'));
  const rows = [
    ...FOLLOWED.flatMap((name) => own.find((row) => row.augmentation.startsWith(name)) ?? []),
    ...new Set([...up.slice(0, 1), ...up.slice(-1)]),
  ];
  const data = rows.flatMap((row, i): Trace[] => {
    const line = { color: LINES[i % LINES.length], width: 2 };
    const shared = { type: 'scatter', name: row.augmentation, legendgroup: row.augmentation, line } as const;
    const positive = row.singularValues.filter((value) => value > 1e-6); // the rest is rounding
    return [
      { ...shared, mode: 'lines', x: positive.map((_, place) => place + 1), y: positive, xaxis: 'x', yaxis: 'y', showlegend: false }, // prettier-ignore
      {
        ...shared,
        mode: 'lines+markers',
        marker: { color: line.color, symbol: SYMBOLS[i % SYMBOLS.length], size: 8 },
        // Rank 0 has no place on a log axis: it stands where 1/2 would.
        x: row.ranks.map((rank) => Math.max(rank, 0.5)),
        y: row.explainedChange.map(({ estimate }) => Math.max(FLOOR, estimate)),
        error_y: errorBars(row.explainedChange.map((value) => ({ ...value, low: Math.max(FLOOR, value.low) })), 1), // prettier-ignore
        xaxis: 'x2',
        yaxis: 'y2',
      },
    ] as Trace[];
  });
  const { ranks = [] } = rows[0] ?? {};
  return figure(
    'map-rank',
    m,
    `How many directions does an augmentation change (${main.label})? Left: singular values of W − 1 over the largest (first seed). Right: explained change on test of the best map of each rank (reduced-rank regression of W − 1), ${seedsText(1)}. ${pairsText(m.pairs)}.`,
    data,
    layout('The rank of an augmentation', 470, {
      margin: { l: 66, r: 20, t: 72, b: 60 },
      xaxis: axis('singular value, number', { type: 'log', domain: [0, 0.42], anchor: 'y', dtick: 1 }),
      yaxis: axis('singular value / the largest', { type: 'log', dtick: 1, exponentformat: 'power' }),
      xaxis2: axis('rank', {
        type: 'log',
        domain: [0.54, 1],
        anchor: 'y2',
        tickvals: ranks.map((rank) => Math.max(rank, 0.5)),
        ticktext: ranks.map(String),
      }),
      yaxis2: axis('explained change on test', { anchor: 'x2' }),
      annotations: [
        panelTitle('singular values', 0, 1.01),
        panelTitle('held out', 0.54, 1.01),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.2, yanchor: 'top' },
    }),
  );
}

/** Ranks in numbers, every encoder. */
export function mapRankTable(m: MapRankMeasurement): Table {
  return table(
    'map-rank-table',
    m,
    `Rank of the maps, matrices of width ${m.pairs.width}. Effective rank: exp of the entropy of the singular values; rank needed: the smallest tried that explains 95 % of what the full rank explains on test ("–": the full rank explains nothing). ${pairsText(m.pairs)}.`,
    ['encoder', 'augmentation', 'effective rank of W − 1', 'of W', 'for 90 % of the squares', 'rank needed'],
    m.rows.map((row) => [
      row.encoder.label,
      row.augmentation,
      row.effectiveRankOfChange.toFixed(1),
      row.effectiveRank.toFixed(1),
      row.rankOfSquares,
      row.rankNeeded ?? '–',
    ]),
  );
}

/** Closed form against gradient steps. */
export function gradientTable(m: GradientMeasurement): Table {
  return table(
    'map-gradient',
    m,
    `The same map by the closed form and by gradient steps over all ${m.pairs.train} pairs at once, equal ridge and target (${m.encoder.label}, first seed). Gaps relative to what the map changes.`,
    ['augmentation', 'optimizer', 'steps', 'ridge', 'gap of matrices', 'gap of predictions', 'explained: gradient', 'explained: closed form'], // prettier-ignore
    m.rows.map((row) => [
      row.augmentation,
      row.optimizer === 'adam' ? 'Adam' : 'SGD with momentum',
      row.epochs,
      `${row.ridge} (${row.towards})`,
      row.matrixGap.toExponential(1),
      row.predictionGap.toExponential(1),
      three(row.explainedChangeGradient),
      three(row.explainedChangeClosed),
    ]),
  );
}
