import { InputError } from '../errors.js';
import { encodeWav, resample, SAMPLE_RATE } from '../audio/index.js';
import { display, escapeHtml } from './display.js';

/** Longest clip that a notebook carries: each second is 43 kB of its file. */
const MAX_SECONDS = 30;

/**
 * Shows a player with the clip inside the notebook, as 16-bit WAV at 16 kHz.
 * @param samples mono, -1 to 1; louder ones are scaled down together, so that nothing clips
 * @param sampleRate Hz of `samples`
 * @throws InputError for an empty clip, one over 30 s, or a sample that is not finite
 */
export function showAudio(samples: Float32Array, sampleRate: number, label: string): void {
  const seconds = samples.length / sampleRate;
  if (!(seconds > 0 && seconds <= MAX_SECONDS))
    throw new InputError(
      `clip "${label}"`,
      `it lasts ${seconds} s; expected more than 0 and at most ${MAX_SECONDS} s.`,
    );
  let peak = 0;
  for (const sample of samples) {
    if (!Number.isFinite(sample))
      throw new InputError(`clip "${label}"`, `it holds the sample ${sample}; finite ones were expected.`);
    peak = Math.max(peak, Math.abs(sample));
  }
  const resampled = sampleRate === SAMPLE_RATE ? samples : resample(samples, sampleRate, SAMPLE_RATE);
  const wav = encodeWav(peak > 1 ? resampled.map((sample) => sample / peak) : resampled, SAMPLE_RATE);
  const source = `data:audio/wav;base64,${Buffer.from(wav).toString('base64')}`;
  display({
    'text/html': `<div>${escapeHtml(label)}<br><audio controls preload="metadata" src="${source}"></audio></div>`,
    'text/plain': `[clip ${label}, ${seconds.toFixed(1)} s]`,
  });
}
