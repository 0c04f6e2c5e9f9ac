/** `keymyna cache`, and what the commands that keep results in one do with it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { Cache } from '../../lib/src/store/index.js';
import { createRng } from '../../lib/src/tensor/index.js';

const PROGRAM = join(import.meta.dirname, '../../lib/bin/keymyna.js');
const dir = mkdtempSync(join(tmpdir(), 'keymyna-cache-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

function keymyna(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, KEYMYNA_CACHE: '', KEYMYNA_CACHE_LIMIT: '', ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8', env });
  return { code: status, out: stdout, err: stderr };
}

/** A result last used so many days ago. */
function put(path: string, bytes: number, days: number): void {
  mkdirSync(join(at(path), '..'), { recursive: true });
  writeFileSync(at(path), new Uint8Array(bytes));
  const seconds = (performance.timeOrigin + performance.now()) / 1000 - days * 86_400;
  utimesSync(at(path), seconds, seconds);
}

describe('cache', () => {
  it('lists by kind, says what would go, deletes it', () => {
    new Cache(at('c')).hold();
    put('c/features/000000000001-mel.safetensors', 2_000_000, 40);
    put('c/features/000000000002-mel.safetensors', 1_000_000, 1);
    put('c/probes/000000000003.json', 1000, 50);
    const list = keymyna(['cache', '--cache', at('c')]);
    expect([list.code, list.out]).toEqual([
      0,
      expect.stringMatching(/: 3\.0 MB in 3 results\n +3\.0 MB +2 .* features\n/),
    ]);
    const asked = keymyna(['cache', 'prune', '--max-size', '1.5MB', '--older-than', '30d', '--dry-run'], {
      KEYMYNA_CACHE: at('c'),
    });
    expect(asked.out).toMatch(/2\.0 MB in 2 results would be deleted, 1\.0 MB left/);
    const { code, out } = keymyna(['cache', 'prune', '--max-size', '1.5MB', '--cache', at('c')]);
    expect([code, out]).toEqual([0, expect.stringMatching(/in 2 results deleted, 1\.0 MB left/)]);
    expect(readdirSync(at('c/features'))).toEqual(['000000000002-mel.safetensors']);
  });

  it.each([
    ['a folder that is no cache', ['--max-size', '1GB', '--cache', tmpdir()], /no cache of keymyna/],
    ['no size and no age', [], /needs --max-size or --older-than/],
    ['a size that is none', ['--max-size', 'much'], /--max-size.*"much"/],
  ])('refuses %s', (_, args, message) => {
    const { code, err } = keymyna(['cache', 'prune', ...args]);
    expect([code, err]).toEqual([1, expect.stringMatching(message)]);
    expect(err).not.toMatch(/\n +at /);
  });
});

describe('pretrain', () => {
  it('keeps mels, makes them once, and cuts the cache to its limit afterwards', () => {
    mkdirSync(at('music'));
    for (let i = 0; i < 4; i++) {
      const rng = createRng(`${i}`);
      const samples = Float32Array.from({ length: 7 * 16000 }, () => 0.1 * rng.normal());
      writeFileSync(at(`music/${i}.wav`), encodeWav(samples, 16000));
    }
    const run = (out: string, ...more: string[]) =>
      keymyna(['pretrain', at('music'), '--out', at(out), '--size', 'tiny', '--steps', '1', '--batch', '2', ...more], {
        KEYMYNA_CACHE: at('p'),
      });
    const first = run('one');
    expect([first.code, first.out], first.err).toEqual([0, expect.stringMatching(/1 steps on 4 tracks/)]);
    const shards = readdirSync(at('p/mels'));
    const inode = statSync(at(`p/mels/${shards[0]}`)).ino;
    put('p/features/000000000001-mel.safetensors', 1000, 400);
    const second = run('two', '--cache-limit', '1KB');
    expect(second.code, second.err).toBe(0);
    expect(statSync(at(`p/mels/${shards[0]}`)).ino).toBe(inode); // used, so neither made again nor deleted
    expect(existsSync(at('p/features/000000000001-mel.safetensors'))).toBe(false);
    expect(second.err).toMatch(/cache: 1\.0 KB not used for long deleted/);
  });
});
