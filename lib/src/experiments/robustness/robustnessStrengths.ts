/** 08: augmentations to listen to, and every strength measured back from what comes out. */
import {
  applyAugmentation,
  type Augmentation,
  type AugmentationId,
  augmentationInfo,
  rms,
  SAMPLE_RATE,
} from '../../audio/index.js';
import { type Track, trackAudio } from '../../corpus/index.js';
import { createRng } from '../../tensor/index.js';
import { chainName } from '../augmented/augmentedSets.js';
import { robustnessAugmentations } from './robustnessSystems.js';
import type { StrengthMeasurement, StrengthRow } from './robustnessMeasurements.js';
import { measured, rounded, type Run } from '../run/run.js';
import { bandEdges, compressionRatio, cutOff, decayTime, partialCents, tiltSlope } from './robustnessSounds.js';
import { exampleTrack } from '../features/tracks.js';

const SECONDS = 5;
const rng = createRng(0).fork('listening');

/** One clip to listen to. */
export interface HeardAugmentation {
  /** null = the clean audio. */
  readonly augmentation: Augmentation | null;
  readonly label: string;
  /** Mono, 16 kHz. */
  readonly samples: Float32Array;
}

/** What a listener hears the effect of at once. */
const TO_HEAR: readonly Augmentation[] = [
  { id: 'whiteNoise', strength: 10 },
  { id: 'lowPass', strength: 1000 },
  { id: 'highPass', strength: 500 },
  { id: 'reverb', strength: 2 },
  { id: 'clipping', strength: 0.2 },
  { id: 'opus', strength: 6 },
  { id: 'timeStretch', strength: 1.25 },
  { id: 'timeMask', strength: 0.4 },
  { id: 'tuning', strength: 50 },
  { id: 'pitchShift', strength: 5 },
];

/** The example track's first seconds: clean, then through some augmentations. */
export async function heardAugmentations(run: Run): Promise<HeardAugmentation[]> {
  const clean = await opening(exampleTrack(run));
  const heard: HeardAugmentation[] = [{ augmentation: null, label: 'clean', samples: clean }];
  for (const augmentation of TO_HEAR) {
    const samples = await applyAugmentation(clean, augmentation, rng);
    heard.push({ augmentation, label: chainName([augmentation]), samples: samples.subarray(0, clean.length) });
  }
  return heard;
}

async function opening(track: Track): Promise<Float32Array> {
  return (await trackAudio(track)).slice(0, SECONDS * SAMPLE_RATE);
}

/** How the strength of each augmentation is read from what comes out. */
interface Reading {
  readonly quantity: string;
  readonly signal: string;
  readonly unit?: string;
  /** Agreement: share of the asked strength, or distance in its unit. */
  readonly tolerance: { readonly share: number } | { readonly distance: number } | null;
  readonly measure: (augmentation: Augmentation, music: Float32Array) => Promise<number>;
}

const apply = (samples: Float32Array, augmentation: Augmentation): Promise<Float32Array> =>
  applyAugmentation(samples, augmentation, rng);

function impulse(seconds: number): Float32Array {
  const samples = new Float32Array(Math.ceil(seconds * SAMPLE_RATE));
  samples[0] = 1;
  return samples;
}

const decibel = (ratio: number): number => 20 * Math.log10(ratio);

async function signalToNoise(augmentation: Augmentation, music: Float32Array): Promise<number> {
  const out = await apply(music, augmentation);
  return decibel(rms(music) / rms(out.map((sample, i) => sample - music[i])));
}

const SNR: Reading = {
  quantity: 'signal-to-noise ratio',
  signal: 'track',
  tolerance: { distance: 0.05 },
  measure: signalToNoise,
};
const CUT_OFF: Reading = {
  quantity: '−3 dB point',
  signal: 'impulse',
  tolerance: { share: 0.01 },
  measure: async (augmentation) => cutOff(await apply(impulse(0.5), augmentation)),
};
/** Decoded samples do not say how many bits they took. */
const CODEC: Reading = {
  quantity: 'signal-to-noise ratio left',
  signal: 'track',
  unit: 'dB',
  tolerance: null,
  measure: signalToNoise,
};
/** A major from A3, partials as far apart as the reading needs. */
const CHORD = [220, 277.18, 440, 659.26, 1318.5];
const CENTS: Reading = {
  quantity: 'mean shift of five tones',
  signal: 'tones',
  tolerance: { distance: 1 },
  measure: async (augmentation) => {
    const tones = Float32Array.from({ length: 3 * SAMPLE_RATE }, (_, i) =>
      CHORD.reduce((sum, hz) => sum + 0.1 * Math.sin((2 * Math.PI * hz * i) / SAMPLE_RATE + hz), 0),
    );
    const asked = augmentation.id === 'tuning' ? augmentation.strength : 100 * augmentation.strength;
    const out = await apply(tones, augmentation);
    const found = CHORD.map((hz) => asked + partialCents(out, hz * 2 ** (asked / 1200), SAMPLE_RATE));
    return found.reduce((sum, cents) => sum + cents, 0) / found.length;
  },
};

const READINGS: Readonly<Record<AugmentationId, Reading>> = {
  gain: {
    quantity: 'change of level',
    signal: 'track',
    tolerance: { distance: 0.01 },
    measure: async (augmentation, music) => decibel(rms(await apply(music, augmentation)) / rms(music)),
  },
  whiteNoise: SNR,
  pinkNoise: SNR,
  lowPass: CUT_OFF,
  highPass: CUT_OFF,
  bandStop: {
    quantity: 'distance of the −3 dB points',
    signal: 'impulse',
    tolerance: { share: 0.01 },
    measure: async (augmentation) => {
      const [low, high] = bandEdges(await apply(impulse(0.5), augmentation), 1000);
      return high - low;
    },
  },
  reverb: {
    quantity: 'decay from −5 to −35 dB, drawn on to −60',
    signal: 'impulse',
    tolerance: { share: 0.06 },
    measure: async ({ id, strength }) => decayTime(await apply(impulse(1.6 * strength), { id, strength, options: { wet: 1 } })), // prettier-ignore
  },
  clipping: {
    quantity: 'share of samples at the limit',
    signal: 'track',
    tolerance: { distance: 0.001 },
    measure: async (augmentation, music) => {
      const out = await apply(music, augmentation);
      const limit = out.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
      const sounding = music.filter((sample) => sample !== 0).length;
      return out.filter((sample) => Math.abs(sample) === limit).length / sounding;
    },
  },
  compression: {
    quantity: 'dB in per dB out, above the threshold',
    signal: 'tones',
    tolerance: { share: 0.06 },
    measure: compressionRatio,
  },
  mp3: CODEC,
  opus: CODEC,
  tilt: {
    quantity: 'slope from 62.5 Hz to 4 kHz',
    signal: 'impulse',
    tolerance: { distance: 0.1 },
    measure: async (augmentation) => tiltSlope(await apply(impulse(2), augmentation)),
  },
  timeStretch: {
    quantity: 'length out over length in',
    signal: 'track',
    tolerance: { share: 0.001 },
    measure: async (augmentation, music) => (await apply(music, augmentation)).length / music.length,
  },
  timeMask: {
    quantity: 'share of samples silenced',
    signal: 'track',
    tolerance: { distance: 0.005 },
    measure: async (augmentation, music) => {
      const out = await apply(music, augmentation);
      const silenced = out.filter((sample, i) => sample === 0 && music[i] !== 0).length;
      return silenced / music.filter((sample) => sample !== 0).length;
    },
  },
  tuning: CENTS,
  pitchShift: {
    ...CENTS,
    tolerance: { distance: 0.02 },
    measure: async (augmentation, music) => (await CENTS.measure(augmentation, music)) / 100,
  },
};

/** Every strength of the preset, asked and measured. */
export function augmentationStrengths(run: Run): Promise<StrengthMeasurement> {
  const track = exampleTrack(run);
  return measured(run, 'augmentation-strengths', { track: track.id, SECONDS }, async (base) => {
    const music = await opening(track);
    const rows: StrengthRow[] = [];
    for (const { id, strengths } of robustnessAugmentations(run)) {
      const { name, unit } = augmentationInfo(id);
      const { quantity, signal, tolerance, measure, unit: ownUnit = unit } = READINGS[id];
      for (const strength of strengths)
        rows.push({
          augmentation: id,
          name,
          quantity,
          unit: ownUnit,
          signal,
          asked: strength,
          // Four decimals: 0 dB is 0 and not 1e-11.
          measured: rounded(Math.round(1e4 * (await measure({ id, strength }, music))) / 1e4),
          tolerance: tolerance && ('share' in tolerance ? tolerance.share * strength : tolerance.distance),
        });
    }
    return { ...base, track: track.id, seconds: SECONDS, rows };
  });
}
