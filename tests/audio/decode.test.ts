import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { decodeAudio, encodeWav, loadAudio, toMono } from '../../lib/src/audio/index.js';
import { wavFile } from './wavFiles.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const tone = (i: number): number => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 16000);
let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'keymyna-audio-'))));
afterAll(() => rmSync(dir, { recursive: true }));

/** Amplitude and phase-free match: largest projection of `x` on a sine of `hz`. */
function amplitude(x: Float32Array, hz: number, rate: number): number {
  let re = 0;
  let im = 0;
  x.forEach((sample, i) => {
    re += sample * Math.cos((2 * Math.PI * hz * i) / rate);
    im += sample * Math.sin((2 * Math.PI * hz * i) / rate);
  });
  return (2 * Math.hypot(re, im)) / x.length;
}

describe('formats', () => {
  it.each([
    ['sine.flac', 16000, 4800, 1],
    ['sine.mp3', 44100, 13230, 0.95], // lame scales by .95
    ['sine.ogg', 44100, 13230, 1],
    ['sine.opus', 48000, 14400, 1],
  ])('%s: rate, length without encoder delay, level of both channels', async (name, sampleRate, length, gain) => {
    const audio = await decodeAudio(fixture(name));
    expect(audio.sampleRate).toBe(sampleRate);
    expect(audio.channels.map((channel) => channel.length)).toEqual([length, length]);
    // inside, where the encoders' pre-echo and fade do not reach
    const [left, right] = audio.channels.map((channel) => channel.subarray(0.05 * sampleRate, 0.25 * sampleRate));
    expect(amplitude(left, 440, sampleRate)).toBeCloseTo(gain * 0.5, 2);
    expect(amplitude(right, 660, sampleRate)).toBeCloseTo(gain * 0.25, 2);
    expect((await loadAudio(fixture(name))).length).toBe(4800);
  });

  it.each([
    { bits: 8, format: 1, error: 1 / 100 },
    { bits: 16, format: 1, error: 1 / 30000 },
    { bits: 24, format: 1, error: 1e-6 },
    { bits: 32, format: 1, error: 1e-6 },
    { bits: 32, format: 3, error: 1e-7 },
  ] as const)('wav, $bits bits, format $format', async ({ bits, format, error }) => {
    const { channels } = await decodeAudio(wavFile(2000, tone, { bits, format }));
    expect(channels.length).toBe(1);
    channels[0].forEach((sample, i) => {
      if (Math.abs(sample - tone(i)) > error) throw new Error(`sample ${i}: ${sample}, expected ${tone(i)}`);
    });
  });

  it('8 channels are averaged', async () => {
    const bytes = wavFile(1000, (_, c) => c / 10, { channels: 8, format: 3, bits: 32 });
    const { channels } = await decodeAudio(bytes);
    expect(channels.length).toBe(8);
    (await loadAudio(bytes)).forEach((sample) => expect(sample).toBeCloseTo(0.35, 6));
  });

  it('192 kHz is resampled', async () => {
    const bytes = wavFile(19200, (i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 192000), { sampleRate: 192000 });
    const samples = await loadAudio(bytes);
    expect(samples.length).toBe(1600);
    samples.subarray(50, -50).forEach((sample, i) => expect(Math.abs(sample - tone(i + 50))).toBeLessThan(2e-3));
  });

  it('1 sample is 1 sample', async () => expect((await loadAudio(wavFile(1, () => 0.5))).length).toBe(1));

  it('an odd chunk before the data, and a streamed header without a length', async () => {
    const plain = wavFile(100, tone);
    const extra = Uint8Array.of(...new TextEncoder().encode('LIST'), 3, 0, 0, 0, 1, 2, 3, 0);
    const withExtra = Uint8Array.of(...plain.subarray(0, 36), ...extra, ...plain.subarray(36));
    const streamed = plain.slice();
    streamed.fill(255, 40, 44);
    for (const bytes of [streamed, withExtra]) expect((await decodeAudio(bytes)).channels[0].length).toBe(100);
  });

  it('bytes that are a view inside a larger buffer', async () => {
    const whole = readFileSync(fixture('sine.flac'));
    const view = new Uint8Array(new ArrayBuffer(whole.length + 7), 7); // a view inside a larger buffer
    view.set(whole);
    expect((await decodeAudio(view)).channels[0]).toEqual((await decodeAudio(fixture('sine.flac'))).channels[0]);
  });
});

describe('bad input gives one clear sentence', () => {
  const bad: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /empty \(0 bytes\)/],
    ['text', new TextEncoder().encode('no audio at all, only words '.repeat(50)), /cannot be decoded as audio/],
    [
      'random bytes',
      Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251),
      /cannot be decoded|no audio was found/,
    ],
    ['a wav header only', wavFile(0, tone), /no audio was found/],
    ['a wav cut in its header', wavFile(100, tone).slice(0, 30), /truncated/],
    ['4 bytes of a wav', wavFile(100, tone).slice(0, 4), /truncated/],
    ['a wav cut in its data', wavFile(1000, tone).slice(0, 1000), /declares 2000 bytes of audio, 956 are there/],
    ['NaN', wavFile(1000, (i) => (i > 9 ? NaN : 0), { format: 3, bits: 32 }), /sample 10 \(0.001 s\) is NaN/],
    ['infinity', wavFile(1000, (i) => (i === 16 ? Infinity : 0), { format: 3, bits: 32 }), /sample 16 .* is Infinity/],
    ['rate 0', wavFile(1000, tone, { sampleRate: 0 }), /sample rate/],
    ['a wav with 0 channels', withU16(wavFile(1000, tone), 22, 0), /0 channels/],
    [
      'a wav with 60000 channels in blocks of 1 byte',
      withU16(withU16(wavFile(1000, tone), 22, 60000), 32, 1),
      /60000 channels/,
    ],
    ['a wav with wrong blocks', withU16(wavFile(1000, tone), 32, 1), /inconsistent/],
    [
      'a flac cut in half',
      new Uint8Array(readFileSync(fixture('sine.flac'))).slice(0, 2400),
      /declares 4800 samples a channel/,
    ],
    [
      'a flac header only',
      new Uint8Array(readFileSync(fixture('sine.flac'))).slice(0, 60),
      /declares 4800|no audio|cannot be decoded/,
    ],
    ['an mp3 frame header only', Uint8Array.of(0xff, 0xfb, 0x90, 0x64), /no audio|cannot be decoded/],
    ['an ogg page only', new Uint8Array(readFileSync(fixture('sine.ogg'))).slice(0, 58), /no audio|cannot be decoded/],
    [
      'an opus page only',
      new Uint8Array(readFileSync(fixture('sine.opus'))).slice(0, 47),
      /no audio|cannot be decoded/,
    ],
  ];

  it.each(bad)('%s', async (name, bytes, message) => {
    const path = join(dir, `${name.replaceAll(' ', '-')}.bin`);
    writeFileSync(path, bytes);
    const error = await loadAudio(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.startsWith(path)).toBe(true);
    expect((error as Error).message).not.toContain('\n');
  });

  it('more audio than is allowed: the decoder is stopped on the way', async () => {
    for (const name of ['sine.flac', 'sine.mp3', 'sine.ogg', 'sine.opus']) {
      await expect(decodeAudio(fixture(name), { maxSamples: 9000 })).rejects.toThrow(/more than 9000 samples/);
      await expect(loadAudio(fixture(name), { maxSamples: 15000 })).resolves.toHaveLength(4800); // mono counts once
    }
  });

  it('no such file, a folder', async () => {
    await expect(loadAudio(join(dir, 'none.wav'))).rejects.toThrow(/no such file/);
    await expect(loadAudio(dir)).rejects.toThrow(/this is a folder/);
  });

  it('mp3, ogg and opus cut in half give what is there, or a sentence; never NaN', async () => {
    for (const name of ['sine.mp3', 'sine.ogg', 'sine.opus']) {
      const bytes = new Uint8Array(readFileSync(fixture(name)));
      const result = await loadAudio(bytes.slice(0, bytes.length / 2)).catch((e: unknown) => e);
      if (result instanceof Float32Array) expect(result.length).toBeLessThanOrEqual(4800);
      else expect(result).toBeInstanceOf(InputError);
    }
  });

  it('damaged bytes: finite audio or an InputError', async () => {
    for (const name of ['sine.flac', 'sine.mp3', 'sine.ogg', 'sine.opus']) {
      const good = new Uint8Array(readFileSync(fixture(name)));
      const position = fc.integer({ min: 0, max: good.length - 1 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(position, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 20 }),
          async (changes) => {
            const bytes = good.slice();
            for (const [at, value] of changes) bytes[at] = value;
            const result = await loadAudio(bytes).catch((e: unknown) => e);
            if (result instanceof Float32Array) expect(result.every(Number.isFinite)).toBe(true);
            else expect(result).toBeInstanceOf(InputError);
          },
        ),
        { numRuns: 25, seed: 1 },
      );
    }
  });
});

describe('toMono and encodeWav', () => {
  it('the mean of the channels', () => {
    expect(Array.from(toMono([new Float32Array([1, 0]), new Float32Array([0, 0.5])]))).toEqual([0.5, 0.25]);
    const only = new Float32Array([1, 2]);
    expect(toMono([only])).toBe(only);
    expect(() => toMono([])).toThrow(InputError);
  });

  it('a wav that is written is read back to 16 bits', async () => {
    const samples = Float32Array.from({ length: 500 }, (_, i) => tone(i));
    const { channels, sampleRate } = await decodeAudio(encodeWav(samples, 22050));
    expect(sampleRate).toBe(22050);
    channels[0].forEach((sample, i) => expect(Math.abs(sample - samples[i])).toBeLessThan(1 / 32000));
  });

  it('clips, and refuses NaN', async () => {
    const { channels } = await decodeAudio(encodeWav(new Float32Array([2, -2]), 16000));
    expect(channels[0][0]).toBeCloseTo(1, 3);
    expect(channels[0][1]).toBeCloseTo(-1, 3);
    expect(() => encodeWav(new Float32Array([NaN]), 16000)).toThrow(/sample 0 is NaN/);
  });
});

function withU16(bytes: Uint8Array, at: number, value: number): Uint8Array {
  new DataView(bytes.buffer).setUint16(at, value, true);
  return bytes;
}
