import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readNpy, readSafetensors } from '../../lib/src/store/index.js';
import { readOnnx } from '../exporting/onnxReader.js';
import { goldenPath, largestDifference } from '../golden.js';

const ROOT = join(import.meta.dirname, '../..');
const dir = mkdtempSync(join(tmpdir(), 'keymyna-export-'));
const at = (name: string): string => join(dir, name);
const torch = (name: string): string => join(ROOT, 'tests/fixtures/torch', name);
afterAll(() => rmSync(dir, { recursive: true }));

function keymyna(...args: string[]): { code: number | null; out: string; err: string } {
  const program = join(ROOT, 'lib/bin/keymyna.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('keymyna export', () => {
  const both = ['--weights', torch('encoder.pth'), '--patches', 'vertical', '--num-heads', '1', '--probe', torch('head.pth')]; // prettier-ignore

  it('turns files of PyTorch into safetensors and into ONNX', () => {
    const { code, out, err } = keymyna('export', ...both, '--out', at('both.safetensors'));
    expect(code, err).toBe(0);
    expect(out).toContain('both.safetensors: encoder and head as safetensors');
    const { tensors } = readSafetensors(at('both.safetensors'));
    expect(tensors.get('to_patch_embedding.2.weight')?.shape).toEqual([8, 256]);
    expect(tensors.get('head.3.weight')?.shape).toEqual([24, 6]);
    expect(keymyna('export', ...both, '--format', 'onnx', '--out', at('both.onnx')).code).toBe(0);
    expect(readOnnx(readFileSync(at('both.onnx'))).outputs.map(({ name }) => name)).toEqual(['embedding', 'logits']);
  });

  it('says in one sentence what is missing or wrong, and writes nothing', () => {
    const nothing = keymyna('export', '--out', at('never'));
    expect(nothing).toMatchObject({ code: 1 });
    expect(nothing.err).toMatch(/^keymyna: option --weights: missing; give --weights, --probe or both\n$/m);
    const module = keymyna('export', '--probe', torch('module.pth'), '--out', at('never'));
    expect(module).toMatchObject({ code: 1 });
    expect(module.err).toMatch(/names the global "torch\.nn\.modules\.linear\.Linear".*nothing was executed/);
    expect(module.err).not.toMatch(/\n +at /);
    expect(existsSync(at('never'))).toBe(false);
  });
});

/** Mono, 16 kHz, 32-bit floats: the samples as they are. */
function floatWav(samples: Float32Array): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF');
  header.writeUInt32LE(36 + 4 * samples.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  [3, 1].forEach((value, i) => header.writeUInt16LE(value, 20 + 2 * i));
  [16000, 64000].forEach((value, i) => header.writeUInt32LE(value, 24 + 4 * i));
  [4, 32].forEach((value, i) => header.writeUInt16LE(value, 32 + 2 * i));
  header.write('data', 36);
  header.writeUInt32LE(4 * samples.length, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
}

describe('keymyna embed', () => {
  it('gives the reference’s embeddings of a WAV file, from its weights (golden pipeline)', () => {
    const { data } = readNpy(goldenPath('mel_signal.npy'));
    writeFileSync(at('signal.wav'), floatWav(data as Float32Array));
    const weights = goldenPath('vit_tiny_vertical.weights.safetensors');
    const options = ['--patches', 'vertical', '--num-heads', '2', '--clip-frames', '98', '--out', at('e.safetensors')];
    const { code, err } = keymyna('embed', at('signal.wav'), '--weights', weights, ...options);
    expect(code, err).toBe(0);
    const golden = readSafetensors(goldenPath('pipeline_tiny_vertical.safetensors')).tensors;
    const { shape, data: embeddings } = readSafetensors(at('e.safetensors')).tensors.get('embeddings')!;
    expect(shape).toEqual([2, 32]);
    expect(largestDifference(embeddings, golden.get('embed_2_chunks_of_98_frames')!.data)).toBeLessThan(1e-5);
  });
});
