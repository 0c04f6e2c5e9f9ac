/** 04: the paper's two grids of probes on one encoder, every run a file; the choice on validation, then test. */
import type { Split } from '../../corpus/index.js';
import { InputError } from '../../errors.js';
import {
  architectureGrid,
  type GridChoice,
  gridChoice,
  type GridData,
  type HiddenEntry,
  type ProbeConfig,
  publishedClaims,
  readGridTests,
  runGrid,
  trainingGrid,
} from '../../probe/index.js';
import { pairedBootstrap } from '../../stats/index.js';
import { configId } from '../../store/index.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import { encodersOfRun, loadTable, tablePath } from '../features/embeddingTables.js';
import type { GridMeasurement, GridName, GridResult, GridRunRow, GridSplit } from './gridMeasurements.js';
import { choiceNoise, splitNoise } from './gridNoise.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import type { TestSplit } from '../measurements.js';
import type { ExperimentPreset } from '../run/presets.js';
import { keysOf, measured, rounded, type Run, STAGES_VERSION } from '../run/run.js';
import { BOTH_FIFTHS, drawnFor, FIFTH_ABOVE, intervalOver, trackHits, trackMeans } from '../probing/scores.js';

export const GRIDS: readonly GridName[] = ['architectures', 'trainings'];

/** The head that every run of the grid of trainings has: the published one for Billboard. */
export const TRAININGS_HEAD: readonly HiddenEntry[] = [2048, 'd0.75'];

const ENCODER = 'vertical-pretrained';
const SPLITS: readonly Split[] = ['train', 'valid', 'test', 'testTimbre'];

/** The paper's grid, whole. */
export function wholeGrid({ grid: { base }, probes }: ExperimentPreset, grid: GridName): ProbeConfig[] {
  const common = { ...base, seed: probes.seeds[0] };
  return grid === 'architectures' ? architectureGrid(common) : trainingGrid({ ...common, hidden: TRAININGS_HEAD });
}

/** The runs of a preset, in the order of the whole grid. @throws InputError for an architecture that is none of the 28 */
export function gridConfigs(preset: ExperimentPreset, grid: GridName): ProbeConfig[] {
  const whole = wholeGrid(preset, grid);
  if (grid === 'architectures') {
    const wanted = preset.grid.architectures;
    if (wanted === 'all') return whole;
    const names = whole.map(({ hidden }) => hidden.join('-'));
    const stray = wanted.find((name) => !names.includes(name));
    if (stray !== undefined)
      throw new InputError('preset, grid.architectures', `"${stray}" found; expected names such as ${names[0]}`);
    return whole.filter((_, i) => wanted.includes(names[i]));
  }
  const axes = preset.grid.trainings;
  if (axes === 'all') return whole;
  return whole.filter((config) =>
    (['batchSize', 'learningRate', 'weightDecay'] as const).every(
      (field) => axes[field] === undefined || axes[field].includes(config[field]),
    ),
  );
}

/** The encoder whose embeddings the grids read: the first seed's. */
function gridEncoder(run: Run): EncoderOfSeed {
  return encodersOfRun(run).find(({ name, seed }) => name.id === ENCODER && seed === run.preset.seeds[0])!;
}

/** Where the runs of both grids lie: one folder for the data that they are trained on. */
function gridFolder(run: Run): string {
  const tables = SPLITS.map((split) => tablePath(run, gridEncoder(run), split).slice(run.cache.root.length));
  const id = configId({ version: STAGES_VERSION, tables, corpus: run.corpus.config, backend: run.backend });
  return run.cache.folder('grids', id);
}

function gridData(run: Run): GridData {
  const encoder = gridEncoder(run);
  const of = (split: Split) => ({ table: loadTable(run, encoder, split), keyOfTrack: keysOf(run, split) });
  return { train: of('train'), valid: of('valid'), tests: { test: of('test'), testTimbre: of('testTimbre') } };
}

/** Stage: trains what is missing of both grids, run by run. The embeddings must be there. */
export async function computeGrids(run: Run): Promise<void> {
  const { threads, signal, onProgress } = run.options;
  const data = gridData(run);
  for (const grid of GRIDS)
    await runGrid(gridConfigs(run.preset, grid), data, {
      dir: gridFolder(run),
      threads,
      signal,
      // No time left is said: the longest runs come first, so that all that follow would seem as long.
      onProgress: (done, total) => onProgress?.(`grid: ${grid}`, done, total, null),
    });
}

/** A grid's choice on validation, its test scores, and beside them what choosing by test would have claimed. */
export function gridScores(run: Run, grid: GridName): Promise<GridMeasurement> {
  const configs = gridConfigs(run.preset, grid);
  return measured(run, 'grid', { grid, configs, folder: gridFolder(run).slice(run.cache.root.length) }, (base) => {
    const data = gridData(run);
    const dir = gridFolder(run);
    // Few resamples: of the library's intervals only the choice is read here, scores.ts makes those that are shown.
    const choice = gridChoice(configs, data, dir, { resamples: 1 });
    const claims = publishedClaims(choice, data, dir, { resamples: 1 });
    const files = choice.runs.map((one) => readGridTests(dir, one));
    const values = (split: Split, estimates: readonly (readonly number[])[]): Float64Array[] =>
      estimates.map((own) => trackMeans(keysOf(run, split), [own], BOTH_FIFTHS));
    const valid = values(
      'valid',
      choice.runs.map(({ estimated }) => estimated),
    );
    const tests = Object.fromEntries(
      TEST_SPLITS.map((split) => [
        split,
        values(
          split,
          files.map(({ splits }) => splits[split].estimated),
        ),
      ]),
    ) as Record<TestSplit, Float64Array[]>;
    const name = (one: FinishedRun): string => runName(grid, one);
    const chosen = choice.runs.indexOf(choice.best);
    const noise = choiceNoise(run, valid, chosen);
    const splits = TEST_SPLITS.map((split): GridSplit => {
      const reference = keysOf(run, split);
      const honest = choice.tests[split].estimated;
      const claim = claims[split];
      const [a, b] = [claim.estimated, honest].map((own) => trackMeans(reference, [own], BOTH_FIFTHS));
      const { difference, low, high } = pairedBootstrap(a, b, { drawn: drawnFor(run, reference.length) });
      return {
        split,
        n: reference.length,
        corrected: { run: name(choice.best), epoch: choice.best.epoch, ...scoresOf(run, split, honest) },
        asPublished: { run: name(claim.run), epoch: claim.epoch, ...scoresOf(run, split, claim.estimated) },
        difference: { estimate: rounded(difference, 5), low: rounded(low, 5), high: rounded(high, 5) },
        ...splitNoise(run, valid, tests[split], chosen, noise.choices),
      };
    });
    return {
      ...base,
      grid,
      encoder: gridEncoder(run).name,
      wholeSize: wholeGrid(run.preset, grid).length,
      epochs: choice.best.config.epochs,
      trainClips: data.train.table.nClips,
      validTracks: data.valid.keyOfTrack.length,
      runs: choice.runs.map((one, i) => ({
        name: name(one),
        ...rowOf(one, valid[i], tests.test[i], tests.testTimbre[i]),
      })),
      chosen: name(choice.best),
      sameChoice: noise.sameChoice,
      chosenEver: noise.chosenEver,
      splits,
    };
  });
}

type FinishedRun = GridChoice['best'];

function scoresOf(run: Run, split: TestSplit, estimated: readonly number[]): Omit<GridResult, 'run' | 'epoch'> {
  const reference = keysOf(run, split);
  return {
    weighted: intervalOver(run, trackMeans(reference, [estimated], FIFTH_ABOVE)),
    weightedBothFifths: intervalOver(run, trackMeans(reference, [estimated], BOTH_FIFTHS)),
    accuracy: intervalOver(run, trackHits(reference, [estimated])),
  };
}

function rowOf(
  { config, epoch }: FinishedRun,
  valid: Float64Array,
  test: Float64Array,
  testTimbre: Float64Array,
): Omit<GridRunRow, 'name'> {
  const widths = config.hidden.filter((entry) => typeof entry === 'number');
  const dropout = config.hidden.find((entry) => typeof entry === 'string') ?? 'd0';
  const score = (values: Float64Array): number => rounded(values.reduce((a, b) => a + b, 0) / values.length, 5);
  return {
    width: widths[0],
    layers: widths.length,
    dropout: Number(dropout.slice(1)),
    batchSize: config.batchSize,
    learningRate: config.learningRate,
    weightDecay: config.weightDecay,
    isMixed: config.mixUp !== null,
    epoch,
    valid: score(valid),
    test: score(test),
    testTimbre: score(testTimbre),
  };
}

/** How a run of a grid is called: by what varies there. */
function runName(grid: GridName, { config }: FinishedRun): string {
  if (grid === 'architectures') return config.hidden.join('-');
  const { batchSize, learningRate, weightDecay, mixUp } = config;
  return `batch ${batchSize}, rate ${learningRate}, decay ${weightDecay}${mixUp ? ', MixUp' : ''}`;
}
