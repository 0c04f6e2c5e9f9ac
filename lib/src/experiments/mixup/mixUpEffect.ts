/** 05: what MixUp does to scores and likelihoods, on the same tracks with the same seeds. */
import { holm, mean, meanOfArrays, pairedBootstrap, standardDeviation } from '../../stats/index.js';
import { createRng } from '../../tensor/index.js';
import { TEST_SPLITS } from '../probing/comparison.js';
import type { TestSplit } from '../measurements.js';
import { MIXUP_WAYS, type MixUpSetting, mixUpSettings, trainTracks } from './mixUp.js';
import { answersOf, type SettingAnswers, trackValues, type TrackValues } from './mixUpAnswers.js';
import type {
  BetaMeasurement,
  MixUpDifference,
  MixUpEffectRow,
  MixUpMeasurement,
  MixUpScoreRow,
} from './mixUpMeasurements.js';
import { keysOf, measured, rounded, type Run } from '../run/run.js';
import { drawnFor, intervalOver } from '../probing/scores.js';

/** A setting with its answers, and the values of every split. */
interface Answered {
  readonly setting: MixUpSetting;
  readonly answers: SettingAnswers;
  readonly values: Readonly<Record<TestSplit, TrackValues>>;
}

/** Which settings are compared; the family holds all but the two that are the same by construction. */
interface Pair {
  readonly a: MixUpSetting;
  readonly b: MixUpSetting;
  readonly family: MixUpEffectRow['family'];
}

/** Scores of every setting, every way of mixing against none, and the mirror pair as the test of the tests. */
export function mixUpEffect(run: Run): Promise<MixUpMeasurement> {
  return measured(run, 'mixup-effect', {}, (base) => {
    const answered = mixUpSettings(run.preset).map((setting): Answered => {
      const answers = answersOf(run, setting);
      const of = (split: TestSplit): TrackValues => trackValues(answers, split);
      return { setting, answers, values: { test: of('test'), testTimbre: of('testTimbre') } };
    });
    const of = (setting: MixUpSetting): Answered => answered.find((one) => one.setting === setting)!;
    const effects = mixUpPairs(answered.map(({ setting }) => setting)).flatMap((pair) =>
      TEST_SPLITS.map((split) => effectRow(run, pair, of(pair.a), of(pair.b), split)),
    );
    const family = effects.filter((row) => row.family !== null);
    return {
      ...base,
      comparisons: family.length,
      scores: answered.flatMap((one) => TEST_SPLITS.map((split) => scoreRow(run, one, split))),
      effects: withHolm(effects, family),
    };
  });
}

/** Every way against none; Beta(2, 5) against its mirror Beta(5, 2); the encoder with input MixUp against the base. */
export function mixUpPairs(settings: readonly MixUpSetting[]): Pair[] {
  const find = (like: MixUpSetting, change: { encoder?: string; way?: string }): MixUpSetting | undefined =>
    settings.find(
      ({ encoder, method, size, way }) =>
        encoder === (change.encoder ?? like.encoder) &&
        method === like.method &&
        size === like.size &&
        way.id === (change.way ?? like.way.id),
    );
  return settings.flatMap((a): Pair[] => {
    if (a.encoder === 'vertical-input-mixup') {
      const b = find(a, { encoder: 'vertical-pretrained' });
      return b ? [{ a, b, family: 'effect' }] : [];
    }
    const none = find(a, { way: 'none' });
    if (a.way.id === 'none' || !none) return [];
    const mirror = a.way.id === 'beta-2-5' ? find(a, { way: 'beta-5-2' }) : undefined;
    return [{ a, b: none, family: 'effect' }, ...(mirror ? [{ a, b: mirror, family: null }] : [])];
  });
}

function effectRow(
  run: Run,
  { a, b, family }: Pair,
  first: Answered,
  second: Answered,
  split: TestSplit,
): MixUpEffectRow {
  const of = (measure: keyof TrackValues): MixUpDifference =>
    differenceOf(run, first.values[split][measure], second.values[split][measure]);
  return {
    encoder: a.encoder,
    method: a.method,
    size: a.size,
    nTrain: trainTracks(run.preset, a.size),
    split,
    n: keysOf(run, split).length,
    way: a.encoder === b.encoder ? a.way.label : 'input MixUp',
    against: b.way.label,
    family,
    weighted: of('weighted'),
    weightedBothFifths: of('weightedBothFifths'),
    accuracy: of('accuracy'),
    nll: of('nll'),
    nllScaled: of('nllScaled'),
    brierScaled: of('brierScaled'),
    pHolm: null,
  };
}

/** @param a, b [seed][track], the same seeds and tracks */
function differenceOf(run: Run, a: readonly Float64Array[], b: readonly Float64Array[]): MixUpDifference {
  const { difference, low, high, pValue } = pairedBootstrap(meanOfArrays(a), meanOfArrays(b), {
    drawn: drawnFor(run, a[0].length),
  });
  const perSeed = a.map((ofSeed, seed) => mean(ofSeed) - mean(b[seed]));
  return {
    difference: { estimate: rounded(difference, 5), low: rounded(low, 5), high: rounded(high, 5) },
    pValue: rounded(pValue),
    perSeed: perSeed.map((value) => rounded(value, 4)),
    deviation: rounded(standardDeviation(perSeed)),
  };
}

function withHolm(effects: readonly MixUpEffectRow[], family: readonly MixUpEffectRow[]): MixUpEffectRow[] {
  const measures = ['weighted', 'nll', 'nllScaled'] as const;
  const adjusted = measures.map((measure) => holm(family.map((row) => row[measure].pValue)));
  return effects.map((row) => {
    const place = family.indexOf(row);
    if (place < 0) return row;
    const [weighted, nll, nllScaled] = adjusted.map((values) => rounded(values[place]));
    return { ...row, pHolm: { weighted, nll, nllScaled } };
  });
}

function scoreRow(run: Run, { setting, answers, values }: Answered, split: TestSplit): MixUpScoreRow {
  const { weighted, weightedBothFifths, accuracy } = values[split];
  const interval = (of: readonly Float64Array[]): MixUpScoreRow['weighted'] => intervalOver(run, meanOfArrays(of));
  return {
    encoder: setting.encoder,
    method: setting.method,
    way: setting.way.label,
    size: setting.size,
    nTrain: trainTracks(run.preset, setting.size),
    split,
    n: weighted[0].length,
    seeds: weighted.length,
    weighted: interval(weighted),
    weightedBothFifths: interval(weightedBothFifths),
    accuracy: interval(accuracy),
    deviation: rounded(standardDeviation(weighted.map(mean))),
    learningRates: answers.outcomes.map(({ config }) => config.learningRate),
    meanEpoch: rounded(mean(answers.outcomes.flatMap(({ epochs }) => epochs)), 3),
    epochs: answers.outcomes[0].config.epochs,
  };
}

/** Draws of each Beta distribution, for its picture. */
const DRAWS = 20_000;
const POINTS = 199;
const BINS = 20;

/** The distributions that lambda is drawn from: their densities, and what `Rng.beta` draws. */
export function mixUpBetas(run: Run): Promise<BetaMeasurement> {
  return measured(run, 'mixup-betas', { DRAWS, POINTS, BINS }, async (base) => {
    const { gamma } = await import('mathjs'); // large, and needed nowhere else
    const lambda = Array.from({ length: POINTS }, (_, i) => (i + 1) / (POINTS + 1));
    const curves = MIXUP_WAYS.flatMap(({ label, mixUp }) => {
      if (mixUp === null) return [];
      const { alpha, beta } = mixUp;
      const betaFunction = (gamma(alpha) * gamma(beta)) / gamma(alpha + beta);
      const rng = createRng(0).fork(label);
      const draws = Float64Array.from({ length: DRAWS }, () => rng.beta(alpha, beta));
      const counts = new Float64Array(BINS);
      for (const value of draws) counts[Math.min(BINS - 1, Math.floor(BINS * value))]++;
      return [
        {
          label,
          alpha,
          beta,
          density: lambda.map((x) => rounded((x ** (alpha - 1) * (1 - x) ** (beta - 1)) / betaFunction)),
          mean: rounded(alpha / (alpha + beta)),
          drawnMean: rounded(mean(draws)),
          standardError: rounded(standardDeviation(draws) / Math.sqrt(DRAWS)),
          drawnShares: Array.from(counts, (count) => rounded(count / DRAWS)),
          meanSmallerShare: rounded(mean(draws.map((value) => Math.min(value, 1 - value)))),
        },
      ];
    });
    return { ...base, lambda, nDraws: DRAWS, curves };
  });
}
