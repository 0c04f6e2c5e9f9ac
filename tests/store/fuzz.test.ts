/**
 * Mutated real files: the reader of weights either reads or throws an InputError, at once, in bounded memory, and
 * writes nothing. 10,000 mutants of each format; KEYMYNA_FUZZ_RUNS says another number.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { float32, int32, readWeights, writeSafetensors } from '../../lib/src/store/index.js';

const RUNS = Number(process.env.KEYMYNA_FUZZ_RUNS ?? 10_000);
const MOST_MILLISECONDS = 2000;
/** Bytes of typed arrays that reading may take: a file of 17 kB, copied a few times, plus what a reader always takes. */
const mostBytes = (fileBytes: number): number => 8 * fileBytes + 70_000;

const dir = mkdtempSync(join(tmpdir(), 'keymyna-fuzz-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What can happen to a file: bytes set (often to telling values), runs removed, repeated, moved in, or cut off. */
type Edit = readonly [kind: number, at: number, value: number, length: number];
const edit: fc.Arbitrary<Edit> = fc.tuple(
  fc.nat(6),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x28, 0x2e, 0x52, 0x5b, 0x7b, 0x22, 0x39)),
  fc.integer({ min: 1, max: 40 }),
);

function mutated(original: Buffer, edits: readonly Edit[], hotSpots: readonly (readonly [number, number])[]): Buffer {
  let bytes = Buffer.from(original);
  for (const [kind, share, value, length] of edits) {
    // Most edits hit the parts that say something about the rest: headers, directory, pickle.
    const [from, to] = hotSpots[Math.floor(share * 9973) % hotSpots.length];
    const at = Math.min(bytes.length, Math.floor(from + share * (Math.min(to, bytes.length) - from)));
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    if (kind === 0 && at < bytes.length) bytes[at] = value;
    else if (kind === 1 && at < bytes.length) bytes[at] ^= 1 << (value % 8);
    else if (kind === 2) bytes = Buffer.concat([before, after.subarray(length)]);
    else if (kind === 3) bytes = Buffer.concat([before, after.subarray(0, length), after]);
    else if (kind === 4) bytes = Buffer.concat([before, Buffer.alloc(length, value), after]);
    else if (kind === 5) bytes.fill(value, at, Math.min(bytes.length, at + Math.min(length, 8)));
    else bytes = Buffer.from(value > 200 ? before : bytes);
  }
  return bytes;
}

/** Runs `read` while every typed array and buffer that is asked for is counted. */
function countingBytes(read: () => unknown): number {
  let total = 0;
  const counted = <T extends typeof Uint8Array>(type: T): T =>
    new Proxy(type, {
      construct(target, args: unknown[], newTarget) {
        const [first] = args;
        const asked = typeof first === 'number' ? first : ArrayBuffer.isView(first) ? first.byteLength : 0;
        total += asked * (typeof first === 'number' ? target.BYTES_PER_ELEMENT : 1);
        if (total > 1e9) throw new Error(`asked for ${total} bytes`);
        return Reflect.construct(target, args, newTarget) as object;
      },
    });
  for (const type of [Uint8Array, Float32Array, Float64Array, Int32Array])
    vi.stubGlobal(type.name, counted(type as unknown as typeof Uint8Array));
  try {
    read();
  } finally {
    vi.unstubAllGlobals();
  }
  return total;
}

/** An archive with damaged checksums is refused early; with these mended, the edits reach what lies behind them. */
function mendChecksums(bytes: Buffer): void {
  for (let at = bytes.indexOf('PK\x01\x02', 0, 'latin1'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4, 'latin1')) {
    if (at + 46 > bytes.length) return;
    const [size, headerAt] = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 42)];
    if (headerAt + 30 > bytes.length) continue;
    const begin = headerAt + 30 + bytes.readUInt16LE(headerAt + 26) + bytes.readUInt16LE(headerAt + 28);
    bytes.writeUInt32LE(crc32(bytes.subarray(begin, begin + size)), at + 16);
  }
}

interface Trial {
  /** parts of the file that edits hit */
  readonly hotSpots: readonly (readonly [from: number, to: number])[];
  readonly runs: number;
  readonly mend?: (bytes: Buffer) => void;
}

function survives(name: string, original: Buffer, { hotSpots, runs, mend }: Trial): void {
  const path = join(dir, name);
  let [refused, slowest, largest] = [0, 0, 0];
  const names = (): string[] => readdirSync(dir).filter((entry) => entry !== name);
  const before = names();
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      const bytes = mutated(original, edits, hotSpots);
      mend?.(bytes);
      rmSync(path, { force: true }); // some file systems flush a file that is overwritten, and not a new one
      writeFileSync(path, bytes);
      const start = performance.now();
      largest = Math.max(
        largest,
        countingBytes(() => {
          try {
            readWeights(path);
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
            refused++;
            if (error.message.length > 1000) throw new Error(`a message of ${error.message.length} characters`);
          }
        }),
      );
      slowest = Math.max(slowest, performance.now() - start);
    }),
    { numRuns: runs, seed: 20 },
  );
  expect(names()).toEqual(before);
  expect(readFileSync(path).length).toBeLessThan(original.length + 1000); // it is still the mutant
  expect(slowest).toBeLessThan(MOST_MILLISECONDS);
  expect(largest).toBeLessThan(mostBytes(original.length));
  expect(refused).toBeGreaterThan(runs / 10); // the edits do damage
}

describe(`${RUNS} mutants`, { timeout: 600_000 }, () => {
  const weights = new Map([
    ['to_patch_embedding.2.weight', float32([8, 4], new Float32Array(32).fill(0.5))],
    ['to_patch_embedding.2.bias', float32([8], new Float32Array(8))],
    ['step', int32([], Int32Array.of(7))],
  ]);

  it('of a safetensors file', () => {
    const path = join(dir, 'original.safetensors');
    writeSafetensors(path, weights, { encoderConfig: '{"width":8}', seed: '3' });
    const original = readFileSync(path);
    const header = 8 + Number(original.readBigUInt64LE(0));
    survives('x.safetensors', original, { hotSpots: [[0, 8], [8, header], [8, header], [0, original.length]], runs: RUNS }); // prettier-ignore
  });

  it('of an index of shards, and of a shard', () => {
    const shards = ['s-1.safetensors', 's-2.safetensors'];
    const [first, second] = [[...weights].slice(0, 1), [...weights].slice(1)];
    writeSafetensors(join(dir, shards[0]), new Map(first));
    writeSafetensors(join(dir, shards[1]), new Map(second));
    const weightMap = Object.fromEntries([...first.map(([name]) => [name, shards[0]]), ...second.map(([name]) => [name, shards[1]])]); // prettier-ignore
    const index = Buffer.from(JSON.stringify({ metadata: { total_size: 164 }, weight_map: weightMap }, null, 2));
    survives('x.safetensors.index.json', index, { hotSpots: [[0, index.length]], runs: RUNS });
  });

  it('of a state dict, of a training script’s file, of every dtype, of protocol 4', () => {
    const names = ['head.pth', 'encoder.pth', 'tensors.pth', 'protocol4.pth'];
    for (const name of names) {
      const original = readFileSync(new URL(`../fixtures/torch/${name}`, import.meta.url).pathname);
      const directory = original.indexOf('PK\x01\x02', 0, 'latin1');
      const pickle = original.indexOf(Buffer.from([0x80, name === 'protocol4.pth' ? 4 : 2]));
      const hotSpots = [[0, 64], [pickle, pickle + 400], [pickle, pickle + 400], [directory, original.length], [0, original.length]] as const; // prettier-ignore
      survives(name, original, { hotSpots, runs: RUNS / names.length, mend: mendChecksums });
    }
  });
});
