/** 08: what robustness, equivariance and confidence measure; types only. */
import type { Interval, Provenance, TestSplit } from '../measurements.js';

/** One way to estimate keys in notebook 08. */
export interface RobustnessSystem {
  readonly id: string;
  readonly label: string;
  readonly family: 'template' | 'random' | 'pretrained';
  readonly method: 'template' | 'linear' | 'mlp';
  /** Of an encoder; null for templates. */
  readonly patches: 'vertical' | 'square' | 'hybrid' | null;
  /** Pretraining seeds; scores are means over them. */
  readonly seeds: number;
  /** Whether the figures draw it: the template that is best on validation, and every probe. */
  readonly isDrawn: boolean;
}

/** What a row says of its system. */
export interface Described extends Pick<RobustnessSystem, 'label' | 'family' | 'method' | 'patches' | 'isDrawn'> {
  readonly system: string;
}

/** How the strengths of one augmentation lie on an axis: mild to harsh from left to right, or either side of neutral. */
export interface StrengthAxis {
  readonly id: string;
  readonly name: string;
  readonly axisLabel: string;
  readonly unit: string;
  readonly scale: 'linear' | 'log';
  /** Strengths from left to right, and where they lie: the strength or its log2, negative where fewer is harsher. */
  readonly strengths: readonly number[];
  readonly positions: readonly number[];
  /** Where the clean audio is drawn; `isNeutral` if that is the position of the strength that changes nothing. */
  readonly clean: { readonly position: number; readonly isNeutral: boolean };
}

/** Scores of one system on the clean audio of a split. */
export interface CleanScore {
  readonly system: string;
  readonly split: TestSplit;
  readonly n: number;
  readonly weighted: Interval;
  readonly weightedBothFifths: Interval;
  readonly accuracy: Interval;
}

/** One system against the strength of one augmentation, in the order of the axis. */
export interface RobustnessCurve {
  readonly system: string;
  readonly split: TestSplit;
  readonly augmentation: string;
  readonly weighted: readonly Interval[];
  readonly weightedBothFifths: readonly Interval[];
  readonly accuracy: readonly Interval[];
  /** Weighted score minus that of the clean audio: paired bootstrap over tracks. */
  readonly change: readonly Interval[];
}

/** A strength, or that it lies before the first (mildest) that was tested, or beyond the last. */
export type Reach = number | 'before' | 'beyond';

/** A curve in few numbers. Chance is the expected score of a key drawn blindly. */
export interface RobustnessSummary {
  readonly system: string;
  readonly split: TestSplit;
  readonly augmentation: string;
  /** Mean weighted score over the axis (trapezoids between the strengths, the clean score where neutral has a place). */
  readonly area: Interval;
  /** Clean score minus that. */
  readonly loss: Interval;
  readonly p: number;
  /** Holm's correction over all augmentations of this system and split. */
  readonly pHolm: number;
  /** (area - chance) / (clean - chance); null where the clean score is not safely above chance. */
  readonly retained: Interval | null;
  /** Where half of the score above chance is lost, on each side of the clean audio; null as for `retained`. */
  readonly halves: readonly {
    readonly side: 'left' | 'right';
    readonly strength: Reach | null;
    readonly low: Reach | null;
    readonly high: Reach | null;
  }[];
}

/** Two systems under one augmentation. */
export interface RobustnessPair {
  readonly a: string;
  readonly b: string;
  readonly split: TestSplit;
  readonly augmentation: string;
  /** Loss of a minus loss of b, weighted score. */
  readonly lossDifference: Interval;
  readonly p: number;
  readonly pHolm: number;
  /** Share of the score above chance that is kept: a minus b; null as for `retained`. */
  readonly retainedDifference: Interval | null;
  readonly pRetained: number | null;
  readonly pRetainedHolm: number | null;
}

export interface RobustnessMeasurement extends Provenance {
  readonly systems: readonly RobustnessSystem[];
  readonly nTracks: Readonly<Record<TestSplit, number>>;
  /** Clips of 6.25 s heard of each track. */
  readonly clips: number;
  /** Expected weighted score (fifth above only) of a key drawn blindly. */
  readonly chance: number;
  readonly axes: readonly StrengthAxis[];
  readonly clean: readonly CleanScore[];
  readonly curves: readonly RobustnessCurve[];
  readonly summaries: readonly RobustnessSummary[];
  readonly pairs: readonly RobustnessPair[];
}

/** What was asked of an augmentation and what its output says. */
export interface StrengthRow {
  readonly augmentation: string;
  readonly name: string;
  /** What is measured, e.g. "signal-to-noise ratio", and in which unit. */
  readonly quantity: string;
  readonly unit: string;
  /** What it is measured on: the track, an impulse, tones. */
  readonly signal: string;
  readonly asked: number;
  readonly measured: number;
  /** Largest distance of the two that counts as agreement; null where the strength cannot be read from samples. */
  readonly tolerance: number | null;
}

export interface StrengthMeasurement extends Provenance {
  readonly track: string;
  readonly seconds: number;
  readonly rows: readonly StrengthRow[];
}

/** Does the answer move with the music? Seeds are averaged track by track. */
export interface EquivarianceCurve extends Described {
  readonly split: TestSplit;
  readonly semitones: readonly number[];
  /** Share of tracks whose answer after the shift is the answer before, transposed. */
  readonly moves: readonly Interval[];
  /** Share of tracks whose answer stays where it was. */
  readonly stays: readonly Interval[];
  /** The share to expect if the answers before and after had nothing to do with each other. */
  readonly unrelated: readonly number[];
  /** Mean correlation of the 24 logits after the shift with those before, moved round. */
  readonly correlation: readonly Interval[];
}

/** One system of one seed: equivariance (no label needed) against the score on clean audio. */
export interface EquivariancePoint extends Described {
  readonly seed: number;
  readonly split: TestSplit;
  /** Means over all shifts but 0. */
  readonly moves: number;
  readonly correlation: number;
  readonly score: Interval;
}

export interface EquivarianceMeasurement extends Provenance {
  readonly nTracks: Readonly<Record<TestSplit, number>>;
  readonly curves: readonly EquivarianceCurve[];
  readonly points: readonly EquivariancePoint[];
  /** Spearman's rank correlation of equivariance and score, over the points of one split. */
  readonly ranks: readonly {
    readonly split: TestSplit;
    readonly over: 'linear probes' | 'all probes';
    readonly n: number;
    readonly moves: number | null;
    readonly correlation: number | null;
  }[];
}

/** How the copies of a track are averaged. */
export type Averaging = 'logits' | 'probabilities';

/** One system with the answers to several transposed copies averaged. */
export interface TestTimeRow extends Described {
  readonly split: TestSplit;
  /** Chosen on validation. */
  readonly averaging: Averaging;
  /** Score with 1, 3, 5, ... copies, the smallest shifts first. */
  readonly weighted: readonly Interval[];
  readonly accuracy: readonly Interval[];
  /** All copies against one: paired bootstrap. */
  readonly difference: Interval;
  readonly p: number;
  readonly pHolm: number;
  /** The same with the other averaging. */
  readonly otherDifference: Interval;
}

export interface TestTimeMeasurement extends Provenance {
  readonly nTracks: Readonly<Record<TestSplit, number>>;
  readonly copies: readonly number[];
  readonly rows: readonly TestTimeRow[];
}

/** Confidence and correctness of one system on one split, whole tracks. */
export interface ConfidenceRow extends Described {
  readonly split: TestSplit;
  readonly n: number;
  readonly seeds: number;
  /** Mean over seeds; fitted on validation. */
  readonly temperature: number;
  /** Expected calibration error of the exact match (ten bins of equal counts), before and after the temperature. */
  readonly eceRaw: number;
  readonly ece: number;
  /** What answers as confident as these would show in 95 of 100 sets if they were perfectly honest. */
  readonly eceHonest: number;
  /** Six bins of equal counts, all seeds together, after the temperature. */
  readonly bins: readonly { readonly confidence: number; readonly accuracy: number; readonly count: number }[];
  /** Share of pairs of a right and a wrong track in which the right one has the higher confidence. */
  readonly auroc: Interval | null;
  /** Scores of the surest share of the tracks: by probability, of a template by its lead over the second key. */
  readonly coverage: readonly number[];
  readonly weighted: readonly Interval[];
  readonly accuracy: readonly Interval[];
  /** Weighted score of the more confident half minus that of all. */
  readonly gainAtHalf: Interval;
  readonly p: number;
  readonly pHolm: number;
}

/** Mean confidence against exact matches of one system under one augmentation at one strength. */
export interface DegradedConfidence {
  readonly system: string;
  readonly split: TestSplit;
  readonly augmentation: string;
  readonly strength: number | null;
  readonly confidence: number;
  readonly accuracy: number;
}

export interface ConfidenceMeasurement extends Provenance {
  readonly rows: readonly ConfidenceRow[];
  readonly degraded: readonly DegradedConfidence[];
}
