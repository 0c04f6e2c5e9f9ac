/** What notebook 07 measures of probes trained with maps; types only. */
import type { Interval, Provenance } from '../measurements.js';

/**
 * What a probe is tested on. test, testTimbre: clean, all tracks; augmented: test tracks under the 15 augmentations of
 * the maps; shifted: under the semitone shifts, keys moved; timbreAugmented: unseen timbre under all augmentations at
 * several strengths.
 */
export type ProbeTestId = 'test' | 'testTimbre' | 'augmented' | 'shifted' | 'timbreAugmented';

export interface MapProbeRow {
  readonly method: 'linear' | 'mlp';
  readonly variant: string;
  readonly label: string;
  readonly trainOn: 'part' | 'whole';
  readonly test: ProbeTestId;
  /** tracks, and the ways in which each is heard (1 for clean) */
  readonly n: number;
  readonly ways: number;
  /** MIREX, fifth above only; a track's score is its mean over ways and seeds */
  readonly weighted: Interval;
  readonly perSeed: readonly number[];
}

/** A variant minus another trained on the same clips, by paired bootstrap over tracks. */
export interface MapProbeDifference {
  readonly method: 'linear' | 'mlp';
  readonly trainOn: 'part' | 'whole';
  readonly a: string;
  readonly b: string;
  readonly test: ProbeTestId;
  readonly n: number;
  readonly difference: Interval;
  readonly pValue: number;
}

export interface MapProbeMeasurement extends Provenance {
  readonly encoder: string;
  /** of pretraining */
  readonly seeds: number;
  /** clips and tracks of the two train sets, and the tracks that the maps were fitted on */
  readonly part: { readonly clips: number; readonly tracks: number };
  readonly whole: { readonly clips: number; readonly tracks: number };
  readonly probability: number;
  readonly rows: readonly MapProbeRow[];
  readonly differences: readonly MapProbeDifference[];
}
