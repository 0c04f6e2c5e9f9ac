/** What notebook 10 measures of a reader's own recordings: plain JSON; types only. K = 24 keys in key order. */
import type { Provenance } from '../measurements.js';

/** A stretch of time in one key; seconds. */
export interface KeySegment {
  readonly start: number;
  readonly end: number;
  readonly keyId: number;
}

/** The key over time: what the clips say, smoothed. A column is the time around a clip's middle. */
export interface MusicOverTime {
  /** Length of a clip and distance from clip to clip, seconds. */
  readonly clipSeconds: number;
  readonly hopSeconds: number;
  /** How long a key lasts on average, by the model of the smoothing, seconds. */
  readonly keySeconds: number;
  /** [columns + 1] borders of the columns, seconds. */
  readonly edges: readonly number[];
  /** [K][columns] probability of each key, given all clips. */
  readonly posteriors: readonly (readonly number[])[];
  /** The most probable sequence of keys; it changes where the piece modulates. */
  readonly segments: readonly KeySegment[];
  /** What each clip says by itself, equal neighbours joined. */
  readonly alone: readonly KeySegment[];
}

/** One recording. */
export interface MusicTrack {
  /** From the folder, with `/`. */
  readonly file: string;
  readonly seconds: number;
  readonly keyId: number;
  readonly secondKeyId: number;
  /** [K] calibrated; `confidence` is that of `keyId`. */
  readonly probabilities: readonly number[];
  readonly confidence: number;
  /** By the manifest; null without a label. */
  readonly labelKeyId: number | null;
  readonly overTime: MusicOverTime;
  /** The sections as the composer wrote them; null for a recording. */
  readonly composed: readonly KeySegment[] | null;
}

/** Which model heard. */
export interface MusicModel {
  readonly name: string;
  readonly origin: 'yours' | 'shipped';
  /** Logits are divided by it. */
  readonly temperature: number;
  readonly isCalibrated: boolean;
}

/** A file that could not be heard, and why. */
export interface MusicProblem {
  readonly file: string;
  readonly problem: string;
}

export interface MusicMeasurement extends Provenance {
  readonly model: MusicModel;
  /** Whether these are pieces of the embedded corpus, because no own music was there. */
  readonly isDemonstration: boolean;
  readonly tracks: readonly MusicTrack[];
  readonly problems: readonly MusicProblem[];
}
