/** Figures and tables of notebook 05 on probabilities: reliability, margins. Pure: measurements in, Plotly JSON out. */
import type { Layout, LayoutAxis } from 'plotly.js';
import type { CalibrationMeasurement, MixUpMethod, MixUpSize } from '../experiments/index.js';
import { SPLIT_LABEL } from './comparisonFigures.js';
import type { Figure, Table } from './figure.js';
import { METHOD_LABEL, WAY_STYLE } from './mixUpFigures.js';
import { PALETTE, axis, errorBars, figure, layout, panelTitle, points, table } from './style.js';

type Trace = Figure['data'][number];

const SCALING = {
  before: { label: 'as trained', color: PALETTE.red, symbol: 'circle', dash: 'solid' },
  after: { label: 'temperature fitted on validation', color: PALETTE.blue, symbol: 'diamond-open', dash: 'dash' },
} as const;

/** Reliability of one probe trained on one size: a panel for each way of mixing, counts below. */
export function mixUpReliabilityFigure(m: CalibrationMeasurement, method: MixUpMethod, size: MixUpSize): Figure {
  const curves = m.reliability.filter((curve) => curve.method === method && curve.size === size);
  const ways = [...new Set(curves.map(({ way }) => way))];
  const row = m.rows.find((one) => one.method === method && one.size === size && one.split === m.split);
  const width = 1 / ways.length;
  const axes: Record<string, Partial<LayoutAxis>> = {};
  const annotations: Partial<Layout['annotations'][number]>[] = [];
  const data: Trace[] = [];
  ways.forEach((way, panel) => {
    const domain: [number, number] = [
      panel * width + (panel && 0.012),
      (panel + 1) * width - (panel < ways.length - 1 ? 0.012 : 0),
    ];
    const suffix = panel === 0 ? '' : String(panel + 1);
    const below = String(panel + 1 + ways.length);
    const isFirst = panel === 0;
    const unit = { range: [0, 1], dtick: 0.5 };
    axes[`xaxis${suffix}`] = axis('', { domain, anchor: `y${suffix}` as 'y', ...unit, showticklabels: false });
    axes[`yaxis${suffix}`] = axis(isFirst ? 'share of right answers' : '', {
      domain: [0.36, 1],
      anchor: `x${suffix}` as 'x',
      ...unit,
      showticklabels: isFirst,
    });
    axes[`xaxis${below}`] = axis('confidence', { domain, anchor: `y${below}` as 'y', ...unit });
    axes[`yaxis${below}`] = axis(isFirst ? 'answers' : '', {
      domain: [0, 0.28],
      anchor: `x${below}` as 'x',
      showticklabels: isFirst,
      rangemode: 'tozero',
      ...(!isFirst && { matches: `y${1 + ways.length}` as 'y' }),
    });
    data.push({
      type: 'scatter',
      mode: 'lines',
      name: 'honest: right as often as said',
      showlegend: panel === 0,
      x: [0, 1],
      y: [0, 1],
      line: { color: '#777777', width: 1, dash: 'dot' },
      hoverinfo: 'skip',
      xaxis: `x${suffix}`,
      yaxis: `y${suffix}`,
    } as unknown as Trace);
    const own = curves.filter((curve) => curve.way === way);
    for (const { scaling, bins, counts } of own) {
      const { label, color, symbol, dash } = SCALING[scaling];
      data.push(
        {
          type: 'scatter',
          mode: 'lines+markers',
          name: label,
          legendgroup: scaling,
          showlegend: panel === 0,
          x: bins.map(({ confidence }) => confidence),
          y: bins.map(({ accuracy }) => accuracy.estimate),
          error_y: { ...errorBars(bins.map(({ accuracy }) => accuracy), 1), width: 2, thickness: 1, color }, // prettier-ignore
          line: { color, width: 1.4, dash },
          marker: { size: 6, color, symbol },
          text: bins.map(({ count }) => `${count} answers`),
          xaxis: `x${suffix}`,
          yaxis: `y${suffix}`,
        } as unknown as Trace,
        {
          type: 'scatter',
          mode: 'lines',
          showlegend: false,
          legendgroup: scaling,
          // Steps: each tenth of confidence with its count.
          x: counts.flatMap((_, tenth) => [tenth / 10, (tenth + 1) / 10]),
          y: counts.flatMap((count) => [count, count]),
          line: { color, width: 1.6, dash },
          xaxis: `x${below}`,
          yaxis: `y${below}`,
        } as unknown as Trace,
      );
    }
    const eces = own.map(({ ece }) => points(ece)).join(' → ');
    annotations.push(panelTitle(`${way}<br></b>ECE ${eces}<b>`, domain[0], 1.005));
  });
  return figure(
    `mixup-reliability-${method}-${size}`,
    m,
    `Reliability of the ${METHOD_LABEL[method]} on the ${SPLIT_LABEL[m.split]} split (n = ${row?.n ?? 0} tracks, answers of ${row?.seeds ?? 0} seeds together), trained on ${size === 'whole' ? 'the whole train split' : 'a quarter of the train split'}. Top: share of right answers against mean confidence in ten bins of equal count, with 95 % bootstrap over tracks; bottom: answers by tenths of confidence. Above the diagonal: too modest; below: too sure. ECE in points, 15 bins, mean over seeds, as trained → with temperature; a perfectly honest probe with as few tracks would show ${points(row?.honestEce.before.mean ?? 0)} without MixUp.`,
    data,
    layout(
      `Are the probabilities honest? ${METHOD_LABEL[method]}, ${size === 'whole' ? 'all' : 'a quarter of the'} tracks`,
      520,
      {
        margin: { l: 64, r: 16, t: 96, b: 96 },
        ...axes,
        annotations: annotations as Layout['annotations'],
        legend: { orientation: 'h', x: 0, y: -0.17, yanchor: 'top' },
      },
    ),
  );
}

/** How far ahead the first key is, for right and for wrong answers. */
export function marginsFigure(m: CalibrationMeasurement, size: MixUpSize): Figure {
  const curves = m.marginCurves.filter((curve) => curve.size === size);
  const methods = [...new Set(curves.map(({ method }) => method))];
  return figure(
    `mixup-margins-${size}`,
    m,
    `Margin: probability of the first key minus that of the second, as trained, ${SPLIT_LABEL[m.split]} split, all seeds, trained on ${size === 'whole' ? 'the whole train split' : 'a quarter of the train split'}. Share of answers with at most this margin: thick lines for right answers, thin ones for wrong answers. The further apart the two, the better does the margin tell them.`,
    curves.flatMap((curve) =>
      (['right', 'wrong'] as const).map(
        (kind): Trace =>
          ({
            type: 'scatter',
            mode: 'lines',
            name: `${curve.way}, ${kind}`,
            legendgroup: `${curve.way} ${kind}`,
            showlegend: curve.method === methods[0],
            x: [...m.margins],
            y: curve[kind].map((share) => 100 * share),
            line: { ...WAY_STYLE[curve.way], width: kind === 'right' ? 2.6 : 1 },
            xaxis: curve.method === methods[0] ? 'x' : 'x2',
            yaxis: 'y',
          }) as unknown as Trace,
      ),
    ),
    layout(`How far ahead is the first key? (${size === 'whole' ? 'all' : 'a quarter of the'} tracks)`, 460, {
      margin: { l: 64, r: 24, t: 72, b: 130 },
      xaxis: axis('margin (probability)', { domain: [0, 0.48], anchor: 'y', range: [0, 1] }),
      xaxis2: axis('margin (probability)', { domain: [0.52, 1], anchor: 'y', range: [0, 1] }),
      yaxis: axis('answers with at most this margin (%)', { range: [0, 100] }),
      annotations: methods.map((method, i) =>
        panelTitle(METHOD_LABEL[method], 0.52 * i, 1.01),
      ) as Layout['annotations'],
      legend: { orientation: 'h', x: 0, y: -0.22, yanchor: 'top' },
    }),
  );
}

/** Calibration of every row. */
export function calibrationTable(m: CalibrationMeasurement): Table {
  const arrow = (value: { readonly before: number; readonly after: number }, text: (x: number) => string): string =>
    `${text(value.before)} → ${text(value.after)}`;
  const fixed = (x: number): string => x.toFixed(2);
  return table(
    'mixup-calibration',
    m,
    'Probabilities of the probes on the pretrained vertical encoder, as trained → with the temperature that has the best likelihood on validation. Trained on all train tracks or on a quarter of them. Means over seeds; exact, confidence and ECE (expected calibration error) in points, NLL in nats. "Honest": the ECE that perfectly calibrated probes with the same confidences would have at this n (mean, 95 % quantile), as trained.',
    [
      'probe',
      'MixUp',
      'trained on',
      'split',
      'n',
      'seeds',
      'temperature',
      'exact',
      'confidence',
      'ECE, 15 bins',
      'ECE, equal mass',
      'honest ECE',
      'NLL',
      'Brier',
    ],
    m.rows.map((row) => [
      row.method === 'mlp' ? 'MLP' : 'linear',
      row.way === 'no MixUp' ? 'none' : row.way,
      row.size === 'whole' ? 'all' : 'a quarter',
      SPLIT_LABEL[row.split],
      row.n,
      row.seeds,
      `${fixed(row.temperature.estimate)} (${fixed(row.temperature.low)} to ${fixed(row.temperature.high)})`,
      points(row.accuracy),
      arrow(row.confidence, points),
      arrow({ before: row.ece.before.estimate, after: row.ece.after.estimate }, points),
      arrow(row.eceEqualMass, points),
      `${points(row.honestEce.before.mean)}, ${points(row.honestEce.before.high)}`,
      arrow({ before: row.nll.before.estimate, after: row.nll.after.estimate }, fixed),
      arrow({ before: row.brier.before.estimate, after: row.brier.after.estimate }, (x) => x.toFixed(3)),
    ]),
  );
}
