/** Figure and table of notebook 04: transposed training audio. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout } from 'plotly.js';
import type { PitchAugmentationMeasurement, PitchAugmentationRow } from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import { axis, errorBars, figure, interval, layout, PALETTE, panelTitle, probability, signedInterval, table } from './style.js'; // prettier-ignore

type Trace = Figure['data'][number];

const METHOD_LABEL = { linear: 'linear probe', mlp: 'MLP probe' } as const;
const rowLabel = ({ encoder, method }: PitchAugmentationRow): string => `${encoder.label},<br>${METHOD_LABEL[method]}`;

/** Probes with transposed copies of their training audio and without, as dots with intervals, one panel a split. */
export function pitchAugmentationFigure(m: PitchAugmentationMeasurement): Figure {
  const labels = [...new Set(m.rows.map(rowLabel))].reverse();
  const arms = [
    ['with', 'with transposed copies', PALETTE.blue, 'circle', 0.14],
    ['without', 'clean clips alone', PALETTE.orange, 'square', -0.14],
  ] as const;
  const data = SPLITS.flatMap((split, panel) => {
    const rows = m.rows.filter((row) => row.split === split);
    return arms.map(([arm, name, color, symbol, offset]) => ({
      type: 'scatter',
      mode: 'markers',
      name,
      showlegend: panel === 0,
      x: rows.map((row) => 100 * row[arm].estimate),
      y: rows.map((row) => labels.indexOf(rowLabel(row)) + offset),
      error_x: { ...errorBars(rows.map((row) => row[arm]), 100), color }, // prettier-ignore
      marker: { size: 9, color, symbol },
      hovertemplate: `${name}: %{x:.1f}<extra></extra>`,
      xaxis: panel === 0 ? 'x' : 'x2',
      yaxis: 'y',
    }));
  });
  const n = (panel: number): number => m.rows.find((row) => row.split === SPLITS[panel])?.n ?? 0;
  const ticks = { tickvals: labels.map((_, i) => i), ticktext: labels };
  return figure(
    'pitch-augmentation',
    m,
    `Probes trained on ${m.trainClips} clips of ${m.trainTracks} tracks, clean alone or each time in one of ${m.semitones.length + 1} transpositions (${Math.min(...m.semitones)} to +${Math.max(...m.semitones)} semitones, the key moved along), with equally many steps. MIREX weighted, fifth above only, on the whole clean test splits; mean of ${seedsOf(m)}, bars: 95 % bootstrap over tracks.`,
    data as unknown as Trace[],
    layout('Transposing the training audio', 150 + 52 * labels.length, {
      margin: { l: 176, r: 20, t: 72, b: 84 },
      xaxis: axis('MIREX weighted (points)', { domain: [0, 0.48] }),
      xaxis2: axis('MIREX weighted (points)', { domain: [0.52, 1] }),
      yaxis: axis('', { ...ticks, range: [-0.6, labels.length - 0.4], automargin: false, ticks: '' }),
      legend: { orientation: 'h', x: 0, y: -64 / (52 * labels.length), yanchor: 'top' },
      annotations: [
        panelTitle(`${SPLIT_LABEL.test} (n = ${n(0)})`, 0, 1.01),
        panelTitle(`${SPLIT_LABEL.testTimbre} (n = ${n(1)})`, 0.52, 1.01),
      ] as Layout['annotations'],
    }),
  );
}

function seedsOf({ rows }: PitchAugmentationMeasurement): string {
  const seeds = rows[0]?.seeds ?? 1;
  return seeds === 1 ? 'one pretraining' : `${seeds} pretraining seeds`;
}

/** The same as a table, with the difference on the same tracks. */
export function pitchAugmentationTable(m: PitchAugmentationMeasurement): Table {
  return table(
    'pitch-augmentation-table',
    m,
    'Transposed copies of the training audio against none, on the same tracks: weighted score (fifth above only) and exact matches; difference by paired bootstrap over tracks.',
    ['encoder', 'probe', 'split', 'n', 'seeds', 'without', 'with', 'exact, without', 'exact, with', 'with − without', 'p (bootstrap)'], // prettier-ignore
    m.rows.map((row) => [
      row.encoder.label,
      METHOD_LABEL[row.method],
      SPLIT_LABEL[row.split],
      row.n,
      row.seeds,
      interval(row.without),
      interval(row.with),
      interval(row.accuracyWithout),
      interval(row.accuracyWith),
      signedInterval(row.difference),
      probability(row.pBootstrap),
    ]),
  );
}
