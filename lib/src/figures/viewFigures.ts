/** Figures of notebook 02, views and masks. Pure: measurements in, Plotly JSON out. */
import type { Layout, LayoutAxis, Shape } from 'plotly.js';
import type { MaskCoverageMeasurement, TokenCountMeasurement, ViewDistanceMeasurement } from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import { background, COLOUR_AXIS, keptPatches } from './patches.js';
import { PALETTE, axis, errorBars, figure, layout, panelTitle, points, table } from './style.js';

type Trace = Figure['data'][number];
type Annotation = Partial<Layout['annotations'][number]>;

/** How many tokens each variant makes, and how many stay. */
export function tokenTable(m: TokenCountMeasurement): Table {
  return table(
    'tokens',
    m,
    'Tokens of one clip before and after masking. Attention cost grows with the square of the tokens, so what stays costs a hundredth.',
    ['patches', 'size (bands × frames)', 'clip (frames)', 'tokens', 'dropped', 'kept', 'attention cost (%)'],
    m.rows.map((r) => [
      r.patches,
      r.patchSize,
      r.clipFrames,
      r.nTokens,
      r.masked,
      r.kept,
      (100 * r.attentionShare).toFixed(2),
    ]),
  );
}

/** A few masked views of one clip under each other. */
export function masksFigure(m: MaskCoverageMeasurement): Figure {
  const { example } = m;
  const n = example.views.length;
  const axes: Record<string, Partial<LayoutAxis>> = {};
  const data: Trace[] = [];
  const shapes: Partial<Shape>[] = [];
  const annotations: Annotation[] = [];
  const step = 1 / n;
  example.views.forEach((kept, view) => {
    const suffix = view === 0 ? '' : String(view + 1);
    const bottom = 1 - (view + 1) * step + 0.02;
    const last = view === n - 1;
    axes[`xaxis${suffix}`] = axis(last ? 'frame (32 ms each)' : '', {
      domain: [0, 1],
      anchor: `y${suffix}` as 'y',
      range: [-0.5, example.nFrames - 0.5],
      showgrid: false,
      showticklabels: last,
    });
    axes[`yaxis${suffix}`] = axis('', {
      domain: [bottom, bottom + step - 0.06],
      anchor: `x${suffix}` as 'x',
      range: [-0.5, m.mel.rows.length - 0.5],
      showgrid: false,
      showticklabels: false,
      ticks: '',
    });
    const at = { x: `x${suffix}`, y: `y${suffix}` };
    shapes.push(background(at, example.nFrames, m.mel.rows.length));
    data.push(...keptPatches(m.mel, example, kept, at));
    annotations.push(panelTitle(`view ${view + 1}`, 0, bottom + step - 0.06));
  });
  return figure(
    'masks',
    m,
    `${n} masked views of one clip (vertical patches, ${points(m.maskRatio)} % dropped). Two such views share ${(100 * m.overlap).toFixed(1)} % of the tokens on average, so they have to be recognised by what the clip sounds like, not by equal pieces.`,
    data,
    {
      ...layout('One clip, several masks', 110 + 95 * n, {
        ...axes,
        shapes,
        annotations,
        showlegend: false,
      } as Partial<Layout>),
      coloraxis: COLOUR_AXIS,
    } as Partial<Layout>,
  );
}

/** Share of the clip that n views see together, counted and expected. */
export function coverageFigure(m: MaskCoverageMeasurement): Figure {
  return figure(
    'mask-coverage',
    m,
    `Share of a clip’s tokens that at least one of n masked views has seen, counted with the suite’s masks and expected as 1 − p^n with p the share dropped.`,
    [
      {
        type: 'scatter',
        mode: 'markers',
        name: 'counted',
        x: [...m.nViews],
        y: m.counted.map((v) => 100 * v),
        marker: { color: PALETTE.blue, size: 9 },
      },
      {
        type: 'scatter',
        mode: 'lines',
        name: 'expected',
        x: [...m.nViews],
        y: m.expected.map((v) => 100 * v),
        line: { color: PALETTE.orange, dash: 'dash' },
      },
    ],
    layout('What several views see together', 320, {
      xaxis: axis('views'),
      yaxis: axis('tokens seen (%)', { range: [0, 103] }),
    }),
  );
}

/** How alike two clips of one track are, by their distance. */
export function viewDistanceFigure(m: ViewDistanceMeasurement): Figure {
  const x = [...m.seconds];
  const line = (name: string, values: ViewDistanceMeasurement['chroma'], color: string, symbol: string): Trace => ({
    type: 'scatter',
    mode: 'lines+markers',
    name,
    x,
    y: values.map((v) => v.estimate),
    error_y: errorBars(values, 1),
    line: { color },
    marker: { symbol, size: 8 },
  });
  const floor = (name: string, value: number, color: string): Trace => ({
    type: 'scatter',
    mode: 'lines',
    name,
    x: [x[0], x[x.length - 1]],
    y: [value, value],
    line: { color, dash: 'dot' },
  });
  return figure(
    'view-distance',
    m,
    `Mean cosine of two clips of one track by the time between their starts (${m.nTracks} tracks, bars: 95 % over tracks), of centred chroma (which notes) and centred log-mel profile (which timbre). Dotted: clips of different tracks. Far apart, the notes part company sooner than the timbre.`,
    [
      line('notes (chroma)', m.chroma, PALETTE.blue, 'circle'),
      line('timbre (log-mel mean)', m.timbre, PALETTE.orange, 'square'),
      floor('notes, other track', m.chromaOther, PALETTE.blue),
      floor('timbre, other track', m.timbreOther, PALETTE.orange),
    ],
    layout('What two views share', 380, { xaxis: axis('distance between the views (s)'), yaxis: axis('mean cosine') }),
  );
}
