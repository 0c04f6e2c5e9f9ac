/** 01: one note out of tune, in mel bands. */
import { MEL, melSpectrogram } from '../../mel/index.js';
import type { TuningMeasurement } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';

const CENTS = [-40, -20, 0, 20, 40];
const FUNDAMENTAL = 440;
const PARTIALS = 8;

/** A tone of eight partials (amplitudes 1/k) at several tunings, as its mean mel profile. */
export function tuning(run: Run): Promise<TuningMeasurement> {
  return measured(run, 'tuning', { CENTS, FUNDAMENTAL, PARTIALS }, (base) => {
    const profiles = CENTS.map((cents) => profileAt(cents));
    const inTune = profiles[CENTS.indexOf(0)];
    const neighbour = profileAt(100);
    return {
      ...base,
      cents: CENTS,
      fundamental: FUNDAMENTAL,
      bands: Array.from({ length: MEL.nMels }, (_, band) => band),
      profiles: profiles.map((profile) => profile.map((v) => rounded(v, 3))),
      cosineToSelf: profiles.map((profile) => rounded(cosine(profile, inTune))),
      cosineToNeighbour: profiles.map((profile) => rounded(cosine(profile, neighbour))),
    };
  });
}

/** Share of the tone's power in each band, mean over half a second. */
function profileAt(cents: number): number[] {
  const hertz = FUNDAMENTAL * 2 ** (cents / 1200);
  const samples = Float32Array.from({ length: 8000 }, (_, n) => {
    let sum = 0;
    for (let k = 1; k <= PARTIALS; k++) sum += Math.sin((2 * Math.PI * k * hertz * n) / MEL.sampleRate) / k;
    return 0.3 * sum;
  });
  const { nMels, nFrames, data } = melSpectrogram(samples);
  const power = Array.from({ length: nMels }, (_, band) =>
    data.subarray(band * nFrames, (band + 1) * nFrames).reduce((a, b) => a + b, 0),
  );
  const total = power.reduce((a, b) => a + b, 0);
  return power.map((p) => p / total);
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
