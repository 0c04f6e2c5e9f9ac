/** Figures and tables of notebook 08: confidence and abstention. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout } from 'plotly.js';
import type { ConfidenceMeasurement, ConfidenceRow } from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import { panelGrid } from './panels.js';
import { systemStyle } from './robustnessFigures.js';
import {
  PALETTE,
  axis,
  faint,
  figure,
  interval,
  intervalBand,
  layout,
  panelTitle,
  points,
  probability,
  signedInterval,
  table,
} from './style.js';

type Trace = Figure['data'][number];

const DIAGONAL = { x: [0, 100], y: [0, 100], line: { color: '#999999', width: 1, dash: 'dash' } } as const;

const PERCENT = { range: [-3, 103], tickvals: [0, 25, 50, 75, 100] };

/** Each system once, in the order of the measurement. */
const systemsOf = (m: ConfidenceMeasurement): ConfidenceRow[] => [...new Map(m.rows.map((row) => [row.system, row])).values()]; // prettier-ignore

/** How often a system is right when it says how sure it is; one panel a system. */
export function reliabilityFigure(m: ConfidenceMeasurement): Figure {
  const systems = systemsOf(m);
  const grid = panelGrid(
    systems.map(({ label }, i) => ({
      title: label.replace(', ', ',<br>'),
      x: { ...PERCENT, title: { text: 'confidence (%)', font: { size: 12 }, standoff: 6 } },
      y: { ...PERCENT, ...(i % 3 === 0 && { title: { text: 'exactly right (%)', font: { size: 12 } } }) },
    })),
    3,
    { gaps: [0.07, 0.26] },
  );
  const data = systems.flatMap(({ system }, panel): Trace[] => [
    { type: 'scatter', mode: 'lines', ...DIAGONAL, ...grid.of(panel), showlegend: false, hoverinfo: 'skip' } as unknown as Trace, // prettier-ignore
    ...SPLITS.flatMap((split, i): Trace[] => {
      const row = m.rows.find((one) => one.system === system && one.split === split);
      if (!row) return [];
      const color = i === 0 ? PALETTE.blue : PALETTE.orange;
      return [
        {
          type: 'scatter',
          mode: 'lines+markers',
          name: SPLIT_LABEL[split],
          legendgroup: split,
          showlegend: panel === 0,
          x: row.bins.map(({ confidence }) => 100 * confidence),
          y: row.bins.map(({ accuracy }) => 100 * accuracy),
          line: { color, width: 1.5 },
          marker: { color, size: 6, symbol: i === 0 ? 'circle' : 'square' },
          ...grid.of(panel),
        } as unknown as Trace,
      ];
    }),
  ]);
  return figure(
    'reliability',
    m,
    'Confidence (probability of the answer, with one temperature a probe, fitted on validation) against the share of exactly right answers, whole clean tracks in six groups of equal size. On the dashed line a system is as often right as it says; below it, it is too sure of itself.',
    data,
    layout('Does it know when it is right?', 640, {
      ...grid.axes,
      annotations: grid.titles,
      margin: { l: 58, r: 16, t: 84, b: 56 },
      legend: { orientation: 'v', x: 0.78, y: 0.2, yanchor: 'top' },
    }),
  );
}

/** Score of the surest share of the tracks. */
export function abstentionFigure(m: ConfidenceMeasurement): Figure {
  const data = SPLITS.flatMap((split, panel) =>
    m.rows
      .filter((row) => row.split === split)
      .flatMap((row): Trace[] => {
        const { color, dash, symbol } = systemStyle(row);
        const common = { type: 'scatter', xaxis: panel === 0 ? 'x' : 'x2', yaxis: panel === 0 ? 'y' : 'y2', legendgroup: row.system }; // prettier-ignore
        const x = row.coverage.map((share) => 100 * share);
        return [
          intervalBand(common, x, row.weighted, color),
          {
            ...common,
            mode: 'lines+markers',
            name: row.label,
            showlegend: panel === 0,
            x,
            y: row.weighted.map(({ estimate }) => 100 * estimate),
            line: { color, dash, width: 1.8 },
            marker: { color, symbol, size: 6 },
          } as unknown as Trace,
        ];
      }),
  );
  const n = (split: string): number => m.rows.find((row) => row.split === split)?.n ?? 0;
  return figure(
    'abstention',
    m,
    'MIREX weighted score when only the surest tracks are answered: by the probability of the answer, of the template by its lead over the second key. Whole clean tracks; shaded: 95 % bootstrap over tracks.',
    data,
    layout('What abstaining is worth', 480, {
      margin: { l: 60, r: 16, t: 66, b: 56 },
      xaxis: axis('tracks answered (%)', { domain: [0, 0.47], anchor: 'y', range: [5, 103] }),
      xaxis2: axis('tracks answered (%)', { domain: [0.53, 1], anchor: 'y2', range: [5, 103] }),
      yaxis: axis('MIREX weighted (points)', { range: [0, 102] }),
      yaxis2: axis('', { anchor: 'x2', range: [0, 102] }),
      annotations: [
        panelTitle(`test (n = ${n('test')})`, 0, 1.01),
        panelTitle(`unseen timbre (n = ${n('testTimbre')})`, 0.53, 1.01),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.2, yanchor: 'top' },
    }),
  );
}

/** Does confidence fall with the score when the sound gets worse? One mark an augmentation and strength. */
export function degradedFigure(m: ConfidenceMeasurement): Figure {
  const systems = systemsOf(m);
  const grid = panelGrid(
    systems.map(({ label }, i) => ({
      title: label.replace(', ', ',<br>'),
      x: { ...PERCENT, title: { text: 'mean confidence (%)', font: { size: 12 }, standoff: 6 } },
      y: { ...PERCENT, ...(i % 3 === 0 && { title: { text: 'exactly right (%)', font: { size: 12 } } }) },
    })),
    3,
    { gaps: [0.07, 0.26] },
  );
  // Marks have a colour a system, so the legend has one of its own.
  const key = { type: 'scatter', mode: 'markers', name: 'one augmentation at one strength', x: [null], y: [null], marker: { color: PALETTE.grey, size: 7 } }; // prettier-ignore
  const marked = systems.flatMap((system, panel): Trace[] => {
    const own = m.degraded.filter((one) => one.system === system.system && one.split === 'test');
    const { color } = systemStyle(system);
    const marks = (name: string, isClean: boolean): Trace => {
      const some = own.filter(({ strength }) => (strength === null) === isClean);
      return {
        type: 'scatter',
        mode: 'markers',
        name,
        legendgroup: name,
        showlegend: panel === 0 && isClean,
        x: some.map(({ confidence }) => 100 * confidence),
        y: some.map(({ accuracy }) => 100 * accuracy),
        text: some.map(({ augmentation, strength }) => `${augmentation} ${strength ?? ''}`),
        hoverinfo: 'text',
        marker: isClean
          ? { symbol: 'star', size: 13, color: PALETTE.black }
          : { symbol: 'circle', size: 7, color: faint(color, 0.7) },
        ...grid.of(panel),
      } as unknown as Trace;
    };
    return [
      { type: 'scatter', mode: 'lines', ...DIAGONAL, ...grid.of(panel), showlegend: false, hoverinfo: 'skip' } as unknown as Trace, // prettier-ignore
      marks('one augmentation at one strength', false),
      marks('clean', true),
    ];
  });
  return figure(
    'confidence-degraded',
    m,
    'Mean confidence against the share of exactly right answers of the test tracks’ opening, clean and through every augmentation at every strength. A detector that notices how bad the sound is moves down along the dashed line; one that does not falls straight down.',
    [key as unknown as Trace, ...marked],
    layout('Does confidence notice bad sound?', 640, {
      ...grid.axes,
      annotations: grid.titles,
      margin: { l: 58, r: 16, t: 84, b: 56 },
      legend: { orientation: 'v', x: 0.7, y: 0.2, yanchor: 'top' },
    }),
  );
}

/** Calibration and abstention in numbers. */
export function confidenceTable(m: ConfidenceMeasurement): Table {
  return table(
    'confidence-table',
    m,
    'Confidence of whole clean tracks. ECE: expected calibration error of the exact match in points (ten groups of equal size), raw and with the temperature fitted on validation; "honest": what perfectly calibrated answers as confident as these would stay under in 95 of 100 sets. AUROC: share of pairs of a right and a wrong track in which the right one is surer (50 = no idea). Last: weighted score of the surer half against all, p after Holm’s correction.',
    ['system', 'split', 'n', 'temperature', 'ECE raw', 'ECE', 'honest', 'AUROC', 'all tracks', 'surer half', 'difference', 'p (Holm)'],
    m.rows.map((row) => [
      row.label,
      SPLIT_LABEL[row.split],
      row.n,
      row.temperature,
      row.method === 'template' ? '–' : points(row.eceRaw),
      points(row.ece),
      points(row.eceHonest),
      row.auroc ? interval(row.auroc) : '–',
      interval(row.weighted[row.weighted.length - 1]),
      interval(row.weighted[row.coverage.indexOf(0.5)]),
      signedInterval(row.gainAtHalf),
      probability(row.pHolm),
    ]),
  ); // prettier-ignore
}
