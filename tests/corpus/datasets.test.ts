import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatasetReport, DATASETS, readDataset, readManifest, type ProblemKind, trackAudio, verifyDataset, writeManifest } from '../../lib/src/corpus/index.js'; // prettier-ignore
import { encodeWav } from '../../lib/src/audio/index.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { Cache } from '../../lib/src/store/index.js';
import { giantStepsTree, mp3, mtgTree, MTG_ROWS, plant, wav } from './datasetTrees.js';

const dir = mkdtempSync(join(tmpdir(), 'datasets-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let folders = 0;
const tree = (files: Parameters<typeof plant>[1]): string => plant(join(dir, `set${folders++}`), files);

const ids = (report: DatasetReport, kind: ProblemKind): string[] =>
  report.problems.filter((problem) => problem.kind === kind).map(({ id }) => id);
const reason = (report: DatasetReport, kind: ProblemKind, id: string): string =>
  report.problems.find((problem) => problem.kind === kind && problem.id === id)?.reason ?? '';
const keysOf = (report: DatasetReport): Record<string, string> =>
  Object.fromEntries(report.tracks.map(({ item }) => [item.id, KEYS[item.label.keyId!].label]));
const count = (report: DatasetReport, what: RegExp): number => report.counts.find((row) => what.test(row.what))!.found;

let tone: Uint8Array[];
beforeAll(async () => {
  tone = await Promise.all([220, 330, 440, 550].map((hz) => mp3(hz)));
});

describe('giantsteps-key', () => {
  const labels = {
    '0010089': 'D major',
    '0061415': 'Bb minor',
    '1234749': 'c minor \n',
    '3687442': 'F# minor',
    '4000000': 'D dorian',
    '5000000': 'X',
    '6000000': 'A minor / C major',
    '7000000': 'E',
    '8000000': 'H minor',
    '9000000': 'A minor',
    '9100000': 'A minor',
    '9200000': 'A minor',
    '9300000': 'G major',
  };
  it('reads the layout; names every fault; leaves out what is no key, with the reason', async () => {
    const [a, b, c, d] = tone;
    const files = giantStepsTree(labels, { '0010089': a, '0061415': b, '1234749': c, '9100000': d, '9300000': a });
    const root = tree({
      ...files,
      'audio/3687442.LOFI.mp3': await mp3(660),
      'audio/9200000.LOFI.mp3': 'a text, no sound '.repeat(40),
      'audio/stray.LOFI.mp3': d,
      'md5/9100000.LOFI.md5': 'd41d8cd98f00b204e9800998ecf8427e\n',
    });
    const report = await verifyDataset('giantsteps-key', root);
    expect(keysOf(report)).toEqual({
      '0010089': 'D major',
      '0061415': 'Bb minor',
      '1234749': 'C minor',
      '3687442': 'Gb minor',
      '9100000': 'A minor',
      '9300000': 'G major',
    });
    expect(report.tracks.every(({ seconds }) => Math.abs(seconds! - 1.2) < 0.1)).toBe(true);
    expect(report.isWrong).toBe(true);
    expect(report.counts.map(({ found, published }) => [found, published])).toEqual([
      [13, 604],
      [8, 604],
      [2, 93],
      [6, 511],
      [1, null],
      [6, 604],
    ]);
    expect(report.leftOut.map(({ id }) => id)).toEqual(['4000000', '5000000', '6000000', '7000000', '8000000']);
    expect(report.quirks.map(({ quirk, count }) => [quirk, count])).toEqual([
      ['sharps', 1],
      ['flats', 1],
      ['lower case', 1],
      ['extra spaces', 1],
      ['other mode', 1],
      ['several keys', 1],
      ['no key', 1],
      ['tonic only', 1],
      ['unknown', 1],
    ]);
    expect(reason(report, 'missing audio', '9000000')).toBe('there is no audio/9000000.LOFI.mp3');
    expect(reason(report, 'checksum', '9100000')).toMatch(/has md5 \w{32}, published is d41d8cd98f.*fetch it again/);
    expect(reason(report, 'unreadable', '9200000')).toMatch(/^audio\/9200000\.LOFI\.mp3: /);
    expect(reason(report, 'unknown label', '8000000')).toBe('the label "H minor" is no key');
    expect(reason(report, 'duplicate', '0010089')).toBe('has the same audio as 9300000; their labels differ');
    expect(ids(report, 'no checksum')).toEqual(expect.arrayContaining(['3687442', '9000000', '9200000']));
    expect(ids(report, 'audio without label')).toEqual(['stray.LOFI']);
    const modes = await verifyDataset('giantsteps-key', root, { otherModes: 'by-third', quick: true });
    expect(modes.leftOut.map(({ id }) => id)).not.toContain('4000000');
    expect(ids(modes, 'missing audio')).toEqual(['4000000', '9000000']);
  });

  it('gives a corpus, whose audio is read and whose left out are named', async () => {
    const root = tree(giantStepsTree({ '1': 'D major', '2': 'F# minor', '3': '-' }, { '1': tone[0], '2': tone[1] }));
    const corpus = await readDataset('giantsteps-key', root);
    expect(corpus.tracks.map(({ id, keyId, split }) => [id, keyId, split])).toEqual([
      ['1', 4, null],
      ['2', 13, null],
    ]);
    expect(corpus.skipped).toEqual([{ path: '3', reason: 'the label "-" says that there is no key' }]);
    expect((await trackAudio(corpus.tracks[0])).length).toBeGreaterThan(16000);
    await expect(readDataset('giantsteps-key', tree(giantStepsTree({ '1': '-' }, {})))).rejects.toThrow(/no track of/);
  });

  it('remembers checksums and lengths, and stops when told', async () => {
    const root = tree(giantStepsTree({ '1': 'D major', '2': 'F# minor' }, { '1': tone[0], '2': tone[1] }));
    const cache = new Cache(join(dir, 'cache'));
    const stop = new AbortController();
    const first = verifyDataset('giantsteps-key', root, { cache, signal: stop.signal, onProgress: () => stop.abort() });
    await expect(first).rejects.toThrow(/abort/i);
    const done = cache.misses;
    await verifyDataset('giantsteps-key', root, { cache });
    expect([done, cache.misses]).toEqual([2, 4]);
  });

  it('refuses a root without the layout, an unknown set, an unknown subset', async () => {
    await expect(verifyDataset('giantsteps-key', join(dir, 'nowhere'))).rejects.toThrow(
      /is no folder; expected audio\//,
    );
    await expect(verifyDataset('giantsteps-key', tree({ 'audio/x.mp3': '' }))).rejects.toThrow(
      /holds no <id>\.LOFI\.key/,
    );
    await expect(verifyDataset('giantsteps', dir)).rejects.toThrow(
      /found "giantsteps", expected one of giantsteps-key/,
    );
    await expect(verifyDataset('fmak', dir, { subset: 'v3' })).rejects.toThrow(/found "v3", expected one of v2 \(/);
  });
});

describe('giantsteps-mtg-key', () => {
  it('gives the three subsets, by confidence and by comment', async () => {
    const audio = Object.fromEntries(MTG_ROWS.map(([id], i) => [id, wav(200 + 10 * i)]));
    const files = mtgTree(audio);
    // wav content under the mp3 name: the reader goes by content, as with files that were named wrongly
    const root = tree(files);
    const usable = async (subset: string) =>
      Object.keys(keysOf(await verifyDataset('giantsteps-mtg-key', root, { subset })));
    expect((await usable('one-key')).sort()).toEqual(['16484', '298020', '4970565', '5061', '54925']);
    expect((await usable('confidence-2')).sort()).toEqual(['298020', '4970565', '5061']);
    expect((await usable('confidence-2-no-comment')).sort()).toEqual(['4970565', '5061']);
    const report = await verifyDataset('giantsteps-mtg-key', root, { subset: 'confidence-2-no-comment' });
    expect(report.leftOut.find(({ id }) => id === '298020')!.reason).toBe(
      'has the comment "lydian or augmented lydian mode"',
    );
    expect(report.leftOut.find(({ id }) => id === '16484')!.reason).toMatch(/^confidence 1; the subset/);
    expect(report.quirks.map(({ quirk, count }) => [quirk, count])).toEqual([
      ['sharps', 1],
      ['extra spaces', 1],
      ['several keys', 7],
      ['no key', 2],
    ]);
    expect(report.tracks.map(({ item }) => item.artist)).toEqual(['Ada', 'Ada']);
    expect([count(report, /^annotated/), report.isWrong]).toEqual([14, true]);
    expect(DATASETS[1].subsets.map(({ tracks }) => tracks)).toEqual([1349, 1159, 1077]);
  });

  it('counts groups of the same audio by their published md5, audio there or not', async () => {
    const root = tree({ ...mtgTree({ '5061': tone[0] }), 'md5/10981.LOFI.md5': mtgTree({ '5061': tone[0] })['md5/5061.LOFI.md5'] }); // prettier-ignore
    const report = await verifyDataset('giantsteps-mtg-key', root, { quick: true });
    expect(report.duplicates.map((group) => group.ids)).toEqual([['5061', '10981']]);
  });

  it('names damaged rows by line and reads the others; ids never leave the folder', async () => {
    const files = mtgTree({ '5061': tone[0] });
    const text =
      'ID\tMANUAL KEY\tC\n5061\tD# minor\t2\n../../x\tC minor\t2\n7\tC minor\n8\tC minor\t9\n5061\tC minor\t2\n\n';
    const report = await verifyDataset('giantsteps-mtg-key', tree({ ...files, 'annotations/annotations.txt': text }));
    expect(report.problems.filter(({ kind }) => kind === 'annotation')).toEqual([
      { kind: 'annotation', id: 'annotations.txt line 3', reason: 'the id "../../x" is no number' },
      { kind: 'annotation', id: 'annotations.txt line 4', reason: '2 fields, expected 3' },
      { kind: 'annotation', id: 'annotations.txt line 5', reason: 'the confidence is "9"; expected 0, 1 or 2' },
      { kind: 'annotation', id: 'annotations.txt line 6', reason: 'the id 5061 stands in line 2 already' },
    ]);
    expect(report.tracks).toHaveLength(1);
    const headless = tree({ 'annotations/annotations.txt': 'id,key\n1,C major\n' });
    await expect(verifyDataset('giantsteps-mtg-key', headless)).rejects.toThrow(/line 1: the columns are "id,key"/);
  });
});

describe('sets that are as published', () => {
  /** Distinct contents, a second long and 2 KB each. */
  const tiny = (i: number): Uint8Array => encodeWav(Float32Array.from({ length: 1000 }, (_, n) => (n === i % 1000 ? 0.5 : i / 4000)), 1000); // prettier-ignore

  it('GiantSteps key: 604 tracks, 93 major and 511 minor, nothing wrong', async () => {
    const labels = Object.fromEntries(Array.from({ length: 604 }, (_, i) => [`${1000 + i}`, i < 93 ? 'Bb major' : 'F minor'])); // prettier-ignore
    const audio = Object.fromEntries(Object.keys(labels).map((id, i) => [id, tiny(i)]));
    const root = tree(giantStepsTree(labels, audio));
    const report = await verifyDataset('giantsteps-key', root, { quick: true });
    expect([report.problems, report.isWrong, report.tracks.length]).toEqual([[], false, 604]);
    rmSync(join(root, 'audio/1007.LOFI.mp3'));
    const less = await verifyDataset('giantsteps-key', root, { quick: true });
    expect([less.isWrong, ids(less, 'missing audio'), less.tracks.length]).toEqual([true, ['1007'], 603]);
  });

  it('GiantSteps MTG key: 1,486 rows, 1,349 / 1,159 / 1,077, nine groups of the same audio', async () => {
    const rows = Array.from({ length: 1486 }, (_, i): [string, string, number, string] => {
      if (i >= 1349) return [`${10 + i}`, i % 2 ? '-' : 'C minor / F# minor', 0, ''];
      return [`${10 + i}`, 'D# minor', i < 1159 ? 2 : 1, i >= 1077 && i < 1159 ? 'modulates' : ''];
    });
    const audio = Object.fromEntries(rows.map(([id], i) => [id, tiny(i < 9 ? i + 9 : i)]));
    const root = tree(mtgTree(audio, rows));
    for (const [subset, n] of [['one-key', 1349], ['confidence-2', 1159], ['confidence-2-no-comment', 1077]] as const) {
      const report = await verifyDataset('giantsteps-mtg-key', root, { subset, quick: true });
      expect([report.isWrong, report.tracks.length, report.duplicates.length]).toEqual([false, n, 9]);
    } // prettier-ignore
  });
});

describe('billboard-key', () => {
  it('takes id, artist and title from the names; groups by artist', async () => {
    const root = tree({
      'key/mcgill-billboard_0003-James Brown-I Dont Mind.key': 'A minor\n',
      'key/mcgill-billboard_0004-James Brown-Think.key': 'C:maj',
      'key/mcgill-billboard_0006-The_Hollies-Carrie-Anne.key': 'E major',
      'key/mcgill-billboard_0007-Abba-Fernando.key': 'A major\nB major\n',
      'key/readme.key': 'E major',
      'audio/mcgill-billboard_0003-James Brown-I Dont Mind.wav': wav(300),
      'audio/mcgill-billboard_0004-James Brown-Think.flac': wav(310),
      'audio/mcgill-billboard_0006-The_Hollies-Carrie-Anne.wav': wav(320),
      'splits.csv': 'id,split\nmcgill-billboard_0003,train\nmcgill-billboard_0004,test\nmcgill-billboard_0006,test\n',
    });
    const splits = join(root, 'splits.csv');
    const report = await verifyDataset('billboard-key', root, { splits });
    expect(report.tracks.map(({ item }) => [item.id, item.artist, item.labels.title])).toEqual([
      ['mcgill-billboard_0003', 'James Brown', 'I Dont Mind'],
      ['mcgill-billboard_0004', 'James Brown', 'Think'],
      ['mcgill-billboard_0006', 'The Hollies', 'Carrie-Anne'],
    ]);
    expect(report.leftOut.map(({ id }) => id)).toEqual(['mcgill-billboard_0007']);
    expect(ids(report, 'annotation')).toEqual(['readme.key']);
    expect(reason(report, 'leak', 'mcgill-billboard_0004')).toBe(
      'group "James Brown" is in split train (track mcgill-billboard_0003) and in split test (track mcgill-billboard_0004)',
    );
    await expect(readDataset('billboard-key', root, { splits })).rejects.toThrow(
      /group "James Brown".*belong in one split/,
    );
    const allowed = await readDataset('billboard-key', root, { splits, allowLeakage: true });
    expect(allowed.tracks.map(({ split }) => split)).toEqual(['train', 'test', 'test']);
  });
});

describe('gtzan-key', () => {
  it('counts from A upwards, major before minor; -1 is no key', async () => {
    const label = (genre: string, number: string) => `gtzan_key/gtzan_key/genres/${genre}/${genre}.${number}.lerch.txt`;
    const root = tree({
      [label('blues', '00000')]: '0\n',
      [label('blues', '00001')]: '15',
      [label('blues', '00002')]: '-1\n',
      [label('disco', '00000')]: '23\n',
      [label('disco', '00001')]: '24\n',
      [label('disco', '00002')]: '3 5\n',
      'gtzan_key/gtzan_key/genres/disco/disco.00055.pk': 'a peak file that lies there',
      'genres/blues/blues.00000.wav': wav(400),
      'genres/blues/blues.00001.wav': wav(410),
      'genres/disco/disco.00000.wav': wav(420),
      'genres/blues/blues.00009.wav': wav(430),
    });
    const report = await verifyDataset('gtzan-key', root);
    expect(keysOf(report)).toEqual({ 'blues.00000': 'A major', 'blues.00001': 'C minor', 'disco.00000': 'Ab minor' });
    expect(report.leftOut.map(({ reason }) => reason)).toEqual([
      'the label -1 says modulation or unknown key',
      'the label "24" is no number from -1 to 23',
      'the label "3 5" has several numbers',
    ]);
    expect(ids(report, 'audio without label')).toEqual(['blues.00009']);
    expect(report.tracks[0].item.labels).toEqual({ genre: 'blues' });
  });
});

describe('fmak', () => {
  it('reads both editions, which differ in columns and labels, and says which', async () => {
    const root = tree({
      'fmakv2.csv': ',key_and_mode,track_id,spotify_uri\n0,F# Major,10,spotify:track:a\n1,A minor,331,\n2,,5,\n3,C Major,139340,x\n4,C Major,../9,x\n5,C Major,000010,x\n', // prettier-ignore
      'keys.csv': ',spotify,key_and_mode\ntrack_id,spotify_uri,key_and_mode\n10,spotify:track:a,G minor\n',
      'fma_large/000/000010.mp3': tone[0],
      '000/000331.mp3': tone[1],
    });
    const v2 = await verifyDataset('fmak', root);
    expect(keysOf(v2)).toEqual({ '000010': 'Gb major', '000331': 'A minor' });
    expect(ids(v2, 'missing audio')).toEqual(['139340']);
    expect(v2.leftOut.map(({ id }) => id)).toEqual(['000005']);
    expect(ids(v2, 'annotation')).toEqual(['fmakv2.csv line 6', 'fmakv2.csv line 7']);
    expect(reason(v2, 'checksum', 'fmakv2.csv')).toMatch(/published is 3b2d16784ffb.*another edition/);
    const v1 = await verifyDataset('fmak', root, { subset: 'v1' });
    expect(keysOf(v1)).toEqual({ '000010': 'G minor' });
    expect(ids(v1, 'checksum')).toEqual([]);
    await expect(verifyDataset('fmak', tree({ x: '' }))).rejects.toThrow(
      /holds neither fmakv2\.csv nor fmakv2_metadata/,
    );
    await expect(verifyDataset('fmak', tree({ 'fmakv2.csv': 'a,b\n1,2\n' }))).rejects.toThrow(
      /no line names the columns/,
    );
  });
});

describe('manifests of data sets', () => {
  it('are read as they were written; copies and splits are checked again', async () => {
    const root = tree(mtgTree({ '5061': wav(500), '4970565': wav(510), '16484': wav(510) }));
    const report = await verifyDataset('giantsteps-mtg-key', root);
    const path = join(dir, 'out/manifest.csv');
    writeManifest(path, report);
    const corpus = await readManifest(path);
    expect(corpus.tracks.map(({ id, keyId, group, durationSeconds, labels }) => [id, keyId, group, durationSeconds, labels.confidence])).toEqual([
      ['5061', 7, 'Ada', 1.2, '2'],
      ['4970565', 22, 'Ada', 1.2, '2'],
      ['16484', 19, corpus.tracks[2].group, 1.2, '1'],
    ]); // prettier-ignore
    expect(corpus.tracks[0].labels.label).toBe('D# minor');
    const splits = join(dir, 'out/splits.csv');
    writeFileSync(splits, 'id,split\n5061,train\n4970565,train\n16484,test\n');
    await expect(readManifest(path, { splits })).rejects.toThrow(
      /manifest\.csv line 4: .*16484\.LOFI\.mp3 has the same content \(checksum \w{32}\) as .*4970565\.LOFI\.mp3, in split test here and in split train before \(.*line 3\)/,
    );
    const allowed = await readManifest(path, { splits, allowLeakage: true });
    expect(allowed.tracks.map(({ split }) => split)).toEqual(['train', 'train', 'test']);
    writeManifest(path, report, { quick: true });
    expect(readFileSync(path, 'utf8').split('\n')[1]).toMatch(/,Ada,,[0-9a-f]{32},/);
  });
});
