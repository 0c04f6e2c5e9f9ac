/** An encoder and a head of ours as a detector. */
import { SAMPLE_RATE } from '../audio/index.js';
import { NUM_KEYS } from '../keys/index.js';
import { type KeyModelFiles, keyModelId, loadKeyModel, predictSamples } from '../predict/index.js';
import { ensureBackend } from '../tensor/index.js';
import type { KeyDetector } from './detector.js';

/** Rises whenever mel, clips or decision change. */
export const MODEL_VERSION = 2;

/**
 * @returns a detector whose confidence is the probability of the key, calibrated if the model is; scores are mean logits
 * @throws InputError for files that cannot be read or do not fit each other
 */
export async function modelDetector(name: string, files: KeyModelFiles): Promise<KeyDetector> {
  await ensureBackend();
  const model = loadKeyModel(files);
  return {
    name,
    sampleRate: SAMPLE_RATE,
    detect: async (samples) => {
      const { keyId, confidence, clips } = await predictSamples(model, samples, { file: name });
      const sums = Array.from({ length: NUM_KEYS }, (_, key) =>
        clips.reduce((sum, { logits }) => sum + logits[key], 0),
      );
      return { keyId, confidence, scores: sums.map((sum) => sum / clips.length) };
    },
    dispose: async () => model.dispose(),
  };
}

/** What names a model by all that its answers depend on. @throws InputError as `modelDetector` */
export async function modelIdentity(files: KeyModelFiles): Promise<string> {
  await ensureBackend();
  const model = loadKeyModel(files);
  try {
    return keyModelId(model);
  } finally {
    model.dispose();
  }
}
