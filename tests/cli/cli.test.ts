import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeWav } from '../../lib/src/audio/index.js';
import { Encoder, encoderConfig, saveCheckpoint } from '../../lib/src/encoder/index.js';
import { float32, readNpy, readSafetensors, writeSafetensors } from '../../lib/src/store/index.js';
import { createRng, initBackend } from '../../lib/src/tensor/index.js';

const PROGRAM = join(import.meta.dirname, '../../lib/bin/keymyna.js');
const dir = mkdtempSync(join(tmpdir(), 'keymyna-cli-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function keymyna(...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

/** One sentence, exit code 1, no stack. */
function refuses(outcome: Outcome, ...says: (string | RegExp)[]): void {
  expect(outcome.code, outcome.err + outcome.out).toBe(1);
  expect(outcome.err).not.toMatch(/\n +at /);
  const lines = outcome.err.split('\n').filter((line) => line.startsWith('keymyna: '));
  expect(lines, outcome.err).toHaveLength(1);
  for (const part of says) expect(lines[0]).toMatch(part);
}

const sine = (seconds: number, rate = 16000): Float32Array =>
  Float32Array.from({ length: seconds * rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / rate));

/** A wav file of float samples, interleaved channels. */
function floatWav(samples: Float32Array, sampleRate: number, channels: number): Buffer {
  const bytes = Buffer.alloc(44 + samples.length * 4);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + samples.length * 4, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(3, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * channels * 4, 28);
  bytes.writeUInt16LE(channels * 4, 32);
  bytes.writeUInt16LE(32, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples.length * 4, 40);
  samples.forEach((x, i) => bytes.writeFloatLE(x, 44 + 4 * i));
  return bytes;
}

beforeAll(async () => {
  await initBackend({ prefer: 'cpu' });
  const encoder = Encoder.init(encoderConfig('vertical', 'tiny'), createRng(0));
  saveCheckpoint(at('tiny.safetensors'), encoder);
  encoder.dispose();
  writeFileSync(at('good.wav'), encodeWav(sine(7), 16000));
});

describe('mel', () => {
  it('writes float32 [128, nFrames]', () => {
    const { code, out } = keymyna('mel', at('good.wav'), '--out', at('good.npy'));
    expect(code).toBe(0);
    expect(out).toContain('128 mel bands x 219 frames');
    const { shape, dtype } = readNpy(at('good.npy'));
    expect([dtype, ...shape]).toEqual(['F32', 128, 219]);
  });

  it.each([
    ['8 channels', floatWav(new Float32Array(8 * 16000).fill(0.1), 16000, 8)],
    ['192 kHz', floatWav(sine(1, 192000), 192000, 1)],
  ])('reads %s', (_, bytes) => {
    writeFileSync(at('odd.wav'), bytes);
    expect(keymyna('mel', at('odd.wav'), '--out', at('odd.npy')).code).toBe(0);
    expect(readNpy(at('odd.npy')).shape).toEqual([128, 32]);
  });

  const good = (): Buffer => readFileSync(at('good.wav'));
  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['truncated', () => good().subarray(0, 60_000)],
    ['not audio', () => Buffer.from('a text, no sound '.repeat(50))],
    ['NaN-filled', () => floatWav(new Float32Array(20000).fill(NaN), 16000, 1)],
    ['one sample', () => floatWav(Float32Array.of(0.5), 16000, 1)],
  ])('refuses a file that is %s, names it, and writes nothing', (_, bytes) => {
    writeFileSync(at('bad.wav'), bytes());
    refuses(keymyna('mel', at('bad.wav'), '--out', at('bad.npy')), 'bad.wav');
    expect(existsSync(at('bad.npy'))).toBe(false);
  });

  it('names a file that is not there, and a scale that is none', () => {
    refuses(keymyna('mel', at('nowhere.wav'), '--out', at('x.npy')), 'nowhere.wav');
    refuses(keymyna('mel', at('good.wav'), '--out', at('x.npy'), '--scale', 'loud'), /--scale.*power, log1p/);
  });
});

describe('embed', () => {
  it('embeds a folder; one bad file is named and does not stop the rest', () => {
    mkdirSync(at('folder'));
    writeFileSync(at('folder/a.wav'), encodeWav(sine(14), 16000));
    writeFileSync(at('folder/b.wav'), 'no sound');
    const { code, err } = keymyna(
      'embed',
      at('folder'),
      '--weights',
      at('tiny.safetensors'),
      '--out',
      at('e.safetensors'),
    );
    expect(err).toContain('b.wav');
    const { tensors } = readSafetensors(at('e.safetensors'));
    expect(tensors.get('embeddings')!.shape).toEqual([2, 32]);
    expect(Array.from(tensors.get('track_of')!.data)).toEqual([0, 0]);
    expect([0, 1]).toContain(code);
  });

  const embed = (weights: string): Outcome =>
    keymyna('embed', at('good.wav'), '--weights', weights, '--out', at('never.safetensors'));
  it('refuses a checkpoint with a wrong shape, a missing tensor, a huge header', () => {
    const { tensors, metadata } = readSafetensors(at('tiny.safetensors'));
    const name = 'transformer.layers.1.0.to_out.weight';
    const wrong = new Map(tensors).set(name, float32([32, 31], new Float32Array(32 * 31)));
    writeSafetensors(at('wrong.safetensors'), wrong, metadata);
    refuses(embed(at('wrong.safetensors')), name, /32, 31/, /32, 32/);
    const fewer = new Map(tensors);
    fewer.delete(name);
    writeSafetensors(at('fewer.safetensors'), fewer, metadata);
    refuses(embed(at('fewer.safetensors')), name);
    const huge = readFileSync(at('tiny.safetensors'));
    huge.writeBigUInt64LE(1n << 60n, 0);
    writeFileSync(at('huge.safetensors'), huge);
    refuses(embed(at('huge.safetensors')), 'huge.safetensors', /header/);
    expect(existsSync(at('never.safetensors'))).toBe(false);
  });
});

describe('manifests', () => {
  const embed = (csv: string): Outcome => {
    writeFileSync(at('manifest.csv'), csv);
    return keymyna('data', 'verify', at('manifest.csv'));
  };
  it('are read', () => {
    const { code, out } = embed('path,key,split\ngood.wav,A minor,train\n');
    expect(code).toBe(0);
    expect(out).toContain('1 of 1 tracks can be read');
  });
  it('with an unknown key, a duplicate, or a track in two splits are refused by line', () => {
    refuses(embed('path,key,split\ngood.wav,H minor,train\n'), /manifest\.csv.*line 2/, 'H minor');
    refuses(embed('path,key,split\ngood.wav,A minor,train\ngood.wav,A minor,train\n'), /line 3/);
    refuses(embed('path,key,split\ngood.wav,A minor,train\ngood.wav,A minor,test\n'), /line 3|split/);
  });
});

describe('score', () => {
  it('prints both rulers, the shares and intervals; --json as well', () => {
    writeFileSync(at('ref.csv'), 'id,key\na,C major\nb,A minor\nc,F major\n');
    writeFileSync(at('est.csv'), 'id,key\na,C major\nb,D minor\nc,C major\n');
    const args = ['score', '--reference', at('ref.csv'), '--estimates', at('est.csv')];
    expect(keymyna(...args).out).toMatch(/3 tracks[\s\S]*exact +33\.33/);
    const json = JSON.parse(keymyna(...args, '--json').out) as { weighted: number; weightedBothFifths: number };
    expect(json.weighted).toBeCloseTo(1.5 / 3);
    expect(json.weightedBothFifths).toBeCloseTo(2 / 3);
  });
  it('refuses an unknown key and a missing track', () => {
    writeFileSync(at('ref.csv'), 'id,key\na,C major\nb,A minor\n');
    writeFileSync(at('est.csv'), 'id,key\na,C majr\nb,A minor\n');
    refuses(keymyna('score', '--reference', at('ref.csv'), '--estimates', at('est.csv')), /est\.csv line 2/, 'C majr');
    writeFileSync(at('est.csv'), 'id,key\na,C major\n');
    refuses(keymyna('score', '--reference', at('ref.csv'), '--estimates', at('est.csv')), /"b"/);
  });
});

describe('pretrain, embed, probe in a row', () => {
  it('goes from a folder of wav files with a manifest to a score', () => {
    const corpus = at('corpus');
    mkdirSync(corpus);
    const rng = createRng(1);
    const rows = ['path,key,split'];
    // Triads of two keys, enough to run every stage; what they score is not the point here.
    ['C major', 'F# minor'].forEach((key, k) => {
      for (let i = 0; i < 6; i++) {
        const split = i < 3 ? 'train' : i < 5 ? 'valid' : 'test';
        const pitches = (k ? [54, 57, 61] : [48, 52, 55]).map((p) => 440 * 2 ** ((p - 69 + 12 * rng.int(3)) / 12));
        const samples = sine(7).map((_, n) =>
          pitches.reduce((s, f) => s + 0.1 * Math.sin((2 * Math.PI * f * n) / 16000), 0),
        );
        writeFileSync(join(corpus, `${k}${i}.wav`), encodeWav(samples, 16000));
        rows.push(`${k}${i}.wav,${key},${split}`);
      }
    });
    writeFileSync(join(corpus, 'manifest.csv'), rows.join('\n'));
    const manifest = join(corpus, 'manifest.csv');
    const run = at('run');
    const pretrained = keymyna('pretrain', manifest, '--out', run, '--size', 'tiny', '--steps', '3', '--batch', '4');
    expect(pretrained.code, pretrained.err).toBe(0);
    expect(readdirSync(run)).toContain('encoder.safetensors');
    const table = at('table.safetensors');
    const weights = join(run, 'encoder.safetensors');
    expect(keymyna('embed', manifest, '--weights', weights, '--out', table).code).toBe(0);
    const probed = keymyna('probe', table, '--manifest', manifest, '--epochs', '5', '--out', at('probe.safetensors'));
    expect(probed.code, probed.err).toBe(0);
    expect(probed.out).toMatch(/test +n 2 +weighted/);
    expect(existsSync(at('probe.safetensors'))).toBe(true);
  });

  it('refuses a configuration field that does not exist', () => {
    writeFileSync(at('config.json'), '{"stepz": 3}');
    refuses(keymyna('pretrain', at('folder'), '--out', at('run2'), '--config', at('config.json')), 'stepz');
  });
});

describe('doctor', () => {
  it('says backend and reason, and which optional packages there are', () => {
    const report = JSON.parse(keymyna('doctor', '--json').out) as {
      backend: { name: string; reason: string };
      peers: object;
    };
    expect(report.backend.reason).not.toBe('');
    expect(Object.keys(report.peers)).toEqual(['onnxruntime-node', 'essentia.js']);
  });
});
