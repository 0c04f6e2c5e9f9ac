/** `keymyna probe --grid`: the paper's grids on one embedding table, resumable; the choice on valid, then test once. */
import type { Split } from '../corpus/index.js';
import { InputError } from '../errors.js';
import type { KeyScore } from '../keys/index.js';
import {
  architectureGrid,
  type GridChoice,
  gridChoice,
  type GridData,
  type GridRun,
  type HiddenEntry,
  type ProbeConfig,
  type ProbeData,
  publishedClaims,
  runGrid,
  saveProbe,
  type ScoreIntervals,
  trainingGrid,
  trainProbe,
} from '../probe/index.js';
import type { ProgressBars } from './program.js';

export const GRID_NAMES = ['architectures', 'trainings'] as const;
export type GridName = (typeof GRID_NAMES)[number];
export const PROTOCOL_NAMES = ['corrected', 'as-published'] as const;

export interface ProbeGridOptions {
  readonly grid: GridName;
  readonly protocol: (typeof PROTOCOL_NAMES)[number];
  /** of the trainings; empty = the published Billboard head */
  readonly hidden: readonly HiddenEntry[];
  readonly epochs: number;
  readonly seed: number;
  /** folder of the runs' files */
  readonly runs: string;
  readonly threads: number;
  readonly out?: string;
}

const BILLBOARD_HEAD: readonly HiddenEntry[] = [2048, 'd0.75'];

/** Runs what is missing of a grid, prints all runs, the chosen one and its test result. */
export async function probeGrid(
  splits: ReadonlyMap<Split, ProbeData>,
  options: ProbeGridOptions,
  bars: ProgressBars,
  signal: AbortSignal,
): Promise<void> {
  const { protocol, runs: dir, threads, out } = options;
  const data: GridData = {
    train: splits.get('train')!,
    valid: splits.get('valid')!,
    tests: Object.fromEntries([...splits].filter(([split]) => split !== 'train' && split !== 'valid')),
  };
  const configs = gridOf(options);
  await runGrid(configs, data, { dir, threads, onProgress: bars.of(options.grid), signal });
  bars.stop();
  const choice = gridChoice(configs, data, dir);
  printRuns(options.grid, choice);
  if (out) saveProbe(out, await trainProbe(choice.best.config, data, { signal })); // a run leaves no weights
  console.log(`\nchosen on valid: ${nameOf(options.grid, choice.best.config)}, epoch ${choice.best.epoch + 1}`);
  if (protocol === 'corrected') {
    for (const [split, { score, intervals }] of Object.entries(choice.tests))
      console.log(scoreLine(split, score, intervals));
    return;
  }
  console.log(
    '\nSide by side: corrected (run and epoch chosen on valid, test read once) and as published (run and epoch chosen' +
      '\nby the score on the very split that is reported). The second is what that flaw claims, not what to expect.',
  );
  const claims = publishedClaims(choice, data, dir);
  for (const [split, own] of Object.entries(choice.tests)) {
    const claim = claims[split];
    console.log(`${scoreLine(split, own.score, own.intervals)}  corrected: ${described(options.grid, choice.best)}`);
    console.log(
      `${scoreLine(split, claim.score, claim.intervals)}  as published: ${described(options.grid, claim.run, claim.epoch)}`,
    );
  }
}

function gridOf({ grid, hidden, epochs, seed }: ProbeGridOptions): ProbeConfig[] {
  if (grid === 'trainings') return trainingGrid({ hidden: hidden.length > 0 ? hidden : BILLBOARD_HEAD, epochs, seed });
  if (hidden.length > 0)
    throw new InputError(
      'option --hidden',
      'found with --grid architectures, which has heads of its own; leave it out',
    );
  return architectureGrid({ epochs, seed });
}

/** All runs, the best on validation first. */
function printRuns(grid: GridName, { runs }: GridChoice): void {
  const names = runs.map(({ config }) => nameOf(grid, config));
  const width = Math.max(...names.map((name) => name.length));
  const order = runs.map((_, i) => i);
  order.sort((a, b) => runs[b].score.weightedBothFifths - runs[a].score.weightedBothFifths || a - b);
  console.log(`${'run'.padEnd(width)}  epoch  valid weighted  (fifth above only)   exact`);
  for (const i of order) {
    const { epoch, score } = runs[i];
    const cells = [
      `${epoch + 1}`.padStart(5),
      percent(score.weightedBothFifths).padStart(14),
      percent(score.weighted).padStart(18),
      percent(score.accuracy).padStart(6),
    ];
    console.log(`${names[i].padEnd(width)}  ${cells.join('  ')}`);
  }
}

function described(grid: GridName, { config, epoch }: GridRun, ofEpoch = epoch): string {
  return `${nameOf(grid, config)}, epoch ${ofEpoch + 1}`;
}

/** A run by what varies in its grid. */
function nameOf(grid: GridName, { hidden, batchSize, learningRate, weightDecay, mixUp }: ProbeConfig): string {
  if (grid === 'architectures') return hidden.join('-');
  return `batch ${batchSize}, rate ${learningRate}, decay ${weightDecay}, ${mixUp ? 'MixUp' : 'no MixUp'}`;
}

/** One split's scores as a line; the weighted score counts fifths both ways. */
export function scoreLine(split: string, score: KeyScore, { weightedBothFifths }: ScoreIntervals): string {
  const { low, high } = weightedBothFifths;
  return (
    `${split.padEnd(11)} n ${score.n}  weighted ${percent(score.weightedBothFifths)} [${percent(low)}, ${percent(high)}]` +
    ` (fifth above only ${percent(score.weighted)})  exact ${percent(score.accuracy)}`
  );
}

const percent = (share: number): string => (100 * share).toFixed(2);
