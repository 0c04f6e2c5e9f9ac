/** What happens between instruments and microphone: a room's reverberation, noise, level. */
import type { Rng } from '../tensor/index.js';

/** Comb and allpass delays of Schroeder's reverberator (1962), seconds; mutually prime at 16 kHz. */
const COMBS = [0.0297, 0.0371, 0.0411, 0.0437];
const ALLPASSES = [0.005, 0.0017];

/** Adds a room in place: `wet` of the amplitude falls by 60 dB in `seconds`. */
export function reverberate(samples: Float32Array, sampleRate: number, seconds: number, wet: number): void {
  if (wet === 0) return;
  const n = samples.length;
  const tail = new Float32Array(n);
  for (const delaySeconds of COMBS) {
    const delay = Math.round(delaySeconds * sampleRate);
    const feedback = Math.pow(10, (-3 * delaySeconds) / seconds);
    const line = new Float32Array(delay);
    // A one-pole low-pass in the loop: high notes die first, as in a room.
    let damped = 0;
    for (let i = 0, at = 0; i < n; i++) {
      const out = line[at];
      damped = 0.7 * out + 0.3 * damped;
      line[at] = samples[i] + feedback * damped;
      tail[i] += 0.25 * out;
      if (++at === delay) at = 0;
    }
  }
  for (const delaySeconds of ALLPASSES) {
    const delay = Math.round(delaySeconds * sampleRate);
    const line = new Float32Array(delay);
    for (let i = 0, at = 0; i < n; i++) {
      const out = line[at] - 0.7 * tail[i];
      line[at] = tail[i] + 0.7 * out;
      tail[i] = out;
      if (++at === delay) at = 0;
    }
  }
  for (let i = 0; i < n; i++) samples[i] = (1 - wet) * samples[i] + wet * tail[i];
}

/** Root mean square. */
export function rms(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return Math.sqrt(sum / Math.max(1, samples.length));
}

/** Adds pink noise in place, `snrDb` below the music's RMS (Kellet's three-pole filter of uniform noise). */
export function addNoise(samples: Float32Array, snrDb: number, rng: Rng): void {
  const noise = new Float32Array(samples.length);
  let [a, b, c] = [0, 0, 0];
  for (let i = 0; i < noise.length; i++) {
    const white = 2 * rng.uniform() - 1;
    a = 0.99765 * a + white * 0.099046;
    b = 0.963 * b + white * 0.2965164;
    c = 0.57 * c + white * 1.0526913;
    noise[i] = a + b + c + white * 0.1848;
  }
  const gain = (rms(samples) / rms(noise)) * Math.pow(10, -snrDb / 20);
  for (let i = 0; i < samples.length; i++) samples[i] += gain * noise[i];
}

/** Scales in place to a peak of `peakDb` dBFS (at most 0, so nothing clips). */
export function setPeak(samples: Float32Array, peakDb: number): void {
  let peak = 0;
  for (const value of samples) peak = Math.max(peak, Math.abs(value));
  if (peak === 0) return;
  const gain = Math.pow(10, peakDb / 20) / peak;
  for (let i = 0; i < samples.length; i++) samples[i] *= gain;
}
