import { describe, expect, test } from 'vitest';
import { keyOf, KEYS, parseWheelCode, transposeKey } from '../../lib/src/keys/index.js';

describe('codes of the circle of fifths', () => {
  test.each([
    ['8B', 'C major'],
    ['8A', 'A minor'],
    ['9b', 'G major'],
    ['12A', 'Db minor'],
    ['1A', 'Ab minor'],
    ['04A', 'F minor'],
    ['1d', 'C major'],
    ['1m', 'A minor'],
    [' 12 D ', 'F major'],
    ['2m', 'E minor'],
  ])('reads %j as %s', (text, label) => expect(parseWheelCode(text)?.label).toBe(label));

  test.each(['', '0A', '13B', '8', 'A', '8C', '8A 9A', 'C major'])('refuses %j', (text) =>
    expect(parseWheelCode(text)).toBeNull(),
  );

  test('one number more is a fifth up, and each system names all 24 keys once', () => {
    for (const [major, minor] of ['BA', 'dm']) {
      const ids = [major, minor].flatMap((letter) =>
        Array.from({ length: 12 }, (_, i) => parseWheelCode(`${i + 1}${letter}`)!.id),
      );
      expect([...ids].sort((a, b) => a - b)).toEqual(KEYS.map(({ id }) => id));
      ids.forEach((id, i) => i % 12 !== 11 && expect(ids[i + 1]).toBe(transposeKey(id, 7)));
      // The two letters of one number are relatives.
      for (let i = 0; i < 12; i++) expect(ids[12 + i]).toBe(keyOf(KEYS[ids[i]].tonic + 9, 'minor').id);
    }
  });
});
