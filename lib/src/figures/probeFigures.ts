/** Figures and tables of notebook 04: errors, layers, protocol. Pure: measurements in, Plotly JSON and rows out. */
import type { ConfusionMeasurement, LayerMeasurement, ProtocolMeasurement } from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import {
  COLOUR,
  HEAT,
  LEGEND_BELOW,
  PALETTE,
  axis,
  barsOrSeeds,
  errorBars,
  figure,
  hasSeveralSeeds,
  layout,
  legendEntry,
  namesAxis,
  points,
  signedInterval,
  table,
} from './style.js';

type Trace = Figure['data'][number];

/** Reference against estimate along the circle of fifths, each major beside its relative minor. */
export function confusionFigure(m: ConfusionMeasurement): Figure {
  const names = m.keys.map((name) => name.replace(' major', '').replace(' minor', 'm'));
  const total = m.counts.flat().reduce((a, b) => a + b, 0);
  const diagonal = m.counts.reduce((sum, row, i) => sum + row[i], 0);
  return figure(
    'key-confusion',
    m,
    `${m.label} on the ${SPLIT_LABEL[m.split]} split: reference against estimated key in the order of the circle of fifths, each major followed by its relative minor. ${points(diagonal / total)} % lie on the diagonal; fifths and relatives lie beside it.`,
    [
      {
        type: 'heatmap',
        x: names,
        y: names,
        z: m.counts.map((row) => row.map((v) => v / m.seeds)),
        colorscale: HEAT,
        xgap: 1,
        ygap: 1,
        colorbar: { title: { text: 'tracks' }, thickness: 14 },
        hovertemplate: 'reference %{y}, estimated %{x}: %{z}<extra></extra>',
      } as unknown as Trace,
    ],
    layout('Confusion of keys', 620, {
      xaxis: axis('estimated key', {
        type: 'category',
        tickangle: -90,
        tickfont: { size: 11 },
        showgrid: false,
        constrain: 'domain',
      }),
      yaxis: axis('reference key', {
        type: 'category',
        autorange: 'reversed',
        tickfont: { size: 11 },
        showgrid: false,
        scaleanchor: 'x',
        constrain: 'domain',
      }),
    }),
  );
}

/** How far off the tonic is, in fifths. */
export function fifthsFigure(m: ConfusionMeasurement): Figure {
  const bar = (name: string, y: readonly number[], color: string): Trace => ({
    type: 'bar',
    name,
    x: [...m.fifths],
    y: y.map((v) => v / m.seeds),
    marker: { color },
  });
  return figure(
    'tonic-in-fifths',
    m,
    `${m.label}, ${SPLIT_LABEL[m.split]} split: the estimated tonic against the reference, in steps along the circle of fifths (+1 = a fifth above). With the other mode, −3 is the relative major of a minor key and +3 the relative minor of a major one.`,
    [bar('same mode', m.sameMode, PALETTE.blue), bar('other mode', m.otherMode, PALETTE.orange)],
    layout('How far off is the tonic?', 340, {
      barmode: 'stack',
      xaxis: axis('fifths from the reference tonic', { dtick: 1 }),
      yaxis: axis('tracks'),
      legend: { orientation: 'h', x: 0, y: -0.24, yanchor: 'top' },
    }),
  );
}

/** What each flaw of the published protocol adds to the score. */
export function protocolFigure(m: ProtocolMeasurement): Figure {
  const flaws = [...new Set(m.rows.map((row) => row.flaw))].reverse();
  return figure(
    'protocol',
    m,
    'What each flaw of the published protocol is worth: as-published minus corrected score of the same encoders and probes. Dot: mean; line: smallest to largest over encoders and seeds.',
    SPLITS.map((split, i) => {
      const rows = m.rows.filter((row) => row.split === split);
      return {
        type: 'scatter',
        mode: 'markers',
        name: SPLIT_LABEL[split],
        x: rows.map((row) => 100 * row.difference.estimate),
        y: rows.map((row) => flaws.indexOf(row.flaw) + (i === 0 ? 0.12 : -0.12)),
        error_x: errorBars(
          rows.map((row) => row.difference),
          100,
        ),
        marker: { size: 10, color: i === 0 ? PALETTE.blue : PALETTE.orange, symbol: i === 0 ? 'circle' : 'square' },
      } as unknown as Trace;
    }),
    layout('What the flaws of the protocol are worth', 120 + 56 * flaws.length, {
      margin: { l: 292, r: 20, t: 48, b: 60 },
      xaxis: axis('difference, MIREX weighted (points)', { zeroline: true, zerolinecolor: '#444444' }),
      yaxis: namesAxis(flaws),
      legend: { orientation: 'h', x: 0, y: -70 / (56 * flaws.length), yanchor: 'top' },
    }),
  );
}

/** The same as a table. */
export function protocolTable(m: ProtocolMeasurement): Table {
  return table(
    'protocol-table',
    m,
    'What each flaw of the published protocol is worth, in points of the MIREX weighted score; brackets: smallest and largest over encoders and seeds.',
    ['flaw', 'split', 'n', 'corrected', 'as published', 'difference'],
    m.rows.map((r) => [
      r.flaw,
      SPLIT_LABEL[r.split],
      r.n,
      points(r.corrected),
      points(r.asPublished),
      signedInterval(r.difference),
    ]),
  );
}

/** Probe score by the layer that the embedding is taken from. */
export function layersFigure(m: LayerMeasurement): Figure {
  return figure(
    'layers',
    m,
    `Linear probe on the mean of the tokens after each block (0 = before the first), MIREX weighted on the ${m.split} split (n = ${m.n}), ${barsOrSeeds(m.curves)}.`,
    m.curves.map((curve) => ({
      type: 'scatter',
      mode: 'lines+markers',
      ...legendEntry(curve, m.curves),
      x: [...curve.layer],
      y: curve.weighted.map((v) => 100 * v.estimate),
      ...(!hasSeveralSeeds(m.curves) && { error_y: errorBars(curve.weighted, 100) }),
      line: { color: COLOUR[curve.encoder.patches], dash: curve.encoder.origin === 'random' ? 'dot' : 'solid' },
      marker: { size: 8, symbol: curve.encoder.origin === 'random' ? 'x' : 'circle' },
    })),
    layout('Where in the encoder is the key?', 440, {
      legend: LEGEND_BELOW,
      xaxis: axis('layer', { dtick: 1 }),
      yaxis: axis('MIREX weighted (points)'),
    }),
  );
}
