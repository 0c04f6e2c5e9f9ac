/** Our template baselines as detectors: the chroma of the whole track against 24 rotated profiles. */
import { SAMPLE_RATE } from '../audio/index.js';
import { InputError } from '../errors.js';
import { chromagram } from '../mel/index.js';
import { estimateKeyByTemplate, TEMPLATE_PROFILES } from '../probe/index.js';
import { answerOf, type KeyDetector } from './detector.js';

export type TemplateName = keyof typeof TEMPLATE_PROFILES;

/** Rises whenever chroma, profiles or decision change. */
export const TEMPLATE_VERSION = 1;

/** Names that a reader may type, beside the profiles' own. */
const SHORT_NAMES: Readonly<Record<string, TemplateName>> = { krumhansl: 'krumhanslKessler' };

export const TEMPLATE_NAMES: readonly string[] = [...Object.keys(SHORT_NAMES), ...Object.keys(TEMPLATE_PROFILES)];

/** The profile of a name, or null. */
export function templateOf(name: string): TemplateName | null {
  if (Object.hasOwn(SHORT_NAMES, name)) return SHORT_NAMES[name];
  return Object.hasOwn(TEMPLATE_PROFILES, name) ? (name as TemplateName) : null;
}

/** @returns a detector whose confidence is the best correlation, -1..1 */
export function templateDetector(name: string, template: TemplateName): KeyDetector {
  const profile = TEMPLATE_PROFILES[template];
  return {
    name,
    sampleRate: SAMPLE_RATE,
    detect: async (samples) => {
      const { scores } = estimateKeyByTemplate(chromagram(samples), profile);
      if (scores.every((score) => score === 0)) throw new InputError(name, 'no pitch is heard in this audio');
      return answerOf(scores, (keyId) => scores[keyId]);
    },
    dispose: async () => undefined,
  };
}
