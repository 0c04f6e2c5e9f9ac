import { InputError } from '../../errors.js';
import type { Rng } from '../../tensor/index.js';
import { SAMPLE_RATE } from '../decode.js';
import { mp3RoundTrip, opusRoundTrip } from './codecs.js';
import { amplify, clip, compress } from './dynamics.js';
import { bandStop, highPass, lowPass, stopEdges, tilt } from './filters.js';
import { mixNoise, pinkNoise, whiteNoise } from './noise.js';
import { type Augmentation, augmentationInfo, type AugmentationId, checkedAugmentation } from './registry.js';
import { reverberate } from './reverb.js';
import { shiftPitch, stretch } from './stretch.js';
import { maskTime } from './timeMask.js';

type Effect = (
  samples: Float32Array,
  strength: number,
  options: Readonly<Record<string, number>>,
  rng: Rng,
) => Float32Array | Promise<Float32Array>;

const TILT_PIVOT = 1000; // Hz
/** Largest sample taken: far above any audio, far below where a float32 overflows after 60 dB of gain. */
const LARGEST = 1e6;
/** A track with no sample above this counts as silent. */
const SILENT = 1e-20;

const EFFECTS: Readonly<Record<AugmentationId, Effect>> = {
  gain: amplify,
  whiteNoise: (x, snrDb, _, rng) => withNoise(x, whiteNoise(x.length, rng), snrDb),
  pinkNoise: (x, snrDb, _, rng) => withNoise(x, pinkNoise(x.length, rng), snrDb),
  lowPass: (x, hz, { order }) => lowPass(x, hz, order, SAMPLE_RATE),
  highPass: (x, hz, { order }) => highPass(x, hz, order, SAMPLE_RATE),
  bandStop: (x, widthHz, { centreHz, order }) => bandStop(x, checkedEdges(centreHz, widthHz), order, SAMPLE_RATE),
  reverb: (x, rt60, { wet }, rng) => reverberate(x, rt60, wet, rng, SAMPLE_RATE),
  clipping: clip,
  compression: (x, ratio, { thresholdDb, attackMs, releaseMs }) =>
    compress(x, ratio, { thresholdDb, attackMs, releaseMs }, SAMPLE_RATE),
  mp3: mp3RoundTrip,
  opus: opusRoundTrip,
  tilt: (x, slope) => tilt(x, slope, TILT_PIVOT, SAMPLE_RATE),
  timeStretch: stretch,
  timeMask: (x, share, { gapSeconds }, rng) => maskTime(x, share, gapSeconds, rng, SAMPLE_RATE),
  tuning: shiftPitch,
  pitchShift: (x, semitones) => shiftPitch(x, 100 * semitones),
};

/**
 * Applies one augmentation. The result is a new array, finite, at the same rate, of the same length (timeStretch apart:
 * round(strength * length)). At the neutral strength it is a copy, bit for bit; silence stays silence.
 * Levels are not brought back under 1: gain, tilt, noise and others may leave larger samples.
 * @param samples mono, 16 kHz, nominally -1 to 1; any length
 * @param rng the same generator gives the same result and is not advanced: over the strengths of one augmentation the
 *   noise, the room and the places of the gaps are drawn alike, so that a curve shows the strength alone. For other
 *   draws pass another generator (`rng.fork(track)`).
 * @throws InputError for an unknown id or option, a strength or option out of range, samples that are no numbers
 */
export async function applyAugmentation(
  samples: Float32Array,
  augmentation: Augmentation,
  rng: Rng,
): Promise<Float32Array> {
  const options = checkedAugmentation(augmentation);
  const { id, strength } = augmentation;
  const info = augmentationInfo(id);
  const peak = checkedPeak(id, samples);
  if (strength === info.neutral) return samples.slice();
  if (peak <= SILENT)
    return new Float32Array(info.keepsLength ? samples.length : Math.round(strength * samples.length));
  return EFFECTS[id](samples, strength, options, rng.fork(id));
}

function withNoise(samples: Float32Array, noise: Float32Array, snrDb: number): Float32Array {
  const out = samples.slice();
  mixNoise(out, noise, snrDb);
  return out;
}

function checkedEdges(centreHz: number, widthHz: number): [number, number] {
  const edges = stopEdges(centreHz, widthHz);
  if (edges[1] >= SAMPLE_RATE / 2)
    throw new InputError(
      'augmentation bandStop, strength',
      `a band ${widthHz} Hz wide about ${centreHz} Hz reaches up to ${edges[1].toFixed(0)} Hz, less than ${SAMPLE_RATE / 2} Hz was expected.`,
    );
  return edges;
}

function checkedPeak(id: AugmentationId, samples: Float32Array): number {
  let peak = 0;
  for (let i = 0; i < samples.length; i++) {
    const size = Math.abs(samples[i]);
    if (!(size <= LARGEST))
      throw new InputError(
        `augmentation ${id}, samples`,
        `sample ${i} is ${samples[i]}, a number from ${-LARGEST} to ${LARGEST} (nominally -1 to 1) was expected.`,
      );
    if (size > peak) peak = size;
  }
  return peak;
}
