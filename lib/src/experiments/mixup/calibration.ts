/** 05: what the probes' probabilities are worth, before and after a temperature fitted on validation. */
import {
  calibratedErrors,
  type Confidences,
  confidences,
  drawResamples,
  expectedCalibrationError,
  mean,
  meanOfArrays,
  quantileOfSorted,
  reliabilityBins,
} from '../../stats/index.js';
import { createRng } from '../../tensor/index.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import type { Interval, TestSplit } from '../measurements.js';
import { type MixUpSetting, mixUpSettings } from './mixUp.js';
import { answersOf, type SettingAnswers, trackValues } from './mixUpAnswers.js';
import type {
  BeforeAfter,
  CalibrationMeasurement,
  CalibrationRow,
  MarginCurve,
  ReliabilityCurve,
} from './mixUpMeasurements.js';
import { measured, rounded, type Run } from '../run/run.js';
import { intervalOver } from '../probing/scores.js';

/** Bins of the calibration error, as in the literature; the diagram of all seeds together has fewer. */
const BINS = 15;
const DIAGRAM_BINS = 10;
/** Resamples of a bin's accuracy, and simulated data sets of an honest probe. */
const RESAMPLES = 500;
const HONEST_REPEATS = 200;
const MARGINS = Array.from({ length: 101 }, (_, i) => i / 100);

/**
 * Calibration of the probes on the pretrained encoder.
 *
 * @param split of the diagrams and margins; the rows have both
 */
export function calibration(run: Run, split: TestSplit): Promise<CalibrationMeasurement> {
  const parameters = { split, BINS, DIAGRAM_BINS, RESAMPLES, HONEST_REPEATS };
  return measured(run, 'calibration', parameters, (base) => {
    const answered = mixUpSettings(run.preset)
      .filter(({ encoder }) => encoder === 'vertical-pretrained')
      .map((setting) => ({ setting, answers: answersOf(run, setting) }));
    return {
      ...base,
      split,
      rows: answered.flatMap(({ setting, answers }) =>
        TEST_SPLITS.map((one) => calibrationRow(run, setting, answers, one)),
      ),
      reliability: answered.flatMap(({ setting, answers }) =>
        (['before', 'after'] as const).map((scaling) => reliabilityCurve(setting, answers, split, scaling)),
      ),
      margins: MARGINS,
      marginCurves: answered.map(({ setting, answers }) => marginCurve(setting, answers, split)),
    };
  });
}

/** Confidences of each seed. */
function seedConfidences({ seeds }: SettingAnswers, split: TestSplit, scaling: 'before' | 'after'): Confidences[] {
  return seeds.map(({ bySplit, temperature }) => confidences(bySplit[split], scaling === 'after' ? temperature : 1));
}

function calibrationRow(
  run: Run,
  { method, way, size }: MixUpSetting,
  answers: SettingAnswers,
  split: TestSplit,
): CalibrationRow {
  const values = trackValues(answers, split);
  const seeds = { before: seedConfidences(answers, split, 'before'), after: seedConfidences(answers, split, 'after') };
  const both = <T>(of: (each: readonly Confidences[]) => T): BeforeAfter<T> => ({
    before: of(seeds.before),
    after: of(seeds.after),
  });
  const temperatures = answers.seeds.map(({ temperature }) => temperature);
  return {
    method,
    way: way.label,
    size,
    split,
    n: values.nll[0].length,
    seeds: temperatures.length,
    temperature: {
      estimate: rounded(mean(temperatures)),
      low: rounded(Math.min(...temperatures)),
      high: rounded(Math.max(...temperatures)),
    },
    accuracy: rounded(mean(values.accuracy.map(mean))),
    confidence: both((each) => rounded(mean(each.map(({ confidence }) => mean(confidence))))),
    ece: both(errorOverSeeds),
    eceEqualMass: both((each) =>
      rounded(
        mean(
          each.map(({ confidence, correct }) =>
            expectedCalibrationError(confidence, correct, { binning: 'equalMass', bins: BINS }),
          ),
        ),
      ),
    ),
    honestEce: both(honestError),
    nll: {
      before: intervalOver(run, meanOfArrays(values.nll)),
      after: intervalOver(run, meanOfArrays(values.nllScaled)),
    },
    brier: {
      before: intervalOver(run, meanOfArrays(values.brier)),
      after: intervalOver(run, meanOfArrays(values.brierScaled)),
    },
  };
}

/**
 * Mean, least and largest over seeds of the error in 15 bins of equal width. No bootstrap: resampled tracks come twice,
 * so every bin of a resample is noisier than the bin itself, and the whole interval can lie above the error.
 */
function errorOverSeeds(seeds: readonly Confidences[]): Interval {
  const errors = seeds.map(({ confidence, correct }) =>
    expectedCalibrationError(confidence, correct, { binning: 'equalWidth', bins: BINS }),
  );
  return {
    estimate: rounded(mean(errors)),
    low: rounded(Math.min(...errors)),
    high: rounded(Math.max(...errors)),
  };
}

/** The error of probes that are right exactly as often as they say, with the confidences of these. */
function honestError(seeds: readonly Confidences[]): { mean: number; high: number } {
  const rng = createRng(0);
  const options = { binning: 'equalWidth', bins: BINS, uniform: () => rng.uniform(), repeats: HONEST_REPEATS } as const;
  const errors = seeds.map(({ confidence }) => calibratedErrors(confidence, options));
  return {
    mean: rounded(mean(errors.map(mean))),
    high: rounded(mean(errors.map((ofSeed) => quantileOfSorted(ofSeed, 0.95)))),
  };
}

/** All seeds' answers in bins of equal mass; the interval of a bin's accuracy resamples tracks, with all their seeds. */
function reliabilityCurve(
  { method, way, size }: MixUpSetting,
  answers: SettingAnswers,
  split: TestSplit,
  scaling: 'before' | 'after',
): ReliabilityCurve {
  const seeds = seedConfidences(answers, split, scaling);
  const confidence = seeds.flatMap((each) => [...each.confidence]);
  const correct = seeds.flatMap((each) => [...each.correct]);
  const bins = reliabilityBins(confidence, correct, { binning: 'equalMass', bins: DIAGRAM_BINS });
  const n = seeds[0].confidence.length;
  const rng = createRng(0);
  const { draws } = drawResamples(n, { uniform: () => rng.uniform(), resamples: RESAMPLES });
  const counts = new Array<number>(10).fill(0);
  for (const value of confidence) counts[Math.min(9, Math.floor(10 * value))]++;
  return {
    method,
    way: way.label,
    size,
    scaling,
    bins: bins.map((bin) => {
      // Answers of the bin, and right ones among them, of each track.
      const inBin = new Float64Array(n);
      const right = new Float64Array(n);
      confidence.forEach((value, i) => {
        if (value < bin.low || value > bin.high) return;
        inBin[i % n]++;
        right[i % n] += correct[i];
      });
      const shares: number[] = [];
      for (let from = 0; from < draws.length; from += n) {
        let [count, hits] = [0, 0];
        for (let i = from; i < from + n; i++) {
          count += inBin[draws[i]];
          hits += right[draws[i]];
        }
        if (count > 0) shares.push(hits / count);
      }
      shares.sort((a, b) => a - b);
      return {
        count: bin.count,
        confidence: rounded(bin.confidence),
        accuracy: {
          estimate: rounded(bin.accuracy),
          low: rounded(quantileOfSorted(shares, 0.025)),
          high: rounded(quantileOfSorted(shares, 0.975)),
        },
      };
    }),
    counts,
    ece: errorOverSeeds(seeds).estimate,
  };
}

/** Margins of right and of wrong answers, as trained, all seeds. */
function marginCurve({ method, way, size }: MixUpSetting, answers: SettingAnswers, split: TestSplit): MarginCurve {
  const seeds = seedConfidences(answers, split, 'before');
  const sorted = (wanted: 0 | 1): Float64Array =>
    Float64Array.from(
      seeds.flatMap(({ margin, correct }) => [...margin].filter((_, i) => correct[i] === wanted)),
    ).sort();
  const [wrong, right] = [sorted(0), sorted(1)];
  const shares = (values: Float64Array): number[] =>
    MARGINS.map((limit) => rounded(values.filter((value) => value <= limit).length / Math.max(1, values.length)));
  const median = (values: Float64Array): number => (values.length ? rounded(quantileOfSorted(values, 0.5)) : 0);
  return {
    method,
    way: way.label,
    size,
    right: shares(right),
    wrong: shares(wrong),
    medianRight: median(right),
    medianWrong: median(wrong),
  };
}
