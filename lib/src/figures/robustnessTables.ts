/** Tables of notebook 08: strengths, clean scores, losses. Pure: measurements in, rows out. */
import type {
  Reach,
  RobustnessMeasurement,
  RobustnessSummary,
  StrengthAxis,
  StrengthMeasurement,
  TestSplit,
} from '../experiments/index.js';
import { SPLIT_LABEL } from './comparisonFigures.js';
import type { Table } from './figure.js';
import { interval, table } from './style.js';

/** One row an augmentation: what each drawn system keeps, and the strength at which half of its score is gone. */
export function robustnessTable(m: RobustnessMeasurement, split: TestSplit): Table {
  const systems = m.systems.filter(({ isDrawn }) => isDrawn);
  const find = (system: string, augmentation: string): RobustnessSummary | undefined =>
    m.summaries.find((s) => s.system === system && s.augmentation === augmentation && s.split === split);
  return table(
    split === 'test' ? 'robustness-table' : 'robustness-table-timbre',
    m,
    `Losses on the ${SPLIT_LABEL[split]} split (n = ${m.nTracks[split]}): clean score minus the mean over all strengths of an augmentation, in points with 95 % bootstrap intervals over tracks; * = p < .05 after Holm’s correction over the augmentations. Then the strength at which half of the score above chance is first lost; "–" = not at any strength tested, "…" = the clean score is not safely above chance.`,
    ['augmentation', 'unit', ...systems.map(({ label }) => label)],
    m.axes.map((one) => [
      one.name,
      one.unit,
      ...systems.map(({ id }) => {
        const summary = find(id, one.id);
        if (!summary) return '';
        return `${interval(summary.loss)}${summary.pHolm < 0.05 ? '*' : ''}; half at ${summary.halves.map(({ strength }) => reachText(strength, one)).join(', ')}`;
      }),
    ]),
  );
}

function reachText(reach: Reach | null, one: StrengthAxis): string {
  if (reach === null) return '…';
  if (reach === 'beyond') return '–';
  const [mildest] = one.strengths;
  return reach === 'before' ? `${mildest} or milder` : String(reach).replace('-', '−');
}

/** The clean scores, both rulers and exact. */
export function cleanTable(m: RobustnessMeasurement): Table {
  return table(
    'robustness-clean',
    m,
    `Where the curves begin: scores on the clean audio, the first ${m.clips * 6.25} s of each track, in points with 95 % bootstrap intervals over tracks.`,
    ['system', 'split', 'n', 'seeds', 'weighted', 'weighted, both', 'exact'],
    m.clean.map((row) => {
      const system = m.systems.find(({ id }) => id === row.system)!;
      const scores = [row.weighted, row.weightedBothFifths, row.accuracy].map(interval);
      return [
        system.label,
        SPLIT_LABEL[row.split],
        row.n,
        system.method === 'template' ? '–' : system.seeds,
        ...scores,
      ];
    }),
  );
}

/** Asked and measured strengths. */
export function strengthTable(m: StrengthMeasurement): Table {
  return table(
    'augmentation-strengths',
    m,
    `What was asked of each augmentation and what its output says, measured on ${m.seconds} s of track ${m.track}, on an impulse or on tones. Decoded samples do not say how many bits they took; of the codecs the noise that they leave is measured.`,
    ['augmentation', 'asked', 'measured', 'what is measured', 'on'],
    m.rows.map((row) => [
      row.name,
      String(row.asked).replace('-', '−'),
      `${String(row.measured).replace('-', '−')} ${row.unit}`,
      row.quantity,
      row.signal,
    ]),
  );
}
