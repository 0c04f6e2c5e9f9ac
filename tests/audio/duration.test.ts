import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeAudio, headerDuration } from '../../lib/src/audio/index.js';
import { InputError } from '../../lib/src/errors.js';
import { mp3, wav } from '../corpus/datasetTrees.js';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const dir = mkdtempSync(join(tmpdir(), 'duration-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const put = (bytes: Uint8Array): string => {
  writeFileSync(join(dir, 'x'), bytes);
  return join(dir, 'x');
};

describe('headerDuration', () => {
  it.each(['flac', 'mp3', 'ogg', 'opus'])('%s: what the header says is what is decoded', async (ending) => {
    const path = join(FIXTURES, `sine.${ending}`);
    const { channels, sampleRate } = await decodeAudio(path);
    // An mp3 encoder pads to whole frames, of 26 ms, and its header counts them.
    const digits = ending === 'mp3' ? 1 : 2;
    expect(headerDuration(path)!.seconds).toBeCloseTo(channels[0].length / sampleRate, digits);
  });

  it('wav exactly; mp3 without a header by its bit rate, also behind a tag', async () => {
    expect(headerDuration(put(wav(440, 1.25)))).toEqual({ seconds: 1.25, isExact: true });
    const bytes = await mp3(440, 3);
    const found = headerDuration(put(bytes))!;
    expect(found.isExact).toBe(false);
    expect(Math.abs(found.seconds - 3)).toBeLessThan(0.1);
    const tag = Buffer.alloc(10 + 20_000);
    tag.write('ID3\x04');
    tag.set([20_000 >> 14, (20_000 >> 7) & 127, 20_000 & 127], 7);
    expect(headerDuration(put(Buffer.concat([tag, bytes])))!.seconds).toBeCloseTo(found.seconds, 3);
  });

  it('is null for other files, never anything but a number', () => {
    expect(headerDuration(put(Buffer.from('a text')))).toBeNull();
    expect(headerDuration(put(Buffer.alloc(0)))).toBeNull();
    const seeds = ['flac', 'mp3', 'ogg', 'opus'].map((ending) => readFileSync(join(FIXTURES, `sine.${ending}`)));
    fc.assert(
      fc.property(fc.constantFrom(...seeds, Buffer.from(wav(440, 0.1))), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }), fc.option(fc.nat(300)), (seed, changes, cut) => {
        const bytes = Buffer.from(cut === null ? seed : seed.subarray(0, cut));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          const found = headerDuration(put(bytes));
          if (found) expect(found.seconds).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 1500 },
    ); // prettier-ignore
  });
});
