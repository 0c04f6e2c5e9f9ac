import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { embeddedCorpus } from '../../lib/src/corpus/index.js';
import { InputError } from '../../lib/src/errors.js';
import { KEYS, relation, type Relation } from '../../lib/src/keys/index.js';
import { ESSENTIA_PROFILES, openDetector, parseSystem, type DetectorSpec } from '../../lib/src/peers/index.js';
import { soundOf } from '../../lib/src/peers/trackSound.js';

/** What essentia.js 0.1.3 and our templates answered on pieces of the embedded corpus: `tools/src/peerAnswers.ts`. */
interface Golden {
  readonly sizes: {
    readonly train: number;
    readonly valid: number;
    readonly test: number;
    readonly testTimbre: number;
  };
  readonly seed: number;
  /** one entry a piece, in the order of the corpus */
  readonly ids: readonly string[];
  readonly keys: readonly number[];
  /** key ids by system */
  readonly answers: Readonly<Record<string, readonly number[]>>;
  /** `strength` of KeyExtractor */
  readonly strength: readonly number[];
}
const golden = JSON.parse(readFileSync(new URL('../golden/peerAnswers.json', import.meta.url), 'utf8')) as Golden;

const hasEssentia = ((): boolean => {
  try {
    createRequire(import.meta.url).resolve('essentia.js');
    return true;
  } catch {
    console.warn('essentia.js is not installed (NODE_PATH is looked at too): its tests are skipped');
    return false;
  }
})();
const system = (text: string): DetectorSpec => parseSystem(text) as DetectorSpec;

/** Key of a piece by system, as essentia.js sees it against ours: how often, by relation of ours to theirs. */
function agreement(name: string): Record<Relation, number> {
  const counts = { same: 0, fifthAbove: 0, fifthBelow: 0, relative: 0, parallel: 0, other: 0 };
  const [ours, theirs] = [golden.answers[name], golden.answers[`essentia:${name}`]];
  ours.forEach((keyId, piece) => counts[relation(theirs[piece], keyId)]++);
  return counts;
}

/** Four pieces: hearing all of them takes a minute. */
const HEARD = [0, 21, 42, 63];
const pieces = embeddedCorpus({ sizes: golden.sizes, seed: golden.seed }).tracks;
const heard = HEARD.map((place) => ({ place, piece: pieces.find(({ id }) => id === golden.ids[place])! }));

describe('our templates beside Essentia’s, on 80 pieces', () => {
  it('are about pieces of the corpus as it is', () => {
    expect(golden.ids).toHaveLength(80);
    golden.ids.forEach((id, i) => expect(pieces.find((piece) => piece.id === id)?.keyId).toBe(golden.keys[i]));
  });

  /**
   * The profiles are the same, the chroma is not. KeyExtractor whitens the spectrum, lets each peak count for the pitches
   * whose 2nd to 4th harmonic it is (so a pitch also speaks for the one a fifth below), sees 4096 samples at 44.1 kHz
   * (semitones of the bass run into each other), does not correct the tuning with 12 bins, and drops what is weaker than a
   * fifth of the strongest pitch class. Ours counts peaks once, compressed, tuned, from frames of half a second.
   */
  it('agree on most, and where they do not, ours is a fifth above more often than below', () => {
    for (const name of ['bgate', 'edma', 'krumhansl', 'temperley']) {
      const { same, fifthAbove, fifthBelow } = agreement(name);
      expect(same).toBeGreaterThan(0.5 * 80);
      expect(fifthAbove).toBeGreaterThan(2 * fifthBelow);
    }
  });

  it('ours are what they were', async () => {
    for (const { place, piece } of heard) {
      const sound = soundOf(piece);
      for (const name of ['bgate', 'krumhansl']) {
        const detector = await openDetector(system(name));
        expect((await detector.detect(await sound(detector.sampleRate))).keyId).toBe(golden.answers[name][place]);
      }
    }
  });
});

describe('essentia.js', () => {
  it.runIf(hasEssentia)('gives the answers that are kept, and leaves uncaught errors to us', async () => {
    const listeners = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    for (const name of ['essentia:bgate', 'essentia:edma', 'essentia:krumhansl']) {
      const detector = await openDetector(system(name));
      for (const { place, piece } of heard) {
        const { keyId, confidence, scores } = await detector.detect(await soundOf(piece)(detector.sampleRate));
        expect(KEYS[keyId].label).toBe(KEYS[golden.answers[name][place]].label);
        if (name === 'essentia:bgate') expect(confidence).toBeCloseTo(golden.strength[place], 4);
        expect(scores).toBeNull();
      }
    }
    expect(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')).toBe(listeners);
  });

  it.runIf(hasEssentia)(
    'takes every profile that has a name here, and survives audio that it cannot take',
    async () => {
      const tone = Float32Array.from({ length: 44100 }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / 44100));
      for (const profile of ESSENTIA_PROFILES) {
        const { keyId } = await (await openDetector(system(`essentia:${profile}`))).detect(tone);
        expect(KEYS[keyId]).toBeDefined();
      }
      const detector = await openDetector(system('essentia:bgate'));
      await expect(detector.detect(new Float32Array(0))).rejects.toThrow(InputError);
      await expect(detector.detect(new Float32Array(44100))).rejects.toThrow(/no pitch is heard/);
      expect((await detector.detect(tone)).keyId).toBeGreaterThanOrEqual(0);
    },
  );

  it.runIf(!hasEssentia)('is asked for in a sentence where it is missing', async () => {
    await expect(openDetector(system('essentia:bgate'))).rejects.toThrow(
      /essentia\.js: is not installed; the system essentia needs it: npm install --no-save essentia\.js@0\.1\.3/,
    );
  });
});
