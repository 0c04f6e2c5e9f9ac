/** What the shipped model reaches on the study's test splits, which nothing about it was chosen by. */
import { type KeyScore, NUM_KEYS, scoreKeys } from '../../keys/index.js';
import { logitsOverPitches, noteTable } from '../../notes/index.js';
import { loadKeyModel } from '../../predict/index.js';
import { decideTracks, estimateKeyByTemplate, TEMPLATE_PROFILES } from '../../probe/index.js';
import {
  confidences,
  expectedCalibrationError,
  mcnemar,
  mean,
  pairedBootstrap,
  type PairedBootstrap,
} from '../../stats/index.js';
import { featurePlan, loadChroma, loadMels } from '../features/features.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import type { Interval, TestSplit } from '../measurements.js';
import { keysOf, openRun, rounded, type Run, type RunOptions, tracksOf } from '../run/run.js';
import { BOTH_FIFTHS, drawnFor, FIFTH_ABOVE, intervalOver, trackHits, trackMeans } from '../probing/scores.js';
import type { ShippedFiles } from './shippedModel.js';
import { runStages } from '../run/stages.js';

/** One detector on some tracks. */
export interface DetectorScore {
  readonly system: 'model' | 'bgate';
  /** `all`, or the style of the tracks. */
  readonly tracks: string;
  readonly n: number;
  /** Fifth above only. */
  readonly weighted: Interval;
  /** Fifth above or below. */
  readonly both: Interval;
  readonly exact: Interval;
  readonly shares: KeyScore['shares'];
}

/** The model on one split. */
export interface ModelScores {
  readonly split: TestSplit;
  readonly rows: readonly DetectorScore[];
  /** Model minus bgate on the same tracks: weighted score, fifth above only. */
  readonly difference: PairedBootstrap;
  readonly mcnemarP: number;
  /** Expected calibration error of the confidence, after the temperature; ten bins of equal mass. */
  readonly calibrationError: number;
  readonly meanConfidence: number;
}

/**
 * Scores the files on the test splits of a preset's corpus.
 * @param preset default the study, whose splits are the largest
 */
export async function scoreShippedModel(
  files: ShippedFiles,
  options: RunOptions,
  preset: 'study' | 'smoke' = 'study',
): Promise<ModelScores[]> {
  const run = await corpusOf(preset, options);
  await runStages(run, [featurePlan(run, TEST_SPLITS)]);
  const model = loadKeyModel({ weights: files.encoderPath, head: files.headPath });
  try {
    const scores: ModelScores[] = [];
    for (const split of TEST_SPLITS) {
      const table = await noteTable(model.encoder, model.transcriber!, loadMels(run, split));
      const { estimated, logits } = decideTracks(logitsOverPitches(model.probe, table.embeddings), table);
      scores.push(scoresOf(run, split, [...estimated], logits, files.temperature));
    }
    return scores;
  } finally {
    model.dispose();
  }
}

/** The tracks of a preset and nothing else of it. */
async function corpusOf(name: string, options: RunOptions): Promise<Run> {
  const run = await openRun(name, options);
  return { ...run, preset: { ...run.preset, variants: [] }, recordings: null };
}

function scoresOf(
  run: Run,
  split: TestSplit,
  estimated: readonly number[],
  logits: Float32Array,
  temperature: number,
): ModelScores {
  const keys = keysOf(run, split);
  const styles = tracksOf(run, split).map(({ labels }) => String(labels.style));
  const template = loadChroma(run, split).tracks.map(
    (row) => estimateKeyByTemplate(row, TEMPLATE_PROFILES.bgate).keyId,
  );
  const rows: DetectorScore[] = [];
  for (const tracks of ['all', ...new Set(styles)].sort((a, b) => Number(b === 'all') - Number(a === 'all'))) {
    const chosen = [...keys.keys()].filter((i) => tracks === 'all' || styles[i] === tracks);
    const reference = chosen.map((i) => keys[i]);
    for (const [system, estimates] of [
      ['model', estimated],
      ['bgate', template],
    ] as const) {
      const own = chosen.map((i) => estimates[i]);
      rows.push({
        system,
        tracks,
        n: chosen.length,
        weighted: intervalOver(run, trackMeans(reference, [own], FIFTH_ABOVE)),
        both: intervalOver(run, trackMeans(reference, [own], BOTH_FIFTHS)),
        exact: intervalOver(run, trackHits(reference, [own])),
        shares: scoreKeys(reference, own).shares,
      });
    }
  }
  const scored = (estimates: readonly number[]): Float64Array => trackMeans(keys, [estimates], FIFTH_ABOVE);
  const hits = (estimates: readonly number[]): boolean[] => estimates.map((key, i) => key === keys[i]);
  const { confidence, correct } = confidences({ logits, labels: keys, nClasses: NUM_KEYS }, temperature);
  return {
    split,
    rows,
    difference: pairedBootstrap(scored(estimated), scored(template), { drawn: drawnFor(run, keys.length) }),
    mcnemarP: mcnemar(hits(estimated), hits(template)).pValue,
    calibrationError: rounded(expectedCalibrationError(confidence, correct, { binning: 'equalMass', bins: 10 })),
    meanConfidence: rounded(mean(confidence)),
  };
}
