import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { findLeaks, leakSentence, makeSplits, readSplitFile, type SplitCandidate, splitsOf, writeSplitFile } from '../../lib/src/corpus/index.js'; // prettier-ignore

const dir = mkdtempSync(join(tmpdir(), 'splits-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const candidate = fc.record({
  keyId: fc.option(fc.nat(23)),
  groups: fc.array(fc.nat(30).map((group) => `artist ${group}`), { maxLength: 3 }),
}); // prettier-ignore
const candidates = fc
  .array(candidate, { minLength: 8, maxLength: 80 })
  .map((rows) => rows.map((row, i): SplitCandidate => ({ id: `t${i}`, ...row })));

describe('makeSplits', () => {
  it('keeps every group whole, names every track, whatever the groups', () => {
    fc.assert(
      fc.property(candidates, fc.nat(5), (tracks, seed) => {
        let splits: ReturnType<typeof makeSplits>;
        try {
          splits = makeSplits(tracks, { seed });
        } catch (error) {
          expect((error as Error).message).toMatch(/cannot fill 3 splits/);
          return;
        }
        expect([...splits.keys()]).toEqual(tracks.map(({ id }) => id));
        const members = tracks.flatMap(({ id, groups }) =>
          groups.map((group) => ({ id, split: splits.get(id)!, group, sound: null, checksum: null })),
        );
        expect(findLeaks(members)).toEqual([]);
        const shuffled = makeSplits([...tracks].reverse(), { seed });
        expect(tracks.every(({ id }) => shuffled.get(id) === splits.get(id))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('balances keys and sizes where nothing keeps tracks together', () => {
    const tracks = Array.from({ length: 480 }, (_, i) => ({ id: `t${i}`, keyId: i % 24, groups: [] }));
    const splits = makeSplits(tracks, { shares: { train: 0.6, valid: 0.2, test: 0.2 }, seed: 3 });
    for (const [name, share] of [['train', 0.6], ['valid', 0.2], ['test', 0.2]] as const) {
      const own = tracks.filter(({ id }) => splits.get(id) === name);
      expect(own.length).toBe(share * 480);
      for (let key = 0; key < 24; key++) expect(own.filter(({ keyId }) => keyId === key).length).toBe(share * 20);
    } // prettier-ignore
    expect(makeSplits(tracks, { seed: 4 })).not.toEqual(makeSplits(tracks, { seed: 5 }));
    expect(makeSplits(tracks, { seed: 4 })).toEqual(makeSplits(tracks, { seed: 4 }));
  });

  it('groups by links: a shares an artist with b, b its audio with c', () => {
    const tracks = [
      { id: 'a', keyId: 0, groups: ['artist x'] },
      { id: 'b', keyId: 1, groups: ['artist x', 'checksum 1'] },
      { id: 'c', keyId: 2, groups: ['artist y', 'checksum 1'] },
      ...Array.from({ length: 9 }, (_, i) => ({ id: `z${i}`, keyId: 3, groups: [] })),
    ];
    for (let seed = 0; seed < 20; seed++) {
      const splits = makeSplits(tracks, { seed });
      expect(new Set(['a', 'b', 'c'].map((id) => splits.get(id))).size).toBe(1);
    }
  });

  it('refuses shares that are none, an id twice, too few groups', () => {
    const tracks = ['a', 'b', 'c'].map((id) => ({ id, keyId: 0, groups: ['one artist'] }));
    expect(() => makeSplits(tracks)).toThrow(/3 tracks in 1 groups cannot fill 3 splits/);
    expect(() => makeSplits(tracks, { shares: { train: 0.5, test: 0.4 } })).toThrow(/add up to 1/);
    expect(() => makeSplits([tracks[0], tracks[0]], { shares: { train: 1 } })).toThrow(/"a" occurs twice/);
  });
});

describe('split files', () => {
  const put = (text: string): string => {
    writeFileSync(join(dir, 's.csv'), text);
    return join(dir, 's.csv');
  };
  it('are written and read', () => {
    const splits = new Map([['a', 'train'], ['b,"x"', 'test']] as const); // prettier-ignore
    writeSplitFile(join(dir, 'w.csv'), splits);
    expect(readFileSync(join(dir, 'w.csv'), 'utf8')).toMatch(/^id,split\na,train\n/);
    expect(readSplitFile(join(dir, 'w.csv'))).toEqual(splits);
    expect(splitsOf(join(dir, 'w.csv'), ['b,"x"', 'c', 'a'])).toEqual(['test', null, 'train']);
  });
  it.each([
    ['id,part\na,train\n', /columns id, part; the columns id and split are needed/],
    ['id,split\na,dev\n', /s\.csv line 2, column split: "dev" is no split; expected train, valid, test/],
    ['id,split\na,train\na,test\n', /s\.csv line 3, column id: the id "a" was used before/],
    ['id,split\n,train\n', /line 2, column id: is empty/],
  ])('%j is refused', (text, message) => {
    expect(() => readSplitFile(put(text))).toThrow(message);
  });
  it('name tracks that are there', () => {
    expect(() => splitsOf(put('id,split\na,train\nb,test\nc,test\n'), ['b'])).toThrow(
      /names 2 of 3 tracks.*first is "a"/,
    );
  });
});

describe('findLeaks', () => {
  const member = (
    id: string,
    split: 'train' | 'test' | null,
    group: string | null,
    checksum: string | null = null,
  ) => ({
    id,
    split,
    group,
    sound: `${id}.wav`,
    checksum,
  });
  it('names the group and one track of each split, once a group', () => {
    const leaks = findLeaks([
      member('a', 'train', 'Ada', '1'),
      member('b', 'test', 'Ada', '1'),
      member('c', 'test', 'Ada'),
      member('d', null, 'Ada', '1'),
      member('e', 'train', null),
      member('f', 'test', null),
    ]);
    expect(leaks.map(leakSentence)).toEqual([
      'the same audio (checksum 1) is in split train (as a) and in split test (as b)',
      'group "Ada" is in split train (track a) and in split test (track b)',
    ]);
  });
});
