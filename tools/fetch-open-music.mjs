#!/usr/bin/env node
/**
 * Brings openly licensed recordings for pretraining to data/user/open-music/ (about 6 hours, 360 MB), on Debian and
 * Ubuntu only: downloads two packages with apt-get, unpacks them without installing, and keeps their music.
 * Nothing else in the project needs them.
 *
 *   node tools/fetch-open-music.mjs [folder]
 *
 * wesnoth-1.16-music  orchestral, GPL-2
 * ufoai-music         electronic, ambient, rock; GPL-2+, CC-BY, CC-BY-SA (per track, in the package's copyright file)
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PACKAGES = ['wesnoth-1.16-music', 'ufoai-music'];

const target = resolve(process.argv[2] ?? join(import.meta.dirname, '..', 'data', 'user', 'open-music'));
const run = (program, args, cwd) => execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });

function need(program, packageName) {
  try {
    execFileSync(program, [program === 'unzip' ? '-v' : '--version'], { stdio: 'ignore' });
  } catch {
    console.error(
      `fetch-open-music: ${program} is missing (Debian package ${packageName}); this needs Debian or Ubuntu.`,
    );
    process.exit(1);
  }
}

need('apt-get', 'apt');
need('dpkg', 'dpkg');
need('unzip', 'unzip');

for (const name of PACKAGES) {
  const folder = join(target, name);
  if (existsSync(folder)) {
    console.log(`${name}: already there`);
    continue;
  }
  const work = mkdtempSync(join(tmpdir(), 'open-music-'));
  try {
    console.log(`${name}: downloading`);
    run('apt-get', ['download', name], work);
    const deb = readdirSync(work).find((file) => file.endsWith('.deb'));
    run('dpkg', ['-x', join(work, deb), join(work, 'unpacked')]);
    for (const file of readdirSync(join(work, 'unpacked'), { recursive: true })) {
      if (file.endsWith('.pk3')) run('unzip', ['-q', '-o', join(work, 'unpacked', file), '-d', join(work, 'unpacked')]);
    }
    const part = `${folder}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    let count = 0;
    for (const file of readdirSync(join(work, 'unpacked'), { recursive: true }).sort()) {
      const base = file.split('/').at(-1);
      if (!/\.(ogg|mp3|flac|wav)$/i.test(file) && !(base === 'copyright' && file.includes(name))) continue;
      cpSync(join(work, 'unpacked', file), join(part, base));
      if (base !== 'copyright') count++;
    }
    cpSync(part, folder, { recursive: true });
    rmSync(part, { recursive: true });
    console.log(`${name}: ${count} recordings in ${folder}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
