/** Figures of notebook 08: score against strength. Pure: measurements in, Plotly JSON and rows out. */
import type { Layout } from 'plotly.js';
import type {
  RobustnessMeasurement,
  RobustnessPair,
  RobustnessSystem,
  StrengthAxis,
  TestSplit,
} from '../experiments/index.js';
import { SPLIT_LABEL, SPLITS } from './comparisonFigures.js';
import type { Figure } from './figure.js';
import { panelGrid } from './panels.js';
import { COLOUR, PALETTE, axis, errorBars, figure, interval, intervalBand, layout, panelTitle } from './style.js';

type Trace = Figure['data'][number];

/** What is drawn of a system: one colour an encoder, one symbol and dash a method or origin. */
export interface SystemStyle {
  readonly color: string;
  readonly dash: 'solid' | 'dash' | 'dot' | 'dashdot';
  readonly symbol: string;
}

/** The same in every figure of the notebook. */
export function systemStyle({
  family,
  method,
  patches,
}: Pick<RobustnessSystem, 'family' | 'method' | 'patches'>): SystemStyle {
  if (family === 'template') return { color: COLOUR.template, dash: 'dashdot', symbol: 'square' };
  const mlp = method === 'mlp';
  if (family === 'random')
    return { color: COLOUR.random, dash: mlp ? 'dash' : 'dot', symbol: mlp ? 'diamond-open' : 'x' };
  const color = mlp && patches === 'vertical' ? COLOUR.spectrum : COLOUR[patches ?? 'vertical'];
  return {
    color,
    dash: mlp ? 'dash' : 'solid',
    symbol: mlp ? 'diamond' : patches === 'square' ? 'triangle-up' : 'circle',
  };
}

const SMALL = { size: 10 };

/** Pixels of a panel's axis and of a digit on it, about: what decides which labels have room. */
const PANEL_WIDTH = 205;
const DIGIT = 6;

/** Strengths as tick labels where they lie, the clean audio first; labels without room are left out. */
function strengthTicks({ strengths, positions, clean, scale, id }: StrengthAxis): Partial<Layout['xaxis']> {
  const neutral = scale === 'log' ? 2 ** clean.position : clean.position;
  const cleanText = clean.isNeutral && id !== 'lowPass' ? String(Number(neutral.toPrecision(3))) : 'clean';
  const all = [clean.position, ...positions];
  const span = Math.max(...all) - Math.min(...all);
  const range = [Math.min(...all) - 0.06 * span, Math.max(...all) + 0.06 * span];
  const ticks = [{ at: clean.position, text: cleanText }];
  strengths.forEach((strength, j) => {
    const tick = { at: positions[j], text: String(strength).replace('-', '−') };
    const hasRoom = ticks.every(({ at, text }) => {
      const pixels = (Math.abs(at - tick.at) / (range[1] - range[0])) * PANEL_WIDTH;
      return pixels >= ((text.length + tick.text.length) * DIGIT) / 2 + 3;
    });
    if (hasRoom) ticks.push(tick);
  });
  return {
    tickvals: ticks.map(({ at }) => at),
    ticktext: ticks.map(({ text }) => text),
    tickfont: SMALL,
    range,
    tickangle: 0,
    showgrid: false,
  };
}

/** Score against strength, one panel an augmentation, the drawn systems with 95 % bands. */
export function robustnessFigure(m: RobustnessMeasurement, split: TestSplit): Figure {
  const id = split === 'test' ? 'robustness' : 'robustness-timbre';
  const systems = m.systems.filter(({ isDrawn }) => isDrawn);
  const grid = panelGrid(
    m.axes.map((one, i) => ({
      title: one.name,
      x: { title: { text: one.axisLabel, font: { size: 11 }, standoff: 4 }, ...strengthTicks(one) },
      y: { range: [-2, 102], tickvals: [0, 25, 50, 75, 100], tickfont: SMALL, ...(i % 3 === 0 && { title: { text: 'score (points)', font: { size: 11 } } }) }, // prettier-ignore
    })),
    3,
    { gaps: [0.055, 0.052] },
  );
  const data: Trace[] = [];
  m.axes.forEach((one, panel) => {
    const { xaxis, yaxis } = grid.of(panel);
    data.push(line(one.clean.position, one.clean.position, 0, 100, xaxis, yaxis), chanceLine(m, one, xaxis, yaxis));
    for (const system of systems) {
      const curve = m.curves.find((c) => c.system === system.id && c.split === split && c.augmentation === one.id);
      const clean = m.clean.find((c) => c.system === system.id && c.split === split);
      if (!curve || !clean) continue;
      const { color, dash, symbol } = systemStyle(system);
      const all = [
        { x: one.clean.position, score: clean.weighted },
        ...one.positions.map((x, j) => ({ x, score: curve.weighted[j] })),
      ].sort((a, b) => a.x - b.x);
      const common = { xaxis, yaxis, legendgroup: system.id, type: 'scatter' };
      data.push(
        intervalBand(
          common,
          all.map(({ x }) => x),
          all.map(({ score }) => score),
          color,
        ),
        {
          ...common,
          mode: 'lines+markers',
          name: system.label,
          showlegend: panel === 0,
          x: all.map(({ x }) => x),
          y: all.map(({ score }) => 100 * score.estimate),
          line: { color, dash, width: 1.6 },
          marker: { color, symbol, size: 5 },
          text: all.map(({ score }) => `${system.label}: ${interval(score)}`),
          hoverinfo: 'text',
        } as unknown as Trace,
      );
    }
  });
  return figure(
    id,
    m,
    `MIREX weighted score (fifth above only) against the strength of each augmentation on the ${SPLIT_LABEL[split]} split: ${m.nTracks[split]} tracks, the first ${m.clips * 6.25} s of each${seedsText(systems)}. Shaded: 95 % bootstrap over tracks. Vertical line: the clean audio; horizontal line: a key drawn blindly. Harsher lies to the right, or on both sides. Under pitch shift the reference key moves along.`,
    data,
    layout(`How much does the key detector bear? (${SPLIT_LABEL[split]})`, 1240, {
      ...grid.axes,
      annotations: grid.titles,
      margin: { l: 58, r: 14, t: 62, b: 56 },
      legend: { orientation: 'v', x: 0.4, y: 0.1, yanchor: 'top', xanchor: 'left' },
    }),
  );
}

function line(x0: number, x1: number, y0: number, y1: number, xaxis: string, yaxis: string): Trace {
  const trace = { type: 'scatter', mode: 'lines', x: [x0, x1], y: [y0, y1], xaxis, yaxis, showlegend: false, hoverinfo: 'skip', line: { color: '#BBBBBB', width: 1 } }; // prettier-ignore
  return trace as unknown as Trace;
}

function chanceLine({ chance }: RobustnessMeasurement, one: StrengthAxis, xaxis: string, yaxis: string): Trace {
  const all = [one.clean.position, ...one.positions];
  const trace = line(Math.min(...all), Math.max(...all), 100 * chance, 100 * chance, xaxis, yaxis);
  return { ...trace, line: { color: '#CC9999', width: 1 } } as Trace;
}

function seedsText(systems: readonly RobustnessSystem[]): string {
  const most = Math.max(...systems.map(({ seeds }) => seeds));
  return most > 1 ? `; means over ${most} pretraining seeds` : '';
}

/** What each system keeps of its score above chance, over all strengths of each augmentation. */
export function robustnessSummaryFigure(m: RobustnessMeasurement): Figure {
  const systems = m.systems.filter(({ isDrawn }) => isDrawn);
  const names = m.axes.map(({ name }) => name);
  const place = (augmentation: string): number => m.axes.length - 1 - m.axes.findIndex(({ id }) => id === augmentation);
  const data = SPLITS.flatMap((split, panel) =>
    systems.map((system, i): Trace => {
      const own = m.summaries.filter((s) => s.system === system.id && s.split === split && s.retained !== null);
      const { color, symbol } = systemStyle(system);
      const kept = own.map(({ retained }) => retained!);
      return {
        type: 'scatter',
        mode: 'markers',
        name: system.label,
        legendgroup: system.id,
        showlegend: panel === 0,
        x: kept.map(({ estimate }) => 100 * estimate),
        y: own.map(({ augmentation }) => place(augmentation) + 0.3 - (0.6 * i) / Math.max(1, systems.length - 1)),
        error_x: { ...errorBars(kept, 100), color, width: 0 },
        marker: { color, symbol, size: 7 },
        text: own.map(({ augmentation, retained }) => `${augmentation}, ${system.label}: ${interval(retained!)} %`),
        hoverinfo: 'text',
        xaxis: panel === 0 ? 'x' : 'x2',
        yaxis: 'y',
      } as unknown as Trace;
    }),
  );
  const x = { range: [-20, 135], tickvals: [0, 25, 50, 75, 100], zeroline: true, zerolinecolor: '#999999' };
  return figure(
    'robustness-summary',
    m,
    'What is left of the score above chance, (mean over the strengths − chance) / (clean − chance), with 95 % bootstrap intervals over tracks. 100 = nothing lost; 0 = a key drawn blindly. A system whose clean score is not safely above chance has no dot. Long bars are cut.',
    data,
    layout('What is kept, over all strengths', 170 + 44 * names.length, {
      margin: { l: 150, r: 16, t: 66, b: 60 },
      xaxis: axis('kept (% of the score above chance)', { ...x, domain: [0, 0.48], anchor: 'y' }),
      xaxis2: axis('kept (% of the score above chance)', { ...x, domain: [0.52, 1], anchor: 'y' }),
      yaxis: axis('', { tickvals: names.map((_, i) => m.axes.length - 1 - i), ticktext: names, range: [-0.6, names.length - 0.4], automargin: false, ticks: '', showgrid: false }), // prettier-ignore
      annotations: [
        panelTitle(`test (n = ${m.nTracks.test})`, 0, 1.003),
        panelTitle(`unseen timbre (n = ${m.nTracks.testTimbre})`, 0.52, 1.003),
      ] as Layout['annotations'],
      shapes: names.slice(1).map((_, i) => ({ type: 'line', xref: 'paper', x0: 0, x1: 1, y0: i + 0.5, y1: i + 0.5, line: { color: '#EEEEEE', width: 1 } })), // prettier-ignore
      legend: { orientation: 'h', x: -0.15, y: -70 / (44 * names.length), yanchor: 'top' },
    }),
  );
}

/** Two systems each: the difference of what they keep, one panel a question. */
export function robustnessPairsFigure(m: RobustnessMeasurement): Figure {
  const label = (id: string): string => m.systems.find((system) => system.id === id)?.label ?? id;
  const questions = [...new Map(m.pairs.map((pair) => [`${pair.a}/${pair.b}`, pair])).values()];
  const names = m.axes.map(({ name }) => name);
  const place = (augmentation: string): number => m.axes.length - 1 - m.axes.findIndex(({ id }) => id === augmentation);
  const grid = panelGrid(
    questions.map(({ a, b }, i) => ({
      title: `${label(a)} −<br>${label(b)}`,
      x: {
        title: { text: 'difference of the loss (points)', font: { size: 12 }, standoff: 6 },
        zeroline: true,
        zerolinecolor: '#555555',
      },
      y: {
        tickvals: names.map((_, k) => m.axes.length - 1 - k),
        ticktext: i % 2 === 0 ? names : names.map(() => ''),
        range: [-0.6, names.length - 0.4],
        ticks: '',
        automargin: false,
      },
    })),
    2,
    { gaps: [0.04, 0.16] },
  );
  const data = questions.flatMap((question, panel) =>
    SPLITS.map((split, i): Trace => {
      const own = m.pairs.filter(({ a, b, split: s }) => a === question.a && b === question.b && s === split);
      const color = i === 0 ? PALETTE.blue : PALETTE.orange;
      const isClear = (pair: RobustnessPair): boolean => pair.pHolm < 0.05;
      return {
        type: 'scatter',
        mode: 'markers',
        name: SPLIT_LABEL[split],
        legendgroup: split,
        showlegend: panel === 0,
        x: own.map(({ lossDifference }) => 100 * lossDifference.estimate),
        y: own.map(({ augmentation }) => place(augmentation) + (i === 0 ? 0.16 : -0.16)),
        error_x: { ...errorBars(own.map(({ lossDifference }) => lossDifference), 100), color, width: 0 }, // prettier-ignore
        marker: {
          size: 8,
          symbol: own.map((pair) => (isClear(pair) ? 'circle' : 'circle-open')),
          color,
          line: { width: 1.5, color },
        },
        ...grid.of(panel),
      } as unknown as Trace;
    }),
  );
  return figure(
    'robustness-pairs',
    m,
    'Points that the first system loses (clean score minus the mean over the strengths) less those that the second loses, on the same tracks, with 95 % paired bootstrap intervals. Left of 0: the first loses less. Filled: p < .05 after Holm’s correction over the augmentations and splits of a panel.',
    data,
    layout('Who loses less?', 1000, {
      ...grid.axes,
      annotations: grid.titles,
      margin: { l: 150, r: 16, t: 84, b: 56 },
      legend: { orientation: 'h', x: 0, y: -0.07, yanchor: 'top' },
    }),
  );
}
