/** What the ablations of pretraining measure; types only. */
import type { EncoderName, Interval, Provenance, TestSplit } from '../measurements.js';

/** The linear probe of one choice on one test split: means over seeds, intervals over tracks, all in 0..1. */
export interface AblationScore {
  readonly n: number;
  /** MIREX weighted, fifth above only. */
  readonly weighted: Interval;
  readonly perSeed: readonly number[];
  /** Minus the base, on the same tracks; null for the base itself. */
  readonly fromBase: Interval | null;
  /** Minus the choice that differs in this axis alone; null where that is the base, or the row itself. */
  readonly fromReference: Interval | null;
  /** Minus the random initialisation that the pretraining started from, read at the same layer. */
  readonly fromRandom: Interval;
  /** The score of that random initialisation. */
  readonly random: number;
}

/** One choice of an axis. */
export interface AblationChoice {
  readonly label: string;
  readonly encoder: EncoderName;
  /** Blocks before the mean that the probe reads; null = the output. */
  readonly layer: number | null;
  readonly isBase: boolean;
  readonly steps: number;
  /** Tokens that the encoder read in all, of one seed. */
  readonly tokens: number;
  /** Wall time of pretraining, mean over seeds. */
  readonly seconds: number;
  readonly scores: Readonly<Record<TestSplit, AblationScore>>;
}

/** Encoders that differ in one choice. */
export interface AblationAxis {
  readonly id: string;
  readonly label: string;
  /** The choice that the others of the axis are compared with, beside the base; null where that is the base. */
  readonly reference: string | null;
  readonly choices: readonly AblationChoice[];
}

export interface AblationMeasurement extends Provenance {
  readonly corpus: string;
  readonly seeds: number;
  /** What the seeds are of: pretraining (probe included), or the probe alone. */
  readonly seedsOf: 'pretraining' | 'probe';
  readonly base: { readonly label: string; readonly scores: Readonly<Record<TestSplit, number>> };
  readonly axes: readonly AblationAxis[];
}
