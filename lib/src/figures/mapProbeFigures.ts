/** Figures and tables of notebook 07: probes trained with maps. Pure. */
import type { Layout } from 'plotly.js';
import type { MapProbeMeasurement, MapProbeRow, ProbeTestId } from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import { PALETTE, axis, errorBars, figure, interval, layout, namesAxis, panelTitle, probability, signedInterval, table } from './style.js'; // prettier-ignore

type Trace = Figure['data'][number];

const TEST_LABEL: Record<ProbeTestId, string> = {
  test: 'clean test',
  testTimbre: 'unseen timbre',
  augmented: 'augmented',
  shifted: 'pitch-shifted',
  timbreAugmented: 'unseen timbre, augmented',
};
const PANELS: readonly ProbeTestId[] = ['test', 'augmented', 'shifted', 'timbreAugmented'];

const METHOD = {
  linear: { label: 'linear probe', colour: PALETTE.blue, symbol: 'circle', offset: 0.13 },
  mlp: { label: 'MLP probe', colour: PALETTE.orange, symbol: 'square', offset: -0.13 },
} as const;

const nameOf = (m: MapProbeMeasurement, { label, trainOn }: Pick<MapProbeRow, 'label' | 'trainOn'>): string =>
  `${label} (${m[trainOn].tracks} tracks)`;

function trainText(m: MapProbeMeasurement): string {
  return `${m.encoder}; probes trained on ${m.part.tracks} tracks (${m.part.clips} clips) or on ${m.whole.tracks} (${m.whole.clips}), always in the same number of steps; each batch goes through one augmentation with probability ${m.probability}. Maps were fitted on the ${m.part.tracks} tracks. ${m.seeds} pretraining seed${m.seeds === 1 ? '' : 's'}`;
}

/** Scores of probes by what they were trained with, one panel a test. */
export function mapProbesFigure(m: MapProbeMeasurement): Figure {
  const labels = [...new Set(m.rows.map((row) => nameOf(m, row)))].reverse();
  const width = 1 / PANELS.length;
  const axes: Record<string, unknown> = {};
  const data = PANELS.flatMap((test, panel) => {
    const suffix = panel === 0 ? '' : `${panel + 1}`;
    axes[`xaxis${suffix}`] = axis('points', { domain: [panel * width + 0.012, (panel + 1) * width - 0.012], anchor: 'y', matches: panel === 0 ? undefined : ('x' as never), nticks: 5 }); // prettier-ignore
    return (['linear', 'mlp'] as const).map((method): Trace => {
      const rows = m.rows.filter((row) => row.method === method && row.test === test);
      const { label, colour, symbol, offset } = METHOD[method];
      return {
        type: 'scatter',
        mode: 'markers',
        name: label,
        legendgroup: method,
        showlegend: panel === 0,
        x: rows.map((row) => 100 * row.weighted.estimate),
        y: rows.map((row) => labels.indexOf(nameOf(m, row)) + offset),
        error_x: { ...errorBars(rows.map((row) => row.weighted), 100), color: colour, width: 0 }, // prettier-ignore
        marker: { color: colour, symbol, size: 8 },
        text: rows.map((row) => `${nameOf(m, row)}, ${label}: ${interval(row.weighted)}, n ${row.n}`),
        hoverinfo: 'text',
        xaxis: `x${suffix}`,
        yaxis: 'y',
      } as unknown as Trace;
    });
  });
  const n = (test: ProbeTestId): string => {
    const row = m.rows.find((one) => one.test === test);
    return `n = ${row?.n ?? 0}${row && row.ways > 1 ? ` × ${row.ways}` : ''}`;
  };
  return figure(
    'map-probes',
    m,
    `Key probes trained with maps, with really augmented audio, and with neither: MIREX weighted (points, fifth above only), 95 % bootstrap over tracks. ${trainText(m)}.`,
    data,
    layout('Maps in place of augmented audio', 170 + 44 * labels.length, {
      ...(axes as Partial<Layout>),
      margin: { l: 210, r: 20, t: 92, b: 60 },
      yaxis: namesAxis(labels),
      annotations: PANELS.map((test, panel) =>
        panelTitle(`${TEST_LABEL[test].replace(', ', ',<br>')}</b><br>${n(test)}<b>`, panel * width + 0.012, 1.005),
      ) as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -48 / (44 * labels.length), yanchor: 'top' },
    }),
  );
}

/** Every test and variant. */
export function mapProbesTable(m: MapProbeMeasurement): Table {
  const tests = Object.keys(TEST_LABEL) as ProbeTestId[];
  const first = m.rows.filter((row) => row.test === tests[0]);
  return table(
    'map-probes-table',
    m,
    `MIREX weighted (points of 100, fifth above only) with 95 % bootstrap intervals over tracks. ${trainText(m)}.`,
    ['trained with', 'tracks', 'probe', ...tests.map((test) => TEST_LABEL[test])],
    first.map((row) => [
      row.label,
      m[row.trainOn].tracks,
      METHOD[row.method].label,
      ...tests.map(
        (test) =>
        interval(m.rows.find((one) => one.method === row.method && one.variant === row.variant && one.test === test)!.weighted), // prettier-ignore
      ),
    ]),
  );
}

/** Paired differences on the same tracks. */
export function mapProbeDifferencesTable(m: MapProbeMeasurement): Table {
  const labelOf = (variant: string): string => m.rows.find((row) => row.variant === variant)!.label;
  return table(
    'map-probe-differences',
    m,
    `Differences on the same tracks, MIREX weighted (points), paired bootstrap. ${trainText(m)}.`,
    ['a', 'b', 'tracks', 'probe', 'test', 'n', 'a − b', 'p'],
    m.differences.map((row) => [
      labelOf(row.a),
      labelOf(row.b),
      m[row.trainOn].tracks,
      METHOD[row.method].label,
      TEST_LABEL[row.test],
      row.n,
      signedInterval(row.difference),
      probability(row.pValue),
    ]),
  );
}
