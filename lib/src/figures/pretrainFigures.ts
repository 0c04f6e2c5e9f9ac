/** Figures of notebook 03, pretraining. Pure: measurements in, Plotly JSON out. */
import type { Layout, LayoutAxis } from 'plotly.js';
import type { BudgetMeasurement, EncoderName, SnapshotScores, TrainingCurves } from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import {
  COLOUR,
  LEGEND_BELOW,
  axis,
  barsOrSeeds,
  errorBars,
  figure,
  hasSeveralSeeds,
  layout,
  legendEntry,
  panelTitle,
  table,
} from './style.js';

type Trace = Figure['data'][number];

/** Line style by what differs from the base: colour alone never decides. */
const DASH: Readonly<Record<string, string>> = {
  real: 'dash',
  both: 'dashdot',
  anywhere: 'dot',
  'clips-1': 'longdash',
};

function lineOf({ patches, variant }: EncoderName, seed: number): { color: string; dash: string; width: number } {
  const dash = variant === null ? 'solid' : (DASH[variant] ?? 'longdashdot');
  return { color: COLOUR[patches], dash, width: seed === 0 ? 2 : 1.2 };
}

const SYMBOL = { vertical: 'circle', square: 'square', hybrid: 'diamond' } as const;

/** Loss, contrastive accuracy, alignment and uniformity against steps. */
export function trainingCurvesFigure(m: TrainingCurves): Figure {
  const panels = [
    { key: 'loss', title: 'contrastive loss', unit: 'loss (nats)', scale: 1 },
    { key: 'contrastiveAccuracy', title: 'contrastive accuracy', unit: 'found (%)', scale: 100 },
    { key: 'alignment', title: 'alignment of a pair (lower is closer)', unit: 'squared distance', scale: 1 },
    { key: 'uniformity', title: 'uniformity (lower is more spread)', unit: 'log mean potential', scale: 1 },
  ] as const;
  const data: Trace[] = [];
  const axes: Record<string, Partial<LayoutAxis>> = {};
  const annotations: Layout['annotations'] = [];
  panels.forEach((panel, p) => {
    const suffix = p === 0 ? '' : String(p + 1);
    const left = (p % 2) * 0.56;
    const bottom = p < 2 ? 0.58 : 0;
    axes[`xaxis${suffix}`] = axis(p < 2 ? '' : 'step', { domain: [left, left + 0.44], anchor: `y${suffix}` as 'y' });
    axes[`yaxis${suffix}`] = axis(panel.unit, { domain: [bottom, bottom + 0.36], anchor: `x${suffix}` as 'x' });
    annotations.push(panelTitle(panel.title, left, bottom + 0.37) as Layout['annotations'][number]);
    for (const curve of m.curves)
      data.push({
        type: 'scatter',
        mode: 'lines',
        ...legendEntry(curve, m.curves),
        ...(p > 0 && { showlegend: false }),
        x: [...curve.step],
        y: curve[panel.key].map((v) => panel.scale * v),
        line: lineOf(curve.encoder, curve.seed) as { color: string },
        xaxis: `x${suffix}`,
        yaxis: `y${suffix}`,
      } as Trace);
  });
  return figure(
    'training-curves',
    m,
    `Pretraining with ${m.batchPairs} pairs a step and temperature ${m.temperature}. Contrastive accuracy: share of views whose nearest other view in the batch is their partner (chance ${(100 / (2 * m.batchPairs - 1)).toFixed(1)} %). Same steps, batch and learning rate for all.`,
    data,
    layout('Pretraining, step by step', 600, {
      ...axes,
      annotations,
      legend: { orientation: 'h', x: 0, y: -0.12, yanchor: 'top' },
    } as Partial<Layout>),
  );
}

/** Retrieval of a held-out track's other clip against steps. */
export function retrievalFigure(m: SnapshotScores): Figure {
  const data: Trace[] = m.curves.map((curve) => ({
    type: 'scatter',
    mode: 'lines+markers',
    ...legendEntry(curve, m.curves),
    x: [...curve.step],
    y: curve.retrieval.map((v) => 100 * v),
    line: lineOf(curve.encoder, curve.seed) as { color: string },
    marker: { symbol: SYMBOL[curve.encoder.patches], size: 8 },
  }));
  data.push(chanceLine(m, 100 / m.nTracks));
  return figure(
    'retrieval',
    m,
    `Share of ${m.nTracks} validation tracks whose first clip has the last clip of the same track as its nearest (cosine of embeddings without masking). Step 0 is the random initialisation.`,
    data,
    layout('Retrieval on tracks that pretraining has not seen', 420, {
      legend: LEGEND_BELOW,
      xaxis: axis('pretraining step'),
      yaxis: axis('retrieved (%)', { rangemode: 'tozero' }),
    }),
  );
}

/** Score of a linear probe on each snapshot. */
export function probeAgainstStepFigure(m: SnapshotScores): Figure {
  const data: Trace[] = m.curves.map((curve) => ({
    type: 'scatter',
    mode: 'lines+markers',
    ...legendEntry(curve, m.curves),
    x: [...curve.step],
    y: curve.probe.map((v) => 100 * v.estimate),
    ...(!hasSeveralSeeds(m.curves) && { error_y: errorBars(curve.probe, 100) }),
    line: lineOf(curve.encoder, curve.seed) as { color: string },
    marker: { symbol: SYMBOL[curve.encoder.patches], size: 8 },
  }));
  return figure(
    'probe-against-step',
    m,
    `Linear probe on frozen snapshots, MIREX weighted score on ${m.nTracks} validation tracks (fifth above only), ${barsOrSeeds(m.curves)}. Step 0 is the random initialisation.`,
    data,
    layout('What the key probe gets from pretraining', 420, {
      legend: LEGEND_BELOW,
      xaxis: axis('pretraining step'),
      yaxis: axis('MIREX weighted (points)'),
    }),
  );
}

/** Same budget: what each encoder was given. */
export function budgetTable(m: BudgetMeasurement): Table {
  return table(
    'budget',
    m,
    'What each pretraining was given. Tokens are those that go through the encoder, per clip and view; minutes are wall time, with two jobs at once on two cores.',
    ['encoder', 'parameters', 'steps', 'pairs a step', 'tokens a clip', 'minutes'],
    m.rows.map((r) => [
      r.encoder.label,
      r.parameters.toLocaleString('en'),
      r.steps,
      r.pairs,
      r.tokensPerClip,
      (r.seconds / 60).toFixed(1),
    ]),
  );
}

function chanceLine(m: SnapshotScores, percent: number): Trace {
  const last = Math.max(...m.curves.flatMap((c) => c.step));
  return {
    type: 'scatter',
    mode: 'lines',
    name: 'chance',
    x: [0, last],
    y: [percent, percent],
    line: { color: '#444444', dash: 'dot', width: 1 },
  };
}
