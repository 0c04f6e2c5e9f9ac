/** Memory of `embed` and `pretrain` does not grow with the length of a recording or the number of files. */
import { spawnSync } from 'node:child_process';
import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { Encoder, encoderConfig, saveCheckpoint } from '../../lib/src/encoder/index.js';
import { readSafetensorsHeader } from '../../lib/src/store/index.js';
import { createRng, initBackend } from '../../lib/src/tensor/index.js';

const PROGRAM = join(import.meta.dirname, '../../lib/bin/keymyna.js');
const dir = mkdtempSync(join(tmpdir(), 'keymyna-scale-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs a command to its end. @returns the most memory that it had, MB */
function megabytes(...args: string[]): number {
  const say = 'process.on("exit", () => console.error(`peak ${process.resourceUsage().maxRSS} KB`))';
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${say}`, PROGRAM, ...args],
    {
      encoding: 'utf8',
    },
  );
  expect(status, stderr).toBe(0);
  return Number(/peak (\d+) KB/.exec(stderr)![1]) / 1024;
}

const noise = (seconds: number): Float32Array => {
  const rng = createRng('noise');
  return Float32Array.from({ length: 16000 * seconds }, () => 0.1 * rng.normal());
};

/** A wav of 16 bits and 16 kHz, written piece by piece: a minute of noise again and again. */
function longWav(path: string, minutes: number): void {
  const minute = encodeWav(noise(60), 16000);
  const header = Buffer.from(minute.subarray(0, 44));
  const data = minute.subarray(44);
  header.writeUInt32LE(36 + minutes * data.length, 4);
  header.writeUInt32LE(minutes * data.length, 40);
  const file = openSync(path, 'w');
  writeSync(file, header);
  for (let i = 0; i < minutes; i++) writeSync(file, data);
  closeSync(file);
}

beforeAll(async () => {
  await initBackend({ prefer: 'cpu' });
  const encoder = Encoder.init(encoderConfig('vertical', 'tiny'), createRng(0));
  saveCheckpoint(at('tiny.safetensors'), encoder);
  encoder.dispose();
});

const embed = (audio: string, out: string): number =>
  megabytes('embed', at(audio), '--weights', at('tiny.safetensors'), '--out', at(out), '--threads', '1');

it('a recording of 40 minutes takes little more than one of a minute: whole, its samples and mels are 170 MB', () => {
  longWav(at('minute.wav'), 1);
  longWav(at('long.wav'), 40);
  const short = embed('minute.wav', 'minute.safetensors');
  expect(embed('long.wav', 'long.safetensors') - short).toBeLessThan(90);
  expect(readSafetensorsHeader(at('long.safetensors')).places.get('embeddings')!.shape).toEqual([382, 32]);
}, 120_000);

it('1,000 files take little more than 200, in embed and in pretrain: in memory the mels of the others are 100 MB', () => {
  writeFileSync(at('one.wav'), encodeWav(noise(8), 16000));
  for (const [folder, n] of [
    ['few', 200],
    ['many', 1000],
  ] as const) {
    mkdirSync(at(folder));
    for (let i = 0; i < n; i++) linkSync(at('one.wav'), at(`${folder}/${i}.wav`));
  }
  expect(embed('many', 'many.safetensors') - embed('few', 'few.safetensors')).toBeLessThan(60);
  const pretrain = (folder: string): number =>
    megabytes('pretrain', at(folder), '--out', at(`run-${folder}`), '--size', 'tiny', '--steps', '2', '--batch', '8', '--cache', at(`cache-${folder}`), '--threads', '1'); // prettier-ignore
  expect(pretrain('many') - pretrain('few')).toBeLessThan(60);
}, 120_000);
