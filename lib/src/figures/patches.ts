/** Drawing patches of a clip, shared by the figures of views. Pure. */
import type { Shape } from 'plotly.js';
import type { Heat, PatchLayout } from '../experiments/index.js';
import type { Figure } from './figure.js';
import { HEAT_SPECTRUM } from './style.js';

type Trace = Figure['data'][number];

/** The colours of all panels of a figure of patches: dB below the peak. */
export const COLOUR_AXIS = { colorscale: HEAT_SPECTRUM, showscale: false, cmin: -60, cmax: 0 };

/** Each kept patch as its own small heat map, so that the masked 90 % cost no numbers. */
export function keptPatches(
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

/** What is masked: the grey ground of a panel. */
export function background(at: { x: string; y: string }, nFrames: number, nMels: number): Partial<Shape> {
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
