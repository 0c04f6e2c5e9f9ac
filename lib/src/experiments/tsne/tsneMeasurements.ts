/** What notebook 06 measures; types only. Letters: n clean clips on a map, m augmented copies. */
import type { EncoderName, Interval, Provenance } from '../measurements.js';

/** A mean over repetitions with their standard deviation; 0 where there is one. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** What was done to a copy, as figures need it. */
export interface CopyKind {
  /** For people, and unique: `Low-pass 2000 Hz`. */
  readonly chain: string;
  /** Id in the registry of augmentations; `composition` for several in a row. */
  readonly augmentation: string;
  /** Name of the augmentation, without its strength. */
  readonly label: string;
  readonly axisLabel: string;
  /** In the unit of `axisLabel`; null for compositions. */
  readonly strength: number | null;
  /** Semitones that the key moves up by. */
  readonly semitones: number;
}

/** A track that has clips on a map. */
export interface MappedTrack {
  readonly id: string;
  readonly keyId: number;
  readonly split: string;
  readonly style: string;
}

/** Positions on a map, in the order that the measurement says. */
export interface MapPositions {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** One map an encoder: clean clips that it was fitted on, and copies placed on it. Every array of a panel is in the same order. */
export interface AugmentedMapMeasurement extends Provenance {
  readonly perplexity: number;
  readonly tracks: readonly MappedTrack[];
  /** [n] index into `tracks` of each clip, and which clip of it (from 0) */
  readonly trackOf: readonly number[];
  readonly clipOf: readonly number[];
  readonly kinds: readonly CopyKind[];
  /** The copies that are drawn: their original (a clip), what was done (a kind), and the name of their sound. */
  readonly copies: readonly { readonly original: number; readonly kind: number; readonly sound: string }[];
  /** Sounds of the originals of these copies. */
  readonly originalSounds: readonly { readonly original: number; readonly sound: string }[];
  readonly panels: readonly {
    readonly encoder: EncoderName;
    readonly klDivergence: number;
    readonly clips: MapPositions;
    readonly copies: MapPositions;
  }[];
}

/** How maps come about and how good they are, one row an encoder and a way of starting. */
export interface MapQualityMeasurement extends Provenance {
  readonly nClips: number;
  readonly nTracks: number;
  readonly perplexity: number;
  /** Neighbours that are looked at. */
  readonly k: number;
  /** Iterations at which maps were looked at, the first is 0. */
  readonly iterations: readonly number[];
  readonly rows: readonly {
    readonly encoder: EncoderName;
    readonly start: 'pca' | 'random';
    readonly seeds: number;
    /** KL in nats at each of `iterations`. */
    readonly klDivergence: readonly Spread[];
    /** Accuracy of the key of most of the k nearest clips of other tracks, at each of `iterations`. */
    readonly keyAccuracy: readonly Spread[];
    /** The same among the embeddings. */
    readonly embeddingAccuracy: number;
    readonly trustworthiness: Spread;
    readonly preservation: Spread;
  }[];
}

/** How far copies are from their originals, in one space. */
export interface CopyDistances {
  /** Distance of the copy to its original over the mean distance of the original to clips of other tracks. */
  readonly ratio: Interval;
  /** Share of copies to which no other clean clip is nearer than their original. */
  readonly rankFirst: Interval;
  /** Median over copies of the number of clean clips that are nearer than the original. */
  readonly medianRank: number;
}

/** Copies against strength, for every augmentation and encoder. Intervals are over tracks. */
export interface CopyDistanceMeasurement extends Provenance {
  /** Tracks and clips with copies. */
  readonly nTracks: number;
  readonly nClips: number;
  /** Clean clips that a copy's neighbours are looked for among. */
  readonly nCandidates: number;
  /** Seeds of pretraining that the embeddings are averaged over, and of the maps (of the first of these). */
  readonly seeds: number;
  readonly mapSeeds: number;
  readonly kinds: readonly CopyKind[];
  readonly encoders: readonly {
    readonly encoder: EncoderName;
    /** The ratio for the other clips of the original's own track: what "near" can mean. Null where tracks have one clip. */
    readonly sameTrack: { readonly embedding: Interval | null; readonly map: Interval | null };
    /** In the order of `kinds`. */
    readonly embedding: readonly CopyDistances[];
    /** `spread`: standard deviation of the mean ratio and share over the starts of the map. */
    readonly map: readonly (CopyDistances & {
      readonly spread: { readonly ratio: number; readonly rankFirst: number };
    })[];
  }[];
  /** Means over all kinds that keep the key, b taken from a on the same tracks. */
  readonly differences: readonly {
    readonly a: EncoderName;
    readonly b: EncoderName;
    readonly space: 'embedding' | 'map';
    readonly measure: 'ratio' | 'rankFirst';
    readonly meanA: number;
    readonly meanB: number;
    readonly difference: Interval;
    readonly p: number;
  }[];
}

/** Shares of the k nearest clips of other tracks that are in a key. */
export interface KeyShares {
  /** The key of the original. */
  readonly own: Interval;
  /** The key that the shift moves it to. */
  readonly moved: Interval;
  /** `moved` minus `own`, track by track. */
  readonly difference: Interval;
}

/** Where pitch-shifted copies go: the control that must not stay. */
export interface PitchNeighbourMeasurement extends Provenance {
  readonly k: number;
  readonly nTracks: number;
  readonly seeds: number;
  readonly mapSeeds: number;
  /** Share of clips that are in the key of an average copy: what a blind guess finds. */
  readonly chance: number;
  readonly semitones: readonly number[];
  readonly encoders: readonly {
    readonly encoder: EncoderName;
    /** In the order of `semitones`; 0 is the clean clip, whose two shares are the same. */
    readonly embedding: readonly KeyShares[];
    readonly map: readonly KeyShares[];
  }[];
}

/** The same clips at several perplexities, and a control without structure. */
export interface PerplexityMeasurement extends Provenance {
  readonly encoder: EncoderName;
  readonly k: number;
  /** [n] */
  readonly keyIds: readonly number[];
  readonly panels: readonly {
    /** `shuffled`: every column permuted by itself, so that nothing is left but the spread of each column. */
    readonly data: 'embeddings' | 'shuffled';
    readonly perplexity: number;
    readonly klDivergence: number;
    readonly keyAccuracy: number;
    readonly trustworthiness: number;
    readonly clips: MapPositions;
  }[];
}

/** Our t-SNE and the package tsne-js on the same few clips. */
export interface TsneJsMeasurement extends Provenance {
  readonly encoder: EncoderName;
  readonly nClips: number;
  readonly perplexity: number;
  readonly k: number;
  readonly keyIds: readonly number[];
  readonly embeddingAccuracy: number;
  readonly rows: readonly {
    readonly program: 'keymyna' | 'tsne-js';
    readonly start: 'pca' | 'random';
    readonly seeds: number;
    /** By the same function with the same affinities (ours). */
    readonly klDivergence: Spread;
    readonly keyAccuracy: Spread;
    readonly trustworthiness: Spread;
    readonly preservation: Spread;
    /** The map of the first seed. */
    readonly clips: MapPositions;
  }[];
}
