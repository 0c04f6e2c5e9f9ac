/** The answers of notebook 05's probes: logits of every seed with the temperature that validation gives them. */
import { mirexScore, NUM_KEYS } from '../../keys/index.js';
import {
  brierScores,
  confidences,
  fitTemperature,
  type LogitAnswers,
  negativeLogLikelihoods,
} from '../../stats/index.js';
import type { TestSplit } from '../measurements.js';
import { type MixUpOutcome, mixUpOutcomes, type MixUpSetting } from './mixUp.js';
import { keysOf, type Run } from '../run/run.js';
import { BOTH_FIFTHS, FIFTH_ABOVE } from '../probing/scores.js';

/** The answers of one seed (of pretraining and of the probe). */
export interface SeedAnswers {
  readonly temperature: number;
  readonly bySplit: Readonly<Record<TestSplit, LogitAnswers>>;
}

export interface SettingAnswers {
  readonly outcomes: readonly MixUpOutcome[];
  /** Seeds of the probe within seeds of pretraining. */
  readonly seeds: readonly SeedAnswers[];
}

/** Reads what the stage left of a setting and fits a temperature to each seed's validation answers. */
export function answersOf(run: Run, setting: MixUpSetting): SettingAnswers {
  const outcomes = mixUpOutcomes(run, setting);
  const labels = { valid: keysOf(run, 'valid'), test: keysOf(run, 'test'), testTimbre: keysOf(run, 'testTimbre') };
  const seeds = outcomes.flatMap(({ logits }) =>
    logits.valid.map((_, seed): SeedAnswers => {
      const of = (split: 'valid' | TestSplit): LogitAnswers => ({
        logits: logits[split][seed],
        labels: labels[split],
        nClasses: NUM_KEYS,
      });
      return { temperature: fitTemperature(of('valid')), bySplit: { test: of('test'), testTimbre: of('testTimbre') } };
    }),
  );
  return { outcomes, seeds };
}

/** What is measured of every track and seed; `Scaled` = with the fitted temperature. */
export const TRACK_MEASURES = [
  'weighted',
  'weightedBothFifths',
  'accuracy',
  'nll',
  'nllScaled',
  'brier',
  'brierScaled',
] as const;
export type TrackMeasure = (typeof TRACK_MEASURES)[number];

/** Values of every measure, [seed][track]. */
export type TrackValues = Readonly<Record<TrackMeasure, readonly Float64Array[]>>;

export function trackValues({ seeds }: SettingAnswers, split: TestSplit): TrackValues {
  const each = (of: (answers: LogitAnswers, temperature: number) => Float64Array): Float64Array[] =>
    seeds.map(({ bySplit, temperature }) => of(bySplit[split], temperature));
  const predicted = each((answers) => Float64Array.from(confidences(answers).predicted));
  const scores = (ruler: typeof FIFTH_ABOVE): Float64Array[] =>
    seeds.map(({ bySplit }, seed) =>
      predicted[seed].map((estimated, track) => mirexScore(bySplit[split].labels[track], estimated, ruler)),
    );
  return {
    weighted: scores(FIFTH_ABOVE),
    weightedBothFifths: scores(BOTH_FIFTHS),
    accuracy: each((answers) => confidences(answers).correct),
    nll: each((answers) => negativeLogLikelihoods(answers)),
    nllScaled: each(negativeLogLikelihoods),
    brier: each((answers) => brierScores(answers)),
    brierScaled: each(brierScores),
  };
}
