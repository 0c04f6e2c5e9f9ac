/**
 * The house style: one palette, one font, one base layout, so that figures of different notebooks can stand side by side.
 * Sizes are chosen for a page 800 pixels wide (a paper's text width at twice its print size).
 * Imports only its sibling figure.ts and types.
 */
import type { Layout, LayoutAxis } from 'plotly.js';
import type { Figure, Table } from './figure.js';

/** Okabe & Ito's colours, told apart with every common kind of colour blindness. */
export const PALETTE = {
  black: '#000000',
  orange: '#E69F00',
  sky: '#56B4E9',
  green: '#009E73',
  yellow: '#F0E442',
  blue: '#0072B2',
  red: '#D55E00',
  purple: '#CC79A7',
  grey: '#8A8A8A',
} as const;

/** One colour a meaning, in every figure. */
export const COLOUR = {
  vertical: PALETTE.blue,
  square: PALETTE.orange,
  hybrid: PALETTE.green,
  random: PALETTE.grey,
  spectrum: PALETTE.sky,
  template: PALETTE.purple,
  same: PALETTE.blue,
  fifth: PALETTE.sky,
  relative: PALETTE.green,
  parallel: PALETTE.orange,
  other: '#D0D0D0',
} as const;

/** Colour maps that stay ordered in grey and for colour-blind readers. */
export const HEAT = 'Cividis';
export const HEAT_SPECTRUM = 'Viridis';

const FONT = { family: 'Helvetica, Arial, sans-serif', size: 13, color: '#222222' };

/** Axis with a title (give the unit in it), ticks outside and a light grid. */
export function axis(title: string, more: Partial<LayoutAxis> = {}): Partial<LayoutAxis> {
  return {
    title: { text: title, standoff: 8 },
    automargin: true,
    gridcolor: '#E6E6E6',
    linecolor: '#666666',
    showline: true,
    ticks: 'outside',
    ticklen: 4,
    zeroline: false,
    ...more,
  };
}

/** A vertical axis of names, the first at 0, the lowest. */
export function namesAxis(names: readonly string[]): Partial<LayoutAxis> {
  return axis('', {
    tickvals: names.map((_, i) => i),
    ticktext: [...names],
    range: [-0.6, names.length - 0.4],
    automargin: false,
    ticks: '',
  });
}

/** A palette colour, `#rrggbb`, as a transparent one. */
export function faint(color: string, opacity: number): string {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${opacity})`;
}

/** The area between the ends of a curve's intervals. @param common axes and legend group of the curve */
export function intervalBand(
  common: Readonly<Record<string, unknown>>,
  x: readonly number[],
  intervals: readonly { readonly low: number; readonly high: number }[],
  color: string,
  scale = 100,
): Figure['data'][number] {
  return {
    ...common,
    mode: 'lines',
    x: [...x, ...[...x].reverse()],
    y: [...intervals.map(({ high }) => scale * high), ...[...intervals].reverse().map(({ low }) => scale * low)],
    fill: 'toself',
    fillcolor: faint(color, 0.1),
    line: { width: 0 },
    hoverinfo: 'skip',
    showlegend: false,
  } as unknown as Figure['data'][number];
}

/** The base layout; `title` is short, the caption carries the explanation. */
export function layout(title: string, height: number, more: Partial<Layout> = {}): Partial<Layout> {
  return {
    title: { text: title, font: { ...FONT, size: 15 }, x: 0.01, xanchor: 'left', y: 0.98, yanchor: 'top' },
    height,
    font: FONT,
    paper_bgcolor: '#FFFFFF',
    plot_bgcolor: '#FFFFFF',
    margin: { l: 64, r: 24, t: 56, b: 56 },
    hoverlabel: { font: FONT },
    legend: { orientation: 'h', x: 0, y: -0.18, yanchor: 'top', font: FONT },
    ...more,
  };
}

/** How a curve stands in the legend: once an encoder, however many seeds are drawn. */
export function legendEntry<C extends { readonly encoder: { readonly id: string; readonly label: string } }>(
  curve: C,
  curves: readonly C[],
): { name: string; legendgroup: string; showlegend: boolean } {
  const { id, label } = curve.encoder;
  const first = curves.find((other) => other.encoder.id === id) === curve;
  return { name: label, legendgroup: id, showlegend: first };
}

/** Whether encoders are drawn once a seed; intervals of single seeds would then hide the spread between them. */
export function hasSeveralSeeds(curves: readonly { readonly encoder: { readonly id: string } }[]): boolean {
  return new Set(curves.map((curve) => curve.encoder.id)).size < curves.length;
}

/** What the lines of a figure with curves are, for its caption. */
export function barsOrSeeds(curves: readonly { readonly encoder: { readonly id: string } }[]): string {
  return hasSeveralSeeds(curves) ? 'one line a seed' : 'bars: 95 % bootstrap over tracks';
}

/** A legend of several lines below an axis title. */
export const LEGEND_BELOW = { orientation: 'h', x: 0, y: -0.26, yanchor: 'top' } as const;

/** A small heading over a panel, placed in paper coordinates. */
export function panelTitle(text: string, x: number, y: number): Partial<Layout['annotations'][number]> {
  return {
    text: `<b>${text}</b>`,
    x,
    y,
    xref: 'paper',
    yref: 'paper',
    xanchor: 'left',
    yanchor: 'bottom',
    showarrow: false,
    font: FONT,
  };
}

/** Where a measurement comes from; part of every caption. */
export interface Source {
  readonly preset: string;
  readonly configId: string;
  readonly music?: string;
  readonly weights?: string;
}

/** Caption text, then the preset, configuration and command that make it again. */
export function captionOf(id: string, text: string, source: Source): string {
  const tracks = source.music === undefined ? '' : ` Tracks: ${source.music}.`;
  const weights = source.weights === undefined ? '' : ` Pretrained elsewhere: ${source.weights}.`;
  const data = tracks || weights ? ' --data FILE' : '';
  return `${text}${tracks}${weights} Preset ${source.preset}, configuration ${source.configId}; numbers: figures/${source.preset}/data/${id}.json, made by \`npm run reproduce -- --preset ${source.preset}${data}\`.`;
}

/** Assembles a figure; the one place that sets id and caption. */
export function figure(
  id: string,
  source: Source,
  text: string,
  data: Figure['data'],
  figureLayout: Partial<Layout>,
): Figure {
  return { id, caption: captionOf(id, text, source), data, layout: figureLayout };
}

/** Assembles a table; the one place that sets id and caption. */
export function table(id: string, source: Source, text: string, columns: Table['columns'], rows: Table['rows']): Table {
  return { id, caption: captionOf(id, text, source), columns, rows };
}

/** Text that Plotly shows as it is: a name from a reader's own data is never markup. */
export function plainText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** A share or score of 0..1 as points of 100 with one decimal: `0.6123` is `61.2`. */
export function points(value: number): string {
  return (100 * value).toFixed(1);
}

/** A value between the ends of its interval, each of 0..1. */
interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** An interval in points: `61.2 [57.9, 64.4]`. */
export function interval(value: Interval): string {
  return `${points(value.estimate)} [${points(value.low)}, ${points(value.high)}]`;
}

/** Heads of the columns of `scoreCells`. */
export const SCORE_COLUMNS: readonly string[] = [
  'weighted',
  'weighted, both',
  'exact',
  'same',
  'fifth',
  'relative',
  'parallel',
  'other',
];

/** What the first of `SCORE_COLUMNS` say, for captions. */
export const RULERS =
  '"Weighted": MIREX with the fifth credited above only (mir_eval to 0.8.2); "both": in both directions (MIREX since 2017). Shares use the first ruler.';

/** Weighted by both rulers, exact, and the five shares, as cells of a table. */
export function scoreCells(row: {
  readonly weighted: Interval;
  readonly weightedBothFifths: Interval;
  readonly accuracy: Interval;
  readonly shares: Readonly<Record<'same' | 'fifth' | 'relative' | 'parallel' | 'other', number>>;
}): string[] {
  const { same, fifth, relative, parallel, other } = row.shares;
  return [
    interval(row.weighted),
    interval(row.weightedBothFifths),
    interval(row.accuracy),
    ...[same, fifth, relative, parallel, other].map(points),
  ];
}

/** A difference in points with its sign: `+2.1 [-0.4, +4.6]`. */
export function signedInterval(value: Interval): string {
  const signed = (x: number): string => {
    const text = Math.abs(100 * x).toFixed(1);
    return `${x < 0 && text !== '0.0' ? '−' : '+'}${text}`;
  };
  return `${signed(value.estimate)} [${signed(value.low)}, ${signed(value.high)}]`;
}

/** A p value with three decimals; never 0. */
export function probability(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** Plotly's error bars from intervals, in the unit of `scale` times the value. */
export function errorBars(
  intervals: readonly { readonly estimate: number; readonly low: number; readonly high: number }[],
  scale: number,
): { type: 'data'; symmetric: false; array: number[]; arrayminus: number[]; thickness: number; width: number } {
  return {
    type: 'data',
    symmetric: false,
    array: intervals.map((v) => scale * (v.high - v.estimate)),
    arrayminus: intervals.map((v) => scale * (v.estimate - v.low)),
    thickness: 1.4,
    width: 4,
  };
}

/** A figure drawn from the study's numbers, to stand beside the reader's own: `study-` before its id and title. */
export function ofStudy<T extends Figure | Table>(shown: T): T {
  if (!('layout' in shown)) return { ...shown, id: `study-${shown.id}` };
  const title = (shown.layout.title as { text?: string } | undefined) ?? {};
  return {
    ...shown,
    id: `study-${shown.id}`,
    layout: { ...shown.layout, title: { ...title, text: `Study: ${title.text ?? ''}` } },
  };
}
