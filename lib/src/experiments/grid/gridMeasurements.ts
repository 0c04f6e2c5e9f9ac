/** 04: what the grids of probes and transposed training audio come to. Types only. */
import type { EncoderName, Interval, Provenance, TestSplit } from '../measurements.js';

export type GridName = 'architectures' | 'trainings';

/** One run: its configuration, the epoch that validation chose, and what it scores there. Fifths count both ways. */
export interface GridRunRow {
  /** `2048-d0.75-2048`, or `batch 64, rate 0.0003, decay 0.00001, MixUp`. */
  readonly name: string;
  /** Width of its layers, how many there are, and the share of activations that dropout removes. */
  readonly width: number;
  readonly layers: number;
  readonly dropout: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly isMixed: boolean;
  /** From 0. */
  readonly epoch: number;
  readonly valid: number;
  readonly test: number;
  readonly testTimbre: number;
}

/** What one way of choosing reports. */
export interface GridResult {
  readonly run: string;
  readonly epoch: number;
  /** Fifth above only. */
  readonly weighted: Interval;
  readonly weightedBothFifths: Interval;
  readonly accuracy: Interval;
}

/** One test split of a grid. */
export interface GridSplit {
  readonly split: TestSplit;
  readonly n: number;
  /** Configuration and epoch chosen on validation. */
  readonly corrected: GridResult;
  /** Configuration and epoch chosen by this very split: the published flaw. */
  readonly asPublished: GridResult;
  /** As published minus corrected on the same tracks, both fifths. */
  readonly difference: Interval;
  /** Spearman's between validation and test score of all runs, interval by resampling runs; null without an order. */
  readonly rankCorrelation: Interval | null;
  /** The test score of what other validation tracks would have chosen: mean and central 95 % over resamples. */
  readonly reselected: Interval;
  /**
   * Choosing by half of the test tracks instead of by validation: what that gains on the half that it chose by, and on
   * the other. Means over random halves; every run with the epoch that validation chose.
   */
  readonly halves: { readonly seen: number; readonly unseen: number };
}

/** A grid on the output embeddings of one encoder. */
export interface GridMeasurement extends Provenance {
  readonly grid: GridName;
  readonly encoder: EncoderName;
  /** Runs of the paper's grid, of which these are some or all. */
  readonly wholeSize: number;
  readonly epochs: number;
  readonly trainClips: number;
  readonly validTracks: number;
  readonly runs: readonly GridRunRow[];
  /** The run that validation chose. */
  readonly chosen: string;
  /** Share of resamples of the validation tracks that choose the same run, and how many runs are chosen at all. */
  readonly sameChoice: number;
  readonly chosenEver: number;
  readonly splits: readonly GridSplit[];
}

/** Probes trained with transposed copies of the training audio and without, on one split. */
export interface PitchAugmentationRow {
  readonly encoder: EncoderName;
  readonly method: 'linear' | 'mlp';
  readonly split: TestSplit;
  readonly n: number;
  /** Of pretraining. */
  readonly seeds: number;
  /** Weighted scores, fifth above only. */
  readonly without: Interval;
  readonly with: Interval;
  readonly accuracyWithout: Interval;
  readonly accuracyWith: Interval;
  /** With minus without on the same tracks. */
  readonly difference: Interval;
  readonly pBootstrap: number;
}

export interface PitchAugmentationMeasurement extends Provenance {
  readonly trainTracks: number;
  readonly trainClips: number;
  /** The copies beside the clean clip, in semitones. */
  readonly semitones: readonly number[];
  readonly validTracks: number;
  readonly rows: readonly PitchAugmentationRow[];
}
