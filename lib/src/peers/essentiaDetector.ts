/**
 * Essentia's KeyExtractor through essentia.js. The package is AGPL-3.0: it is no part of this suite and is used only
 * where the reader has installed it.
 * Reference: essentia.upf.edu/reference/std_KeyExtractor.html; every parameter but the profile is its default.
 */
import { InputError } from '../errors.js';
import { parseKey } from '../keys/index.js';
import type { KeyDetector } from './detector.js';
import { optionalPackage } from './optionalPackage.js';

/** The rate that KeyExtractor's defaults (frames of 4096 samples) are made for, Hz. */
const RATE = 44100;

/** Profiles that KeyExtractor takes in this version, with 12 bins; another ends in a C++ exception without a text. */
export const ESSENTIA_PROFILES = [
  'bgate',
  'braw',
  'diatonic',
  'edma',
  'edmm',
  'gomez',
  'krumhansl',
  'noland',
  'shaath',
  'temperley',
  'temperley2005',
  'thpcp',
  'tonictriad',
] as const;
export type EssentiaProfile = (typeof ESSENTIA_PROFILES)[number];

/** KeyExtractor's parameters after the audio, in its order. */
const parametersOf = (profile: EssentiaProfile) =>
  [true, 4096, 4096, 12, 3500, 60, 25, 0.2, profile, RATE, 0.0001, 440, 'cosine', 'hann'] as const;

interface FloatVector {
  delete(): void;
}

interface Essentia {
  arrayToVector(samples: Float32Array): FloatVector;
  KeyExtractor(
    audio: FloatVector,
    ...parameters: ReturnType<typeof parametersOf>
  ): { readonly key: string; readonly scale: string; readonly strength: number };
}

interface EssentiaPackage {
  readonly Essentia: new (wasm: unknown) => Essentia;
  readonly EssentiaWASM: unknown;
}

let loaded: Essentia | null = null;

/** One instance a thread: every further one would hold a copy of the program. */
function essentia(): Essentia {
  if (loaded) return loaded;
  // When it is loaded, its runtime takes over the process' uncaught errors; they stay ours.
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.rawListeners(event));
  const { Essentia, EssentiaWASM } = optionalPackage('essentia.js', 'the system essentia') as EssentiaPackage;
  events.forEach((event, i) => {
    for (const listener of process.rawListeners(event))
      if (!before[i].includes(listener)) process.removeListener(event, listener as () => void);
  });
  return (loaded = new Essentia(EssentiaWASM));
}

/**
 * @returns a detector whose confidence is KeyExtractor's `strength`, the correlation with the best profile
 * @throws InputError if essentia.js is not installed
 */
export function essentiaDetector(name: string, profile: EssentiaProfile): KeyDetector {
  const algorithms = essentia();
  const parameters = parametersOf(profile);
  return {
    name,
    sampleRate: RATE,
    detect: async (samples) => {
      const audio = failing(name, () => algorithms.arrayToVector(samples));
      try {
        const { key, scale, strength } = failing(name, () => algorithms.KeyExtractor(audio, ...parameters));
        if (strength <= -1) throw new InputError(name, 'no pitch is heard in this audio'); // silence gives A minor, -1
        const found = parseKey(`${key} ${scale}`);
        if (!found) throw new InputError(name, `essentia.js answers "${key} ${scale}", which is no key`);
        return { keyId: found.id, confidence: Number.isFinite(strength) ? strength : null, scores: null };
      } finally {
        audio.delete();
      }
    },
    dispose: async () => undefined,
  };
}

/** C++ exceptions come as the number of a place in memory; the sentence says at least who failed. */
function failing<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : `exception ${String(cause)}`;
    throw new InputError(name, `essentia.js cannot analyse this audio (${reason})`, { cause });
  }
}
