/** Figures of notebook 05 on MixUp itself: what is drawn, what lies between two keys, what it does to scores. */
import type { Layout, LayoutAxis } from 'plotly.js';
import type {
  BetaMeasurement,
  MixLineMeasurement,
  MixUpDifference,
  MixUpEffectRow,
  MixUpMeasurement,
  MixUpMethod,
  MixUpSize,
} from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure } from './figure.js';
import { PALETTE, axis, errorBars, figure, layout, panelTitle } from './style.js';

type Trace = Figure['data'][number];

export const METHOD_LABEL: Record<MixUpMethod, string> = { linear: 'linear probe', mlp: 'MLP probe' };
export const MIXUP_SIZES: readonly MixUpSize[] = ['whole', 'quarter'];

/** One colour a way of mixing, in every figure of the notebook. */
export const WAY_STYLE: Readonly<Record<string, { readonly color: string; readonly dash: string }>> = {
  'no MixUp': { color: PALETTE.black, dash: 'solid' },
  'Beta(2, 5)': { color: PALETTE.blue, dash: 'solid' },
  'Beta(5, 2)': { color: PALETTE.orange, dash: 'dash' },
  'Beta(.2, .2)': { color: PALETTE.green, dash: 'dot' },
};

/** Densities as lines, shares of draws as dots. */
export function mixUpBetasFigure(m: BetaMeasurement): Figure {
  const bins = m.curves[0].drawnShares.length;
  return figure(
    'mixup-betas',
    m,
    `Where lambda, the share of the clip itself in a mixed clip, is drawn from; 1 − lambda is the share of its partner. Lines: densities; dots: shares of ${m.nDraws.toLocaleString('en')} draws, as densities. Beta(.2, .2) has no bound at 0 and 1: most of its pairs are hardly mixed. Beta(2, 5) and Beta(5, 2) are each other's mirror.`,
    m.curves.flatMap((curve): Trace[] => [
      {
        type: 'scatter',
        mode: 'lines',
        name: `${curve.label}, mean ${curve.mean.toFixed(2)}`,
        legendgroup: curve.label,
        x: [...m.lambda],
        y: [...curve.density],
        line: { width: 2.2, ...WAY_STYLE[curve.label] },
      } as unknown as Trace,
      {
        type: 'scatter',
        mode: 'markers',
        showlegend: false,
        legendgroup: curve.label,
        x: curve.drawnShares.map((_, bin) => (bin + 0.5) / bins),
        y: curve.drawnShares.map((share) => share * bins),
        marker: { size: 6, color: WAY_STYLE[curve.label].color },
        hoverinfo: 'skip',
      },
    ]),
    layout('How much of its partner does a clip get?', 380, {
      xaxis: axis('lambda (share of the clip itself)', { range: [-0.02, 1.02] }),
      yaxis: axis('density', { range: [0, 3.6] }),
      legend: { orientation: 'h', x: 0, y: -0.22, yanchor: 'top' },
    }),
  );
}

/** Probabilities on the line from one key to the one a tritone away. */
export function mixLineFigure(m: MixLineMeasurement): Figure {
  const methods = [...new Set(m.curves.map(({ method }) => method))];
  const parts = [
    { part: 'first', label: 'key of the clip', color: PALETTE.blue },
    { part: 'other', label: 'key of the partner, a tritone away', color: PALETTE.red },
    { part: 'rest', label: 'the 22 other keys together', color: PALETTE.grey },
  ] as const;
  const ways = [...new Set(m.curves.map(({ way }) => way))];
  return figure(
    'mix-line',
    m,
    `Embeddings mixed from two test clips whose keys are a tritone apart (${m.nPairs} pairs), and what trained probes make of them: mean probability of either key and of all others. Solid: ${ways[0]}; dashed: ${ways[1] ?? ''}. First seeds, whole train split.`,
    m.curves.flatMap((curve) =>
      parts.map(({ part, label, color }): Trace => {
        const isFirst = curve.way === ways[0];
        return {
          type: 'scatter',
          mode: 'lines',
          name: `${label}, ${curve.way}`,
          legendgroup: `${part} ${curve.way}`,
          showlegend: curve.method === methods[0],
          x: [...m.lambda],
          y: [...curve[part]],
          line: { color, width: isFirst ? 2.2 : 1.8, dash: isFirst ? 'solid' : 'dash' },
          xaxis: curve.method === methods[0] ? 'x' : 'x2',
          yaxis: 'y',
        } as unknown as Trace;
      }),
    ),
    layout('Half of one key, half of another', 470, {
      margin: { l: 64, r: 24, t: 72, b: 150 },
      xaxis: axis('lambda (share of the clip)', { domain: [0, 0.48], anchor: 'y' }),
      xaxis2: axis('lambda (share of the clip)', { domain: [0.52, 1], anchor: 'y' }),
      yaxis: axis('mean probability', { range: [0, 1] }),
      annotations: methods.map((method, i) =>
        panelTitle(METHOD_LABEL[method], 0.52 * i, 1.01),
      ) as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.22, yanchor: 'top' },
    }),
  );
}

/** One series of dots in a panel of differences. */
interface Series {
  readonly name: string;
  readonly color: string;
  readonly symbol: string;
  readonly of: (row: MixUpEffectRow) => MixUpDifference | null;
}

/** Rows of ways, one panel a size; dots with intervals over tracks, small marks for seeds. */
function differencePanels(
  m: MixUpMeasurement,
  series: readonly Series[],
  unit: string,
  scale: number,
): Pick<Figure, 'data'> & { layout: Partial<Layout> } {
  const effects = m.effects.filter((row) => row.family === 'effect');
  const ways = [...new Set(effects.map((row) => row.way))].reverse();
  const height = 0.86 / series.length;
  const data: Trace[] = [];
  MIXUP_SIZES.forEach((size, panel) => {
    series.forEach(({ name, color, symbol, of }, place) => {
      const rows = effects
        .filter((row) => row.size === size)
        .flatMap((row) => {
          const found = of(row);
          return found ? [{ y: ways.indexOf(row.way) + 0.43 - height * (place + 0.5), ...found }] : [];
        });
      const axes = { xaxis: panel === 0 ? 'x' : 'x2', yaxis: 'y', legendgroup: name };
      data.push(
        {
          type: 'scatter',
          mode: 'markers',
          showlegend: false,
          x: rows.flatMap((row) => row.perSeed.map((value) => scale * value)),
          y: rows.flatMap((row) => row.perSeed.map(() => row.y)),
          marker: { size: 9, symbol: 'line-ns', line: { width: 1, color }, opacity: 0.45 },
          hoverinfo: 'skip',
          ...axes,
        } as unknown as Trace,
        {
          type: 'scatter',
          mode: 'markers',
          name,
          showlegend: panel === 0,
          x: rows.map((row) => scale * row.difference.estimate),
          y: rows.map((row) => row.y),
          error_x: errorBars(
            rows.map((row) => row.difference),
            scale,
          ),
          marker: { size: 9, color, symbol, line: { width: 1.5, color } },
          ...axes,
        } as unknown as Trace,
      );
    });
  });
  const nTrain = (size: MixUpSize): number => effects.find((row) => row.size === size)?.nTrain ?? 0;
  const xaxis = (domain: [number, number]): Partial<LayoutAxis> =>
    axis(unit, { domain, anchor: 'y', zeroline: true, zerolinecolor: '#444444' });
  const rowHeight = 30 + 16 * series.length;
  return {
    data,
    layout: {
      height: 150 + rowHeight * ways.length,
      margin: { l: 104, r: 20, t: 72, b: 60 + 22 * Math.ceil(series.length / 2) },
      xaxis: xaxis([0, 0.48]),
      xaxis2: xaxis([0.52, 1]),
      yaxis: axis('', {
        tickvals: ways.map((_, i) => i),
        ticktext: ways,
        range: [-0.55, ways.length - 0.45],
        ticks: '',
        automargin: false,
      }),
      annotations: MIXUP_SIZES.map((size, i) =>
        panelTitle(`trained on ${nTrain(size)} tracks`, 0.52 * i, 1.005),
      ) as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -52 / (rowHeight * ways.length), yanchor: 'top' },
    },
  };
}

const pretrainedOf = (method: MixUpMethod) => (row: MixUpEffectRow) =>
  row.method === method && row.encoder !== 'vertical-random';

/** Difference of the weighted score to training without MixUp. */
export function mixUpEffectFigure(m: MixUpMeasurement): Figure {
  const wanted = [
    { label: 'linear probe', color: PALETTE.blue, is: pretrainedOf('linear') },
    { label: 'MLP probe', color: PALETTE.orange, is: pretrainedOf('mlp') },
    {
      label: 'random encoder, linear probe',
      color: PALETTE.grey,
      is: (row: MixUpEffectRow) => row.encoder === 'vertical-random',
    },
  ].filter(({ is }) => m.effects.some(is));
  const series = wanted.flatMap(({ label, color, is }) =>
    SPLITS.map((split, i): Series => ({
      name: `${label}, ${SPLIT_LABEL[split]}`,
      color,
      symbol: i === 0 ? 'circle' : 'diamond-open',
      of: (row) => (is(row) && row.split === split ? row.weighted : null),
    })),
  );
  const { data, layout: panels } = differencePanels(m, series, 'difference, MIREX weighted (points)', 100);
  const first = m.effects[0];
  return figure(
    'mixup-effect',
    m,
    `What MixUp does to the weighted score (fifth above only): mean over ${first.weighted.perSeed.length} seeds minus the same without MixUp, n = ${first.n} tracks a split. Line: 95 % paired bootstrap over tracks; small marks: seeds. "Input MixUp" mixed spectrograms while the encoder was pretrained, its probe did not mix.`,
    data,
    layout('Does MixUp raise the key score?', panels.height!, panels),
  );
}

/** Difference of the negative log-likelihood, as trained and after temperature scaling. */
export function mixUpLikelihoodFigure(m: MixUpMeasurement): Figure {
  const series = (['linear', 'mlp'] as const).flatMap((method) =>
    (['nll', 'nllScaled'] as const).map((measure, i): Series => ({
      name: `${METHOD_LABEL[method]}, ${i === 0 ? 'as trained' : 'temperature fitted'}`,
      color: method === 'linear' ? PALETTE.blue : PALETTE.orange,
      symbol: i === 0 ? 'circle' : 'diamond-open',
      of: (row) => (pretrainedOf(method)(row) && row.split === 'test' ? row[measure] : null),
    })),
  );
  const { data, layout: panels } = differencePanels(m, series, 'difference, NLL (nats)', 1);
  return figure(
    'mixup-likelihood',
    m,
    `What MixUp does to the negative log-likelihood of the right key on the test split (below 0 is better): with the probabilities as trained, and with one temperature a probe fitted on validation. Line: 95 % paired bootstrap over tracks; small marks: seeds.`,
    data,
    layout('Does MixUp make honest probabilities?', panels.height!, panels),
  );
}
