import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CIRCLE_OF_FIFTHS,
  confusionMatrix,
  errorTaxonomy,
  KEYS,
  keyOf,
  mirexMatrix,
  mirexScore,
  parseKey,
  relation,
  scoreCsv,
  scoreKeys,
  transposeKey,
} from '../../lib/src/keys/index.js';

interface GoldenKeys {
  labels: string[];
  matrix: number[][];
  matrix_mirex2017_allow_descending_fifths: number[][];
  spot: Record<string, number>;
}
const golden = JSON.parse(readFileSync(new URL('../golden/key.json', import.meta.url), 'utf8')) as GoldenKeys;
const keyId = fc.integer({ min: 0, max: 23 });

describe('the list of keys', () => {
  test('has the golden order and labels', () => {
    expect(KEYS.map((key) => key.label.toLowerCase())).toEqual(golden.labels);
    KEYS.forEach((key, id) => {
      expect(key.id).toBe(id);
      expect(keyOf(key.tonic, key.mode)).toBe(key);
      expect(parseKey(key.label)).toBe(key);
    });
  });

  test.each([
    ['Eb minor', 'Eb minor'],
    ['D# minor ', 'Eb minor'],
    [' eb Minor', 'Eb minor'],
    ['E♭m', 'Eb minor'],
    ['F♯:min', 'Gb minor'],
    ['f#maj', 'Gb major'],
    ['Cb major', 'B major'],
    ['E# minor', 'F minor'],
    ['B# maj', 'C major'],
    ['Fb minor', 'E minor'],
    ['bb min', 'Bb minor'],
    ['bm', 'B minor'],
    ['bbm', 'Bb minor'],
    ['CM', 'C major'],
    ['Cm', 'C minor'],
    ['B flat major', 'Bb major'],
    ['C-sharp minor', 'Db minor'],
    ['A_minor', 'A minor'],
    ['F## minor', 'G minor'],
    ['C MAJOR', 'C major'],
  ])('reads %j as %s', (text, label) => expect(parseKey(text)?.label).toBe(label));

  test.each([
    '',
    '-',
    'C',
    'c',
    'H minor',
    'A major / B minor',
    'C dorian',
    'Cmm',
    'major',
    'Eb minor?',
    'X',
    'toString',
  ])('does not guess at %j', (text) => expect(parseKey(text)).toBeNull());

  test('the circle of fifths holds every key once, neighbours a fifth or a signature apart', () => {
    expect([...CIRCLE_OF_FIFTHS].sort((a, b) => a - b)).toEqual(KEYS.map((key) => key.id));
    expect(CIRCLE_OF_FIFTHS.slice(0, 4).map((id) => KEYS[id].label)).toEqual([
      'C major',
      'A minor',
      'G major',
      'E minor',
    ]);
    for (let i = 0; i < 24; i += 2) {
      expect(relation(CIRCLE_OF_FIFTHS[i], CIRCLE_OF_FIFTHS[i + 1])).toBe('relative');
      expect(relation(CIRCLE_OF_FIFTHS[i], CIRCLE_OF_FIFTHS[(i + 2) % 24])).toBe('fifthAbove');
    }
  });
});

describe('the MIREX score', () => {
  test('is the golden matrix exactly, by both rulers', () => {
    const ascending = golden.matrix.flat();
    const both = golden.matrix_mirex2017_allow_descending_fifths.flat();
    expect([...mirexMatrix({ allowDescendingFifths: false })]).toEqual(ascending);
    expect([...mirexMatrix({ allowDescendingFifths: true })]).toEqual(both);
    expect([...mirexMatrix({ allowDescendingFifths: true })]).not.toEqual(ascending);
  });

  test('agrees with the golden spot checks', () => {
    let checked = 0;
    for (const [pair, score] of Object.entries(golden.spot)) {
      const [reference, estimated] = pair.split('|').map(parseKey);
      if (!reference || !estimated) continue; // mir_eval also knows "x" and "other"; the 24 keys do not
      expect(mirexScore(reference.id, estimated.id, { allowDescendingFifths: false }), pair).toBe(score);
      checked++;
    }
    expect(checked).toBeGreaterThan(10);
  });

  test('law: transposing both keys leaves relation and score', () => {
    fc.assert(
      fc.property(keyId, keyId, fc.integer({ min: -40, max: 40 }), fc.boolean(), (a, b, semitones, both) => {
        const ruler = { allowDescendingFifths: both };
        const [movedA, movedB] = [transposeKey(a, semitones), transposeKey(b, semitones)];
        expect(relation(movedA, movedB)).toBe(relation(a, b));
        expect(mirexScore(movedA, movedB, ruler)).toBe(mirexScore(a, b, ruler));
      }),
    );
  });

  test('law: above from one side is below from the other; the rest is symmetric', () => {
    fc.assert(
      fc.property(keyId, keyId, (a, b) => {
        const mirrored = { fifthAbove: 'fifthBelow', fifthBelow: 'fifthAbove' } as Record<string, string>;
        const forward = relation(a, b);
        expect(relation(b, a)).toBe(mirrored[forward] ?? forward);
      }),
    );
  });

  test('law: transposeKey forms a group and keeps the mode', () => {
    expect(transposeKey(0, 1)).toBe(2);
    expect(transposeKey(1, -1)).toBe(23);
    for (const key of KEYS) {
      expect(transposeKey(key.id, 12)).toBe(key.id);
      expect(transposeKey(transposeKey(key.id, 5), -5)).toBe(key.id);
    }
    expect(() => transposeKey(24, 0)).toThrow(/0 \(C major\) to 23/);
  });
});

describe('scores of a list of tracks', () => {
  const ids = (...labels: string[]) => labels.map((label) => parseKey(label)!.id);
  const reference = ids('C major', 'C major', 'C major', 'C major', 'C major', 'C major', 'C major');
  const estimated = ids('C major', 'G major', 'F major', 'A minor', 'C minor', 'Db major', 'E minor');

  test('both rulers and both sets of shares', () => {
    const score = scoreKeys(reference, estimated);
    expect(score.n).toBe(7);
    expect(score.weighted).toBeCloseTo(2 / 7, 15);
    expect(score.weightedBothFifths).toBeCloseTo(2.5 / 7, 15);
    expect(score.accuracy).toBe(1 / 7);
    expect(score.shares).toEqual({ same: 1 / 7, fifth: 1 / 7, relative: 1 / 7, parallel: 1 / 7, other: 3 / 7 });
    expect(score.sharesBothFifths).toEqual({
      same: 1 / 7,
      fifth: 2 / 7,
      relative: 1 / 7,
      parallel: 1 / 7,
      other: 2 / 7,
    });
  });

  test('law: shares add up to 1 and the weighted score follows from them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(keyId, keyId), { minLength: 1 }), (pairs) => {
        const score = scoreKeys(
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
        );
        for (const [shares, weighted] of [
          [score.shares, score.weighted],
          [score.sharesBothFifths, score.weightedBothFifths],
        ] as const) {
          const { same, fifth, relative, parallel, other } = shares;
          expect(same + fifth + relative + parallel + other).toBeCloseTo(1, 12);
          expect(same + 0.5 * fifth + 0.3 * relative + 0.2 * parallel).toBeCloseTo(weighted, 12);
        }
      }),
    );
  });

  test('the taxonomy tells fifths apart and finds chromatic neighbours', () => {
    const taxonomy = errorTaxonomy(reference, estimated);
    expect(taxonomy.counts).toEqual({
      same: 1,
      fifthAbove: 1,
      fifthBelow: 1,
      relative: 1,
      parallel: 1,
      neighbour: 1,
      other: 1,
    });
    expect(taxonomy.shares.neighbour).toBe(1 / 7);
  });

  test('the confusion matrix follows the order asked for', () => {
    const plain = confusionMatrix(reference, estimated);
    expect(plain[0 * 24 + 14]).toBe(1);
    const circle = confusionMatrix(reference, estimated, CIRCLE_OF_FIFTHS);
    expect([...circle.slice(0, 3)]).toEqual([1, 1, 1]); // C major, A minor, G major
    expect(circle.reduce((sum, count) => sum + count)).toBe(7);
    expect(() => confusionMatrix(reference, estimated, [0, 1])).toThrow(/order of 2 keys/);
  });

  test('refuses lists of different or no length', () => {
    expect(() => scoreKeys([1, 2], [1])).toThrow(/2 reference keys and 1 estimated/);
    expect(() => scoreKeys([], [])).toThrow(/no tracks/);
    expect(() => scoreKeys([0], [NaN])).toThrow(/key id NaN/);
  });
});

describe('scoreCsv', () => {
  const reference = 'id,key\na,C major\nb,Eb minor\n';

  test('matches by id, whatever the order of rows, columns and spelling', () => {
    const { score, rows } = scoreCsv(reference, '\ufeffkey,note,id\r\n"D# minor ",x,b\r\nG major,y,a\r\n');
    expect(score.weighted).toBe(0.75);
    expect(rows).toEqual([
      { id: 'a', referenceKey: 0, estimatedKey: 14 },
      { id: 'b', referenceKey: 7, estimatedKey: 7 },
    ]);
  });

  test.each([
    ['a missing id', 'id,key\na,C major\n', /reference\.csv line 3, column id: "b" has no estimate in est\.csv/],
    ['an id too many', `${reference}c,C major\n`, /est\.csv line 4, column id: "c" is not in reference\.csv/],
    ['a repeated id', `${reference}a,C major\n`, /est\.csv line 4, column id: "a" stands in line 2 already/],
    [
      'an unknown key',
      'id,key\na,C major\nb,Eb dorian\n',
      /est\.csv line 3, column key: "Eb dorian" is not a key name/,
    ],
    ['an empty id', 'id,key\na,C major\n,C major\n', /est\.csv line 3, column id: empty/],
    ['a missing column', 'id,tonality\na,C major\n', /est\.csv line 1: no column "key" \(found: id, tonality\)/],
    ['no rows', 'id,key\n', /est\.csv: no rows/],
    ['nothing', '', /est\.csv line 1: no column "id" \(found: nothing\)/],
    ['a ragged row', 'id,key\na,C major\nb\n', /est\.csv: not a readable CSV file: .*line 3/],
  ])('says what is wrong with %s', (_, estimates, message) => {
    expect(() => scoreCsv(reference, estimates, { reference: 'reference.csv', estimates: 'est.csv' })).toThrow(message);
  });
});
