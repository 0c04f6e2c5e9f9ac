/** Figures and tables of notebook 08: transposition. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout } from 'plotly.js';
import type { EquivarianceMeasurement, TestSplit, TestTimeMeasurement } from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import { systemStyle } from './robustnessFigures.js';
import {
  axis,
  errorBars,
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

/** Does the answer move with the music, and do all 24 logits? */
export function equivarianceFigure(m: EquivarianceMeasurement, split: TestSplit): Figure {
  const curves = m.curves.filter((curve) => curve.split === split && curve.isDrawn);
  const data: Trace[] = [];
  for (const curve of curves) {
    const { color, dash, symbol } = systemStyle(curve);
    [curve.moves, curve.correlation].forEach((values, panel) => {
      const scale = panel === 0 ? 100 : 1;
      const common = { type: 'scatter', xaxis: panel === 0 ? 'x' : 'x2', yaxis: panel === 0 ? 'y' : 'y2', legendgroup: curve.system }; // prettier-ignore
      data.push(intervalBand(common, curve.semitones, values, color, scale), {
        ...common,
        mode: 'lines+markers',
        name: curve.label,
        showlegend: panel === 0,
        x: [...curve.semitones],
        y: values.map(({ estimate }) => scale * estimate),
        line: { color, dash, width: 1.8 },
        marker: { color, symbol, size: 7 },
      } as unknown as Trace);
    });
  }
  const main = curves.find(({ system }) => system === 'vertical-pretrained-linear');
  if (main)
    for (const [name, values, dash] of [
      [
        'vertical, pretrained, linear: the answer stays where it was',
        main.stays.map(({ estimate }) => estimate),
        'dot',
      ],
      ['the same: if before and after were unrelated', main.unrelated, 'dash'],
    ] as const)
      data.push({
        type: 'scatter',
        mode: 'lines',
        name,
        x: [...main.semitones],
        y: values.map((value) => 100 * value),
        line: { color: '#000000', dash, width: 1 },
        xaxis: 'x',
        yaxis: 'y',
      });
  const x = { dtick: 2 };
  return figure(
    split === 'test' ? 'equivariance' : 'equivariance-timbre',
    m,
    `Each track of the ${SPLIT_LABEL[split]} split (n = ${m.nTracks[split]}) transposed by some semitones. Left: share of tracks whose answer moves by exactly as many. Right: mean correlation of the 24 logits with those of the original, moved round. Shaded: 95 % bootstrap over tracks. Thin black lines: the pretrained vertical encoder with the linear probe. No label is used.`,
    data,
    layout(`Does the answer move with the music? (${SPLIT_LABEL[split]})`, 480, {
      margin: { l: 60, r: 16, t: 66, b: 56 },
      xaxis: axis('pitch shift (semitones)', { ...x, domain: [0, 0.46], anchor: 'y' }),
      xaxis2: axis('pitch shift (semitones)', { ...x, domain: [0.56, 1], anchor: 'y2' }),
      yaxis: axis('share of tracks (%)', { range: [-3, 103] }),
      yaxis2: axis('correlation of logits', { range: [-0.1, 1.02], anchor: 'x2' }),
      annotations: [
        panelTitle('the answer moves along', 0, 1.01),
        panelTitle('the 24 logits move along', 0.56, 1.01),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.2, yanchor: 'top' },
    }),
  );
}

/** Key score against equivariance, one mark a system and seed. */
export function equivarianceScoreFigure(m: EquivarianceMeasurement): Figure {
  const systems = [...new Map(m.points.map((point) => [point.system, point])).values()];
  const data = SPLITS.flatMap((split, panel) =>
    systems.map((system): Trace => {
      const own = m.points.filter((point) => point.system === system.system && point.split === split);
      const { color, symbol } = systemStyle(system);
      return {
        type: 'scatter',
        mode: 'markers',
        name: system.method === 'template' ? 'templates' : system.label,
        legendgroup: system.method === 'template' ? 'templates' : system.system,
        showlegend: panel === 0 && (system.method !== 'template' || system === systems[0]),
        x: own.map(({ moves }) => 100 * moves),
        y: own.map(({ score }) => 100 * score.estimate),
        error_y: { ...errorBars(own.map(({ score }) => score), 100), color: faint(color, 0.5), width: 0 }, // prettier-ignore
        marker: { color, symbol, size: 9, line: { width: 1.5, color } },
        text: own.map((point) => `${point.label}, seed ${point.seed}: ${interval(point.score)}`),
        hoverinfo: 'text',
        xaxis: panel === 0 ? 'x' : 'x2',
        yaxis: panel === 0 ? 'y' : 'y2',
      } as unknown as Trace;
    }),
  );
  const rank = (split: TestSplit): string => {
    const own = m.ranks.find((one) => one.split === split && one.over === 'all probes');
    return own?.moves == null ? '' : `: ρ = ${own.moves.toFixed(2)} over ${own.n} probes`;
  };
  return figure(
    'equivariance-score',
    m,
    'MIREX weighted score on clean audio against the share of answers that move along, mean over all shifts; one mark a system and pretraining seed, bars: 95 % bootstrap over tracks. ρ: Spearman’s rank correlation over the probes (templates left out). Seeds of one encoder are no independent systems, so few points are even fewer.',
    data,
    layout('Is an equivariant detector a better one?', 520, {
      margin: { l: 60, r: 16, t: 66, b: 56 },
      xaxis: axis('answers that move along (%)', { domain: [0, 0.46], anchor: 'y', range: [-3, 103] }),
      xaxis2: axis('answers that move along (%)', { domain: [0.54, 1], anchor: 'y2', range: [-3, 103] }),
      yaxis: axis('MIREX weighted (points)', { range: [-3, 103] }),
      yaxis2: axis('', { range: [-3, 103], anchor: 'x2' }),
      annotations: [
        panelTitle(`test${rank('test')}`, 0, 1.01),
        panelTitle(`unseen timbre${rank('testTimbre')}`, 0.54, 1.01),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.2, yanchor: 'top' },
    }),
  );
}

/** Score against the number of transposed copies that are asked. */
export function testTimeFigure(m: TestTimeMeasurement): Figure {
  const rows = m.rows.filter(({ isDrawn }) => isDrawn);
  const ids = [...new Set(rows.map(({ system }) => system))];
  const data = SPLITS.flatMap((split, panel) =>
    rows
      .filter((row) => row.split === split)
      .map((row): Trace => {
        const { color, dash, symbol } = systemStyle(row);
        const nudge = 0.16 * (ids.indexOf(row.system) - (ids.length - 1) / 2);
        return {
          type: 'scatter',
          mode: 'lines+markers',
          name: row.label,
          legendgroup: row.system,
          showlegend: panel === 0,
          x: m.copies.map((copies) => copies + nudge),
          y: row.weighted.map(({ estimate }) => 100 * estimate),
          error_y: { ...errorBars(row.weighted, 100), color: faint(color, 0.6), width: 0 },
          line: { color, dash, width: 1.8 },
          marker: { color, symbol, size: 7 },
          xaxis: panel === 0 ? 'x' : 'x2',
          yaxis: panel === 0 ? 'y' : 'y2',
        } as unknown as Trace;
      }),
  );
  const ticks = { tickvals: [...m.copies] };
  return figure(
    'test-time-averaging',
    m,
    'Each track is asked at several pitches, the smallest shifts first (12 copies: −6 to +5 semitones), the answers are moved back and averaged. MIREX weighted, bars: 95 % bootstrap over tracks.',
    data,
    layout('Asking at several pitches', 460, {
      margin: { l: 60, r: 16, t: 66, b: 56 },
      xaxis: axis('copies', { ...ticks, domain: [0, 0.47], anchor: 'y' }),
      xaxis2: axis('copies', { ...ticks, domain: [0.53, 1], anchor: 'y2' }),
      yaxis: axis('MIREX weighted (points)'),
      yaxis2: axis('', { anchor: 'x2', matches: 'y' }),
      annotations: [
        panelTitle(`test (n = ${m.nTracks.test})`, 0, 1.01),
        panelTitle(`unseen timbre (n = ${m.nTracks.testTimbre})`, 0.53, 1.01),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.22, yanchor: 'top' },
    }),
  );
}

/** With and without, every system. */
export function testTimeTable(m: TestTimeMeasurement): Table {
  return table(
    'test-time-table',
    m,
    `Scores from one copy and from ${m.copies[m.copies.length - 1]}, MIREX weighted (fifth above only), in points with 95 % bootstrap intervals over tracks; the difference by paired bootstrap, p after Holm’s correction over all rows. Logits or probabilities are averaged as validation chose; the last column is the other way.`,
    ['system', 'split', 'averaged', 'one copy', 'all copies', 'difference', 'p (Holm)', 'exact, one', 'exact, all', 'difference, the other way'],
    m.rows.map((row) => [
      row.label,
      SPLIT_LABEL[row.split],
      row.method === 'template' ? 'correlations' : row.averaging,
      interval(row.weighted[0]),
      interval(row.weighted[row.weighted.length - 1]),
      signedInterval(row.difference),
      probability(row.pHolm),
      points(row.accuracy[0].estimate),
      points(row.accuracy[row.accuracy.length - 1].estimate),
      signedInterval(row.otherDifference),
    ]),
  ); // prettier-ignore
}
