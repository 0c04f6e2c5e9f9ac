/** What notebook 05 measures; types only. */
import type { Interval, Provenance, TestSplit } from '../measurements.js';

/** How training pairs are mixed: lambda ~ Beta(alpha, beta), or not at all. */
export interface MixUpWay {
  readonly id: 'none' | 'beta-2-5' | 'beta-5-2' | 'beta-.2-.2';
  readonly label: string;
  readonly mixUp: { readonly alpha: number; readonly beta: number } | null;
}

export type MixUpSize = 'whole' | 'quarter';
export type MixUpMethod = 'linear' | 'mlp';

/** The densities that lambda is drawn from, and what was drawn. */
export interface BetaMeasurement extends Provenance {
  /** Where the densities are evaluated, 0 and 1 left out (Beta(.2, .2) is infinite there). */
  readonly lambda: readonly number[];
  readonly nDraws: number;
  readonly curves: readonly {
    readonly label: string;
    readonly alpha: number;
    readonly beta: number;
    readonly density: readonly number[];
    /** alpha / (alpha + beta), and the mean of the draws with its standard error. */
    readonly mean: number;
    readonly drawnMean: number;
    readonly standardError: number;
    /** Share of draws by twentieths of 0..1. */
    readonly drawnShares: readonly number[];
    /** Mean of min(lambda, 1 - lambda): how much of the other clip comes in. */
    readonly meanSmallerShare: number;
  }[];
}

/** From one key to the key a tritone away, in steps of lambda, as trained probes see it. */
export interface MixLineMeasurement extends Provenance {
  readonly split: TestSplit;
  readonly nPairs: number;
  /** Share of the first clip. */
  readonly lambda: readonly number[];
  readonly curves: readonly {
    readonly method: MixUpMethod;
    readonly way: string;
    /** Mean probability of the first clip's key, of the other's, of the 22 others together. */
    readonly first: readonly number[];
    readonly other: readonly number[];
    readonly rest: readonly number[];
    /** Mean entropy of the 24 probabilities in bits. */
    readonly entropy: readonly number[];
    /** Largest |logits(mixed) - mixed logits| over pairs, lambdas and keys, over the largest |logit|. */
    readonly bend: number;
  }[];
  /** In the middle (lambda = 1/2), without MixUp: which keys win, by distance from the first key in fifths (0..11). */
  readonly winners: readonly {
    readonly method: MixUpMethod;
    readonly way: string;
    readonly byFifths: readonly number[];
  }[];
}

/** Means over seeds of one way of training on one split. */
export interface MixUpScoreRow {
  readonly encoder: string;
  readonly method: MixUpMethod;
  readonly way: string;
  readonly size: MixUpSize;
  readonly nTrain: number;
  readonly split: TestSplit;
  readonly n: number;
  readonly seeds: number;
  readonly weighted: Interval;
  readonly weightedBothFifths: Interval;
  readonly accuracy: Interval;
  /** Of the weighted score over seeds. */
  readonly deviation: number;
  /** Chosen on validation: learning rate of each pretraining seed, and the mean kept epoch (from 0) of all seeds. */
  readonly learningRates: readonly number[];
  readonly meanEpoch: number;
  readonly epochs: number;
}

/** A mean difference of two ways of training: same tracks, same seeds. */
export interface MixUpDifference {
  /** With its 95 % paired bootstrap over tracks of the means over seeds. */
  readonly difference: Interval;
  readonly pValue: number;
  /** Differences seed by seed, and their deviation. */
  readonly perSeed: readonly number[];
  readonly deviation: number;
}

export interface MixUpEffectRow {
  readonly encoder: string;
  readonly method: MixUpMethod;
  readonly size: MixUpSize;
  readonly nTrain: number;
  readonly split: TestSplit;
  readonly n: number;
  /** What is compared: `way` minus `against`. */
  readonly way: string;
  readonly against: string;
  /** `null`: not part of the family (the comparison that must find nothing). */
  readonly family: 'effect' | null;
  readonly weighted: MixUpDifference;
  readonly weightedBothFifths: MixUpDifference;
  readonly accuracy: MixUpDifference;
  /** Negative log-likelihood in nats, as trained and with the temperature fitted on validation. */
  readonly nll: MixUpDifference;
  readonly nllScaled: MixUpDifference;
  readonly brierScaled: MixUpDifference;
  /** Holm over all effects of one measure. */
  readonly pHolm: null | { readonly weighted: number; readonly nll: number; readonly nllScaled: number };
}

export interface MixUpMeasurement extends Provenance {
  /** Comparisons in the family of each measure. */
  readonly comparisons: number;
  readonly scores: readonly MixUpScoreRow[];
  readonly effects: readonly MixUpEffectRow[];
}

/** A value before and after the temperature. */
export interface BeforeAfter<T> {
  readonly before: T;
  readonly after: T;
}

export interface CalibrationRow {
  readonly method: MixUpMethod;
  readonly way: string;
  readonly size: MixUpSize;
  readonly split: TestSplit;
  readonly n: number;
  readonly seeds: number;
  /** Fitted on validation: mean, least and largest over seeds. */
  readonly temperature: Interval;
  readonly accuracy: number;
  readonly confidence: BeforeAfter<number>;
  /** 15 bins: mean, least and largest over seeds. */
  readonly ece: BeforeAfter<Interval>;
  readonly eceEqualMass: BeforeAfter<number>;
  /** What an honest probe with the same confidences would show (15 bins of equal width): mean, and 95 % quantile. */
  readonly honestEce: BeforeAfter<{ readonly mean: number; readonly high: number }>;
  readonly nll: BeforeAfter<Interval>;
  readonly brier: BeforeAfter<Interval>;
}

/** Answers of all seeds, by confidence in bins of equal mass. */
export interface ReliabilityCurve {
  readonly method: MixUpMethod;
  readonly way: string;
  readonly size: MixUpSize;
  readonly scaling: 'before' | 'after';
  readonly bins: readonly { readonly count: number; readonly confidence: number; readonly accuracy: Interval }[];
  /** Answers by tenths of confidence. */
  readonly counts: readonly number[];
  readonly ece: number;
}

export interface MarginCurve {
  readonly method: MixUpMethod;
  readonly way: string;
  readonly size: MixUpSize;
  /** Probability of the first key minus that of the second, as trained: share of answers at or below `margins[i]`. */
  readonly right: readonly number[];
  readonly wrong: readonly number[];
  readonly medianRight: number;
  readonly medianWrong: number;
}

export interface CalibrationMeasurement extends Provenance {
  /** Of the diagrams and the margins. */
  readonly split: TestSplit;
  readonly rows: readonly CalibrationRow[];
  readonly reliability: readonly ReliabilityCurve[];
  readonly margins: readonly number[];
  readonly marginCurves: readonly MarginCurve[];
}
