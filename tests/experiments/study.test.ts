import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openRun,
  type Run,
  studyOf,
  tuning,
  octave,
  gain,
  tokenCounts,
  maskCoverage,
} from '../../lib/src/experiments/index.js';

let root: string;
let run: Run;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'keymyna-experiments-'));
  run = await openRun('smoke', { root, cacheDir: join(root, 'cache'), threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the committed study', () => {
  it('is null where it is not, and the numbers where it is', () => {
    expect(studyOf(run, 'tuning')).toBeNull();
    mkdirSync(join(root, 'figures/study/data'), { recursive: true });
    writeFileSync(
      join(root, 'figures/study/data/tuning.json'),
      JSON.stringify({ kind: 'figure', numbers: { cents: [1] } }),
    );
    expect(studyOf<{ cents: number[] }>(run, 'tuning')).toEqual({ cents: [1] });
  });
});

describe('measurements', () => {
  it('are read from the cache the second time', async () => {
    const first = await tuning(run);
    const { misses } = run.cache;
    expect(await tuning(run)).toEqual(first);
    expect(run.cache.misses).toBe(misses);
    expect(run.cache.hits).toBeGreaterThan(0);
  });

  it('tuning: in tune is the tone itself, and sharper is nearer to the upper neighbour', async () => {
    const { cents, cosineToSelf, cosineToNeighbour } = await tuning(run);
    expect(cosineToSelf[cents.indexOf(0)]).toBe(1);
    expect(cosineToNeighbour[cents.indexOf(40)]).toBeGreaterThan(cosineToNeighbour[cents.indexOf(-40)]);
  });

  it('octave: bands of an octave add up, and the scale is logarithmic above 1 kHz', async () => {
    const { notes, octaves, bandsPerSemitone } = await octave(run);
    const c = notes.filter((note) => note.name.startsWith('C') && note.midi % 12 === 0);
    expect(octaves[0].bands).toBeCloseTo(c[1].band - c[0].band, 1);
    expect(bandsPerSemitone[70]).toBeCloseTo(bandsPerSemitone[65], 3);
  });

  it('gain: nothing changes at 0 dB, and a normalised patch of power does not see +10 dB', async () => {
    const measured = await gain(run);
    const [none, louder] = [0, 10].map((decibel) => measured.gainsDecibel.indexOf(decibel));
    expect([measured.power[none], measured.log1p[none]]).toEqual([0, 0]);
    expect(measured.power[louder]).toBeLessThan(0.01);
    expect(measured.powerRaw[louder]).toBeCloseTo(9, 2);
  });

  it('tokens: 10 of 98 and 10 of 96 stay, as in the reference', async () => {
    const { rows } = await tokenCounts(run);
    expect(rows.map(({ nTokens, kept }) => [nTokens, kept])).toEqual([
      [98, 10],
      [49, 5],
      [96, 10],
      [48, 5],
    ]);
  });

  it('masks: counted coverage is the expected one', async () => {
    const { counted, expected } = await maskCoverage(run);
    counted.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 1));
  });
});
