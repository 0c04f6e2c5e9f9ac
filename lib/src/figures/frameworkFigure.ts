/** The framework figure of notebook 02. Pure: measurement in, Plotly JSON out. */
import type { Layout, LayoutAxis, Shape } from 'plotly.js';
import type { FrameworkMeasurement, PatchLayout } from '../experiments/index.js';
import type { Figure } from './figure.js';
import { background, COLOUR_AXIS, keptPatches } from './patches.js';
import { axis, figure, layout, panelTitle, points } from './style.js';

type Trace = Figure['data'][number];
type Annotation = Partial<Layout['annotations'][number]>;

/** The paper's framework figure from a real clip: cut in two ways, two masked views of each, encoder, contrast. */
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
  const panel = (column: number, row: number, nFrames: number): { x: string; y: string } => {
    const n = 1 + 2 * row + column;
    const suffix = n === 1 ? '' : String(n);
    const bare = { showticklabels: false, ticks: '' as const, showgrid: false, showline: false };
    const domain = [bottoms[row], bottoms[row] + height];
    axes[`xaxis${suffix}`] = axis('', {
      ...bare,
      domain: columns[column],
      anchor: `y${suffix}` as 'y',
      range: [-0.5, nFrames - 0.5],
    });
    axes[`yaxis${suffix}`] = axis('', { ...bare, domain, anchor: `x${suffix}` as 'x', range: [-0.5, nMels - 0.5] });
    return { x: `x${suffix}`, y: `y${suffix}` };
  };

  m.layouts.forEach((patchLayout, column) => {
    const [bands, frames] = patchLayout.patchSize;
    const left = columns[column][0];
    const whole = panel(column, 0, patchLayout.nFrames);
    const z = m.mel.values.map((row) => row.slice(0, patchLayout.nFrames));
    data.push({
      type: 'heatmap',
      z,
      coloraxis: 'coloraxis',
      xaxis: whole.x,
      yaxis: whole.y,
      hoverinfo: 'skip',
    } as unknown as Trace);
    shapes.push(...cuts(whole, patchLayout, nMels));
    annotations.push(
      panelTitle(
        `${patchLayout.patches} ${bands} × ${frames}: ${patchLayout.nTokens} tokens`,
        left,
        bottoms[0] + height + 0.008,
      ),
    );
    patchLayout.views.slice(0, 2).forEach((kept, view) => {
      const at = panel(column, 1 + view, patchLayout.nFrames);
      shapes.push(background(at, patchLayout.nFrames, nMels));
      data.push(...keptPatches(m.mel, patchLayout, kept, at));
      annotations.push(
        panelTitle(`view ${'AB'[view]}: ${kept.length} tokens stay`, left, bottoms[1 + view] + height + 0.008),
      );
    });
  });
  addSchema(shapes, annotations);
  return figure(
    'framework',
    m,
    `The framework, drawn from track ${m.track.id} (${m.track.key}, ${m.track.style}; ${nMels} mel bands, dB below the peak). Top: one clip, cut into patches. Below: two views, ${points(m.maskRatio)} % of the tokens dropped at random, which is the only augmentation. Vertical patches keep all bands of an instant, so each one shows a whole chord; a square one shows half a second of one register.`,
    data,
    {
      ...layout('Masked contrastive pretraining', 640, {
        ...axes,
        annotations,
        shapes,
        margin: { l: 16, r: 16, t: 64, b: 24 },
        showlegend: false,
      } as Partial<Layout>),
      coloraxis: COLOUR_AXIS,
    } as Partial<Layout>,
  );
}

/** Where the clip is cut. */
function cuts(at: { x: string; y: string }, patchLayout: PatchLayout, nMels: number): Partial<Shape>[] {
  const [bands, frames] = patchLayout.patchSize;
  const line = { color: '#FFFFFF', width: frames < 8 ? 0.4 : 0.8 };
  const refs = { type: 'line' as const, xref: at.x as 'x', yref: at.y as 'y', line };
  const inside = (step: number, end: number): number[] =>
    Array.from({ length: end / step - 1 }, (_, i) => (i + 1) * step - 0.5);
  return [
    ...inside(frames, patchLayout.nFrames).map((x) => ({ ...refs, x0: x, x1: x, y0: -0.5, y1: nMels - 0.5 })),
    ...inside(bands, nMels).map((y) => ({ ...refs, x0: -0.5, x1: patchLayout.nFrames - 0.5, y0: y, y1: y })),
  ];
}

/** Boxes at the right: both views through one encoder, mean, projection head, contrast. */
function addSchema(shapes: Partial<Shape>[], annotations: Annotation[]): void {
  const boxes = [
    { text: 'SimpleViT encoder<br><i>the same for A and B</i>', y: 0.297, half: 0.055, colour: '#DCEBF5' },
    { text: 'mean over kept tokens<br><b>embedding</b>', y: 0.497, half: 0.055, colour: '#DCF1EA' },
    { text: 'projection head<br><i>thrown away later</i>', y: 0.697, half: 0.055, colour: '#FBEFD5' },
    {
      text: 'contrastive loss<br>A and B together,<br>all other clips apart',
      y: 0.897,
      half: 0.075,
      colour: '#F3E3EC',
    },
  ];
  const [left, right] = [0.785, 0.995];
  const middle = (left + right) / 2;
  boxes.forEach(({ text, y, half, colour }, i) => {
    shapes.push({
      type: 'rect',
      xref: 'paper',
      yref: 'paper',
      x0: left,
      x1: right,
      y0: y - half,
      y1: y + half,
      fillcolor: colour,
      line: { color: '#666666', width: 1 },
    });
    annotations.push({
      text,
      xref: 'paper',
      yref: 'paper',
      x: middle,
      y,
      xanchor: 'center',
      yanchor: 'middle',
      showarrow: false,
    });
    if (i > 0) arrow(shapes, annotations, [middle, boxes[i - 1].y + boxes[i - 1].half], [middle, y - half]);
  });
  // From the middles of the two rows of views into the encoder.
  arrow(shapes, annotations, [0.725, 0.47], [left, 0.32]);
  arrow(shapes, annotations, [0.725, 0.125], [left, 0.275]);
}

/** A line with a head, in paper coordinates (Plotly's own arrows take pixels for the tail). */
function arrow(
  shapes: Partial<Shape>[],
  annotations: Annotation[],
  [x0, y0]: readonly number[],
  [x1, y1]: readonly number[],
): void {
  shapes.push({ type: 'line', xref: 'paper', yref: 'paper', x0, y0, x1, y1, line: { color: '#444444', width: 1.5 } });
  const [ax, ay] = x0 === x1 ? [0, 12] : [-8, y1 > y0 ? 12 : -12];
  annotations.push({
    text: '',
    xref: 'paper',
    yref: 'paper',
    x: x1,
    y: y1,
    ax,
    ay,
    showarrow: true,
    arrowhead: 2,
    arrowsize: 1.2,
    arrowwidth: 1.5,
    arrowcolor: '#444444',
  });
}
