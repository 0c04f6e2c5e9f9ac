/**
 * The plain JSON that experiments measure and figures draw; types only, imports nothing.
 * Every array is in plotting order; numbers are rounded when measured, so that files stay small and comparable.
 */

/** A value with its 95 % bootstrap interval (over tracks unless said), in the unit of the value. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** The preset, seeds and backend that a measurement belongs to. */
export interface Provenance {
  readonly preset: string;
  readonly configId: string;
  readonly backend: string;
  /** What was heard, where it is not the embedded corpus alone. */
  readonly music?: string;
  /** Encoders that were not pretrained here: patches, and the id of their weights. */
  readonly weights?: string;
}

/** What a listener gets to know about a track. */
export interface TrackCard {
  readonly id: string;
  readonly key: string;
  readonly split: string;
  readonly seconds: number;
  readonly style: string;
  /** Deviation from A4 = 440 Hz in cents, as the composer chose it; null when the track is a recording. */
  readonly tuningCents: number | null;
}

// ---- 01 audio to mel -------------------------------------------------------------------------------------------

/** The first clip of a track at four stages: samples, power spectrum, power mel, log1p mel. */
export interface MelWalkthrough extends Provenance {
  readonly track: TrackCard;
  readonly nSamples: number;
  readonly nFrames: number;
  /** Envelope of the samples: the lowest and highest of each bin of `binSeconds`. */
  readonly waveform: { readonly binSeconds: number; readonly low: readonly number[]; readonly high: readonly number[] };
  /** Power spectrum in dB below its peak, floored at -80: `decibel[bin][frame]`, `frequencies` in Hz. */
  readonly stft: Heat;
  /** Mel power, and log1p of the power. */
  readonly melPower: Heat;
  readonly melLog1p: Heat;
  /** Share of the clip's summed value that the loudest 1 %, 5 %, 10 %, 50 % of the cells hold. */
  readonly concentration: {
    readonly share: readonly number[];
    readonly power: readonly number[];
    readonly log1p: readonly number[];
  };
}

/** `values[row][column]`; rows are frequency from low to high, columns are time. */
export interface Heat {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly values: readonly (readonly number[])[];
}

/** The 128 triangular filters: `weights` of every `step`-th one, and where each filter sits. */
export interface FilterBankMeasurement extends Provenance {
  readonly centres: readonly number[];
  readonly widths: readonly number[];
  readonly curves: readonly {
    readonly band: number;
    readonly frequencies: readonly number[];
    readonly weights: readonly number[];
  }[];
}

/** What happens to the patches that the encoder reads when the sound is turned up or down. */
export interface GainMeasurement extends Provenance {
  readonly gainsDecibel: readonly number[];
  /** Mean relative change of a normalised patch, against gain 0 dB: |LN(patch(g x)) - LN(patch(x))| / |LN(patch(x))|. */
  readonly power: readonly number[];
  readonly log1p: readonly number[];
  /** The relative change of the mel itself before the patch's normalisation. */
  readonly powerRaw: readonly number[];
  readonly log1pRaw: readonly number[];
}

/** How finely mel bands resolve notes, and where the bands of one octave lie. */
export interface OctaveMeasurement extends Provenance {
  readonly notes: readonly {
    readonly name: string;
    readonly midi: number;
    readonly hertz: number;
    readonly band: number;
  }[];
  /** Bands from each C to the next C. */
  readonly octaves: readonly { readonly from: string; readonly to: string; readonly bands: number }[];
  /** Width of a semitone in bands at each note. */
  readonly bandsPerSemitone: readonly number[];
  /** The lowest MIDI note from which on a semitone is at least one band wide. */
  readonly resolvedFromMidi: number;
}

/** The mel of one harmonic tone at several tunings. */
export interface TuningMeasurement extends Provenance {
  readonly cents: readonly number[];
  readonly fundamental: number;
  readonly bands: readonly number[];
  /** `profiles[tuning][band]`, share of the power of the whole tone. */
  readonly profiles: readonly (readonly number[])[];
  /** Cosine of each profile with the one at 0 cents, and with the tone a semitone higher. */
  readonly cosineToSelf: readonly number[];
  readonly cosineToNeighbour: readonly number[];
}

// ---- 02 views and masks ----------------------------------------------------------------------------------------

export interface PatchLayout {
  readonly patches: 'vertical' | 'square';
  /** Mel bands and frames of a patch. */
  readonly patchSize: readonly [number, number];
  readonly nFrames: number;
  readonly nTokens: number;
  /** For each view the token numbers that stay, ascending; tokens count row by row from the lowest bands. */
  readonly views: readonly (readonly number[])[];
}

/** Everything that the framework figure shows, taken from one real track. */
export interface FrameworkMeasurement extends Provenance {
  readonly track: TrackCard;
  /** dB below the peak, floored at -80. */
  readonly mel: Heat;
  readonly maskRatio: number;
  readonly layouts: readonly PatchLayout[];
}

export interface TokenCountMeasurement extends Provenance {
  readonly rows: readonly {
    readonly patches: string;
    readonly patchSize: string;
    readonly clipFrames: number;
    readonly nTokens: number;
    readonly masked: number;
    readonly kept: number;
    /** Attention products of the kept tokens over those of all tokens. */
    readonly attentionShare: number;
  }[];
}

/** How much of a clip several masked views see together. */
export interface MaskCoverageMeasurement extends Provenance {
  readonly maskRatio: number;
  /** A few views of one clip, and the clip. */
  readonly mel: Heat;
  readonly example: PatchLayout;
  readonly nViews: readonly number[];
  /** Share of the tokens seen at least once by n views: counted, and 1 - maskShare^n. */
  readonly counted: readonly number[];
  readonly expected: readonly number[];
  /** Mean share of tokens that two views of one clip have in common. */
  readonly overlap: number;
}

/** How much two clips of a track share, by their distance. */
export interface ViewDistanceMeasurement extends Provenance {
  readonly nTracks: number;
  readonly seconds: readonly number[];
  /** Mean cosine at each distance, between clips of one track. */
  readonly chroma: readonly Interval[];
  readonly timbre: readonly Interval[];
  /** The same between clips of different tracks. */
  readonly chromaOther: number;
  readonly timbreOther: number;
}

// ---- 03 pretraining --------------------------------------------------------------------------------------------

/** Name of an encoder: how it cuts patches and what it was trained on. */
export interface EncoderName {
  readonly id: string;
  readonly label: string;
  readonly patches: 'vertical' | 'square' | 'hybrid';
  readonly origin: 'random' | 'pretrained';
  readonly data: 'embedded' | 'real' | 'both' | null;
  /** What differs from the preset's base, as the preset names it; null = nothing. */
  readonly variant: string | null;
}

export interface TrainingCurves extends Provenance {
  readonly batchPairs: number;
  readonly temperature: number;
  readonly curves: readonly {
    readonly encoder: EncoderName;
    readonly seed: number;
    /** Each point is the mean over the steps since the point before. */
    readonly step: readonly number[];
    readonly loss: readonly number[];
    readonly contrastiveAccuracy: readonly number[];
    readonly alignment: readonly number[];
    readonly uniformity: readonly number[];
    readonly secondsPerStep: number;
  }[];
}

/** What a snapshot can do, on tracks that pretraining has not seen (the validation split). */
export interface SnapshotScores extends Provenance {
  readonly nTracks: number;
  readonly curves: readonly {
    readonly encoder: EncoderName;
    readonly seed: number;
    readonly step: readonly number[];
    /** Share of tracks whose first clip is nearest (cosine) to the last clip of the same track. */
    readonly retrieval: readonly number[];
    /** Mean cosine of the two clips, and of clips of different tracks. */
    readonly cosineSame: readonly number[];
    readonly cosineOther: readonly number[];
    /** Linear probe, MIREX weighted (fifth above only), on the validation split. */
    readonly probe: readonly Interval[];
  }[];
}

export interface BudgetMeasurement extends Provenance {
  readonly rows: readonly {
    readonly encoder: EncoderName;
    readonly parameters: number;
    readonly steps: number;
    readonly pairs: number;
    readonly tokensPerClip: number;
    readonly seconds: number;
  }[];
}

// ---- 04 embeddings and probes ----------------------------------------------------------------------------------

export type TestSplit = 'test' | 'testTimbre';

/** Shares of the five relations of the estimated to the reference key; they sum to 1. */
export interface Shares {
  readonly same: number;
  readonly fifth: number;
  readonly relative: number;
  readonly parallel: number;
  readonly other: number;
}

/** One way to estimate keys on one split. Scores are means over seeds, intervals over tracks, all in 0..1. */
export interface ComparisonRow {
  readonly id: string;
  readonly label: string;
  readonly family: 'template' | 'spectrum' | 'random' | 'pretrained';
  readonly method: 'template' | 'linear' | 'mlp';
  readonly split: TestSplit;
  readonly n: number;
  readonly seeds: number;
  /** What the seeds are of: pretraining (probe included) or the probe alone; null for a method without chance. */
  readonly seedsOf: 'pretraining' | 'probe' | null;
  readonly weighted: Interval;
  readonly weightedBothFifths: Interval;
  readonly accuracy: Interval;
  /** With the fifth counted above only; the fifth below is in `other`. */
  readonly shares: Shares;
  readonly sharesBothFifths: Shares;
  /** Weighted score of each seed, and the deviation over them (null with one seed). */
  readonly perSeed: readonly number[];
  readonly deviation: number | null;
}

export interface ComparisonMeasurement extends Provenance {
  readonly corpus: string;
  readonly rows: readonly ComparisonRow[];
}

/** Two rows of the comparison on the same tracks. */
export interface PairwiseRow {
  readonly split: TestSplit;
  readonly a: string;
  readonly b: string;
  readonly n: number;
  readonly seeds: number;
  /** Weighted score of a minus that of b: paired bootstrap over tracks. */
  readonly difference: Interval;
  readonly pBootstrap: number;
  /** Tracks that only a, and only b, has exactly right (decision of the first seed). */
  readonly onlyA: number;
  readonly onlyB: number;
  readonly pMcNemar: number;
}

export interface PairwiseMeasurement extends Provenance {
  readonly rows: readonly PairwiseRow[];
}

/** `counts[reference][estimate]` in the order of `keys`; summed over seeds. */
export interface ConfusionMeasurement extends Provenance {
  readonly label: string;
  readonly split: TestSplit;
  readonly keys: readonly string[];
  readonly counts: readonly (readonly number[])[];
  readonly seeds: number;
  /** Estimated minus reference tonic in fifths (-5..6), counted by equal and unequal mode. */
  readonly fifths: readonly number[];
  readonly sameMode: readonly number[];
  readonly otherMode: readonly number[];
}

/** What a flaw of the published protocol adds to (or takes from) the weighted score. */
export interface ProtocolRow {
  readonly flaw: string;
  readonly split: TestSplit;
  readonly corrected: number;
  readonly asPublished: number;
  /** Mean difference over encoders and seeds; low and high are the smallest and the largest of them. */
  readonly difference: Interval;
  readonly n: number;
}

export interface ProtocolMeasurement extends Provenance {
  readonly rows: readonly ProtocolRow[];
  /** Weighted test scores of one encoder's probe, one a probe seed. */
  readonly seedScores: readonly {
    readonly encoder: string;
    readonly split: TestSplit;
    readonly scores: readonly number[];
  }[];
}

export interface LayerMeasurement extends Provenance {
  readonly n: number;
  readonly split: string;
  readonly curves: readonly {
    readonly encoder: EncoderName;
    readonly seed: number;
    /** 0 = patch and position embedding only, k = after block k, depth + 1 = the output (normalised). */
    readonly layer: readonly number[];
    readonly weighted: readonly Interval[];
  }[];
}
