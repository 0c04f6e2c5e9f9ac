import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  concatenate,
  decodeAudio,
  headerDuration,
  loadAudio,
  resample,
  streamAudio,
} from '../../lib/src/audio/index.js';
import { fileSource, memorySource } from '../../lib/src/audio/byteSource.js';
import { wavReader } from '../../lib/src/audio/decode.js';
import { decodedParts } from '../../lib/src/audio/parts.js';
import { ResampleStream } from '../../lib/src/audio/resampleStream.js';
import { InputError } from '../../lib/src/errors.js';
import { flacFile, mp3File, oggFile, opusFile, sweep } from './encodedFiles.js';
import { wavFile } from './wavFiles.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-stream-'));
afterAll(() => rmSync(dir, { recursive: true }));
const fixture = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, '../fixtures', name));

async function joined(pieces: AsyncIterable<Float32Array>): Promise<Float32Array> {
  const all: Float32Array[] = [];
  for await (const piece of pieces) {
    expect(piece.length).toBeGreaterThan(0);
    all.push(piece);
  }
  return concatenate(all);
}

/** Equal bits; far quicker than `toEqual`. */
function expectSame(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  expect(Buffer.compare(Buffer.from(found.slice().buffer), Buffer.from(expected.slice().buffer))).toBe(0);
}

/** Files of several seconds and of a moment, all formats. */
const files = new Map<string, Uint8Array>();
beforeAll(async () => {
  for (const ending of ['flac', 'mp3', 'ogg', 'opus']) files.set(`sine.${ending}`, fixture(`sine.${ending}`));
  const stereo = sweep(6, 44100, 2);
  files.set('long.mp3', await mp3File(stereo, 44100));
  files.set('long.ogg', await oggFile(stereo, 44100));
  files.set('long.flac', flacFile(sweep(3, 48000, 2)));
  files.set('long.opus', opusFile(sweep(12, 48000, 1)[0]));
  const at =
    ([left, right]: Float32Array[]) =>
    (i: number, c: number) =>
      (c === 0 ? left : right)[i];
  files.set('long.wav', wavFile(stereo[0].length, at(stereo), { channels: 2, sampleRate: 44100 }));
  files.set('same.wav', wavFile(40_000, at(stereo), { format: 3, bits: 32 }));
  files.set(
    'three.wav',
    wavFile(100_000, (i, c) => stereo[c % 2][i], { channels: 3, bits: 24, sampleRate: 22050 }),
  );
  files.set('odd.wav', wavFile(70_000, at(stereo), { sampleRate: 44101 }));
  files.set(
    'one.wav',
    wavFile(1, () => 0.5, { sampleRate: 48000 }),
  );
});

describe('streamAudio', () => {
  it('the files are longer than what a decoder gets at once', () => {
    for (const ending of ['mp3', 'ogg', 'flac', 'opus', 'wav'])
      expect(files.get(`long.${ending}`)!.length, ending).toBeGreaterThan(2 * 65536);
  });

  it('joined together is loadAudio, bit by bit: every format, from a file and from memory', async () => {
    for (const [name, bytes] of files) {
      const path = join(dir, name);
      writeFileSync(path, bytes);
      const expected = await loadAudio(path);
      expect(expected.length, name).toBeGreaterThan(0);
      expectSame(await joined(streamAudio(path)), expected);
      expectSame(await joined(streamAudio(bytes)), await loadAudio(bytes));
    }
    const kaiser = { method: 'kaiser' } as const;
    const wav = files.get('long.wav')!;
    expectSame(await joined(streamAudio(wav, kaiser)), await loadAudio(wav, kaiser));
  });

  it('what was encoded is what comes out', async () => {
    // lossless, so that the writers of these tests are known to write what they say
    const [left, right] = sweep(3, 48000, 2);
    const { channels } = await decodeAudio(files.get('long.flac')!);
    [left, right].forEach((channel, c) =>
      channel.forEach((sample, i) => {
        if (Math.abs(channels[c][i] - sample) > 1e-4) throw new Error(`channel ${c}, sample ${i}`);
      }),
    );
    for (const [name, seconds] of [
      ['long.mp3', 6],
      ['long.ogg', 6],
      ['long.opus', 12],
    ] as const)
      // prettier-ignore
      expect((await loadAudio(files.get(name)!)).length / 16000, name).toBeCloseTo(seconds, 0);
  });

  it('the samples do not depend on how many bytes a decoder gets at once', async () => {
    const names = ['sine.flac', 'sine.mp3', 'sine.ogg', 'sine.opus', 'long.flac', 'long.mp3', 'long.ogg', 'long.opus'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.integer({ min: 17_000, max: 200_000 }), async (name, chunkBytes) => {
        const { channels } = await decodeAudio(files.get(name)!);
        const parts: Float32Array[][] = [];
        for await (const part of decodedParts(memorySource(name, files.get(name)!), { chunkBytes }))
          parts.push(part.channels);
        channels.forEach((channel, c) => expectSame(concatenate(parts.map((part) => part[c])), channel));
      }),
      { numRuns: 12 },
    ); // prettier-ignore
  });

  it('flac: a piece may end anywhere, also inside the header of a frame', async () => {
    const long = flacFile(sweep(0.2, 48000, 1), 512);
    const headers = [...long.keys()].filter((i) => long[i] === 0xff && long[i + 1] === 0xf8);
    expect(headers.length).toBeGreaterThan(15);
    const [expected] = (await decodeAudio(long)).channels;
    for (let chunkBytes = headers[8] - 2; chunkBytes < headers[8] + 18; chunkBytes++) {
      const parts: Float32Array[] = [];
      for await (const part of decodedParts(memorySource('x', long), { chunkBytes })) parts.push(part.channels[0]);
      expectSame(concatenate(parts), expected);
    }
  });

  it('a stereo mp3 whose channels are equal at first, and an mp3 behind two tags', async () => {
    const [left, right] = sweep(8, 44100, 2);
    right.set(left.subarray(0, 5 * 44100));
    const bytes = await mp3File([left, right], 44100);
    const { channels } = await decodeAudio(bytes);
    expect(channels.map((channel) => channel.length)).toEqual([channels[0].length, channels[0].length]);
    expectSame(channels[0].slice(0, 44100), channels[1].slice(0, 44100));
    expect(channels[0].at(-10_000)).not.toBe(channels[1].at(-10_000));
    expectSame(await joined(streamAudio(bytes)), await loadAudio(bytes));

    const tag = Buffer.alloc(10 + 300);
    tag.write('ID3\x04');
    tag.set([300 >> 7, 300 & 127], 8);
    expectSame(await joined(streamAudio(new Uint8Array(Buffer.concat([tag, tag, bytes])))), await loadAudio(bytes));
  });

  it.each([
    ['not there', null, /no such file/],
    ['empty', new Uint8Array(0), /empty/],
    ['text', Buffer.from('no sound, a text. '.repeat(100)), /cannot be decoded/],
    ['only a header', wavFile(0, () => 0), /no audio was found/],
    ['truncated wav', wavFile(1000, () => 0.1).slice(0, 900), /truncated/],
    ['NaN late in a wav', wavFile(90_000, (i) => (i === 80_000 ? NaN : 0), { format: 3, bits: 32 }), /sample 80000 .* is NaN/],
  ] as const)('%s: the same sentence as loadAudio', async (name, bytes, message) => {
    const path = join(dir, `bad ${name}`);
    if (bytes) writeFileSync(path, bytes);
    const error = await joined(streamAudio(path)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    await expect(loadAudio(path)).rejects.toThrow((error as Error).message);
  }); // prettier-ignore

  it('a flac cut off is noticed at its end', async () => {
    const bytes = files.get('long.flac')!;
    await expect(joined(streamAudio(bytes.slice(0, bytes.length / 2)))).rejects.toThrow(/declares 144000 samples/);
  });

  it('limits, and a stop', async () => {
    await expect(joined(streamAudio(files.get('long.mp3')!, { maxSeconds: 2 }))).rejects.toThrow(/more than 2 s/);
    const stop = new AbortController();
    const pieces = streamAudio(files.get('long.wav')!, { signal: stop.signal });
    await pieces.next();
    stop.abort(new Error('enough'));
    await expect(pieces.next()).rejects.toThrow('enough');
  });
});

describe('files above 4 GiB', () => {
  // The file is sparse and takes no room.
  const BLOCK = 64;
  const nFrames = 80_000_000;
  const path = join(dir, 'huge.wav');
  const header = (): Buffer => {
    const bytes = Buffer.alloc(48);
    bytes.write('RF64\xff\xff\xff\xffWAVEds64', 'latin1');
    bytes.writeUInt32LE(28, 16);
    bytes.writeBigUInt64LE(BigInt(nFrames * BLOCK + 72), 20);
    bytes.writeBigUInt64LE(BigInt(nFrames * BLOCK), 28);
    return bytes;
  };

  it('an RF64 wav: its length, and its last sample', async () => {
    const fmt = Buffer.alloc(24);
    fmt.write('fmt ');
    fmt.writeUInt32LE(16, 4);
    fmt.writeUInt16LE(3, 8);
    fmt.writeUInt16LE(8, 10);
    fmt.writeUInt32LE(16000, 12);
    fmt.writeUInt32LE(16000 * BLOCK, 16);
    fmt.writeUInt16LE(BLOCK, 20);
    fmt.writeUInt16LE(64, 22);
    const data = Buffer.from('data\xff\xff\xff\xff', 'latin1');
    const start = Buffer.concat([header(), fmt, data]);
    const file = openSync(path, 'w');
    writeSync(file, start);
    ftruncateSync(file, start.length + nFrames * BLOCK);
    const last = Buffer.alloc(BLOCK);
    for (let c = 0; c < 8; c++) last.writeDoubleLE(c / 10, 8 * c);
    writeSync(file, last, 0, BLOCK, start.length + (nFrames - 1) * BLOCK);
    closeSync(file);

    expect(headerDuration(path)).toEqual({ seconds: nFrames / 16000, isExact: true });
    // Read at its end only: streaming zeros by the gigabyte would tell nothing more.
    const source = fileSource(path, Infinity);
    const end = new Float32Array(2);
    wavReader(source)!.mono(nFrames - 2, end);
    source.close();
    expect([...end]).toEqual([0, Math.fround(0.35)]);

    const cut = openSync(path, 'r+');
    ftruncateSync(cut, 1000);
    closeSync(cut);
    await expect(joined(streamAudio(path))).rejects.toThrow(/declares 5120000000 bytes of audio, 920 are there/);
  });
});

describe('ResampleStream', () => {
  it('equals resample of the whole, whatever the pieces', () => {
    const rates = fc.constantFrom([44100, 16000], [48000, 16000], [22050, 16000], [8000, 16000], [16000, 16000], [192000, 16000], [44101, 16000], [11025, 16000], [16000, 22050]); // prettier-ignore
    const pieces = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3000 })), { maxLength: 6 }); // prettier-ignore
    fc.assert(
      fc.property(rates, pieces, fc.constantFrom('sinc-hann' as const, 'kaiser' as const), ([from, to], lengths, method) => {
        const all = sweep(1, lengths.reduce((sum, n) => sum + n, 0), 1)[0];
        const stream = new ResampleStream(from, to, method);
        const out: Float32Array[] = [];
        let at = 0;
        for (const n of lengths) out.push(stream.push(all.subarray(at, (at += n))));
        out.push(stream.end());
        expectSame(concatenate(out), resample(all, from, to, method));
      }),
      { numRuns: 30 },
    ); // prettier-ignore
  });

  it('gives what is settled, not only at the end', () => {
    const stream = new ResampleStream(44100, 16000);
    expect(stream.push(new Float32Array(44100)).length).toBeGreaterThan(15_800);
  });
});
