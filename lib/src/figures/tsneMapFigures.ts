/** Figures of notebook 06 that show maps. Pure: measurements in, Plotly JSON out. */
import type { Layout, LayoutAxis } from 'plotly.js';
import type { AugmentedMapMeasurement, MapPositions, PerplexityMeasurement, TsneJsMeasurement } from '../experiments/index.js'; // prettier-ignore
import { KEYS } from '../keys/index.js';
import type { Figure } from './figure.js';
import { keyColour, keyLabel, keyStrip, keySymbol, stripAxes } from './keyColours.js';
import { PALETTE, axis, figure, layout, panelTitle, plainText, points } from './style.js';

type Trace = Figure['data'][number];
type Annotation = Partial<Layout['annotations'][number]>;
type Axes = Record<string, Partial<LayoutAxis>>;

/** Where a panel is, as shares of the figure. */
interface Box {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

const suffixOf = (panel: number): string => (panel === 0 ? '' : String(panel + 1));

/** Axes of one map: the coordinates have no unit, and only what is near what can be read. */
function mapAxes(panel: number, box: Box, titles: { x?: string; y?: string }): Axes {
  const suffix = suffixOf(panel);
  const bare = { showticklabels: false, ticks: '' as const, showgrid: false, mirror: true as const };
  return {
    [`xaxis${suffix}`]: axis(titles.x ?? '', { ...bare, domain: [...box.x], anchor: `y${suffix}` as 'y' }),
    [`yaxis${suffix}`]: axis(titles.y ?? '', { ...bare, domain: [...box.y], anchor: `x${suffix}` as 'x' }),
  };
}

const on = (panel: number): { xaxis: string; yaxis: string } => ({ xaxis: `x${suffixOf(panel)}`, yaxis: `y${suffixOf(panel)}` }); // prettier-ignore

/** Clips coloured by key, one trace a mode. */
function keyedClips(
  panel: number,
  clips: MapPositions,
  keyIds: readonly number[],
  hover: readonly string[] | null,
): Trace {
  return {
    type: 'scatter',
    mode: 'markers',
    x: [...clips.x],
    y: [...clips.y],
    ...(hover ? { text: [...hover], hoverinfo: 'text' } : { hoverinfo: 'skip' }),
    showlegend: false,
    marker: {
      color: keyIds.map(keyColour),
      symbol: keyIds.map(keySymbol),
      size: 5,
      line: { width: 0 },
    },
    ...on(panel),
  } as unknown as Trace;
}

const STRIP = { x: 'x9', y: 'y9' };

/** Columns of panels above the strip of keys. */
function columns(count: number, gap = 0.03): [number, number][] {
  const width = (1 - (count - 1) * gap) / count;
  return Array.from({ length: count }, (_, i) => [i * (width + gap), i * (width + gap) + width]);
}

/** The clean clips of each encoder, coloured by key. */
export function tsneMapFigure(m: AugmentedMapMeasurement): Figure {
  const keyIds = m.trackOf.map((track) => m.tracks[track].keyId);
  const hover = m.trackOf.map((track, i) => {
    const { id, style, split } = m.tracks[track];
    return plainText(`${keyLabel(keyIds[i])} · ${id} (${style}, ${split}), clip ${m.clipOf[i] + 1}`);
  });
  const boxes = columns(m.panels.length).map((x): Box => ({ x, y: [0.24, 0.93] }));
  const axes = boxes.map((box, i) =>
    mapAxes(i, box, { x: 't-SNE 1 (no unit)', y: i === 0 ? 't-SNE 2 (no unit)' : '' }),
  );
  return figure(
    'tsne-map',
    m,
    `t-SNE maps (perplexity ${m.perplexity}, started from principal components) of ${m.trackOf.length} clean clips of ${m.tracks.length} tracks, one map an encoder; the labels were not used. One colour a step of the circle of fifths, a minor key in the colour of its relative major; circles are major, triangles minor. What lies close together is alike for the encoder; distances between groups and their sizes mean nothing.`,
    [...m.panels.map((panel, i) => keyedClips(i, panel.clips, keyIds, hover)), keyStrip(STRIP)],
    layout('What lies near what', 430, {
      ...(Object.assign({}, ...axes) as Axes),
      ...stripAxes(0, 0.13, STRIP),
      annotations: m.panels.map(({ encoder, klDivergence }, i) =>
        panelTitle(`${encoder.label} (KL ${klDivergence.toFixed(2)})`, boxes[i].x[0], 0.935),
      ) as Layout['annotations'],
      showlegend: false,
      margin: { l: 40, r: 16, t: 40, b: 8 },
      hovermode: 'closest',
    } as Partial<Layout>),
  );
}

const KIND_COLOURS = [PALETTE.blue, PALETTE.orange, PALETTE.green, PALETTE.purple, PALETTE.sky, PALETTE.yellow, PALETTE.red]; // prettier-ignore
const KIND_SYMBOLS = ['square', 'diamond', 'triangle-up', 'triangle-down', 'pentagon', 'hexagon', 'star'];

/** Originals and their augmented copies on the maps of the clean clips; the points with a dark rim can be heard. */
export function augmentedMapFigure(m: AugmentedMapMeasurement): Figure {
  const [left, right] = columns(2, 0.04);
  const boxes: Box[] = [
    { x: left, y: [0.53, 0.95] },
    { x: right, y: [0.53, 0.95] },
    { x: left, y: [0.05, 0.47] },
  ];
  const data = m.panels.flatMap((_, panel) => panelTraces(m, panel));
  const axes = m.panels.map((_, i) => mapAxes(i, boxes[i], { x: i === 0 ? '' : 't-SNE 1 (no unit)', y: i === 1 ? '' : 't-SNE 2 (no unit)' })); // prettier-ignore
  return figure(
    'augmented-map',
    m,
    `Augmented copies of ${m.originalSounds.length} test clips, placed on the maps of the clean clips (grey) by \`transform\`, which moves no other point. A thin line leads from each original (black circle) to its copies; a copy that the encoder takes for its original lies on it. Pitch shift is the control that ought to move away. In the interactive figure a click on an original or a copy plays it.`,
    data,
    layout('Where augmented copies land', 820, {
      ...(Object.assign({}, ...axes) as Axes),
      annotations: m.panels.map(({ encoder }, i) => panelTitle(encoder.label, boxes[i].x[0], boxes[i].y[1] + 0.005)) as Layout['annotations'], // prettier-ignore
      legend: { x: right[0] + 0.04, y: 0.45, yanchor: 'top', orientation: 'v' },
      margin: { l: 40, r: 16, t: 44, b: 40 },
      hovermode: 'closest',
    } as Partial<Layout>),
  );
}

function panelTraces(m: AugmentedMapMeasurement, panel: number): Trace[] {
  const { clips, copies } = m.panels[panel];
  const keyOf = (clip: number): number => m.tracks[m.trackOf[clip]].keyId;
  const name = (clip: number): string => `${m.tracks[m.trackOf[clip]].id}, ${keyLabel(keyOf(clip))}`;
  const first = panel === 0;
  const rim = { line: { color: '#222222', width: 1 } };
  const originals = m.originalSounds;
  return [
    {
      type: 'scatter',
      mode: 'markers',
      name: 'other clean clips',
      showlegend: first,
      x: [...clips.x],
      y: [...clips.y],
      text: m.trackOf.map((_, clip) => plainText(name(clip))),
      hoverinfo: 'text',
      marker: { color: '#DADADA', size: 4 },
      ...on(panel),
    },
    {
      type: 'scatter',
      mode: 'lines',
      showlegend: false,
      hoverinfo: 'skip',
      x: m.copies.flatMap(({ original }, i) => [clips.x[original], copies.x[i], null]),
      y: m.copies.flatMap(({ original }, i) => [clips.y[original], copies.y[i], null]),
      line: { color: '#9A9A9A', width: 0.8 },
      ...on(panel),
    },
    ...m.kinds.map((kind, k) => {
      const own = m.copies.flatMap((copy, i) => (copy.kind === k ? [{ ...copy, i }] : []));
      return {
        type: 'scatter',
        mode: 'markers',
        name: kind.chain,
        showlegend: first,
        x: own.map(({ i }) => copies.x[i]),
        y: own.map(({ i }) => copies.y[i]),
        ids: own.map(({ sound }) => sound),
        text: own.map(({ original }) => plainText(`${kind.chain} of ${name(original)}${moved(keyOf(original), kind.semitones)}`)), // prettier-ignore
        hoverinfo: 'text',
        marker: { color: KIND_COLOURS[k % 7], symbol: KIND_SYMBOLS[k % 7], size: 8, ...rim },
        ...on(panel),
      };
    }),
    {
      type: 'scatter',
      mode: 'markers',
      name: 'originals',
      showlegend: first,
      x: originals.map(({ original }) => clips.x[original]),
      y: originals.map(({ original }) => clips.y[original]),
      ids: originals.map(({ sound }) => sound),
      text: originals.map(({ original }) => plainText(`original: ${name(original)}`)),
      hoverinfo: 'text',
      marker: { color: '#222222', size: 7, ...rim },
      ...on(panel),
    },
  ] as unknown as Trace[];
}

/** What a pitch shift makes of a key, for a label. */
function moved(keyId: number, semitones: number): string {
  const key = KEYS[keyId];
  if (semitones === 0 || !key) return '';
  const tonic = (key.tonic + semitones + 12) % 12;
  return `, now ${keyLabel(2 * tonic + (key.mode === 'minor' ? 1 : 0))}`;
}

/** The same clips at several perplexities, above a control that has nothing to show. */
export function perplexityFigure(m: PerplexityMeasurement): Figure {
  const kinds = ['embeddings', 'shuffled'] as const;
  const perplexities = [...new Set(m.panels.map(({ perplexity }) => perplexity))];
  const across = columns(perplexities.length);
  const up: readonly (readonly [number, number])[] = [[0.58, 0.95], [0.15, 0.52]]; // prettier-ignore
  const data: Trace[] = [];
  const annotations: Annotation[] = [];
  let axes: Axes = {};
  kinds.forEach((kind, row) =>
    perplexities.forEach((perplexity, column) => {
      const shown = m.panels.find((one) => one.data === kind && one.perplexity === perplexity);
      if (!shown) return;
      const panel = row * perplexities.length + column;
      const box = { x: across[column], y: up[row] };
      axes = { ...axes, ...mapAxes(panel, box, { x: row === 1 ? 't-SNE 1 (no unit)' : '', y: column === 0 ? `${kind}, t-SNE 2` : '' }) }; // prettier-ignore
      data.push(keyedClips(panel, shown.clips, m.keyIds, null));
      annotations.push(
        panelTitle(`perplexity ${perplexity}: key ${points(shown.keyAccuracy)} %`, box.x[0], box.y[1] + 0.003),
      );
    }),
  );
  return figure(
    'perplexity',
    m,
    `One set of clips (${m.encoder.label}) at several perplexities. Below, the same vectors with every column shuffled by itself: no two clips have anything in common any more. In the titles: share of clips whose key is that of most of the ${m.k} nearest clips of other tracks on the map.`,
    [...data, keyStrip(STRIP)],
    layout('Perplexity, and maps of nothing', 700, {
      ...axes,
      ...stripAxes(0, 0.07, STRIP),
      annotations: annotations as Layout['annotations'],
      showlegend: false,
      margin: { l: 40, r: 16, t: 44, b: 8 },
    } as Partial<Layout>),
  );
}

/** The maps of our t-SNE and of tsne-js, side by side. */
export function tsneJsFigure(m: TsneJsMeasurement): Figure {
  const boxes = columns(m.rows.length).map((x): Box => ({ x, y: [0.24, 0.93] }));
  const axes = boxes.map((box, i) =>
    mapAxes(i, box, { x: 't-SNE 1 (no unit)', y: i === 0 ? 't-SNE 2 (no unit)' : '' }),
  );
  return figure(
    'tsne-js',
    m,
    `${m.nClips} clips, one a test track (${m.encoder.label}), mapped by this library and by the package tsne-js (perplexity ${m.perplexity.toFixed(0)}, 1000 iterations, first seed). A map may be turned or mirrored as a whole; what lies near what is the result.`,
    [...m.rows.map((row, i) => keyedClips(i, row.clips, m.keyIds, m.keyIds.map(keyLabel))), keyStrip(STRIP)],
    layout('Two implementations', 430, {
      ...(Object.assign({}, ...axes) as Axes),
      ...stripAxes(0, 0.13, STRIP),
      annotations: m.rows.map(
        ({ program, start, klDivergence }, i) =>
        panelTitle(`${program}, ${start === 'pca' ? 'PCA' : 'random'} start: KL ${klDivergence.mean.toFixed(2)}`, boxes[i].x[0], 0.935), // prettier-ignore
      ) as Layout['annotations'],
      showlegend: false,
      margin: { l: 40, r: 16, t: 40, b: 8 },
      hovermode: 'closest',
    } as Partial<Layout>),
  );
}
