import type { Rng } from '../../tensor/index.js';
import { rms } from './noise.js';

const N_LINES = 16;
/** Shortest and longest delay, seconds. */
const DELAYS = [0.008, 0.06] as const;

/**
 * Reverberation by a feedback delay network: sixteen delay lines that feed each other through a Householder matrix, each
 * with the gain that makes the energy fall by 60 dB in `rt60` seconds, in every band alike (Jot, Chaigne, "Digital delay
 * networks for designing artificial reverberators", 1991). The reverberation is brought to the RMS of the input, then
 * mixed: (1 - wet) * input + wet * reverberation. Delays and signs come from `rng`: another seed is another room.
 * (corpus/room.ts has Schroeder's reverberator, with high notes that die first, for rendering: a sound of its own, on
 * which the rendered corpus depends bit for bit; here the time must be the one that the strength says.)
 * @param rt60 seconds, above 0
 * @param wet 0 to 1
 * @param sampleRate Hz
 */
export function reverberate(
  samples: Float32Array,
  rt60: number,
  wet: number,
  rng: Rng,
  sampleRate: number,
): Float32Array {
  const n = samples.length;
  const level = rms(samples);
  if (level === 0 || wet === 0) return samples.slice();
  const [shortest, longest] = DELAYS;
  const delays = Int32Array.from({ length: N_LINES }, (_, k) => {
    const seconds = shortest * (longest / shortest) ** ((k + rng.uniform()) / N_LINES);
    return Math.round(seconds * sampleRate);
  });
  const gains = Float64Array.from(delays, (delay) => Math.pow(10, (-3 * delay) / (rt60 * sampleRate)));
  const signs = Float64Array.from(delays, () => (rng.uniform() < 0.5 ? -1 : 1));
  const starts = new Int32Array(N_LINES);
  for (let k = 1; k < N_LINES; k++) starts[k] = starts[k - 1] + delays[k - 1];
  const lines = new Float64Array(starts[N_LINES - 1] + delays[N_LINES - 1]);
  const heads = starts.slice();
  const ends = starts.map((start, k) => start + delays[k]);

  const tail = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    let out = 0;
    for (let k = 0; k < N_LINES; k++) {
      const value = lines[heads[k]];
      sum += value;
      out += signs[k] * value;
    }
    tail[i] = out;
    // Below 1e-30 the loop is taken as silent: fading for ever would end in denormal numbers, which are slow.
    const x = samples[i];
    const back = (-2 / N_LINES) * sum;
    for (let k = 0; k < N_LINES; k++) {
      const value = x + gains[k] * (lines[heads[k]] + back);
      lines[heads[k]] = value > 1e-30 || value < -1e-30 ? value : 0;
      if (++heads[k] === ends[k]) heads[k] = starts[k];
    }
  }
  const tailLevel = rms(tail);
  const wetGain = tailLevel === 0 ? 0 : (wet * level) / tailLevel;
  for (let i = 0; i < n; i++) tail[i] = (1 - wet) * samples[i] + wetGain * tail[i];
  return tail;
}
