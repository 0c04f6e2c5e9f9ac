import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MEL, melFilterBank } from '../../lib/src/mel/filterBank.js';
import { framesByKernel, framesPlain } from '../../lib/src/mel/frames.js';
import { createRng } from '../../lib/src/tensor/index.js';

/** A signal whose level goes through 12 decades: what is lost beside a loud frame would show in a quiet one. */
function signalOf(n: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: n }, (_, i) => rng.normal() * 10 ** (6 * Math.sin(i / 1000) - 3));
}

describe('the kernel gives the bits of its plain twin', () => {
  const framings = fc
    .record({
      nFft: fc.integer({ min: 3, max: 14 }).map((bits) => 2 ** bits),
      hopLength: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(512, 4096, 20000)),
      nFrames: fc.integer({ min: 1, max: 40 }),
      extra: fc.integer({ min: 0, max: 600 }),
      seed: fc.nat(1000),
    })
    .map(({ nFft, hopLength, nFrames, extra, seed }) => ({
      nFft,
      hopLength,
      samples: signalOf(Math.max(nFft / 2 + 1, (nFrames - 1) * hopLength) + extra, seed),
    }));

  it('power, for every size, hop and length', () => {
    fc.assert(
      fc.property(framings, ({ samples, ...framing }) => {
        const ours = framesByKernel('test', samples, framing, null);
        expect(ours).not.toBeNull();
        expect(Buffer.compare(bytes(ours!), bytes(framesPlain(samples, framing, null)))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it.each([1, 4, 40, 128])('%i mel bands, over several blocks', (nMels) => {
    const bank = melFilterBank({ ...MEL, nMels });
    for (const nFrames of [3, 512, 513, 1100]) {
      const samples = signalOf((nFrames - 1) * 160 + 1000, nMels);
      const framing = { nFft: 2048, hopLength: 160 };
      const ours = framesByKernel('test', samples, framing, bank)!;
      expect(Buffer.compare(bytes(ours), bytes(framesPlain(samples, framing, bank)))).toBe(0);
    }
  });

  it.each([NaN, Infinity, -Infinity, 2 ** 41])('%d is found wherever it lies, also where no frame is', (bad) => {
    const rng = createRng(3);
    for (let n = 0; n < 200; n++) {
      const samples = signalOf(40 + rng.int(500), n);
      const at = n < 100 ? samples.length - 1 - rng.int(5) : rng.int(samples.length);
      samples[at] = bad;
      const framing = { nFft: [8, 16, 64][n % 3], hopLength: 1 + rng.int(40) };
      const message = new RegExp(`test: sample ${at} is ${bad}`);
      expect(() => framesByKernel('test', samples, framing, null)).toThrow(message);
    }
  });

  it('the comparison sees one changed sample', () => {
    const samples = signalOf(4000, 1);
    const framing = { nFft: 2048, hopLength: 512 };
    const ours = framesByKernel('test', samples, framing, null)!;
    samples[2000] *= 1.001;
    expect(Buffer.compare(bytes(ours), bytes(framesPlain(samples, framing, null)))).not.toBe(0);
  });
});

const bytes = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
