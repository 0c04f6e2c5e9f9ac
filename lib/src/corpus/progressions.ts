/**
 * Chord loops: two small grammars (major, minor) walk from chord to chord and write loops of 2, 4 or 8 chords.
 * A loop's class forgets where it starts and which of two relative keys it is heard in, and the class alone decides in
 * which split the loop may sound: no test loop is heard in training, in any rotation, on either reading.
 */
import type { Mode } from '../keys/index.js';
import type { Rng } from '../tensor/index.js';
import { splitOf, type Split } from './split.js';
import { chordOf, triadQuality } from './theory.js';

/** What may follow a chord, with weights. Applied dominants and mixture (iv, bVI, bVII, IV in minor) are in the tables. */
const NEXT: Record<Mode, Record<string, Record<string, number>>> = {
  major: {
    I: { IV: 4, V: 4, vi: 4, ii: 2, iii: 2, bVII: 2.2, 'V7/IV': 1.4, 'V/vi': 1.3, iv: 0.7, bVI: 0.9, I: 0.5 },
    Imaj7: { IVmaj7: 3, vi7: 3, ii7: 3, iii7: 1 },
    ii: { V: 5, V7: 2, IV: 1, vi: 1, I: 0.3 },
    ii7: { V7: 5, V7sus4: 1, Imaj7: 0.7, iii7: 1 },
    iii: { vi: 4, IV: 3, ii: 1 },
    iii7: { vi7: 3, 'V7/ii': 1.8, IVmaj7: 2 },
    IV: { I: 2.8, V: 4, ii: 2, vi: 1, iv: 1.8, bVII: 1.1 },
    IVmaj7: { iii7: 2, V7: 2, Imaj7: 1.4, ii7: 1, ivm6: 1.1 },
    iv: { I: 2.1, V: 1, bVII: 1.3 },
    ivm6: { Imaj7: 2.1 },
    V: { I: 3.5, vi: 3, IV: 2, ii: 0.5 },
    V7: { I: 2.8, vi: 2, Imaj7: 0.7 },
    V7sus4: { V7: 2, Imaj7: 1.4, I: 0.7 },
    vi: { IV: 4, ii: 3, V: 3, iii: 1, 'V/V': 1.1, I: 0.5 },
    vi7: { ii7: 4, IVmaj7: 2, V7: 1 },
    bVII: { IV: 3, I: 2.1 },
    bVI: { bVII: 5.4, V: 1, I: 0.3 },
    'V7/IV': { IV: 3, iv: 1.8 },
    'V/vi': { vi: 3, IV: 1 },
    'V/V': { V: 3, IV: 1 },
    'V7/ii': { ii7: 2, ii: 1 },
  },
  minor: {
    i: { iv: 3, v: 1.2, V: 3, bVI: 4, bVII: 3, bIII: 2, 'ii°': 0.9, IV: 1.8, bII: 0.6, i: 0.5, 'V7/iv': 0.8 },
    i7: { iv7: 3, bVImaj7: 2, iim7b5: 1, IV7: 1.5 },
    iv: { V: 4.5, i: 1.4, bVII: 2, bVI: 1, bIII: 0.5 },
    iv7: { bVII7: 2, V7: 2, i7: 1.4 },
    v: { i: 2.1, bVI: 2, iv: 1 },
    V: { i: 3.5, bVI: 2 },
    V7: { i: 2.8, bVI: 1, i7: 1.4 },
    bVI: { bVII: 4, bIII: 3, iv: 1.5, V: 2.2, i: 0.7 },
    bVImaj7: { V7: 2, bVII7: 1, iim7b5: 1, i7: 0.7 },
    bVII: { i: 2.1, bIII: 3, bVI: 2, iv: 1 },
    bVII7: { bIII: 2, i7: 0.7, bVImaj7: 1 },
    bIII: { bVII: 3, bVI: 2, iv: 1, i: 0.5, V: 0.9 },
    'ii°': { V: 6 },
    iim7b5: { V7: 4 },
    IV: { i: 2.1, bVII: 2 },
    IV7: { i7: 2.1, bVII7: 1 },
    bII: { V: 2.2, i: 1.4 },
    'V7/iv': { iv: 3, iv7: 1 },
  },
};

const TONICS: Record<Mode, readonly string[]> = { major: ['I', 'Imaj7'], minor: ['i', 'i7'] };

function weighted(rng: Rng, table: Record<string, number>): string {
  const entries = Object.entries(table);
  let left = rng.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of entries) {
    left -= weight;
    if (left < 0) return name;
  }
  return entries[entries.length - 1][0];
}

/**
 * A loop's class: roots counted from the relative major's tonic, triad qualities, repeated chords once, the
 * alphabetically first rotation. `vi IV I V` in C major and `i bVI bIII bVII` in A minor are one class.
 */
export function loopClass(loop: readonly string[], mode: Mode): string {
  const all = loop.map((numeral) => {
    const chord = chordOf(numeral);
    return `${(chord.root + (mode === 'minor' ? 9 : 0)) % 12}${triadQuality(chord)}`;
  });
  const names = all.filter((name, i) => name !== all[(i + all.length - 1) % all.length]);
  if (names.length === 0) return all[0];
  const rotations = names.map((_, i) => [...names.slice(i), ...names.slice(0, i)].join(' '));
  return rotations.sort()[0];
}

/** One loop of the grammar, in any split, that holds a tonic chord; about three in five do not start on it. */
function walk(rng: Rng, mode: Mode): string[] {
  const length = rng.pick([2, 4, 4, 4, 4, 4, 8, 8]);
  for (;;) {
    const loop = [rng.pick(Object.keys(NEXT[mode]))];
    while (loop.length < length) loop.push(weighted(rng, NEXT[mode][loop[loop.length - 1]]));
    const home = loop.findIndex((numeral) => TONICS[mode].includes(numeral));
    if (home < 0 || new Set(loop).size < 2) continue;
    return rng.uniform() < 0.25 ? [...loop.slice(home), ...loop.slice(0, home)] : loop;
  }
}

/** A loop that may sound in `split`. */
export function composeLoop(rng: Rng, mode: Mode, split: Split): string[] {
  for (;;) {
    const loop = walk(rng, mode);
    if (splitOf(`loop ${loopClass(loop, mode)}`) === split) return loop;
  }
}
