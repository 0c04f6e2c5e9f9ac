/** Figures and tables of notebook 06 that show measures. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout, LayoutAxis } from 'plotly.js';
import type {
  CopyDistanceMeasurement,
  CopyDistances,
  EncoderName,
  MapQualityMeasurement,
  PitchNeighbourMeasurement,
  Spread,
  TsneJsMeasurement,
} from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import { COLOUR, PALETTE, axis, errorBars, figure, layout, panelTitle, points, probability, signedInterval, table } from './style.js'; // prettier-ignore

type Trace = Figure['data'][number];
type Annotation = Partial<Layout['annotations'][number]>;
type Axes = Record<string, Partial<LayoutAxis>>;
type Dash = 'solid' | 'dash' | 'dot';

const suffixOf = (panel: number): string => (panel === 0 ? '' : String(panel + 1));
const onPanel = (panel: number): { xaxis: string; yaxis: string } => ({ xaxis: `x${suffixOf(panel)}`, yaxis: `y${suffixOf(panel)}` }); // prettier-ignore

/** Colour, marker and dash of an encoder; three ways to tell them apart. */
function look({ patches, origin }: EncoderName): { color: string; symbol: string; dash: Dash } {
  if (origin === 'random') return { color: COLOUR.random, symbol: 'diamond', dash: 'dash' };
  return { color: COLOUR[patches], symbol: patches === 'vertical' ? 'circle' : 'square', dash: 'solid' };
}

const spread = ({ mean, deviation }: Spread, scale: number, digits: number): string =>
  `${(scale * mean).toFixed(digits)}${deviation > 0 ? ` ± ${(scale * deviation).toFixed(digits)}` : ''}`;

/** KL falls and neighbours become right on the way. */
export function mapProgressFigure(m: MapQualityMeasurement): Figure {
  const x = [...m.iterations];
  const data = m.rows.flatMap(({ encoder, start, klDivergence, keyAccuracy, embeddingAccuracy }): Trace[] => {
    const { color, symbol } = look(encoder);
    const line = (panel: number, values: readonly Spread[], scale: number): Trace =>
      ({
        type: 'scatter',
        mode: 'lines+markers',
        name: `${encoder.label}, ${start === 'pca' ? 'PCA' : 'random'} start`,
        legendgroup: `${encoder.id}-${start}`,
        showlegend: panel === 0,
        x,
        y: values.map(({ mean }) => scale * mean),
        error_y: {
          type: 'data',
          array: values.map(({ deviation }) => scale * deviation),
          thickness: 1.2,
          width: 3,
          visible: values.some(({ deviation }) => deviation > 0),
        },
        line: { color, dash: start === 'pca' ? 'solid' : 'dot' },
        marker: { symbol: start === 'pca' ? symbol : `${symbol}-open`, size: 6, color },
        ...onPanel(panel),
      }) as unknown as Trace;
    const level: Trace[] =
      start === 'pca'
        ? [
            {
              type: 'scatter',
              mode: 'lines',
              name: `among the embeddings, ${encoder.label}`,
              showlegend: false,
              hoverinfo: 'name',
              x: [x[0], x[x.length - 1]],
              y: [100 * embeddingAccuracy, 100 * embeddingAccuracy],
              line: { color, width: 1, dash: 'dash' },
              ...onPanel(1),
            } as unknown as Trace,
          ]
        : [];
    return [line(0, klDivergence, 1), line(1, keyAccuracy, 100), ...level];
  });
  const repeated = m.rows.find(({ seeds }) => seeds > 1);
  return figure(
    'map-progress',
    m,
    `Left: KL(P || Q) of the map, right: share of clips whose key is that of most of the ${m.k} nearest clips of other tracks on the map, against iterations; up to 250 the attraction is exaggerated. ${repeated ? `Random starts: mean and standard deviation over ${repeated.seeds} seeds. ` : ''}Thin dashed lines: the same share among the embeddings themselves. ${m.nClips} clips of ${m.nTracks} tracks, perplexity ${m.perplexity}.`,
    data,
    layout('From the start to the map', 420, {
      xaxis: axis('iteration', { domain: [0, 0.46], anchor: 'y' }),
      xaxis2: axis('iteration', { domain: [0.56, 1], anchor: 'y2' }),
      yaxis: axis('KL divergence (nats)', { anchor: 'x', rangemode: 'tozero' }),
      yaxis2: axis('key of the neighbours right (%)', { anchor: 'x2', rangemode: 'tozero' }),
      legend: { orientation: 'h', x: 0, y: -0.24, yanchor: 'top' },
    } as Partial<Layout>),
  );
}

/** The finished maps in numbers. */
export function mapQualityTable(m: MapQualityMeasurement): Table {
  const end = m.iterations.length - 1;
  return table(
    'map-quality',
    m,
    `Maps of ${m.nClips} clips, perplexity ${m.perplexity}; ± is the standard deviation over seeds. Key: share of clips (in points of 100) whose key is that of most of the ${m.k} nearest clips of other tracks, among the embeddings, at the start of the map and at its end. Trustworthiness and kept neighbours compare the map with the embeddings it was made of (k = ${m.k}).`,
    ['encoder', 'start', 'seeds', 'KL (nats)', 'key, embeddings', 'key, start', 'key, end', 'trustworthiness', 'neighbours kept (%)'], // prettier-ignore
    m.rows.map((row) => [
      row.encoder.label,
      row.start === 'pca' ? 'PCA' : 'random',
      row.seeds,
      spread(row.klDivergence[end], 1, 3),
      points(row.embeddingAccuracy),
      spread(row.keyAccuracy[0], 100, 1),
      spread(row.keyAccuracy[end], 100, 1),
      spread(row.trustworthiness, 1, 3),
      spread(row.preservation, 100, 1),
    ]),
  );
}

type Measure = 'ratio' | 'rankFirst';
type Space = 'embedding' | 'map';

const TEXT = {
  ratio: {
    id: 'copy-distances',
    axis: 'relative distance',
    title: 'How far copies are from their originals',
    says: 'Distance of a copy to its original over the mean distance of the original to clips of other tracks: 0 is the same point, 1 as far as anything else. Dotted: other clips of the same track',
    scale: 1,
  },
  rankFirst: {
    id: 'copy-ranks',
    axis: 'original is nearest (%)',
    title: 'Does a copy find its original?',
    says: 'Share of copies to which no other clean clip is nearer than their own original',
    scale: 100,
  },
} as const;

/** Axes whose strengths are ratios of each other. */
const LOGARITHMIC = ['lowPass', 'highPass', 'bandStop', 'reverb', 'mp3', 'opus', 'compression', 'clipping'];
/** From gentle to strong, left to right: these get weaker as the number rises. */
const REVERSED = ['whiteNoise', 'pinkNoise', 'lowPass', 'mp3', 'opus'];

/** Small multiples against strength, one panel an augmentation. */
export function copyCurvesFigure(m: CopyDistanceMeasurement, space: Space, measure: Measure): Figure {
  const { id, axis: title, title: heading, says, scale } = TEXT[measure];
  const augmentations = [
    ...new Set(m.kinds.filter(({ strength }) => strength !== null).map((kind) => kind.augmentation)),
  ];
  const nColumns = 4;
  const nRows = Math.ceil(augmentations.length / nColumns);
  const rowHeight = 1 / nRows;
  const data: Trace[] = [];
  const annotations: Annotation[] = [];
  const axes: Axes = {};
  const most = Math.max(...m.encoders.flatMap((one) => one[space].map((values) => values[measure].high)));
  augmentations.forEach((augmentation, panel) => {
    const kinds = m.kinds
      .map((kind, at) => ({ ...kind, at }))
      .filter((kind) => kind.augmentation === augmentation)
      .sort((a, b) => a.strength! - b.strength!);
    const [row, column] = [Math.floor(panel / nColumns), panel % nColumns];
    const left = column * 0.255;
    const top = 1 - row * rowHeight;
    const reversed = REVERSED.includes(augmentation);
    const isLog = LOGARITHMIC.includes(augmentation) && kinds.every(({ strength }) => strength! > 0);
    const strengthTitle = shortTitle(kinds[0].axisLabel);
    axes[`xaxis${suffixOf(panel)}`] = axis(strengthTitle, {
      domain: [left, left + 0.225],
      anchor: `y${suffixOf(panel)}` as 'y',
      type: isLog ? 'log' : 'linear',
      ...(reversed ? { autorange: 'reversed' as const } : {}),
      nticks: 5,
      title: { text: strengthTitle, standoff: 4, font: { size: 11 } },
      tickfont: { size: 10 },
      ...(kinds.length <= 6 ? { tickvals: kinds.map(({ strength }) => strength!), ticktext: kinds.map(({ strength }) => tick(strength!)), tickangle: 0 } : {}), // prettier-ignore
    });
    axes[`yaxis${suffixOf(panel)}`] = axis(column === 0 ? title : '', {
      domain: [top - rowHeight + 0.085, top - 0.03],
      anchor: `x${suffixOf(panel)}` as 'x',
      range: measure === 'rankFirst' ? [-5, 105] : [0, Math.max(1.2, 1.05 * most)],
      showticklabels: column === 0,
      title: { text: column === 0 ? title : '', standoff: 4, font: { size: 11 } },
      tickfont: { size: 10 },
    });
    annotations.push(panelTitle(kinds[0].label, left, top - 0.028));
    m.encoders.forEach((one) => {
      const { color, symbol, dash } = look(one.encoder);
      const values = kinds.map(({ at }) => one[space][at][measure]);
      const x = kinds.map(({ strength }) => strength!);
      data.push({
        type: 'scatter',
        mode: 'lines+markers',
        name: one.encoder.label,
        legendgroup: one.encoder.id,
        showlegend: panel === 0,
        x,
        y: values.map(({ estimate }) => scale * estimate),
        error_y: { ...errorBars(values, scale), thickness: 1, width: 2 },
        line: { color, dash, width: 1.6 },
        marker: { color, symbol, size: 5 },
        ...onPanel(panel),
      } as unknown as Trace);
      const level = one.sameTrack[space];
      if (measure === 'ratio' && level)
        data.push({
          type: 'scatter',
          mode: 'lines',
          name: `other clips of the track, ${one.encoder.label}`,
          showlegend: false,
          hoverinfo: 'name',
          x: [x[0], x[x.length - 1]],
          y: [level.estimate, level.estimate],
          line: { color, dash: 'dot', width: 1 },
          ...onPanel(panel),
        } as unknown as Trace);
    });
  });
  return figure(
    `${id}${space === 'map' ? '-map' : ''}`,
    m,
    `${says}, ${spaceText(m, space)}. ${m.nClips} clips of ${m.nTracks} test tracks among ${m.nCandidates} clean clips; bars: 95 % bootstrap over tracks. Stronger to the right where the axis has one direction.`,
    data,
    layout(`${heading} (${space === 'map' ? 'on the map' : 'among the embeddings'})`, 110 + 205 * nRows, {
      ...axes,
      annotations: annotations as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.03, yanchor: 'top' },
      margin: { l: 56, r: 12, t: 48, b: 40 },
    } as Partial<Layout>),
  );
}

const spaceText = ({ seeds, mapSeeds }: { seeds: number; mapSeeds: number }, space: Space): string =>
  space === 'map'
    ? `on the map (mean over ${mapSeeds} random start${mapSeeds === 1 ? '' : 's'})`
    : `among the embeddings (${seeds} seed${seeds === 1 ? '' : 's'} of pretraining)`;

/** An axis label that fits under a narrow panel: of a long one the unit alone, since the panel's title names the rest. */
const shortTitle = (label: string): string => (label.length > 31 ? (/\(([^()]*)\)$/.exec(label)?.[1] ?? label) : label);

const tick = (strength: number): string =>
  Math.abs(strength) >= 1000 ? `${strength / 1000}k` : String(strength).replace('-', '−');

/** Means over all augmentations that keep the key, encoder against encoder on the same tracks. */
export function copyDifferenceTable(m: CopyDistanceMeasurement): Table {
  return table(
    'copy-differences',
    m,
    `The base encoder against the others, on the same ${m.nTracks} tracks: means over all single augmentations and strengths that keep the key. Distance: of a copy to its original over that to other tracks, times 100 (lower is nearer). First: share of copies whose original is their nearest clean clip, in points of 100. Differences with 95 % paired bootstrap intervals over tracks.`,
    ['a', 'b', 'space', 'measure', 'a: mean', 'b: mean', 'a − b', 'p'],
    m.differences.map((row) => [
      row.a.label,
      row.b.label,
      row.space === 'map' ? 'map' : 'embeddings',
      row.measure === 'ratio' ? 'distance' : 'first',
      points(row.meanA),
      points(row.meanB),
      signedInterval(row.difference),
      probability(row.p),
    ]),
  );
}

/** Every kind of copy with its rank, for reading off. */
export function copyRankTable(m: CopyDistanceMeasurement): Table {
  const cell = ({ rankFirst, medianRank }: CopyDistances): string => `${points(rankFirst.estimate)} (${medianRank})`;
  return table(
    'copy-rank-table',
    m,
    `Share of copies (in points of 100) whose original is the nearest of ${m.nCandidates} clean clips, and in brackets the median number of clips that are nearer.`,
    ['copy', ...m.encoders.flatMap(({ encoder }) => [`${encoder.label}, embeddings`, `${encoder.label}, map`])],
    m.kinds.map((kind, at) => [
      kind.chain,
      ...m.encoders.flatMap((one) => [cell(one.embedding[at]), cell(one.map[at])]),
    ]),
  );
}

/** Neighbours of pitch-shifted copies: own key against the key that the shift makes. */
export function pitchNeighboursFigure(m: PitchNeighbourMeasurement): Figure {
  const width = (1 - 0.06 * (m.encoders.length - 1)) / m.encoders.length;
  const axes: Axes = {};
  const annotations: Annotation[] = [];
  const data: Trace[] = [];
  const x = [...m.semitones];
  const most = Math.max(...m.encoders.flatMap((one) => [...one.embedding, ...one.map].flatMap(({ own, moved }) => [own.high, moved.high]))); // prettier-ignore
  (['embedding', 'map'] as const).forEach((space, row) =>
    m.encoders.forEach((one, column) => {
      const panel = row * m.encoders.length + column;
      const left = column * (width + 0.06);
      const [bottom, top] = row === 0 ? [0.57, 0.95] : [0.06, 0.44];
      axes[`xaxis${suffixOf(panel)}`] = axis(row === 1 ? 'pitch shift (semitones)' : '', {
        domain: [left, left + width],
        anchor: `y${suffixOf(panel)}` as 'y',
        dtick: 2,
      });
      axes[`yaxis${suffixOf(panel)}`] = axis(
        column === 0 ? `${space === 'map' ? 'on the map' : 'embeddings'} (%)` : '',
        {
          domain: [bottom, top],
          anchor: `x${suffixOf(panel)}` as 'x',
          range: [0, 105 * most],
          showticklabels: column === 0,
        },
      );
      annotations.push(panelTitle(one.encoder.label, left, top + 0.01));
      const line = (name: string, which: 'own' | 'moved', color: string, symbol: string, dash: Dash): Trace =>
        ({
          type: 'scatter',
          mode: 'lines+markers',
          name,
          legendgroup: which,
          showlegend: panel === 0,
          x,
          y: one[space].map((shares) => 100 * shares[which].estimate),
          error_y: errorBars(one[space].map((shares) => shares[which]), 100), // prettier-ignore
          line: { color, dash },
          marker: { symbol, size: 7, color },
          ...onPanel(panel),
        }) as unknown as Trace;
      data.push(
        line('the key that the shift makes', 'moved', PALETTE.blue, 'circle', 'solid'),
        line('the original’s key', 'own', PALETTE.orange, 'square-open', 'dash'),
        {
          type: 'scatter',
          mode: 'lines',
          name: 'blind guess',
          showlegend: panel === 0,
          legendgroup: 'chance',
          hoverinfo: 'name',
          x: [x[0], x[x.length - 1]],
          y: [100 * m.chance, 100 * m.chance],
          line: { color: PALETTE.grey, dash: 'dot', width: 1.2 },
          ...onPanel(panel),
        } as unknown as Trace,
      );
    }),
  );
  return figure(
    'pitch-neighbours',
    m,
    `Clips of ${m.nTracks} test tracks, shifted in pitch: share of the ${m.k} nearest clean clips of other tracks that are in the key of the original and in the key that the shift moves it to. At 0 (the clean clip) the two are the same. Embeddings of ${m.seeds} seed${m.seeds === 1 ? '' : 's'} of pretraining; maps from ${m.mapSeeds} random start${m.mapSeeds === 1 ? '' : 's'}; bars: 95 % bootstrap over tracks.`,
    data,
    layout('Pitch shift, the control that must move', 600, {
      ...axes,
      annotations: annotations as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.08, yanchor: 'top' },
    } as Partial<Layout>),
  );
}

/** Two implementations by the same measures. */
export function tsneJsTable(m: TsneJsMeasurement): Table {
  return table(
    'tsne-js-table',
    m,
    `t-SNE of ${m.nClips} clips, one a test track (${m.encoder.label}), by this library and by tsne-js 1.0.3; ± is the standard deviation over seeds. KL of every map by the same function and affinities. Key: share of clips whose key is that of most of the nearest clips of other tracks (among the embeddings: ${points(m.embeddingAccuracy)}); trustworthiness and kept neighbours for k = ${m.k}.`,
    ['program', 'start', 'seeds', 'KL (nats)', 'key', 'trustworthiness', 'neighbours kept (%)'],
    m.rows.map((row) => [
      row.program,
      row.start === 'pca' ? 'PCA' : 'random',
      row.seeds,
      spread(row.klDivergence, 1, 3),
      spread(row.keyAccuracy, 100, 1),
      spread(row.trustworthiness, 1, 3),
      spread(row.preservation, 100, 1),
    ]),
  );
}
