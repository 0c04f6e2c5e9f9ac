/** An encoder and a head of ours as a detector: mel, clips, embeddings, mean logits. */
import { SAMPLE_RATE } from '../audio/index.js';
import { embedTracks } from '../embeddings/index.js';
import { loadCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { melSpectrogram } from '../mel/index.js';
import { loadProbe } from '../probe/index.js';
import { softmax } from '../stats/index.js';
import { readWeights } from '../store/index.js';
import { ensureBackend } from '../tensor/index.js';
import { answerOf, type KeyDetector } from './detector.js';

/** Rises whenever mel, clips or decision change. */
export const MODEL_VERSION = 1;

/**
 * @param weights checkpoint of the encoder, as `loadCheckpoint` reads it
 * @param head probe, as `loadProbe` reads it; may be the same file
 * @returns a detector whose confidence is the softmax of the mean logits, at the temperature in the head's metadata
 * @throws InputError for files that cannot be read or do not fit each other
 */
export async function modelDetector(name: string, weights: string, head: string): Promise<KeyDetector> {
  await ensureBackend();
  const probe = loadProbe(head);
  const temperature = temperatureOf(head);
  const { encoder, metadata } = loadCheckpoint(weights);
  if (encoder.outWidth !== probe.width) {
    encoder.dispose();
    throw new InputError(
      head,
      `reads embeddings of width ${probe.width}, but ${weights} gives embeddings of width ${encoder.outWidth}`,
    );
  }
  // An encoder that scales its input itself takes power, whatever else the file says.
  const isScaled = metadata.melScale === 'log1p' && encoder.config.inputScale === 'power';
  const scale = isScaled ? 'log1p' : 'power';
  return {
    name,
    sampleRate: SAMPLE_RATE,
    detect: async (samples) => {
      const table = await embedTracks(encoder, [{ id: name, mel: melSpectrogram(samples, { scale }) }]);
      const logits = probe.trackLogits(table);
      const probabilities = softmax(logits, temperature);
      return answerOf(logits, (keyId) => probabilities[keyId]);
    },
    dispose: async () => encoder.dispose(),
  };
}

/** Of the head's calibration, 1 without. @throws InputError for one that is no number above 0 */
function temperatureOf(head: string): number {
  const text = readWeights(head).metadata.temperature;
  if (text === undefined) return 1;
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)))
    throw new InputError(head, `metadata entry temperature is "${text}"; expected a number above 0`);
  return value;
}
