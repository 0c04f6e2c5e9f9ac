import type { Rng } from '../../tensor/index.js';

/** Root mean square. */
export function rms(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i] * samples[i];
  return Math.sqrt(sum / Math.max(1, samples.length));
}

/** Normal white noise of variance 1. */
export function whiteNoise(n: number, rng: Rng): Float32Array {
  const noise = new Float32Array(n);
  for (let i = 0; i < n; i++) noise[i] = rng.normal();
  return noise;
}

/** Pink noise, -3 dB an octave, at no particular level (Kellet's three-pole filter of uniform noise). */
export function pinkNoise(n: number, rng: Rng): Float32Array {
  const noise = new Float32Array(n);
  let [a, b, c] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const white = 2 * rng.uniform() - 1;
    a = 0.99765 * a + white * 0.099046;
    b = 0.963 * b + white * 0.2965164;
    c = 0.57 * c + white * 1.0526913;
    noise[i] = a + b + c + white * 0.1848;
  }
  return noise;
}

/** Adds noise in place, at an RMS `snrDb` below that of the samples: silence stays silence. */
export function mixNoise(samples: Float32Array, noise: Float32Array, snrDb: number): void {
  const level = rms(noise);
  if (level === 0) return;
  const gain = (rms(samples) / level) * Math.pow(10, -snrDb / 20);
  for (let i = 0; i < samples.length; i++) samples[i] += gain * noise[i];
}
