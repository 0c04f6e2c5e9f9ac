/** Figures of notebook 02, views and masks. Pure: measurements in, Plotly JSON out. */
import type { Layout, LayoutAxis, Shape } from 'plotly.js';
import type {
  FrameworkMeasurement,
  Heat,
  MaskCoverageMeasurement,
  PatchLayout,
  TokenCountMeasurement,
  ViewDistanceMeasurement,
} from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import { HEAT_SPECTRUM, PALETTE, axis, errorBars, figure, layout, panelTitle, points, table } from './style.js';

type Trace = Figure['data'][number];
type Annotation = Partial<Layout['annotations'][number]>;

/** The paper's framework figure from a real clip: mel, two masked views in each patch variant, encoder, contrast. */
export function frameworkFigure(m: FrameworkMeasurement): Figure {
  const columns = [
    [0, 0.34],
    [0.38, 0.72],
  ];
  const bottoms = [0.69, 0.345, 0];
  const height = 0.25;
  const axes: Record<string, Partial<LayoutAxis>> = {};
  const data: Trace[] = [];
  const annotations: Annotation[] = [];
  const shapes: Partial<Shape>[] = [];
  const nMels = m.mel.rows.length;
  const nFrames = m.mel.columns.length;
  const panel = (n: number, column: number, row: number): { x: string; y: string } => {
    const suffix = n === 1 ? '' : String(n);
    const bare = { showticklabels: false, ticks: '' as const, showgrid: false, showline: false };
    axes[`xaxis${suffix}`] = axis('', {
      ...bare,
      domain: columns[column],
      anchor: `y${suffix}` as 'y',
      range: [-0.5, nFrames - 0.5],
    });
    axes[`yaxis${suffix}`] = axis('', {
      ...bare,
      domain: [bottoms[row], bottoms[row] + height],
      anchor: `x${suffix}` as 'x',
      range: [-0.5, nMels - 0.5],
    });
    return { x: `x${suffix}`, y: `y${suffix}` };
  };

  const whole = panel(1, 0, 0);
  data.push({
    type: 'heatmap',
    z: m.mel.values.map((row) => [...row]),
    coloraxis: 'coloraxis',
    xaxis: whole.x,
    yaxis: whole.y,
    hoverinfo: 'skip',
  } as unknown as Trace);
  annotations.push(panelTitle(`mel spectrogram, ${nMels} × ${nFrames}`, 0, bottoms[0] + height + 0.008));
  m.layouts.forEach((patchLayout, row) => {
    const [bands, frames] = patchLayout.patchSize;
    const name = `${patchLayout.patches} ${bands} × ${frames}: ${patchLayout.views[0].length} of ${patchLayout.nTokens} tokens stay`;
    annotations.push(panelTitle(name, 0, bottoms[row + 1] + height + 0.008));
    patchLayout.views.slice(0, 2).forEach((kept, view) => {
      const at = panel(2 + 2 * row + view, view, row + 1);
      shapes.push(background(at, patchLayout.nFrames, nMels));
      data.push(...keptPatches(m.mel, patchLayout, kept, at));
      annotations.push({
        ...panelTitle(`view ${'AB'[view]}`, columns[view][1], bottoms[row + 1] + height + 0.008),
        xanchor: 'right',
      });
    });
  });
  addSchema(shapes, annotations, points(m.maskRatio));
  const text =
    `The framework, drawn from track ${m.track.id} (${m.track.key}, ${m.track.style}). Two views of a track are cut into patches, ` +
    `${points(m.maskRatio)} % of them are dropped at random, and only the rest goes through the encoder. Vertical patches keep all bands of an instant, ` +
    'so each one shows a whole chord; a square one shows half a second of one register.';
  return figure('framework', m, text, data, {
    ...layout('Masked contrastive pretraining', 640, {
      ...axes,
      annotations,
      shapes,
      margin: { l: 16, r: 16, t: 64, b: 24 },
      showlegend: false,
    } as Partial<Layout>),
    coloraxis: { colorscale: HEAT_SPECTRUM, showscale: false, cmin: -80, cmax: 0 },
  } as Partial<Layout>);
}

/** Each kept patch as its own small heat map, so that the masked 90 % cost no numbers. */
function keptPatches(
  mel: Heat,
  patchLayout: PatchLayout,
  kept: readonly number[],
  at: { x: string; y: string },
): Trace[] {
  const [bands, frames] = patchLayout.patchSize;
  const perRow = patchLayout.nFrames / frames;
  return kept.map((token) => {
    const band = Math.floor(token / perRow) * bands;
    const frame = (token % perRow) * frames;
    return {
      type: 'heatmap',
      x: Array.from({ length: frames }, (_, i) => frame + i),
      y: Array.from({ length: bands }, (_, i) => band + i),
      z: mel.values.slice(band, band + bands).map((row) => row.slice(frame, frame + frames)),
      coloraxis: 'coloraxis',
      xaxis: at.x,
      yaxis: at.y,
      hovertemplate: `token ${token}<extra></extra>`,
    } as unknown as Trace;
  });
}

function background(at: { x: string; y: string }, nFrames: number, nMels: number): Partial<Shape> {
  return {
    type: 'rect',
    layer: 'below',
    xref: at.x as 'x',
    yref: at.y as 'y',
    x0: -0.5,
    x1: nFrames - 0.5,
    y0: -0.5,
    y1: nMels - 0.5,
    fillcolor: '#ECECEC',
    line: { width: 0.5, color: '#BBBBBB' },
  };
}

/** Boxes at the right: encoder, mean, projection head, contrast. */
function addSchema(shapes: Partial<Shape>[], annotations: Annotation[], masked: string): void {
  const boxes = [
    { text: 'SimpleViT encoder<br><i>shared by both views</i>', y: 0.2, colour: '#DCEBF5' },
    { text: 'mean over kept tokens<br><b>embedding</b>', y: 0.4, colour: '#DCF1EA' },
    { text: 'projection head<br><i>thrown away later</i>', y: 0.6, colour: '#FBEFD5' },
    { text: 'contrastive loss<br>A ↔ B together,<br>other tracks apart', y: 0.81, colour: '#F3E3EC' },
  ];
  const [left, right] = [0.785, 0.995];
  boxes.forEach((box, i) => {
    const half = i === 3 ? 0.075 : 0.055;
    shapes.push({
      type: 'rect',
      xref: 'paper',
      yref: 'paper',
      x0: left,
      x1: right,
      y0: box.y - half,
      y1: box.y + half,
      fillcolor: box.colour,
      line: { color: '#666666', width: 1 },
    });
    annotations.push({
      text: box.text,
      xref: 'paper',
      yref: 'paper',
      x: (left + right) / 2,
      y: box.y,
      xanchor: 'center',
      yanchor: 'middle',
      showarrow: false,
    });
    if (i > 0) arrow(shapes, annotations, (left + right) / 2, boxes[i - 1].y + 0.055, (left + right) / 2, box.y - half);
  });
  arrow(shapes, annotations, 0.725, 0.2, left, 0.2);
  annotations.push({
    text: `${masked} % of the<br>tokens dropped:<br>the only augmentation`,
    xref: 'paper',
    yref: 'paper',
    x: 0.55,
    y: 0.82,
    xanchor: 'center',
    yanchor: 'middle',
    showarrow: false,
    font: { size: 13, color: PALETTE.red },
  });
}

/** A line with a head, in paper coordinates (Plotly's own arrows take pixels for the tail). */
function arrow(
  shapes: Partial<Shape>[],
  annotations: Annotation[],
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  shapes.push({ type: 'line', xref: 'paper', yref: 'paper', x0, y0, x1, y1, line: { color: '#444444', width: 1.5 } });
  const upward = y1 !== y0;
  annotations.push({
    text: '',
    xref: 'paper',
    yref: 'paper',
    x: x1,
    y: y1,
    ax: upward ? 0 : -12,
    ay: upward ? 12 : 0,
    showarrow: true,
    arrowhead: 2,
    arrowsize: 1.2,
    arrowwidth: 1.5,
    arrowcolor: '#444444',
  });
}

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
      coloraxis: { colorscale: HEAT_SPECTRUM, showscale: false, cmin: -80, cmax: 0 },
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
