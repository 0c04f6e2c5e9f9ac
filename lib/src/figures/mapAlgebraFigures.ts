/** Figures of notebook 07: maps chained, repeated, undone, and as a key probe sees them. Pure. */
import type { Layout, LayoutAxis } from 'plotly.js';
import type {
  CompositionKind,
  CompositionMeasurement,
  EncoderName,
  Interval,
  ShiftMeasurement,
} from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import { encodersIn, EXPLAINED_RANGE, flooredPoints, pairsText, seedsText } from './mapFigures.js';
import {
  HEAT,
  LEGEND_BELOW,
  PALETTE,
  axis,
  errorBars,
  figure,
  interval,
  layout,
  namesAxis,
  panelTitle,
  table,
} from './style.js';

type Trace = Figure['data'][number];

/** Panels side by side, one an encoder, sharing the y axis; layout keys and titles. */
function panels(
  encoders: readonly EncoderName[],
  xaxis: Partial<LayoutAxis>,
  yaxis: Partial<LayoutAxis>,
): { axes: Partial<Layout>; axisOf: (panel: number) => string } {
  const width = 1 / encoders.length;
  const axisOf = (panel: number): string => (panel === 0 ? 'x' : `x${panel + 1}`);
  const axes: Record<string, unknown> = { yaxis };
  encoders.forEach((_, panel) => {
    const domain = [panel * width + (panel > 0 ? 0.02 : 0), (panel + 1) * width - 0.01];
    axes[panel === 0 ? 'xaxis' : `xaxis${panel + 1}`] = { ...xaxis, domain, anchor: 'y' };
  });
  axes.annotations = encoders.map(({ label }, panel) =>
    panelTitle(label, panel * width + (panel > 0 ? 0.02 : 0), 1.01),
  );
  return { axes: axes as Partial<Layout>, axisOf };
}

const COMPOSED: Record<Exclude<CompositionKind, 'identity'>, { label: string; colour: string; symbol: string }> = {
  first: { label: 'first map alone', colour: PALETTE.grey, symbol: 'triangle-up-open' },
  second: { label: 'second map alone', colour: PALETTE.grey, symbol: 'triangle-down-open' },
  reversed: { label: 'both, wrong order', colour: PALETTE.orange, symbol: 'x' },
  composed: { label: 'both, right order', colour: PALETTE.blue, symbol: 'circle' },
  direct: { label: 'map fitted on both', colour: PALETTE.green, symbol: 'square-open' },
};

/** Two augmentations one after the other: what explains their effect. */
export function compositionFigure(m: CompositionMeasurement): Figure {
  const encoders = encodersIn(m.rows);
  const labelOf = ({ first, second }: { first: string; second: string }): string => `${first},<br>then ${second}`;
  const labels = [...new Set(m.rows.map(labelOf))].reverse();
  const kinds = Object.keys(COMPOSED) as (keyof typeof COMPOSED)[];
  const { axes, axisOf } = panels(
    encoders,
    axis('explained change', { range: EXPLAINED_RANGE, zeroline: true, zerolinecolor: '#444444', dtick: 0.5 }),
    namesAxis(labels),
  );
  const data = encoders.flatMap((encoder, panel) =>
    kinds.map((kind, k): Trace => {
      const rows = m.rows.filter((row) => row.encoder.id === encoder.id);
      const { label, colour, symbol } = COMPOSED[kind];
      return {
        type: 'scatter',
        mode: 'markers',
        name: label,
        legendgroup: kind,
        showlegend: panel === 0,
        y: rows.map((row) => labels.indexOf(labelOf(row)) + 0.3 - 0.15 * k),
        ...flooredPoints(rows.map((row) => row.explainedChange[kind]), symbol, colour), // prettier-ignore
        xaxis: axisOf(panel),
        yaxis: 'y',
      } as Trace;
    }),
  );
  return figure(
    'map-composition',
    m,
    `Audio with two augmentations, rendered one after the other: share of their effect that each map explains on test (0: no better than no map). ${pairsText(m.pairs)}; ${seedsText(m.rows[0]?.seeds ?? 1)}.`,
    data,
    layout('Is the map of both one map after the other?', 170 + 92 * labels.length, {
      ...axes,
      margin: { l: 190, r: 20, t: 76, b: 60 },
      legend: { orientation: 'h', x: -0.25, y: -52 / (92 * Math.max(1, labels.length)), yanchor: 'top' },
    }),
  );
}

/** The same in numbers, with what matrices and audio say of the order. */
export function compositionTable(m: CompositionMeasurement): Table {
  const share = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
  return table(
    'map-composition-table',
    m,
    `Two maps one after the other against audio with both augmentations; explained change in points of 100 with 95 % bootstrap intervals over tracks. Order gap: |BAx − ABx| / |BAx − x| of the maps, and the same of the audio's embeddings where both orders are rendered. ${pairsText(m.pairs)}.`,
    ['encoder', 'first', 'second', 'composed', 'direct', 'composed − direct', 'composed − wrong order', 'prediction gap', 'matrix gap', '|AB − BA| / |AB|', 'order gap, maps', 'order gap, audio'], // prettier-ignore
    m.rows.map((row) => {
      const difference = (to: CompositionKind): string => {
        const { estimate, low, high } = row.differences.find((one) => one.to === to)!.difference;
        return interval({ estimate, low, high });
      };
      return [
        row.encoder.label,
        row.first,
        row.second,
        interval(row.explainedChange.composed),
        interval(row.explainedChange.direct),
        difference('direct'),
        difference('reversed'),
        share(row.predictionGap),
        share(row.matrixGap),
        share(row.commutator),
        share(row.orderGapOfMaps),
        share(row.orderGapOfAudio),
      ];
    }),
  );
}

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly symbol: string;
  readonly dash?: 'dot' | 'dash';
}

function curve(
  { name, colour, symbol, dash }: Line,
  x: readonly number[],
  values: readonly Interval[],
  xaxis: string,
  isFirst: boolean,
): Trace {
  return {
    type: 'scatter',
    mode: 'lines+markers',
    name,
    legendgroup: name,
    showlegend: isFirst,
    x: [...x],
    y: values.map(({ estimate }) => estimate),
    error_y: { ...errorBars(values, 1), color: colour, width: 2 },
    line: { color: colour, width: 1.8, dash: dash ?? 'solid' },
    marker: { color: colour, symbol, size: 7 },
    xaxis,
    yaxis: 'y',
  } as Trace;
}

const SEMITONES = axis('semitones', { dtick: 2, zeroline: true, zerolinecolor: '#BBBBBB' });

/** shift(±1) applied k times against the map of ±k semitones. */
export function powersFigure(m: ShiftMeasurement): Figure {
  const encoders = encodersIn(m.powers);
  const { axes, axisOf } = panels(encoders, SEMITONES, axis('explained change on test', { zeroline: true, zerolinecolor: '#444444' })); // prettier-ignore
  const data = encoders.flatMap((encoder, panel) => {
    const rows = m.powers.filter((row) => row.encoder.id === encoder.id);
    const x = rows.map(({ semitones }) => semitones);
    return [
      curve({ name: 'map of k semitones', colour: PALETTE.green, symbol: 'square-open' }, x, rows.map((row) => row.explainedChange.direct), axisOf(panel), panel === 0), // prettier-ignore
      curve({ name: 'map of one semitone, k times', colour: PALETTE.blue, symbol: 'circle', dash: 'dash' }, x, rows.map((row) => row.explainedChange.power), axisOf(panel), panel === 0), // prettier-ignore
    ];
  });
  return figure(
    'map-powers',
    m,
    `Audio really shifted by k semitones: share of the effect that each map explains on test; 0 is no better than no map. ${pairsText(m.pairs)}; 95 % bootstrap over tracks.`,
    data,
    layout('Is shift(k) the shift by one, k times?', 400, { ...axes, margin: { l: 66, r: 20, t: 76, b: 60 }, legend: LEGEND_BELOW }), // prettier-ignore
  );
}

/** Four ways back from a shift. */
export function inverseFigure(m: ShiftMeasurement): Figure {
  const encoders = encodersIn(m.inverses);
  const { axes, axisOf } = panels(encoders, SEMITONES, axis('explained change of the way back', { zeroline: true, zerolinecolor: '#444444' })); // prettier-ignore
  const data = encoders.flatMap((encoder, panel) => {
    const rows = m.inverses.filter((row) => row.encoder.id === encoder.id);
    const x = rows.map(({ semitones }) => semitones);
    const of = (line: Line, way: 'roundTrip' | 'byOpposite' | 'byInverse' | 'byDirect'): Trace =>
      curve(line, x, rows.map((row) => row[way]), axisOf(panel), panel === 0); // prettier-ignore
    return [
      of({ name: 'fitted on the way back', colour: PALETTE.green, symbol: 'square-open' }, 'byDirect'),
      of({ name: 'map(−s)', colour: PALETTE.blue, symbol: 'circle' }, 'byOpposite'),
      of({ name: 'inverse of map(s)', colour: PALETTE.orange, symbol: 'diamond', dash: 'dash' }, 'byInverse'),
      of({ name: 'map(−s) after map(s), no audio', colour: PALETTE.purple, symbol: 'x', dash: 'dot' }, 'roundTrip'),
    ];
  });
  return figure(
    'map-inverse',
    m,
    `From the embedding of audio shifted by s semitones back to that of the clean clip: share of the way that each map goes (1: all of it, 0: no better than staying). The last starts from map(s) of the clean clip instead of audio. ${pairsText(m.pairs)}; 95 % bootstrap over tracks.`,
    data,
    layout('The way back', 420, { ...axes, margin: { l: 66, r: 20, t: 76, b: 60 }, legend: LEGEND_BELOW }),
  );
}

/** Does the probe's key move with the map, and with the audio? */
export function keyShiftFigure(m: ShiftMeasurement): Figure {
  const encoders = encodersIn(m.keyShifts);
  const { axes, axisOf } = panels(encoders, SEMITONES, axis('share of clips', { range: [0, 1.02] }));
  const data = encoders.flatMap((encoder, panel) => {
    const rows = m.keyShifts.filter((row) => row.encoder.id === encoder.id);
    const x = rows.map(({ semitones }) => semitones);
    const of = (line: Line, by: 'map' | 'audio' | 'none'): Trace =>
      curve(line, x, rows.map((row) => row.keyAgreement[by]), axisOf(panel), panel === 0); // prettier-ignore
    return [
      of({ name: 'audio shifted', colour: PALETTE.green, symbol: 'square-open' }, 'audio'),
      of({ name: 'embedding mapped', colour: PALETTE.blue, symbol: 'circle', dash: 'dash' }, 'map'),
      of({ name: 'nothing done', colour: PALETTE.grey, symbol: 'x', dash: 'dot' }, 'none'),
    ];
  });
  return figure(
    'map-key-shifts',
    m,
    `Share of test clips for which the linear probe's key moves by exactly s semitones (mode kept) when the audio is shifted, or the embedding mapped; guessing gives about 1 in 24. ${pairsText(m.pairs)}; 95 % bootstrap over tracks.`,
    data,
    layout('Does the key move with the map?', 400, { ...axes, margin: { l: 66, r: 20, t: 76, b: 60 }, legend: LEGEND_BELOW }), // prettier-ignore
  );
}

/** Keys before and after, along the circle of fifths; a perfect shift would be one shifted diagonal. */
export function keyMovesFigure(m: ShiftMeasurement): Figure {
  const columns = Math.min(2, m.moves.length);
  const rows = Math.ceil(m.moves.length / 2);
  const axes: Record<string, unknown> = {};
  const annotations: unknown[] = [];
  const gap = 0.13;
  const [width, height] = [(1 - gap * (columns - 1)) / columns, (1 - gap * (rows - 1)) / rows];
  const data = m.moves.flatMap((move, i): Trace[] => {
    const suffix = i === 0 ? '' : `${i + 1}`;
    const [left, top] = [(i % 2) * (width + gap), 1 - Math.floor(i / 2) * (height + gap)];
    const ticks = { tickfont: { size: 9 }, dtick: 1, gridcolor: '#FFFFFF', ticks: '' as const };
    axes[`xaxis${suffix}`] = axis('key after', { ...ticks, domain: [left, left + width], anchor: `y${suffix}` as never, tickangle: -90, range: [-0.5, 23.5] }); // prettier-ignore
    axes[`yaxis${suffix}`] = axis(i % 2 === 0 ? 'key before' : '', { ...ticks, domain: [top - height, top], anchor: `x${suffix}` as never, range: [23.5, -0.5] }); // prettier-ignore
    annotations.push(panelTitle(move.label, left, top + 0.005));
    // Twelve tonics a fifth apart stand two places apart; a semitone is seven fifths.
    const target = m.keys.map((_, from) => (from + 2 * ((((7 * move.semitones) % 12) + 12) % 12)) % 24);
    return [
      {
        type: 'heatmap',
        z: move.share.map((row) => [...row]),
        x: [...m.keys],
        y: [...m.keys],
        zmin: 0,
        zmax: 1,
        colorscale: HEAT,
        showscale: i === 0,
        colorbar: { title: { text: 'share of clips', side: 'right' }, thickness: 14 },
        xaxis: `x${suffix}`,
        yaxis: `y${suffix}`,
      } as unknown as Trace,
      {
        type: 'scatter',
        mode: 'markers',
        name: 'where the key should go',
        showlegend: i === 0,
        x: target.map((to) => m.keys[to]),
        y: [...m.keys],
        marker: { symbol: 'square-open', size: 10, color: PALETTE.red, line: { width: 1 } },
        hoverinfo: 'skip',
        xaxis: `x${suffix}`,
        yaxis: `y${suffix}`,
      } as unknown as Trace,
    ];
  });
  return figure(
    'map-key-moves',
    m,
    `Where the key that the linear probe hears goes, keys along the circle of fifths (each minor key after its relative major); rows: key before, columns: key after; a row without clips stays dark. ${encodersIn(m.keyShifts)[0]?.label ?? ''}; clips of all seeds together. ${pairsText(m.pairs)}.`,
    data,
    layout('A shift as a permutation of keys', 120 + 400 * rows, {
      ...(axes as Partial<Layout>),
      margin: { l: 78, r: 20, t: 80, b: 80 },
      annotations: annotations as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.2 / rows - 0.02, yanchor: 'top' },
    }),
  );
}

/** Maps that go round in a circle. */
export function cycleTable(m: ShiftMeasurement): Table {
  return table(
    'map-cycles',
    m,
    `Semitone maps one after the other: back to where they began (0), round the octave (±12), or a fifth up (+7). R² and centred cosine against the clean embedding; keys: share of test clips whose key (linear probe) moves as it should (of octaves: stays); logits: their correlation with those before, moved round. In points of 100, 95 % bootstrap over tracks. ${pairsText(m.pairs)}.`,
    ['encoder', 'maps', 'semitones', 'R²', 'centred cosine', 'keys', 'logits'],
    m.cycles.map((row) => [
      row.encoder.label,
      row.label,
      row.semitones,
      row.r2 ? interval(row.r2) : '–',
      row.centredCosine ? interval(row.centredCosine) : '–',
      interval(row.keyAgreement),
      interval(row.logitCorrelation),
    ]),
  );
}
