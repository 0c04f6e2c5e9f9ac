import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAudio, encodeWav, loadAudio, toMono } from '../../lib/src/audio/index.js';
import { InputError } from '../../lib/src/errors.js';
import { createRng } from '../../lib/src/tensor/index.js';
import { wavFile } from './wavFiles.js';

/** A wav file around sample bytes, with an extensible header on demand. */
function wavAround(
  data: Uint8Array,
  { tag = 1, channels = 1, bits = 16, extensible = false, rate = 16000 },
): Uint8Array {
  const formatBytes = extensible ? 40 : 16;
  const bytes = new Uint8Array(28 + formatBytes + data.length);
  const view = new DataView(bytes.buffer);
  const block = channels * Math.ceil(bits / 8);
  bytes.set(new TextEncoder().encode('RIFF'), 0);
  view.setUint32(4, bytes.length - 8, true);
  bytes.set(new TextEncoder().encode('WAVEfmt '), 8);
  view.setUint32(16, formatBytes, true);
  view.setUint16(20, extensible ? 0xfffe : tag, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * block, true);
  view.setUint16(32, block, true);
  view.setUint16(34, bits, true);
  if (extensible) {
    view.setUint16(36, 22, true);
    view.setUint16(38, bits, true);
    view.setUint16(44, tag, true);
  }
  bytes.set(new TextEncoder().encode('data'), 20 + formatBytes);
  view.setUint32(24 + formatBytes, data.length, true);
  bytes.set(data, 28 + formatBytes);
  return bytes;
}

const bytesOf = (values: Float32Array | Float64Array | Int16Array | Int32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

describe('samples are exact', () => {
  it.each([false, true])('16 bits, extensible header %s: value / 32768', async (extensible) => {
    const whole = Int16Array.of(-32768, -32767, -1, 0, 1, 12345, 32766, 32767);
    const { channels } = await decodeAudio(wavAround(bytesOf(whole), { extensible }));
    expect([...channels[0]]).toEqual([...whole].map((value) => value / 32768));
  });

  it('8, 24 and 32 bits', async () => {
    const eight = await decodeAudio(wavAround(Uint8Array.of(0, 127, 128, 129, 255), { bits: 8 }));
    expect([...eight.channels[0]]).toEqual([-128, -1, 0, 1, 127].map((value) => value / 128));
    const three = Uint8Array.of(0, 0, 0x80, 0xff, 0xff, 0xff, 1, 0, 0, 0xff, 0xff, 0x7f);
    const twentyFour = await decodeAudio(wavAround(three, { bits: 24, extensible: true }));
    expect([...twentyFour.channels[0]]).toEqual([-8388608, -1, 1, 8388607].map((value) => value / 8388608));
    const whole = Int32Array.of(-(2 ** 31), -1, 256, 2 ** 31 - 1);
    const thirtyTwo = await decodeAudio(wavAround(bytesOf(whole), { bits: 32 }));
    expect([...thirtyTwo.channels[0]]).toEqual([...whole].map((value) => Math.fround(value / 2 ** 31)));
  });

  it('float of 32 and 64 bits, two channels', async () => {
    const values = [0.1, -2, 1e-30, 0.75];
    for (const bits of [32, 64] as const) {
      const data = bytesOf(bits === 32 ? Float32Array.from(values) : Float64Array.from(values));
      const { channels } = await decodeAudio(wavAround(data, { bits, tag: 3, channels: 2 }));
      expect(channels.map((channel) => [...channel])).toEqual([
        [Math.fround(0.1), Math.fround(1e-30)],
        [-2, 0.75],
      ]);
    }
  });

  it('what encodeWav wrote comes back within half a step, and twice gives the same bytes', async () => {
    const rng = createRng(1);
    const samples = Float32Array.from({ length: 5000 }, () => 2 * rng.uniform() - 1);
    const [once] = (await decodeAudio(encodeWav(samples, 16000))).channels;
    once.forEach((value, i) => expect(Math.abs(value - (samples[i] * 32767) / 32768)).toBeLessThanOrEqual(0.5 / 32768));
  });
});

describe('laws', () => {
  const formats = fc.record({
    nFrames: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 60000, max: 80000 })),
    channels: fc.integer({ min: 1, max: 5 }),
    sort: fc.constantFrom({ bits: 8, format: 1 }, { bits: 16, format: 1 }, { bits: 24, format: 1 }, { bits: 32, format: 1 }, { bits: 32, format: 3 }), // prettier-ignore
    sampleRate: fc.constantFrom(16000, 22050, 44100, 48000),
    seed: fc.nat(100),
  });

  it('loadAudio = channels, their mean, resampled; from a file = from memory; pieces leave no seam', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keymyna-wav-'));
    const path = join(folder, 'some.wav');
    const { resample } = await import('../../lib/src/audio/index.js');
    await fc.assert(
      fc.asyncProperty(formats, async ({ nFrames, channels, sort, sampleRate, seed }) => {
        const rng = createRng(seed);
        const bytes = wavFile(nFrames, () => 2 * rng.uniform() - 1, { ...sort, channels, sampleRate } as object);
        writeFileSync(path, bytes);
        const decoded = await decodeAudio(bytes);
        expect(decoded.channels.map((channel) => channel.length)).toEqual(new Array(channels).fill(nFrames));
        const expected = resample(toMono(decoded.channels), sampleRate, 16000);
        expect(Buffer.compare(Buffer.from((await loadAudio(bytes)).buffer), Buffer.from(expected.buffer))).toBe(0);
        expect(Buffer.compare(Buffer.from((await loadAudio(path)).buffer), Buffer.from(expected.buffer))).toBe(0);
      }),
      { numRuns: 25 },
    );
    rmSync(folder, { recursive: true });
  });

  // The first 60 bytes hold all that decides how the rest is read.
  it('10,000 damaged files: finite audio or one sentence, and nothing out of proportion', async () => {
    const rng = createRng(9);
    const tone = (i: number): number => Math.sin(i);
    const sound = [
      wavFile(80, tone),
      wavFile(40, tone, { channels: 2, bits: 24 }),
      wavFile(50, tone, { format: 3, bits: 32 }),
      wavAround(bytesOf(Float64Array.from({ length: 30 }, (_, i) => tone(i))), { tag: 3, bits: 64, extensible: true }),
      wavAround(new Uint8Array(100).fill(77), { tag: 7, bits: 8 }),
      wavAround(new Uint8Array(128).fill(7), { tag: 0x11, bits: 4, channels: 1 }),
    ];
    let read = 0;
    for (let i = 0; i < 10_000; i++) {
      const bytes = sound[i % sound.length].slice();
      for (let n = 1 + rng.int(3); n > 0; n--) {
        const at = 4 + rng.int(60);
        bytes[at] = rng.uniform() < 0.3 ? [0, 1, 255, 128][rng.int(4)] : rng.int(256);
      }
      const cut = rng.uniform() < 0.1 ? bytes.slice(0, rng.int(bytes.length)) : bytes;
      const result = await loadAudio(cut).catch((error: unknown) => error);
      if (result instanceof Float32Array) {
        read++;
        expect(result.length).toBeLessThanOrEqual(16 * 2 * cut.length); // 1000 Hz, two samples a byte;
        expect(result.every(Number.isFinite)).toBe(true);
      } else {
        expect(result).toBeInstanceOf(InputError);
        expect((result as Error).message).not.toContain('\n');
      }
    }
    expect(read).toBeGreaterThan(1000);
    expect(read).toBeLessThan(9500);
  }, 60_000);
});

describe('headers that are none', () => {
  it('chunks without end are given up', async () => {
    const bytes = new Uint8Array(12 + 8 * 5000);
    bytes.set(new TextEncoder().encode('RIFF....WAVE'));
    await expect(loadAudio(bytes)).rejects.toThrow(/1000 chunks before its audio/);
  });

  it.each([
    ['float of 16 bits', { tag: 3, bits: 16 }, /16 bits \(float\)/],
    ['whole numbers of 64 bits', { bits: 64 }, /64 bits \(int\)/],
    ['A-law in blocks that do not fit', { tag: 6, bits: 16 }, /inconsistent/],
  ])('%s', async (_, options, message) => {
    await expect(loadAudio(wavAround(new Uint8Array(160), options))).rejects.toThrow(message);
  });

  it('ADPCM that would unpack to gigabytes', async () => {
    const bytes = wavAround(new Uint8Array(200), { tag: 0x11, bits: 16, extensible: true });
    const view = new DataView(bytes.buffer);
    view.setUint16(20, 0x11, true);
    view.setUint16(38, 65535, true); // samples a block
    await expect(loadAudio(bytes)).rejects.toThrow(/65535 samples in blocks of 2 bytes/);
  });
});
