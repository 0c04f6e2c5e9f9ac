/** Figures and tables of notebook 04, embeddings and probes. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout } from 'plotly.js';
import type {
  ComparisonMeasurement,
  ComparisonRow,
  ConfusionMeasurement,
  LayerMeasurement,
  PairwiseMeasurement,
  ProtocolMeasurement,
  TestSplit,
} from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import {
  COLOUR,
  HEAT,
  PALETTE,
  axis,
  errorBars,
  figure,
  interval,
  layout,
  panelTitle,
  points,
  probability,
  signedInterval,
  table,
} from './style.js';

type Trace = Figure['data'][number];

export const SPLIT_LABEL: Record<TestSplit, string> = { test: 'test', testTimbre: 'unseen timbre' };
const SPLITS: readonly TestSplit[] = ['test', 'testTimbre'];

function colourOf(row: ComparisonRow): string {
  if (row.family === 'template') return COLOUR.template;
  if (row.family === 'spectrum') return COLOUR.spectrum;
  if (row.family === 'random') return COLOUR.random;
  return row.id.startsWith('vertical') ? COLOUR.vertical : row.id.startsWith('square') ? COLOUR.square : COLOUR.hybrid;
}

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
    `Key estimation on the embedded corpus (${m.corpus}), MIREX weighted, fifth above only, with 95 % bootstrap intervals over tracks. Every learned row was chosen on the validation split; test splits were read once.`,
    data,
    layout('Who hears the key?', 150 + 30 * labels.length, {
      margin: { l: 210, r: 20, t: 72, b: 60 },
      xaxis: axis('MIREX weighted (points)', { domain: [0, 0.48], anchor: 'y' }),
      xaxis2: axis('MIREX weighted (points)', { domain: [0.52, 1], anchor: 'y', matches: 'x' }),
      yaxis: axis('', {
        tickvals: labels.map((_, i) => i),
        ticktext: labels,
        range: [-0.6, labels.length - 0.4],
        automargin: false,
        ticks: '',
      }),
      annotations: [
        panelTitle(`test (n = ${n('test')})`, 0, 1.005),
        panelTitle(`unseen timbre (n = ${n('testTimbre')})`, 0.52, 1.005),
      ] as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -40 / (30 * labels.length), yanchor: 'top' },
    }),
  );
}

/** The comparison as a table with both rulers, exact matches and the five shares. */
export function comparisonTable(m: ComparisonMeasurement): Table {
  return table(
    'comparison-table',
    m,
    `Key estimation on the embedded corpus (${m.corpus}), in points of 100 with 95 % bootstrap intervals over tracks. "Weighted": MIREX with the fifth credited above only (mir_eval to 0.8.2); "both": in both directions (MIREX since 2017). Shares use the first ruler.`,
    [
      'system',
      'split',
      'n',
      'seeds',
      'weighted',
      'weighted, both',
      'exact',
      'same',
      'fifth',
      'relative',
      'parallel',
      'other',
      'deviation over seeds',
    ],
    m.rows.map((r) => [
      r.label,
      SPLIT_LABEL[r.split],
      r.n,
      r.seedsOf === null ? '–' : `${r.seeds} (${r.seedsOf})`,
      interval(r.weighted),
      interval(r.weightedBothFifths),
      interval(r.accuracy),
      points(r.shares.same),
      points(r.shares.fifth),
      points(r.shares.relative),
      points(r.shares.parallel),
      points(r.shares.other),
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
      y: rows.map((row) => row.label),
      x: rows.map((row) => 100 * row.sharesBothFifths[part]),
      marker: { color: COLOUR[part], line: { color: '#FFFFFF', width: 0.5 } },
    })),
    layout(`How the answers err (${SPLIT_LABEL[split]})`, 150 + 26 * rows.length, {
      barmode: 'stack',
      margin: { l: 210, r: 20, t: 48, b: 60 },
      xaxis: axis('share of tracks (%)', { range: [0, 100] }),
      yaxis: axis('', { automargin: false, ticks: '' }),
      legend: {
        orientation: 'h',
        x: 0,
        y: -60 / (26 * Math.max(4, rows.length)),
        yanchor: 'top',
        traceorder: 'normal',
      },
    }),
  );
}

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
        tickangle: 0,
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
      margin: { l: 250, r: 20, t: 48, b: 60 },
      xaxis: axis('difference, MIREX weighted (points)', { zeroline: true, zerolinecolor: '#444444' }),
      yaxis: axis('', {
        tickvals: flaws.map((_, i) => i),
        ticktext: flaws,
        range: [-0.6, flaws.length - 0.4],
        automargin: false,
        ticks: '',
      }),
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
    `Linear probe on the mean of the tokens after each block (0 = before the first), MIREX weighted on the ${m.split} split (n = ${m.n}), bars: 95 % bootstrap over tracks.`,
    m.curves.map((curve) => ({
      type: 'scatter',
      mode: 'lines+markers',
      name: curve.encoder.label,
      x: [...curve.layer],
      y: curve.weighted.map((v) => 100 * v.estimate),
      error_y: errorBars(curve.weighted, 100),
      line: { color: COLOUR[curve.encoder.patches], dash: curve.encoder.origin === 'random' ? 'dot' : 'solid' },
      marker: { size: 8, symbol: curve.encoder.origin === 'random' ? 'x' : 'circle' },
    })),
    layout('Where in the encoder is the key?', 380, {
      xaxis: axis('layer', { dtick: 1 }),
      yaxis: axis('MIREX weighted (points)'),
    }),
  );
}
