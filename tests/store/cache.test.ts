import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import {
  Cache,
  formatBytes,
  isCacheFolder,
  keepLimit,
  listCache,
  parseAge,
  parseBytes,
  pruneCaches,
} from '../../lib/src/store/index.js';

const base = mkdtempSync(join(tmpdir(), 'cache-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let root = '';
let n = 0;
beforeEach(() => {
  root = join(base, `cache-${n++}`);
  new Cache(root).hold();
});

const id = (i: number): string => i.toString(16).padStart(12, '0');
const DAY = 86_400;

/** A file of the cache (or anywhere), last used so many days ago. */
function put(path: string, bytes: number, daysAgo: number, folder = root): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, new Uint8Array(bytes));
  date(full, daysAgo);
  return full;
}

function date(path: string, daysAgo: number): void {
  const seconds = (performance.timeOrigin + performance.now()) / 1000 - daysAgo * DAY;
  utimesSync(path, seconds, seconds);
}

/** All files below a folder. */
const filesIn = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
const results = (): string[] => filesIn(root).filter((name) => /^[^.]/.test(name) && name.includes('/'));

describe('sizes and ages', () => {
  it.each([
    ['20GB', 20e9],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['500 mb', 500e6],
    ['1024', 1024],
    ['0', 0],
  ])('%s is %d bytes', (text, bytes) => expect(parseBytes(text, 'x')).toBe(bytes));

  it.each(['', '-1GB', '20 XB', 'GB', '1e3', 'NaN', '99999999TB'])('%j is no size', (text) =>
    expect(() => parseBytes(text, 'option --max-size')).toThrow(/option --max-size.*20GB/),
  );

  it('reads ages', () => {
    expect([parseAge('30d', 'x'), parseAge('12h', 'x'), parseAge('2w', 'x')]).toEqual([30 * 864e5, 432e5, 14 * 864e5]);
    expect(() => parseAge('30', 'option --older-than')).toThrow(/--older-than.*30d/);
  });

  it('shows sizes with two or three digits', () =>
    expect([0, 999, 1500, 99_950, 48e9, 999_600].map(formatBytes)).toEqual(['0 B', '999 B', '1.5 KB', '100 KB', '48.0 GB', '1.0 MB'])); // prettier-ignore
});

describe('listCache', () => {
  it('counts files of one id as one result, folders with all that is in them', () => {
    put(`features/${id(1)}-mel.safetensors`, 1000, 3);
    put(`features/${id(1)}-chroma.safetensors`, 100, 5);
    put(`pretraining/${id(2)}/encoder.safetensors`, 50, 1);
    put(`pretraining/${id(2)}/step-1.safetensors`, 50, 1);
    put(`pretraining/${id(3)}/checkpoint.safetensors`, 70, 1);
    const { entries, others } = listCache(root);
    expect(entries.map(({ kind, id, names, bytes, state }) => [kind, id, names.length, bytes, state])).toEqual([
      ['features', id(1), 2, 1100, 'whole'],
      ['pretraining', id(2), 1, 100, 'whole'],
      ['pretraining', id(3), 1, 70, 'unfinished'],
    ]);
    expect(others).toEqual([]);
  });

  it('names what is no result and looks behind no link', () => {
    put('notes.txt', 5, 1);
    put('features/mine.txt', 5, 1);
    const outside = put(`outside/${id(4)}.json`, 9, 1, base);
    symlinkSync(dirname(outside), join(root, 'linked'));
    symlinkSync(outside, join(root, 'features', `${id(5)}.json`));
    const { entries, others } = listCache(root);
    expect(entries).toEqual([]);
    expect(others.map((path) => path.slice(root.length + 1)).sort()).toEqual([
      `features/${id(5)}.json`,
      'features/mine.txt',
      'linked',
      'notes.txt',
    ]);
  });
});

describe('pruneCaches', () => {
  it('deletes the longest unused first, until the rest fits', () => {
    for (let i = 1; i <= 5; i++) put(`features/${id(i)}-mel.safetensors`, 100, i);
    const report = pruneCaches([root], { maxBytes: 250 });
    expect(report.deleted.map((entry) => entry.id)).toEqual([id(5), id(4), id(3)]);
    expect([report.before, report.after]).toEqual([500, 200]);
    expect(results()).toEqual([1, 2].map((i) => `features/${id(i)}-mel.safetensors`));
  });

  it('deletes all files of a result or none, by the last use of any', () => {
    put(`probes/${id(1)}.json`, 10, 1);
    put(`probes/${id(1)}.safetensors`, 90, 40);
    put(`probes/${id(2)}.json`, 10, 20);
    pruneCaches([root], { maxBytes: 100 });
    expect(results()).toEqual([`probes/${id(1)}.json`, `probes/${id(1)}.safetensors`]);
    pruneCaches([root], { maxBytes: 99 });
    expect(results()).toEqual([]);
  });

  it('by age alone takes all that is old, by both only old results while there is too much', () => {
    const plant = (): void => [1, 10, 40, 50].forEach((days) => void put(`maps/${id(days)}.json`, 100, days));
    plant();
    expect(pruneCaches([root], { olderThan: 30 * 864e5 }).deleted.map((entry) => entry.id)).toEqual([id(50), id(40)]);
    plant();
    expect(pruneCaches([root], { olderThan: 30 * 864e5, maxBytes: 300 }).deleted.map((e) => e.id)).toEqual([id(50)]);
    plant();
    expect(pruneCaches([root], { olderThan: 30 * 864e5, maxBytes: 0 }).after).toBe(200);
  });

  it('counts several caches together, one of two names once', () => {
    const second = join(base, `second-${n}`);
    new Cache(second).hold();
    put(`maps/${id(1)}.json`, 100, 2);
    put(`maps/${id(2)}.json`, 100, 3, second);
    symlinkSync(root, join(base, `name-${n}`));
    const report = pruneCaches([root, join(base, `name-${n}`), second], { maxBytes: 100 });
    expect([report.before, report.after]).toEqual([200, 100]);
    expect(report.deleted.map((entry) => entry.id)).toEqual([id(2)]);
  });

  it('deletes nothing in a dry run, and says what it would', () => {
    put(`maps/${id(1)}.json`, 100, 2);
    expect(pruneCaches([root], { maxBytes: 0, dryRun: true }).deleted).toHaveLength(1);
    expect(results()).toHaveLength(1);
  });

  it('keeps checkpoints of unfinished trainings unless asked', () => {
    put(`pretraining/${id(1)}/checkpoint.safetensors`, 100, 90);
    date(join(root, `pretraining/${id(1)}`), 90);
    const { kept, after } = pruneCaches([root], { maxBytes: 0 });
    expect([kept.unfinished, after]).toEqual([1, 100]);
    expect(pruneCaches([root], { maxBytes: 0, unfinished: true }).after).toBe(0);
    expect(results()).toEqual([]);
  });

  it('keeps what this process has used', () => {
    const old = put(`maps/${id(1)}.json`, 100, 90);
    put(`maps/${id(2)}.json`, 100, 90);
    const cache = new Cache(root);
    expect(cache.path('maps', id(1), 'json')).toBe(old); // dated as used
    const { kept, deleted } = pruneCaches([root], { maxBytes: 0 });
    expect([kept.inUse, deleted.map((entry) => entry.id)]).toEqual([1, [id(2)]]);
    expect(keepLimit(root, 0)!.kept.inUse).toBe(1);
  });

  it('keeps what another process uses as long as it runs', async () => {
    rmSync(join(root, '.users'), { recursive: true });
    const dist = new URL('../../lib/dist/store/index.js', import.meta.url).href;
    const program = `const { Cache } = await import(${JSON.stringify(dist)});
      new Cache(${JSON.stringify(root)}).path('maps', '${id(1)}', 'json'); console.log('used'); setInterval(() => 0, 1000);`;
    put(`maps/${id(1)}.json`, 100, 90);
    put(`maps/${id(2)}.json`, 100, 90);
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(pruneCaches([root], { maxBytes: 0 }).deleted.map((entry) => entry.id)).toEqual([id(2)]);
    child.kill('SIGKILL'); // leaves its mark behind
    await once(child, 'exit');
    expect(readdirSync(join(root, '.users'))).toHaveLength(1);
    expect(pruneCaches([root], { maxBytes: 0 }).after).toBe(0);
    expect(readdirSync(join(root, '.users'))).toEqual([]);
  });

  it('believes a mark of another computer for a week, and no damaged one for longer', () => {
    rmSync(join(root, '.users'), { recursive: true });
    for (const [name, text] of [
      ['other.json', JSON.stringify({ host: `not-${hostname()}`, pid: 1, birth: '1' })],
      ['damaged.json', '{"host'],
    ]) {
      put(`maps/${id(1)}.json`, 100, 0);
      mkdirSync(join(root, '.users'), { recursive: true });
      writeFileSync(join(root, '.users', name), text);
      date(join(root, '.users', name), 1);
      expect(pruneCaches([root], { maxBytes: 0 }).kept.inUse).toBe(1);
      date(join(root, '.users', name), 8);
      expect(pruneCaches([root], { maxBytes: 0 }).deleted).toHaveLength(1);
    }
  });

  it('takes what killed writers left after an hour, whatever the size', () => {
    put(`features/.${id(1)}-mel.0123456789ab.safetensors`, 100, 0.01);
    put(`features/.${id(2)}-mel.0123456789ab.safetensors`, 100, 1);
    put(`features/${id(3)}-mel.safetensors`, 100, 1);
    pruneCaches([root], { maxBytes: 1e9 });
    expect(filesIn(join(root, 'features'))).toEqual([`.${id(1)}-mel.0123456789ab.safetensors`, `${id(3)}-mel.safetensors`]); // prettier-ignore
  });

  it('deletes no target of a link, neither of a kind, nor of a result, nor inside one', () => {
    const outside = put(`far/${id(9)}.json`, 100, 90, base);
    symlinkSync(dirname(outside), join(root, 'maps'));
    put(`features/${id(1)}.json`, 1, 90);
    symlinkSync(outside, join(root, 'features', `${id(2)}.json`));
    put(`pretraining/${id(3)}/encoder.safetensors`, 100, 90);
    symlinkSync(dirname(outside), join(root, 'pretraining', id(3), 'folder'));
    // A link's own date is not changed by utimes; the result is as old as its newest part.
    const later = performance.timeOrigin + performance.now() + 365 * DAY * 1000;
    rmSync(join(root, '.users'), { recursive: true });
    pruneCaches([root], { olderThan: DAY * 1000, now: later });
    expect(readFileSync(outside)).toHaveLength(100);
    expect(existsSync(join(root, 'pretraining', id(3)))).toBe(false);
    expect(lstatSync(join(root, 'features', `${id(2)}.json`)).isSymbolicLink()).toBe(true);
  });

  it('refuses a folder that is no cache, and deletes nothing of the others then', () => {
    const mine = join(base, `mine-${n}`);
    const photo = put(`photos/${id(1)}.json`, 100, 900, mine);
    writeFileSync(join(mine, 'letter.txt'), 'dear');
    put(`maps/${id(1)}.json`, 100, 90);
    expect(() => pruneCaches([root, mine], { maxBytes: 0 })).toThrow(InputError);
    expect(() => pruneCaches([mine], { maxBytes: 0 })).toThrow(/no cache of keymyna/);
    expect(() => pruneCaches([join(base, 'nowhere')], {})).toThrow(/no cache of keymyna/);
    expect(results()).toHaveLength(1);
    // Results may be kept there all the same; it does not become a cache that is pruned.
    new Cache(mine).path('maps', id(2), 'json');
    expect(isCacheFolder(mine)).toBe(false);
    expect(keepLimit(mine, 0)).toBeNull();
    expect(existsSync(photo)).toBe(true);
  });

  it('a cache of before there were tags becomes one by use', () => {
    const old = join(base, `old-${n}`);
    put(`maps/${id(1)}.json`, 100, 90, old);
    put(`pretraining/${id(2)}/encoder.safetensors`, 100, 90, old);
    expect(isCacheFolder(old)).toBe(false);
    new Cache(old).path('maps', id(1), 'json');
    expect(isCacheFolder(old)).toBe(true);
  });

  it('for any results: the rest fits or is protected, younger results stay longer, nothing else is touched', () => {
    const kinds = ['features', 'maps', 'pretraining'] as const;
    const entry = fc.record({
      kind: fc.constantFrom(...kinds),
      bytes: fc.integer({ min: 1, max: 500 }),
      days: fc.integer({ min: 1, max: 60 }),
      isUnfinished: fc.boolean(),
    });
    const property = fc.property(
      fc.array(entry, { maxLength: 12 }),
      fc.integer({ min: 0, max: 3000 }),
      (all, maxBytes) => {
        for (const kind of kinds) rmSync(join(root, kind), { recursive: true, force: true });
        put('keep.txt', 3, 90);
        all.forEach(({ kind, bytes, days, isUnfinished }, i) => {
          if (kind !== 'pretraining') return void put(`${kind}/${id(i)}.json`, bytes, days);
          put(`${kind}/${id(i)}/${isUnfinished ? 'checkpoint' : 'encoder'}.safetensors`, bytes, days);
          date(join(root, kind, id(i)), days);
        });
        const { deleted, before, after, kept } = pruneCaches([root], { maxBytes });
        expect(after <= maxBytes || kept.unfinished > 0 || before === after).toBe(true);
        const left = listCache(root).entries;
        expect(left.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(after);
        expect(left.length + deleted.length).toBe(all.length);
        const youngest = Math.max(...deleted.map(({ lastUse }) => lastUse));
        for (const { state, lastUse } of left) expect(state === 'unfinished' || lastUse >= youngest).toBe(true);
        expect(existsSync(join(root, 'keep.txt'))).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 30 });
  });
});
