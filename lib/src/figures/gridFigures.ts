/** Figures and tables of notebook 04: the grids of probes. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout, LayoutAxis } from 'plotly.js';
import type { GridMeasurement, GridResult, GridRunRow, GridSplit } from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import { axis, figure, HEAT, interval, layout, PALETTE, panelTitle, points, signedInterval, table } from './style.js';

type Trace = Figure['data'][number];

/** Both grids of one preset. */
export interface Grids {
  readonly architectures: GridMeasurement;
  readonly trainings: GridMeasurement;
}

const PANELS = ['architectures', 'trainings'] as const;
const SPLIT_COLOUR = { test: PALETTE.blue, testTimbre: PALETTE.orange } as const;
const SPLIT_SYMBOL = { test: 'circle', testTimbre: 'square' } as const;

/** `28 of 28 architectures`. */
const sizeOf = (m: GridMeasurement): string => `${m.runs.length} of ${m.wholeSize} ${m.grid}`;

/** Validation against test score of every run, one panel a grid; who is chosen by validation, and who by test. */
export function gridChoiceFigure(m: Grids): Figure {
  const scores = PANELS.flatMap((grid) => m[grid].runs.flatMap((run) => [run.valid, run.test, run.testTimbre]));
  const claims = PANELS.flatMap((grid) => m[grid].splits.map((one) => one.asPublished.weightedBothFifths.estimate));
  const range = [100 * Math.min(...scores) - 2, 100 * Math.max(...scores, ...claims) + 2];
  const data = PANELS.flatMap((grid, panel) => choicePanel(m[grid], panel, range));
  const { architectures: a, trainings: t } = m;
  const correlations = PANELS.map(
    (grid) => `${grid}: ${m[grid].splits.map((one) => `${SPLIT_LABEL[one.split]} ${correlation(one)}`).join(', ')}`,
  ).join('; ');
  return figure(
    'grid-choice',
    a,
    `Every run of the two grids (${sizeOf(a)}, ${sizeOf(t)}, ${a.epochs} epochs, ${a.encoder.label}): MIREX weighted, both fifths, on validation (n = ${a.validTracks}) against test (n = ${a.splits[0].n}) and unseen timbre (n = ${a.splits[1].n}), each run at the epoch that validation chose. Ring: the run that validation chooses. Triangle: what choosing run and epoch by that very split claims. Dotted: equal scores. Spearman’s rank correlation [95 %, runs resampled]: ${correlations}.`,
    data,
    layout('How noisy is the choice?', 470, {
      margin: { l: 64, r: 16, t: 72, b: 116 },
      xaxis: axis('validation score (points)', { domain: [0, 0.47], range }),
      xaxis2: axis('validation score (points)', { domain: [0.53, 1], range, anchor: 'y2' }),
      yaxis: axis('test score (points)', { range }),
      yaxis2: axis('', { range, anchor: 'x2', matches: 'y' }),
      legend: { orientation: 'h', x: 0, y: -0.2, yanchor: 'top' },
      annotations: [panelTitle(sizeOf(a), 0, 1.01), panelTitle(sizeOf(t), 0.53, 1.01)] as Layout['annotations'],
    }),
  );
}

function correlation({ rankCorrelation: r }: GridSplit): string {
  return r === null ? 'none' : `${r.estimate.toFixed(2)} [${r.low.toFixed(2)}, ${r.high.toFixed(2)}]`;
}

function choicePanel(m: GridMeasurement, panel: number, range: readonly number[]): Trace[] {
  const axes = panel === 0 ? { xaxis: 'x', yaxis: 'y' } : { xaxis: 'x2', yaxis: 'y2' };
  const inLegend = panel === 0;
  const identity = {
    type: 'scatter',
    mode: 'lines',
    x: [...range],
    y: [...range],
    line: { color: PALETTE.grey, width: 1, dash: 'dot' },
    hoverinfo: 'skip',
    showlegend: false,
    ...axes,
  };
  const chosen = m.runs.find(({ name }) => name === m.chosen)!;
  const traces = SPLITS.flatMap((split) => {
    const color = SPLIT_COLOUR[split];
    const { asPublished } = m.splits.find((one) => one.split === split)!;
    const claimed = m.runs.find(({ name }) => name === asPublished.run)!;
    const dots = {
      mode: 'markers',
      name: SPLIT_LABEL[split],
      x: m.runs.map((run) => 100 * run.valid),
      y: m.runs.map((run) => 100 * run[split]),
      text: m.runs.map((run) => `${run.name}, epoch ${run.epoch + 1}`),
      hovertemplate: '%{text}: validation %{x:.1f}, test %{y:.1f}<extra></extra>',
      marker: { size: 7, color, symbol: SPLIT_SYMBOL[split], opacity: 0.55 },
    };
    const mark = (name: string, run: GridRunRow, score: number, marker: object): object => ({
      mode: 'markers',
      name,
      x: [100 * run.valid],
      y: [100 * score],
      text: [run.name],
      hovertemplate: `%{text}: ${name} %{y:.1f}<extra></extra>`,
      marker,
    });
    return [
      dots,
      mark(`${SPLIT_LABEL[split]}, chosen by validation`, chosen, chosen[split], {
        size: 17,
        color,
        symbol: 'circle-open',
        line: { width: 2.5 },
      }),
      mark(`${SPLIT_LABEL[split]}, claimed by choosing by it`, claimed, asPublished.weightedBothFifths.estimate, {
        size: 13,
        color,
        symbol: 'triangle-up',
        line: { width: 1.5, color: '#000000' },
      }),
    ].map((trace) => ({ type: 'scatter', showlegend: inLegend, ...trace, ...axes }));
  });
  return [identity, ...traces] as unknown as Trace[];
}

/** The widths of the runs with so many layers, ascending. */
function widthsOf({ runs }: GridMeasurement, layers: number): number[] {
  const widths = runs.filter((run) => run.layers === layers).map(({ width }) => width);
  return [...new Set(widths)].sort((a, b) => a - b);
}

/** An axis whose places 0, 1, 2, ... have these names. */
function ticksOf(names: readonly number[]): Partial<LayoutAxis> {
  return { tickvals: names.map((_, i) => i), ticktext: names.map(String), showgrid: false };
}

/** Validation score by width and dropout, one panel for one hidden layer and one for two. */
export function gridHeatFigure(m: GridMeasurement): Figure {
  const dropouts = [...new Set(m.runs.map(({ dropout }) => dropout))].sort((a, b) => a - b);
  const scores = m.runs.map(({ valid }) => 100 * valid);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const data: Trace[] = [];
  const annotations: object[] = [];
  [1, 2].forEach((layers, panel) => {
    const suffix = panel === 0 ? '' : '2';
    const own = widthsOf(m, layers);
    const at = (width: number, dropout: number): GridRunRow | undefined =>
      m.runs.find((run) => run.layers === layers && run.width === width && run.dropout === dropout);
    data.push({
      type: 'heatmap',
      x: own.map((_, i) => i),
      y: dropouts.map((_, i) => i),
      text: dropouts.map((dropout) => own.map((width) => `width ${width}, dropout ${dropout}`)),
      z: dropouts.map((dropout) =>
        own.map((width) => {
          const run = at(width, dropout);
          return run ? 100 * run.valid : null;
        }),
      ),
      zmin: low,
      zmax: high,
      colorscale: HEAT,
      showscale: panel === 0,
      colorbar: { title: { text: 'points', side: 'top' }, thickness: 14, len: 0.9 },
      xgap: 2,
      ygap: 2,
      hovertemplate: '%{text}: %{z:.1f}<extra></extra>',
      xaxis: `x${suffix}`,
      yaxis: `y${suffix}`,
    } as unknown as Trace);
    for (const width of own)
      for (const dropout of dropouts) {
        const run = at(width, dropout);
        if (!run) continue;
        // The colour map goes from dark to light.
        const isDark = 100 * run.valid < (low + high) / 2;
        const score = points(run.valid);
        annotations.push({
          text: run.name === m.chosen ? `<b>[ ${score} ]</b>` : score,
          x: own.indexOf(width),
          y: dropouts.indexOf(dropout),
          xref: `x${suffix}`,
          yref: `y${suffix}`,
          showarrow: false,
          font: { size: 12, color: isDark ? '#FFFFFF' : '#000000' },
        });
      }
  });
  return figure(
    'grid-heat',
    m,
    `Validation score (MIREX weighted, both fifths, n = ${m.validTracks}) by width and dropout: ${sizeOf(m)}, ${m.epochs} epochs, ${m.encoder.label}. In brackets: the run that validation chooses. Two layers have the same width twice.`,
    data,
    layout('Width and dropout', 340, {
      margin: { l: 64, r: 24, t: 72, b: 60 },
      xaxis: axis('width of the hidden layer', { ...ticksOf(widthsOf(m, 1)), domain: [0, 0.52] }),
      xaxis2: axis('width of both layers', { ...ticksOf(widthsOf(m, 2)), domain: [0.6, 1], anchor: 'y2' }),
      yaxis: axis('dropout', ticksOf(dropouts)),
      yaxis2: axis('', { ...ticksOf(dropouts), anchor: 'x2' }),
      annotations: [
        panelTitle('one hidden layer', 0, 1.02),
        panelTitle('two hidden layers', 0.6, 1.02),
        ...annotations,
      ] as Layout['annotations'],
    }),
  );
}

/** The chosen run of each grid by both protocols, side by side. */
export function gridTable(m: Grids): Table {
  const cells = ({ run, epoch, weighted, weightedBothFifths, accuracy }: GridResult): (string | number)[] => [
    run,
    epoch + 1,
    interval(weightedBothFifths),
    interval(weighted),
    interval(accuracy),
  ];
  return table(
    'grid-table',
    m.architectures,
    `What each grid reports: configuration and epoch chosen on validation and test read once, or (as published) both chosen by the split that is reported; the last column is the difference on the same tracks, both fifths, in points. ${sizeOf(m.architectures)}, ${sizeOf(m.trainings)}, ${m.architectures.epochs} epochs.`,
    ['grid', 'split', 'n', 'protocol', 'run', 'epoch', 'weighted, both fifths', 'weighted', 'exact', 'as published − corrected'], // prettier-ignore
    PANELS.flatMap((grid) =>
      m[grid].splits.flatMap((one) => [
        [grid, SPLIT_LABEL[one.split], one.n, 'corrected', ...cells(one.corrected), '–'],
        [
          grid,
          SPLIT_LABEL[one.split],
          one.n,
          'as published',
          ...cells(one.asPublished),
          signedInterval(one.difference),
        ],
      ]),
    ),
  );
}

/** How much the choice hangs on which tracks validation happens to have. */
export function gridNoiseTable(m: Grids): Table {
  return table(
    'grid-noise',
    m.architectures,
    'How noisy the choice is. Rank correlation: Spearman’s between validation and test scores of all runs, interval over resampled runs. Same choice: share of resamples of the validation tracks that choose the same run. Reported: test score of what they choose, central 95 %. Half of test: choosing by a random half of the test tracks instead of by validation, gain on that half and on the other, points. All with both fifths.',
    ['grid', 'split', 'runs', 'rank correlation', 'same choice (%)', 'runs ever chosen', 'reported', 'gain on the half chosen by', 'gain on the other half'], // prettier-ignore
    PANELS.flatMap((grid) =>
      m[grid].splits.map((one) => [
        grid,
        SPLIT_LABEL[one.split],
        m[grid].runs.length,
        correlation(one),
        points(m[grid].sameChoice),
        m[grid].chosenEver,
        interval(one.reselected),
        signed(one.halves.seen),
        signed(one.halves.unseen),
      ]),
    ),
  );
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`;

/** Mean scores of the runs that share a value of a field: which knobs of training matter. */
export function gridFieldsTable(m: GridMeasurement): Table {
  const fields: readonly [string, (run: GridRunRow) => string | number][] = [
    ['batch size', (run) => run.batchSize],
    ['learning rate', (run) => run.learningRate],
    ['weight decay', (run) => run.weightDecay],
    ['MixUp', (run) => (run.isMixed ? 'Beta(2, 5)' : 'none')],
  ];
  const mean = (runs: readonly GridRunRow[], of: (run: GridRunRow) => number): string =>
    points(runs.reduce((sum, run) => sum + of(run), 0) / runs.length);
  return table(
    'grid-fields',
    m,
    `Mean score (both fifths) of all runs with one value of a field, over every value of the others: ${sizeOf(m)}, head 2048-d0.75, ${m.epochs} epochs.`,
    ['field', 'value', 'runs', 'validation', 'test', 'unseen timbre'],
    fields.flatMap(([field, of]) =>
      [...new Set(m.runs.map(of))].map((value) => {
        const own = m.runs.filter((run) => of(run) === value);
        return [
          field,
          value,
          own.length,
          mean(own, (run) => run.valid),
          mean(own, (run) => run.test),
          mean(own, (run) => run.testTimbre),
        ];
      }),
    ),
  );
}
