/**
 * What notebook 07 measures, as plain JSON; types only. Every measure is a mean over the encoder's pretraining seeds,
 * its interval over test tracks, which are resampled for all seeds (and for both sides of a difference) at once.
 */
import type { EncoderName, Interval, Provenance } from '../measurements.js';

/** How many pairs of a clean and an augmented clip: a matrix of width^2 numbers is fitted on `train` of them. */
export interface PairCounts {
  readonly width: number;
  readonly train: number;
  readonly valid: number;
  readonly test: number;
  readonly trainTracks: number;
  readonly testTracks: number;
}

/** As `maps.MapEvaluation` describes them. */
export interface MapMeasures {
  readonly r2: Interval;
  readonly explainedChange: Interval;
  readonly cosine: Interval;
  readonly centredCosine: Interval;
  readonly top1: Interval;
  readonly meanReciprocalRank: Interval;
}

export type FittedKind = 'identity' | 'meanShift' | 'linear' | 'affine';

/** One augmentation and encoder. */
export interface MapRow {
  readonly encoder: EncoderName;
  readonly seeds: number;
  readonly augmentation: string;
  /** chain: two augmentations, rendered one after the other */
  readonly group: 'augmentation' | 'shift' | 'chain';
  /** semitones */
  readonly labelShift: number;
  readonly kinds: Readonly<Record<FittedKind, MapMeasures>>;
  /** linear minus another, in explained change and centred cosine */
  readonly gains: readonly {
    readonly over: Exclude<FittedKind, 'linear'>;
    readonly explainedChange: Interval;
    readonly centredCosine: Interval;
  }[];
  /** what validation chose for the linear map, seed by seed */
  readonly ridges: readonly number[];
  readonly towards: readonly ('zero' | 'identity')[];
}

export interface MapAccuracyMeasurement extends Provenance {
  readonly pairs: PairCounts;
  readonly rows: readonly MapRow[];
}

/** How many directions an augmentation changes. */
export interface MapRankRow {
  readonly encoder: EncoderName;
  readonly augmentation: string;
  readonly group: MapRow['group'];
  /** of W - 1, over the largest, first seed */
  readonly singularValues: readonly number[];
  /** mean over seeds: of W - 1, what the augmentation changes, and of W itself */
  readonly effectiveRankOfChange: number;
  readonly effectiveRank: number;
  /** singular values of W - 1 that hold 90 % of its squares */
  readonly rankOfSquares: number;
  /** Reduced-rank regression: explained change of W - 1 cut to rank r. */
  readonly ranks: readonly number[];
  readonly explainedChange: readonly Interval[];
  readonly r2: readonly Interval[];
  /** the smallest of `ranks` that explains 95 % of what the full rank explains; null if that explains nothing */
  readonly rankNeeded: number | null;
}

export interface MapRankMeasurement extends Provenance {
  readonly pairs: PairCounts;
  readonly rows: readonly MapRankRow[];
}

/** Closed form against steps along the gradient, the same ridge and target. */
export interface GradientRow {
  readonly augmentation: string;
  readonly optimizer: 'sgd' | 'adam';
  readonly ridge: number;
  readonly towards: 'zero' | 'identity';
  readonly epochs: number;
  /** |W_gradient - W_closed| / |W_closed - 1| */
  readonly matrixGap: number;
  /** |(W_gradient - W_closed) x| / |(W_closed - 1) x| over the clean test clips */
  readonly predictionGap: number;
  /** test */
  readonly explainedChangeGradient: number;
  readonly explainedChangeClosed: number;
}

export interface GradientMeasurement extends Provenance {
  readonly encoder: EncoderName;
  readonly pairs: PairCounts;
  readonly rows: readonly GradientRow[];
}

export type CompositionKind = 'identity' | 'first' | 'second' | 'composed' | 'reversed' | 'direct';

/** Two augmentations, really rendered one after the other, and what predicts them. */
export interface CompositionRow {
  readonly encoder: EncoderName;
  readonly seeds: number;
  readonly first: string;
  readonly second: string;
  readonly explainedChange: Readonly<Record<CompositionKind, Interval>>;
  readonly centredCosine: Readonly<Record<CompositionKind, Interval>>;
  /** composed minus another, explained change */
  readonly differences: readonly { readonly to: Exclude<CompositionKind, 'composed'>; readonly difference: Interval }[];
  /** |(C - D) x| / |(D - 1) x| over clean test clips: composed C against direct D; mean over seeds */
  readonly predictionGap: number;
  /** |C - D| / |D - 1|, Frobenius */
  readonly matrixGap: number;
  /** |AB - BA| / |AB|, and |(AB - BA) x| / |(AB - 1) x| over clean test clips */
  readonly commutator: number;
  readonly orderGapOfMaps: number;
  /** |y_ab - y_ba| / |y_ab - x| of the audio itself, where both orders are rendered */
  readonly orderGapOfAudio: number | null;
}

export interface CompositionMeasurement extends Provenance {
  readonly pairs: PairCounts;
  readonly rows: readonly CompositionRow[];
}

/** shift(+1) or shift(-1) applied k times against the map of k semitones, on really shifted audio. */
export interface PowerRow {
  readonly encoder: EncoderName;
  readonly semitones: number;
  readonly explainedChange: Readonly<Record<'power' | 'direct', Interval>>;
  readonly centredCosine: Readonly<Record<'identity' | 'power' | 'direct', Interval>>;
  /** power minus direct, explained change */
  readonly difference: Interval;
  readonly predictionGap: number;
}

/** Undoing a shift of s semitones, by what explains of the way back. */
export interface InverseRow {
  readonly encoder: EncoderName;
  readonly semitones: number;
  /** map(-s) after map(s), back to the clean embedding */
  readonly roundTrip: Interval;
  /** on really shifted audio: map(-s), the inverse of map(s), and a map fitted on the way back */
  readonly byOpposite: Interval;
  readonly byInverse: Interval;
  readonly byDirect: Interval;
  /** of map(s); mean over seeds */
  readonly conditionNumber: number;
  /** singular values that the inverse keeps, as validation chose; mean over seeds */
  readonly inverseRank: number;
}

/** A map made of semitone maps that adds up to `semitones` (0, 12, -12, 7), as the linear probe sees it. */
export interface CycleRow {
  readonly encoder: EncoderName;
  readonly label: string;
  readonly semitones: number;
  /** R2 and centred cosine of the mapped embedding with the clean one, only for whole octaves */
  readonly r2: Interval | null;
  readonly centredCosine: Interval | null;
  readonly keyAgreement: Interval;
  readonly logitCorrelation: Interval;
}

/** Whether the probe's answer moves by as many semitones as the audio, or as the map says. */
export interface KeyShiftRow {
  readonly encoder: EncoderName;
  readonly semitones: number;
  readonly keyAgreement: Readonly<Record<'map' | 'audio' | 'none', Interval>>;
  readonly logitCorrelation: Readonly<Record<'map' | 'audio' | 'none', Interval>>;
}

/** `share[before][after]` of clips, rows sum to 1 (or 0 if the probe never says the key), in the order of `keys`. */
export interface KeyMoveMatrix {
  readonly label: string;
  readonly semitones: number;
  readonly share: readonly (readonly number[])[];
}

export interface ShiftMeasurement extends Provenance {
  readonly pairs: PairCounts;
  readonly powers: readonly PowerRow[];
  readonly inverses: readonly InverseRow[];
  readonly cycles: readonly CycleRow[];
  readonly keyShifts: readonly KeyShiftRow[];
  /** 24 labels along the circle of fifths */
  readonly keys: readonly string[];
  /** of vertical-pretrained, clips of all seeds together */
  readonly moves: readonly KeyMoveMatrix[];
}
