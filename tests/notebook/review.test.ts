import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  modelFolder,
  musicFolder,
  playback,
  showFigure,
  showReview,
  type Review,
} from '../../lib/src/notebook/index.js';
import { checkPlayback } from '../../lib/src/notebook/playback.js';
import { fileSource } from '../../lib/src/notebook/playbackOf.js';
import { reviewHtml } from '../../lib/src/notebook/review.js';

const HOSTILE = '</script><img src=x onerror="window.hacked = true">';
const review: Review = {
  caption: 'Listen & choose.',
  columns: ['file', 'heard'],
  rows: [
    { name: 'a.wav', path: '/music/a.wav', cells: ['a.wav', 'C major'], choice: 'C major' },
    { name: HOSTILE, path: '/music/b.wav', cells: [HOSTILE, 'C minor'], choice: '' },
  ],
  choices: ['C major', 'C minor', ''],
  command: 'music.correct',
  save: () => 'saved',
};

let root: string;
let printed: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keymyna-review-'));
  printed = [];
  vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(String(text)));
  vi.stubEnv('KEYMYNA_ROOT', root);
  vi.stubEnv('KEYMYNA_PRESET', 'smoke');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

describe('a sheet', () => {
  it('without a reader at the other end is a table that says what to run, without scripts or addresses', async () => {
    const html = reviewHtml(review, 'x', null);
    expect(html).not.toMatch(/<script|<img|127\.0\.0\.1/);
    expect(html).toContain('&lt;/script&gt;&lt;img');
    expect(html).toContain('<code>music.correct(file, key)</code>');
    await showReview(review);
    expect(printed[0]).toContain('| a.wav | C major |');
  });

  it('with a desk carries numbers for choices, and no name can leave its place', () => {
    const desk = { base: 'http://127.0.0.1:5', token: 'secret', desk: 3, sources: [{ address: 'http://127.0.0.1:5/sound/secret/3/0' }, {}] }; // prettier-ignore
    const html = reviewHtml(review, 'x', desk);
    expect(html.match(/<\/script>/g)).toHaveLength(1);
    expect(html).not.toContain('<img');
    expect(html).toContain('"desk":3');
    expect(html).not.toContain('/music/');
  });

  it('refuses a first choice that is none', async () => {
    const rows = [{ ...review.rows[0], choice: 'H major' }];
    await expect(showReview({ ...review, rows })).rejects.toThrow(
      'review, row a.wav: "H major" is none of the 3 choices',
    );
  });
});

describe('a sound that a figure is played along with', () => {
  const figure = { id: 'over_time', caption: 'Keys.', data: [], layout: {} };

  it('is found inside the project by its path, elsewhere only at the kernel', async () => {
    expect(fileSource(join(root, 'data/user/music/a b#1.mp3'))).toEqual({ file: 'data/user/music/a b#1.mp3' });
    expect(fileSource(join(root, '..', 'a.mp3'))).toEqual({});
    expect(fileSource(join(root, '..hidden.mp3'))).toEqual({ file: '..hidden.mp3' });
    expect(await playback(join(root, 'a.mp3'), 'a')).toEqual({ label: 'a', source: { file: 'a.mp3' } });
  });

  it('goes into the page that is kept, without the address of a kernel', () => {
    const source = { address: 'http://127.0.0.1:99/sound/secret/0/0', file: 'data/user/music/a.mp3' };
    showFigure(figure, {}, { playback: { label: HOSTILE, source } });
    const page = readFileSync(join(root, 'figures/smoke/over_time.html'), 'utf8');
    expect(page).toContain('"file":"data/user/music/a.mp3"');
    expect(page).not.toContain('secret');
    expect(page).not.toContain('<img src=x');
  });

  it('must be on this machine, inside the project, and small', () => {
    const check = (source: object) => () => checkPlayback('f', { label: 'a', source });
    expect(check({ address: 'http://127.0.0.1:1/sound/t/0/0', file: 'a/b.mp3' })).not.toThrow();
    for (const address of ['http://example.org/a', 'http://127.0.0.1.example.org:1/', 'javascript:alert(1)'])
      expect(check({ address }), address).toThrow(/no address of a kernel/);
    for (const file of ['/etc/passwd', '../a.mp3', 'a/../../b.mp3', 'C:\\a.mp3', 'https://example.org/a.mp3', '..\\a'])
      expect(check({ file }), file).toThrow(/no path inside/);
    expect(check({ sound: { type: 'audio/mpeg', base64: 'A'.repeat(2_000_001) } })).toThrow(/MB/);
  });
});

it('folders of music and model come from the environment', () => {
  vi.stubEnv('KEYMYNA_MUSIC', '');
  expect([musicFolder(), modelFolder()]).toEqual([null, null]);
  vi.stubEnv('KEYMYNA_MUSIC', '/music');
  vi.stubEnv('KEYMYNA_MODEL', '/model');
  expect([musicFolder(), modelFolder()]).toEqual(['/music', '/model']);
});
