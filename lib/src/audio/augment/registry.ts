/** The augmentations as data: what a figure, a table and a check of a strength need to know of each. */
import { InputError } from '../../errors.js';

/** A second control of an augmentation, the same over all strengths of one figure. */
export interface AugmentationOption {
  readonly name: string;
  readonly unit: string;
  readonly range: readonly [min: number, max: number];
  readonly default: number;
  /** Whether only whole numbers are taken. */
  readonly whole?: boolean;
}

export interface AugmentationInfo {
  /** For people. */
  readonly name: string;
  /** Unit of the strength. */
  readonly unit: string;
  readonly range: readonly [min: number, max: number];
  /** The strengths that there are, where it is not every number of the range. */
  readonly only?: readonly number[];
  readonly axisLabel: string;
  /** For a figure. */
  readonly defaultStrengths: readonly number[];
  /** The strength that leaves the audio as it is, bit for bit; null if there is none. */
  readonly neutral: number | null;
  /** Semitones that the key's tonic moves up by, for each unit of strength. */
  readonly labelShiftPerUnit: 0 | 1;
  readonly keepsLength: boolean;
  /** Whether it draws random numbers. */
  readonly random: boolean;
  readonly options: Readonly<Record<string, AugmentationOption>>;
}

const NYQUIST = 8000; // Hz, half of SAMPLE_RATE
const ORDER = { name: 'Butterworth order', unit: '', range: [1, 12], default: 4, whole: true } as const;
const WHOLE_SEMITONES = Array.from({ length: 13 }, (_, i) => i - 6);
const PLAIN = { labelShiftPerUnit: 0, keepsLength: true, random: false, options: {} } as const;

/** Every augmentation by its id, in the order of figures. */
export const AUGMENTATIONS = {
  gain: {
    ...PLAIN,
    name: 'Gain',
    unit: 'dB',
    range: [-60, 60],
    axisLabel: 'Gain (dB)',
    defaultStrengths: [-20, -10, -5, 5, 10],
    neutral: 0,
  },
  whiteNoise: {
    ...PLAIN,
    name: 'White noise',
    unit: 'dB',
    range: [-20, 80],
    axisLabel: 'Signal-to-noise ratio (dB)',
    defaultStrengths: [40, 30, 20, 10, 0],
    neutral: null,
    random: true,
  },
  pinkNoise: {
    ...PLAIN,
    name: 'Pink noise',
    unit: 'dB',
    range: [-20, 80],
    axisLabel: 'Signal-to-noise ratio (dB)',
    defaultStrengths: [40, 30, 20, 10, 0],
    neutral: null,
    random: true,
  },
  lowPass: {
    ...PLAIN,
    name: 'Low-pass',
    unit: 'Hz',
    range: [20, NYQUIST],
    axisLabel: 'Low-pass cut-off (Hz)',
    defaultStrengths: [6000, 4000, 2000, 1000, 500],
    neutral: NYQUIST,
    options: { order: ORDER },
  },
  highPass: {
    ...PLAIN,
    name: 'High-pass',
    unit: 'Hz',
    range: [0, 7900],
    axisLabel: 'High-pass cut-off (Hz)',
    defaultStrengths: [60, 125, 250, 500, 1000],
    neutral: 0,
    options: { order: ORDER },
  },
  /** Strength: width between the two -3 dB points, which lie geometrically about the centre (their product is its square). */
  bandStop: {
    ...PLAIN,
    name: 'Band-stop',
    unit: 'Hz',
    range: [0, 6000],
    axisLabel: 'Width of the stopped band (Hz)',
    defaultStrengths: [250, 500, 1000, 2000, 4000],
    neutral: 0,
    options: { centreHz: { name: 'centre', unit: 'Hz', range: [50, 4000], default: 1000 }, order: ORDER },
  },
  reverb: {
    ...PLAIN,
    name: 'Reverberation',
    unit: 's',
    range: [0, 10],
    axisLabel: 'Reverberation time RT60 (s)',
    defaultStrengths: [0.3, 0.6, 1, 2, 4],
    neutral: 0,
    random: true,
    options: { wet: { name: 'wet share of the amplitude', unit: '', range: [0, 1], default: 0.4 } },
  },
  /** Strength: share of the samples other than 0 that are cut off. */
  clipping: {
    ...PLAIN,
    name: 'Clipping',
    unit: 'share',
    range: [0, 0.9],
    axisLabel: 'Share of samples clipped',
    defaultStrengths: [0.01, 0.03, 0.1, 0.2, 0.4],
    neutral: 0,
  },
  /** Strength: ratio above the threshold; the track's RMS is kept. */
  compression: {
    ...PLAIN,
    name: 'Compression',
    unit: ': 1',
    range: [1, 100],
    axisLabel: 'Compression ratio (: 1)',
    defaultStrengths: [1.5, 2, 4, 8, 20],
    neutral: 1,
    options: {
      thresholdDb: { name: 'threshold over the RMS of the track', unit: 'dB', range: [-60, 20], default: -10 },
      attackMs: { name: 'attack', unit: 'ms', range: [0.1, 1000], default: 10 },
      releaseMs: { name: 'release', unit: 'ms', range: [0.1, 5000], default: 100 },
    },
  },
  /** Strength: bit rate of one channel at 16 kHz, so 64 kbit/s here is not the 64 kbit/s of a stereo file at 44.1 kHz. */
  mp3: {
    ...PLAIN,
    name: 'MP3 round trip',
    unit: 'kbit/s',
    range: [8, 160],
    only: [8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160],
    axisLabel: 'MP3 bit rate, mono 16 kHz (kbit/s)',
    defaultStrengths: [64, 32, 24, 16, 8],
    neutral: null,
  },
  opus: {
    ...PLAIN,
    name: 'Opus round trip',
    unit: 'kbit/s',
    range: [6, 128],
    axisLabel: 'Opus bit rate, mono 16 kHz (kbit/s)',
    defaultStrengths: [64, 32, 16, 12, 6],
    neutral: null,
  },
  tilt: {
    ...PLAIN,
    name: 'Tilt',
    unit: 'dB/octave',
    range: [-6, 6],
    axisLabel: 'Spectral tilt about 1 kHz (dB/octave)',
    defaultStrengths: [-6, -3, -1.5, 1.5, 3, 6],
    neutral: 0,
  },
  /** Strength: output length over input length, so 1.25 is slower; the output has round(strength * length) samples. */
  timeStretch: {
    ...PLAIN,
    name: 'Time stretch',
    unit: 'ratio',
    range: [0.5, 2],
    axisLabel: 'Time stretch (length ratio)',
    defaultStrengths: [0.67, 0.8, 0.9, 1.1, 1.25, 1.5],
    neutral: 1,
    keepsLength: false,
  },
  timeMask: {
    ...PLAIN,
    name: 'Time masking',
    unit: 'share',
    range: [0, 0.95],
    axisLabel: 'Share of the time masked',
    defaultStrengths: [0.1, 0.2, 0.4, 0.6, 0.8],
    neutral: 0,
    random: true,
    options: { gapSeconds: { name: 'length of a gap, at most', unit: 's', range: [0.01, 60], default: 1 } },
  },
  tuning: {
    ...PLAIN,
    name: 'Tuning shift',
    unit: 'cents',
    range: [-50, 50],
    axisLabel: 'Tuning shift (cents)',
    defaultStrengths: [-50, -25, -10, 10, 25, 50],
    neutral: 0,
  },
  /** The control that is not invariant: the key moves along. */
  pitchShift: {
    ...PLAIN,
    name: 'Pitch shift',
    unit: 'semitones',
    range: [-6, 6],
    only: WHOLE_SEMITONES,
    axisLabel: 'Pitch shift (semitones)',
    defaultStrengths: WHOLE_SEMITONES.filter((semitones) => semitones !== 0),
    neutral: 0,
    labelShiftPerUnit: 1,
  },
} as const satisfies Record<string, AugmentationInfo>;

export type AugmentationId = keyof typeof AUGMENTATIONS;

/** All ids, in the order of figures. */
export const AUGMENTATION_IDS = Object.keys(AUGMENTATIONS) as readonly AugmentationId[];

/** One augmentation at one strength. */
export interface Augmentation {
  readonly id: AugmentationId;
  /** In the unit of the registry. */
  readonly strength: number;
  /** Controls other than their defaults. */
  readonly options?: Readonly<Record<string, number>>;
}

/**
 * What the registry says of an augmentation.
 * @throws InputError for an id that is none
 */
export function augmentationInfo(id: AugmentationId): AugmentationInfo {
  if (!Object.hasOwn(AUGMENTATIONS, id))
    throw new InputError(
      'augmentation, id',
      `'${String(id)}' was found, one of ${AUGMENTATION_IDS.join(', ')} was expected.`,
    );
  return AUGMENTATIONS[id];
}

/**
 * Checks id, strength and options.
 * @returns all options of the augmentation, the ones not given at their defaults
 * @throws InputError that says the field, what was found and what was expected
 */
export function checkedAugmentation({ id, strength, options = {} }: Augmentation): Readonly<Record<string, number>> {
  const info = augmentationInfo(id);
  const where = `augmentation ${id}`;
  checkNumber(`${where}, strength`, strength, info);
  if (info.only && !info.only.includes(strength))
    throw new InputError(
      `${where}, strength`,
      `${strength} ${info.unit} was found, one of ${info.only.join(', ')} was expected.`,
    );
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(info.options, name))
      throw new InputError(
        `${where}, option ${name}`,
        `there is no such option; ${Object.keys(info.options).join(', ') || 'none'} was expected.`,
      );
    checkNumber(`${where}, option ${name}`, value, info.options[name]);
  }
  const defaults = Object.entries(info.options).map(([name, option]) => [name, option.default] as const);
  return { ...Object.fromEntries(defaults), ...options };
}

function checkNumber(
  where: string,
  value: number,
  { unit, range, whole }: Omit<AugmentationOption, 'name' | 'default'>,
) {
  const [min, max] = range;
  if (typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value)))
    throw new InputError(
      where,
      `${String(value)} was found, a ${whole ? 'whole ' : ''}number from ${min} to ${max}${unit && ` (${unit})`} was expected.`,
    );
}

/**
 * Semitones by which the tonic of the track's key moves up; 0 for all that leave the key alone.
 * @throws InputError as checkedAugmentation
 */
export function labelShift(augmentation: Augmentation): number {
  checkedAugmentation(augmentation);
  const { labelShiftPerUnit } = augmentationInfo(augmentation.id);
  return labelShiftPerUnit === 0 ? 0 : augmentation.strength * labelShiftPerUnit;
}
