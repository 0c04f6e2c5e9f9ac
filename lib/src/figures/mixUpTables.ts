/** Tables of notebook 05: scores of every way of training, and every comparison. Pure: measurements in, rows out. */
import type { MixUpDifference, MixUpMeasurement } from '../experiments/index.js';
import { SPLIT_LABEL } from './comparisonFigures.js';
import type { Table } from './figure.js';
import { interval, points, probability, signedInterval, table } from './style.js';

const ENCODER_LABEL: Readonly<Record<string, string>> = {
  'vertical-pretrained': 'pretrained',
  'vertical-random': 'random',
  'vertical-input-mixup': 'pretrained with input MixUp',
};

/** Scores of every way of training. */
export function mixUpScoreTable(m: MixUpMeasurement): Table {
  return table(
    'mixup-scores',
    m,
    'Key scores of vertical encoders with and without MixUp in points, means over seeds (of pretraining and of the probe) with 95 % bootstrap intervals over tracks. Learning rate and weight decay were chosen on validation for every row alone. Epoch: the mean of those kept.',
    [
      'encoder',
      'probe',
      'MixUp',
      'train tracks',
      'split',
      'n',
      'seeds',
      'weighted',
      'weighted, both',
      'exact',
      'deviation over seeds',
      'learning rate',
      'epoch',
    ],
    m.scores.map((row) => [
      ENCODER_LABEL[row.encoder] ?? row.encoder,
      row.method === 'mlp' ? 'MLP' : 'linear',
      row.way === 'no MixUp' ? 'none' : row.way,
      row.nTrain,
      SPLIT_LABEL[row.split],
      row.n,
      row.seeds,
      interval(row.weighted),
      interval(row.weightedBothFifths),
      interval(row.accuracy),
      points(row.deviation),
      [...new Set(row.learningRates)].join(', '),
      `${(row.meanEpoch + 1).toFixed(0)} of ${row.epochs}`,
    ]),
  );
}

const nats = ({ estimate, low, high }: MixUpDifference['difference']): string => {
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
  return `${signed(estimate)} [${signed(low)}, ${signed(high)}]`;
};

/** Every comparison that was made, with its p-values. */
export function mixUpEffectTable(m: MixUpMeasurement): Table {
  return table(
    'mixup-effects',
    m,
    `Every comparison: the first way minus the second, same tracks and seeds; score in points, negative log-likelihood (NLL) in nats. Brackets: 95 % paired bootstrap over tracks. "p" after Holm's correction over the ${m.comparisons} comparisons of one measure; the mirror pair is the same method twice, so it stands outside with its p as it is.`,
    [
      'encoder',
      'probe',
      'train tracks',
      'split',
      'compared',
      'weighted',
      'p',
      'NLL as trained',
      'p',
      'NLL, temperature fitted',
      'p',
      'exact',
    ],
    m.effects.map((row) => [
      ENCODER_LABEL[row.encoder] ?? row.encoder,
      row.method === 'mlp' ? 'MLP' : 'linear',
      row.nTrain,
      SPLIT_LABEL[row.split],
      `${row.way} − ${row.against}`,
      signedInterval(row.weighted.difference),
      probability(row.pHolm?.weighted ?? row.weighted.pValue),
      nats(row.nll.difference),
      probability(row.pHolm?.nll ?? row.nll.pValue),
      nats(row.nllScaled.difference),
      probability(row.pHolm?.nllScaled ?? row.nllScaled.pValue),
      signedInterval(row.accuracy.difference),
    ]),
  );
}
