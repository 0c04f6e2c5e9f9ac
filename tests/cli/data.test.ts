import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Encoder, encoderConfig, saveCheckpoint } from '../../lib/src/encoder/index.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { readSafetensors } from '../../lib/src/store/index.js';
import { createRng, initBackend } from '../../lib/src/tensor/index.js';
import { type Files, giantStepsTree, mtgTree, plant, wav } from '../corpus/datasetTrees.js';

const PROGRAM = join(import.meta.dirname, '../../lib/bin/keymyna.js');
const dir = mkdtempSync(join(tmpdir(), 'keymyna-data-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

const environment = { ...process.env, KEYMYNA_CACHE: at('cache') };
interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
function keymyna(...args: string[]): Outcome {
  const options = { encoding: 'utf8', env: environment } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], options);
  return { code: status, out: stdout, err: stderr };
}

/** Eighteen tracks of three keys, 7 s each, and every sort of track that is left out. */
function music(): Files {
  const labels: Record<string, string> = {};
  const audio: Record<string, Uint8Array> = {};
  const keys = ['C major', 'F# minor ', 'Bb major'];
  for (let i = 0; i < 18; i++) {
    const id = `${100 + i}`;
    labels[id] = keys[i % 3];
    audio[id] = wav([262, 370, 466][i % 3] + i, 7);
  }
  return giantStepsTree({ ...labels, '900': '-', '901': 'A / B minor', '902': 'D dorian' }, audio);
}

beforeAll(async () => {
  await initBackend({ prefer: 'cpu' });
  const encoder = Encoder.init(encoderConfig('vertical', 'tiny'), createRng(0));
  saveCheckpoint(at('tiny.safetensors'), encoder);
  encoder.dispose();
  plant(at('music'), music());
});

describe('a data set from verify to table', () => {
  const manifest = at('manifest.csv');
  const splits = at('splits.csv');
  const table = at('table.safetensors');

  it('verify says what is there and what is published, and writes a manifest', () => {
    const { code, out } = keymyna('data', 'verify', 'giantsteps-key', '--root', at('music'), '--out', manifest);
    expect(code).toBe(1); // 18 tracks are not 604
    expect(out).toMatch(/annotated +21 +604 +differs/);
    expect(out).toMatch(/with audio that can be read +18 +604 +differs/);
    expect(out).toMatch(/groups of the same audio +0 +unknown/);
    expect(out).toMatch(/durations: 7\.0 to 7\.0 s, median 7\.0 s/);
    expect(out).toMatch(/sharps +6 +"F# minor "/);
    expect(out).toMatch(/left out: 3\n +900 +the label "-" says that there is no key/);
    expect(out).toMatch(/902 +the label "D dorian" is neither major nor minor/);
    expect(out).toMatch(/18 tracks can be used; something is wrong/);
    expect(readFileSync(manifest, 'utf8').split('\n')).toHaveLength(20);
  });

  it('split divides it, embed and probe read it, the counts are right', () => {
    const split = keymyna('data', 'split', manifest, '--out', splits, '--seed', '1', '--shares', 'train=.5,valid=.25,test=.25'); // prettier-ignore
    expect(split.code, split.err).toBe(0);
    expect(split.out).toMatch(/splits\.csv: 18 tracks, train 9 \(3 keys\), valid \d \(3 keys\), test \d \(3 keys\)/);
    const embedded = keymyna('embed', manifest, '--weights', at('tiny.safetensors'), '--out', table);
    expect(embedded.code, embedded.err).toBe(0);
    expect(readSafetensors(table).tensors.get('embeddings')!.shape).toEqual([18, 32]);
    const probed = keymyna('probe', table, '--manifest', manifest, '--splits', splits, '--epochs', '3');
    expect(probed.code, probed.err).toBe(0);
    const nTest = readFileSync(splits, 'utf8').split(',test').length - 1;
    expect(probed.out).toMatch(new RegExp(`test +n ${nTest} +weighted`));
  });

  it('probe refuses a split that leaks, names the group, and obeys --allow-leakage', () => {
    const rows = readFileSync(manifest, 'utf8').trim().split('\n');
    // An artist for the first two tracks, in a copy of the manifest.
    const head = rows[0].split(',');
    const artist = head.indexOf('artist');
    const signed = rows.map((row, i) => {
      const fields = row.split(',');
      if (i === 1 || i === 2) fields[artist] = 'Ada';
      return fields.join(',');
    });
    writeFileSync(at('signed.csv'), signed.join('\n'));
    const ids = rows.slice(1).map((row) => row.split(',')[0]);
    const leaking = ids.map((id, i) => `${id},${i === 0 ? 'test' : i < 12 ? 'train' : 'valid'}`);
    writeFileSync(at('leaking.csv'), ['id,split', ...leaking].join('\n'));
    const args = ['probe', table, '--manifest', at('signed.csv'), '--splits', at('leaking.csv'), '--epochs', '1'];
    const refused = keymyna(...args);
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/^keymyna: .*signed\.csv line 3: artist "Ada" is in split train here and in split test before/)]); // prettier-ignore
    expect(keymyna(...args, '--allow-leakage').code).toBe(0);
    // The maker keeps them together.
    expect(keymyna('data', 'split', at('signed.csv'), '--out', at('own.csv')).code).toBe(0);
    const own = new Map(readFileSync(at('own.csv'), 'utf8').trim().split('\n').map((row) => row.split(',') as [string, string])); // prettier-ignore
    expect(own.get(ids[0])).toBe(own.get(ids[1]));
  });
});

describe('data verify', () => {
  it('exits 0 on a set that is as published', () => {
    // 604 labels without audio would be wrong; embeddings have no published count.
    const { code, out } = keymyna('data', 'verify', 'embeddings', '--root', join(import.meta.dirname, '../fixtures/table.npz'), '--out', at('e.safetensors')); // prettier-ignore
    expect([code, out]).toEqual([0, expect.stringMatching(/3 clips of 2 tracks, width 4\n.*written as keymyna embed/)]);
    expect(readSafetensors(at('e.safetensors')).metadata.track_ids).toBe('["été","b"]');
  });

  it('gives each fault its sentence: checksum, missing file, unknown label, leaking split', () => {
    const audio = { '1': wav(300), '2': wav(310), '3': wav(320) };
    const files = { ...giantStepsTree({ '1': 'C major', '2': 'A minor', '3': 'H minor', '4': 'G major', '5': 'C major' }, { ...audio, '5': wav(300) }) }; // prettier-ignore
    const root = plant(at('faults'), { ...files, 'md5/2.LOFI.md5': 'd41d8cd98f00b204e9800998ecf8427e', 'splits.csv': 'id,split\n1,train\n2,train\n5,test\n' }); // prettier-ignore
    const args = ['data', 'verify', 'giantsteps-key', '--root', root, '--splits', join(root, 'splits.csv'), '--quick'];
    const { code, out } = keymyna(...args);
    expect(code).toBe(1);
    expect(out).toMatch(/missing audio: 1\n +4 +there is no audio\/4\.LOFI\.mp3/);
    expect(out).toMatch(/unknown label: 1\n +3 +the label "H minor" is no key/);
    expect(out).toMatch(/checksum: 1\n +2 +audio\/2\.LOFI\.mp3 has md5 \w+, published is d41d8cd9/);
    expect(out).toMatch(
      /leak: 1\n +5 +the same audio \(checksum \w+\) is in split train \(as 1\) and in split test \(as 5\)/,
    );
    expect(keymyna(...args, '--rows', '0').out).toMatch(/checksum: 1\n +and 1 more \(--rows 1\)/);
  });

  it('needs a root for a name; takes subsets; refuses others', () => {
    const refuses = (outcome: Outcome, sentence: RegExp): void => {
      expect([outcome.code, outcome.err]).toEqual([1, expect.stringMatching(sentence)]);
      expect(outcome.err).not.toMatch(/\n +at /);
    };
    refuses(keymyna('data', 'verify', 'fmak'), /^keymyna: data verify fmak: needs --root/);
    refuses(keymyna('data', 'verify', 'fmak', '--root', at('nowhere')), /nowhere: is no folder; expected fmakv2/);
    refuses(keymyna('data', 'verify', 'gtzan', '--root', dir), /found "gtzan", expected one of giantsteps-key/);
    refuses(keymyna('data', 'split', at('none.csv'), '--out', at('s.csv'), '--shares', 'dev=1'), /option --shares/);
    const root = plant(at('mtg'), mtgTree({ '5061': wav(300) }));
    const { out } = keymyna(
      'data',
      'verify',
      'giantsteps-mtg-key',
      '--root',
      root,
      '--subset',
      'confidence-2',
      '--quick',
    );
    expect(out).toMatch(/confidence-2 \(one key, confidence 2\) +3 +1159 +differs/);
    refuses(
      keymyna('data', 'verify', 'giantsteps-mtg-key', '--root', root, '--subset', 'x'),
      /found "x", expected one of one-key/,
    );
  });

  it('goes on after Ctrl-C where it stopped', async () => {
    const labels = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${i + 1}`, KEYS[i % 24].label]));
    const audio = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${i + 1}`, wav(200 + i, 20)]));
    const root = plant(at('long'), giantStepsTree(labels, audio));
    const args = [
      'data',
      'verify',
      'giantsteps-key',
      '--root',
      root,
      '--cache',
      at('cache-long'),
      '--out',
      at('long.csv'),
    ];
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: environment });
    let err = '';
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    child.stderr.on('data', (chunk: Buffer) => {
      if (err === '') child.kill('SIGINT');
      err += chunk.toString();
    });
    expect([await ended, err]).toEqual([130, expect.stringMatching(/Stopped\. What was finished is kept/)]);
    expect(existsSync(at('long.csv'))).toBe(false);
    expect(keymyna(...args).out).toMatch(/with audio that can be read +60/);
  });
});
