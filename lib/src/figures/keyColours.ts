/** Keys as colour and marker: a colour a step of the circle of fifths, circles for major, triangles for minor. */
import type { LayoutAxis } from 'plotly.js';
import { CIRCLE_OF_FIFTHS, KEYS } from '../keys/index.js';
import type { Figure } from './figure.js';

type Trace = Figure['data'][number];

/** Step 0..11 on the circle of fifths; a minor key shares its step with its relative major. */
const STEP_OF = new Map(CIRCLE_OF_FIFTHS.map((keyId, place) => [keyId, Math.floor(place / 2)]));

/**
 * The colour of a step: hue runs once around in Oklab, lightness down and up again, so that opposite keys differ in
 * lightness too and neighbours are neighbours for every kind of colour vision.
 */
function stepColour(step: number): string {
  const angle = (2 * Math.PI * step) / 12;
  const lightness = 0.64 + 0.19 * Math.cos(angle);
  const chroma = 0.125;
  const [a, b] = [chroma * Math.cos(angle + 1.9), chroma * Math.sin(angle + 1.9)];
  // Oklab to linear sRGB (Ottosson 2020), clipped, then the transfer function.
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const channel = (value: number): string => {
    const v = Math.max(0, Math.min(1, value));
    const encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
    return Math.round(255 * encoded)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${linear.map(channel).join('')}`;
}

const COLOURS = Array.from({ length: 12 }, (_, step) => stepColour(step));

/** Colour of a key; grey where it is unknown. */
export const keyColour = (keyId: number): string => COLOURS[STEP_OF.get(keyId) ?? -1] ?? '#8A8A8A';

/** Black or white, whichever can be read on the key's colour (WCAG's relative luminance; the two are equal at 0.18). */
export function textOnKey(keyId: number): string {
  const [r, g, b] = [1, 3, 5].map((at) => (Number.parseInt(keyColour(keyId).slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? '#000000' : '#FFFFFF';
}

export const keySymbol = (keyId: number): string => (KEYS[keyId]?.mode === 'minor' ? 'triangle-up' : 'circle');

export const keyLabel = (keyId: number): string => KEYS[keyId]?.label ?? 'key unknown';

/** The legend of all this as a strip of its own: two rows of twelve markers with their names. */
export function keyStrip(axes: { readonly x: string; readonly y: string }): Trace {
  return {
    type: 'scatter',
    mode: 'markers+text',
    x: CIRCLE_OF_FIFTHS.map((_, place) => Math.floor(place / 2)),
    y: CIRCLE_OF_FIFTHS.map((keyId) => (KEYS[keyId].mode === 'major' ? 1 : 0)),
    text: CIRCLE_OF_FIFTHS.map((keyId) => KEYS[keyId].label.replace(' major', '').replace(' minor', 'm')),
    textposition: 'middle right',
    hoverinfo: 'skip',
    showlegend: false,
    marker: { color: CIRCLE_OF_FIFTHS.map(keyColour), symbol: CIRCLE_OF_FIFTHS.map(keySymbol), size: 9 },
    xaxis: axes.x,
    yaxis: axes.y,
  } as unknown as Trace;
}

/** Axes of the strip: nothing but room. @param bottom, top share of the figure's height */
export function stripAxes(
  bottom: number,
  top: number,
  names: { x: string; y: string },
): Record<string, Partial<LayoutAxis>> {
  const bare = { showgrid: false, zeroline: false, showticklabels: false, ticks: '' as const, fixedrange: true };
  return {
    [`xaxis${names.x.slice(1)}`]: { ...bare, domain: [0, 1], anchor: names.y as 'y', range: [-0.3, 12] },
    [`yaxis${names.y.slice(1)}`]: { ...bare, domain: [bottom, top], anchor: names.x as 'x', range: [-0.6, 1.6] },
  };
}
