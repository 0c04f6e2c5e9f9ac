import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLabel } from '../../lib/src/corpus/index.js';
import { KEYS } from '../../lib/src/keys/index.js';

describe('readLabel', () => {
  it.each([
    ['D# minor', 'Eb minor', ['sharps']],
    ['Bb major', 'Bb major', ['flats']],
    ['c minor ', 'C minor', ['lower case', 'extra spaces']],
    ['E-flat major', 'Eb major', ['flats']],
    ['Cb major', 'B major', ['flats', 'unusual spelling']],
    ['AB minor', 'Ab minor', ['flats', 'unusual spelling']],
    ['A#m', 'Bb minor', ['sharps', 'short form']],
    ['C:maj', 'C major', ['short form']],
    ['F# Major', 'Gb major', ['sharps']],
  ])('%j is %s', (text, key, quirks) => {
    const label = readLabel(text);
    expect([KEYS[label.keyId!].label, label.quirks, label.reason]).toEqual([key, quirks, null]);
  });

  it.each([
    ['-', 'no key'],
    [' ', 'no key'],
    ['', 'no key'],
    ['X', 'no key'],
    ['silence', 'no key'],
    ['C minor / F# minor', 'several keys'],
    ['A-A# minor', 'several keys'],
    ['G minor/major', 'several keys'],
    ['A# major / minor', 'several keys'],
    ['A/E major', 'several keys'],
    ['E / B / A minor', 'several keys'],
    ['C minor\nG minor', 'unknown'],
    ['A', 'tonic only'],
    ['f#', 'tonic only'],
    ['D dorian', 'other mode'],
    ['Bb Mixolydian mode', 'other mode'],
    ['a harmonic minor', 'other mode'],
    ['H minor', 'unknown'],
    ['minor', 'unknown'],
    ['C nonsense', 'unknown'],
  ])('%j has no key: %s', (text, quirk) => {
    const label = readLabel(text);
    expect([label.keyId, label.quirks.at(-1)]).toEqual([null, quirk]);
    expect(label.reason).toBeTruthy();
  });

  it('takes modes by their third when asked, and says so; locrian never', () => {
    const by = (text: string) => readLabel(text, 'by-third');
    expect(['D dorian', 'F lydian', 'A harmonic minor', 'E phrygian', 'C# ionian'].map((text) => KEYS[by(text).keyId!].label)).toEqual(
      ['D minor', 'F major', 'A minor', 'E minor', 'Db major'],
    ); // prettier-ignore
    expect(by('D dorian').quirks).toContain('other mode');
    expect(by('B locrian').keyId).toBeNull();
  });

  it('gives a key or a reason for any text', () => {
    const piece = fc.constantFrom('A', 'b', '#', '♭', ' ', '/', '-', 'minor', 'maj', 'm', 'dorian', '\t', '0', 'flat');
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''))); // prettier-ignore
    fc.assert(
      fc.property(text, fc.constantFrom('left-out' as const, 'by-third' as const), (label, modes) => {
        const { keyId, reason } = readLabel(label, modes);
        expect((keyId === null) === (reason !== null)).toBe(true);
        if (keyId !== null) expect(KEYS[keyId]).toBeDefined();
      }),
      { numRuns: 3000 },
    );
    const begin = process.cpuUsage();
    readLabel(`A${' '.repeat(100_000)}x`);
    readLabel(`A${'b#'.repeat(50_000)}minor`);
    expect(process.cpuUsage(begin).user).toBeLessThan(1_000_000);
  });
});
