/** Figures of notebook 10: the key over time of one recording. Pure: measurements in, Plotly JSON out. */
import type { Layout } from 'plotly.js';
import type { KeySegment, MusicMeasurement, MusicTrack } from '../experiments/index.js';
import { CIRCLE_OF_FIFTHS } from '../keys/index.js';
import type { Figure } from './figure.js';
import { keyColour, keyLabel, textOnKey } from './keyColours.js';
import { shortened } from './keyCircleFigure.js';
import { axis, figure, HEAT, layout, plainText } from './style.js';

type Trace = Figure['data'][number];

/** Rows from the bottom: the circle of fifths, each major key below its relative minor. */
const ROW_OF = new Map(CIRCLE_OF_FIFTHS.map((keyId, row) => [keyId, row]));
const row = (keyId: number): number => ROW_OF.get(keyId) ?? 0;

/** Steps of the time axis, seconds; the first that gives at most this many ticks is taken. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];
const MAX_TICKS = 12;
/** Most changes of key that get a name above the figure. */
const MAX_NAMES = 8;

/** `1:05`, with hours `1:00:05`. */
export function clockTime(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function timeTicks(seconds: number): { tickvals: number[]; ticktext: string[] } {
  const step = STEPS.find((one) => seconds / one <= MAX_TICKS) ?? Math.ceil(seconds / MAX_TICKS / 3600) * 3600;
  const tickvals = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
  return { tickvals, ticktext: tickvals.map(clockTime) };
}

/** A strip of coloured stretches with the names of those that have room. */
function strip(
  name: string,
  segments: readonly KeySegment[],
  y: number,
  seconds: number,
): { bars: Trace; names: Partial<Layout['annotations'][number]>[] } {
  const bars = {
    type: 'bar',
    orientation: 'h',
    xaxis: 'x',
    yaxis: 'y2',
    y: segments.map(() => y),
    base: segments.map(({ start }) => start),
    x: segments.map(({ start, end }) => end - start),
    width: 0.8,
    marker: { color: segments.map(({ keyId }) => keyColour(keyId)), line: { color: '#FFFFFF', width: 1 } },
    text: segments.map((s) => `${name}: ${keyLabel(s.keyId)}, ${clockTime(s.start)} to ${clockTime(s.end)}`),
    textposition: 'none',
    hovertemplate: '%{text}<extra></extra>',
    showlegend: false,
  } as unknown as Trace;
  const names = segments
    .filter(({ start, end }) => (end - start) / seconds > 0.05)
    .map(({ start, end, keyId }) => ({
      text: keyLabel(keyId).replace(' major', '').replace(' minor', 'm'),
      x: (start + end) / 2,
      y,
      xref: 'x' as const,
      yref: 'y2' as const,
      showarrow: false,
      font: { size: 11, color: textOnKey(keyId) },
    }));
  return { bars, names };
}

/**
 * The probability of each key over time with the most probable sequence of keys, modulations marked; below it what each
 * clip says alone, the smoothed keys, and for a composed piece what was written.
 *
 * @param index part of the figure's id, so that several can be shown
 */
export function keyOverTimeFigure(m: MusicMeasurement, track: MusicTrack, index = 1): Figure {
  const { overTime, composed, seconds } = track;
  const { segments, edges, posteriors, alone } = overTime;
  const rows = [
    { name: 'clip by clip', segments: alone },
    { name: 'smoothed', segments },
    ...(composed ? [{ name: 'as composed', segments: composed }] : []),
  ].reverse();
  const strips = rows.map((one, y) => strip(one.name, one.segments, y, seconds));
  const changes = segments.slice(1);
  const heat = {
    type: 'heatmap',
    x: [...edges],
    y: CIRCLE_OF_FIFTHS.map((_, i) => i),
    z: CIRCLE_OF_FIFTHS.map((keyId) => posteriors[keyId].map((p) => 100 * p)),
    customdata: CIRCLE_OF_FIFTHS.map((keyId) => posteriors[keyId].map(() => keyLabel(keyId))),
    zmin: 0,
    zmax: 100,
    colorscale: HEAT,
    colorbar: { title: { text: '%', side: 'top' }, thickness: 12, len: 0.66, y: 1, yanchor: 'top', outlinewidth: 0 },
    hovertemplate: '%{customdata}: %{z:.1f} %<br>at %{x:.1f} s<extra></extra>',
  } as unknown as Trace;
  const path = {
    type: 'scatter',
    mode: 'lines',
    x: segments.flatMap(({ start, end }) => [start, end]),
    y: segments.flatMap(({ keyId }) => [row(keyId), row(keyId)]),
    line: { color: '#FFFFFF', width: 2 },
    hoverinfo: 'skip',
    showlegend: false,
  } as unknown as Trace;
  const summary =
    changes.length === 0
      ? `no change of key`
      : `${changes.length} ${changes.length === 1 ? 'change' : 'changes'} of key`;
  return figure(
    `key-over-time-${index}`,
    m,
    `Probability of each key over time, given the whole recording (hidden Markov model over clips of ${overTime.clipSeconds.toFixed(1)} s, one every ${overTime.hopSeconds.toFixed(1)} s; a key lasts ${overTime.keySeconds} s on average). White: the most probable sequence of keys; dashed: its modulations. Keys in the order of the circle of fifths. Below: what each clip says by itself, the smoothed keys${composed ? ', and what the composer wrote (gaps: drums alone)' : ''}.`,
    [heat, path, ...strips.map(({ bars }) => bars)],
    layout(`${plainText(shortened(track.file, 60))}: ${keyLabel(track.keyId)}, ${summary}`, 620, {
      xaxis: axis('time (min:s)', { range: [0, seconds], ...timeTicks(seconds), anchor: 'y2', showgrid: false }),
      yaxis: axis('', {
        domain: [0.27, 1],
        range: [-0.5, CIRCLE_OF_FIFTHS.length - 0.5],
        tickvals: CIRCLE_OF_FIFTHS.map((_, i) => i),
        ticktext: CIRCLE_OF_FIFTHS.map(keyLabel),
        tickfont: { size: 10 },
        showgrid: false,
        fixedrange: true,
      }),
      yaxis2: axis('', {
        domain: [0, 0.2],
        range: [-0.5, rows.length - 0.5],
        tickvals: rows.map((_, y) => y),
        ticktext: rows.map(({ name }) => name),
        tickfont: { size: 11 },
        showgrid: false,
        fixedrange: true,
        anchor: 'x',
      }),
      barmode: 'overlay',
      shapes: changes.map(({ start }) => ({
        type: 'line' as const,
        x0: start,
        x1: start,
        xref: 'x' as const,
        yref: 'paper' as const,
        y0: 0,
        y1: 1,
        line: { color: '#D55E00', width: 1.5, dash: 'dash' as const },
      })),
      annotations: [
        ...strips.flatMap(({ names }) => names),
        ...changes.slice(0, MAX_NAMES).map(({ start, keyId }) => ({
          text: `→ ${keyLabel(keyId)}`,
          x: start,
          y: 1.005,
          xref: 'x' as const,
          yref: 'paper' as const,
          xanchor: 'left' as const,
          yanchor: 'bottom' as const,
          showarrow: false,
          font: { size: 11, color: '#A34700' },
        })),
      ] as Layout['annotations'],
      margin: { l: 84, r: 16, t: 64, b: 52 },
      showlegend: false,
    }),
  );
}
