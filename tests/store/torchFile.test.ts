import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { float32, readTorchFile, readWeights, writeSafetensors } from '../../lib/src/store/index.js';
import { int, pickle, tensorCall, unicode, zipFile, type EntryOptions } from './torchFiles.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-torch-'));
const file = join(dir, 'x.pth');
afterAll(() => rmSync(dir, { recursive: true }));

const fixture = (name: string): string => new URL(`../fixtures/torch/${name}`, import.meta.url).pathname;
/** The values that make.py fills tensors with. */
const ramp = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.fround(((i % 97) - 48) * 0.01));

/** An archive with this pickle and one storage of floats. */
function archive(data: Uint8Array, storage = new Float32Array([1, 2, 3, 4]), options: EntryOptions = {}): string {
  writeFileSync(
    file,
    zipFile([['archive/data.pkl', data], ['archive/data/0', new Uint8Array(storage.buffer), options]]), // prettier-ignore
  );
  return file;
}
const stateOf = (value: Uint8Array): Buffer => pickle(0x80, 2, '}', unicode('w'), value, 's.');

describe('files of PyTorch', () => {
  it('give the state dict in its order', () => {
    const tensors = readTorchFile(fixture('head.pth'));
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, ...shape])).toEqual([
      ['0.weight', 'F32', 6, 8],
      ['0.bias', 'F32', 6],
      ['3.weight', 'F32', 24, 6],
      ['3.bias', 'F32', 24],
    ]);
    expect(Array.from(tensors.get('3.weight')!.data)).toEqual(ramp(144));
  });

  it('give the state dict of a training script, past what else it holds', () => {
    const tensors = readTorchFile(fixture('encoder.pth'));
    expect(tensors.size).toBe(20);
    expect(tensors.get('module.to_patch_embedding.2.weight')!.shape).toEqual([8, 256]);
  });

  it('give every dtype, views by their strides, tied tensors and parameters', () => {
    const tensors = readTorchFile(fixture('tensors.pth'));
    const values = (name: string): number[] => Array.from(tensors.get(name)!.data);
    const base = ramp(24);
    expect(tensors.get('f64')).toMatchObject({ dtype: 'F64', shape: [2, 2] });
    expect(values('f64')).toEqual([-48, -47, -46, -45].map((i) => i * 0.01));
    for (const name of ['f16', 'bf16']) {
      expect(tensors.get(name)!.dtype).toBe('F32');
      values(name).forEach((value, i) => expect(value).toBeCloseTo(ramp(5)[i], name === 'f16' ? 3 : 2));
    }
    expect(values('i64')).toEqual([-5, 1 << 30]);
    expect(values('i32')).toEqual([7]);
    expect(values('u8')).toEqual([0, 255]);
    expect(values('bool')).toEqual([1, 0]);
    expect(tensors.get('transposed')!.shape).toEqual([6, 4]);
    expect(values('transposed')).toEqual(base.map((_, i) => base[(i % 4) * 6 + Math.floor(i / 4)]));
    expect(values('column')).toEqual([2, 8, 14, 20].map((i) => base[i]));
    expect(values('rows')).toEqual(base.slice(6, 18));
    expect(values('tied_again')).toEqual(values('tied'));
    expect(values('parameter')).toEqual(ramp(2));
    expect(tensors.get('scalar')).toMatchObject({ shape: [] });
    expect(values('scalar')).toEqual([2.5]);
    expect(tensors.get('empty')).toMatchObject({ shape: [0, 3] });
  });

  it('of protocol 4 are read; whole modules and the old format are refused with what to do', () => {
    expect(Array.from(readTorchFile(fixture('protocol4.pth')).get('a')!.data)).toEqual(ramp(3));
    expect(() => readTorchFile(fixture('module.pth'))).toThrow(/torch\.nn\.modules\.linear\.Linear.*state_dict\(\)/);
    expect(() => readWeights(fixture('legacy.pth'))).toThrow(/before 1\.6; load it there and save its state dict/);
  });

  it('are told from safetensors by their first bytes, whatever their name', () => {
    writeFileSync(join(dir, 'head.safetensors'), readFileSync(fixture('head.pth')));
    expect(readWeights(join(dir, 'head.safetensors')).tensors.size).toBe(4);
    // A header whose length begins with the bytes of "PK".
    const name = 'n'.repeat(0x4b50 - 60);
    writeSafetensors(join(dir, 'pk.pth'), new Map([[name, float32([1], new Float32Array(1))]]));
    const length = readFileSync(join(dir, 'pk.pth')).readBigUInt64LE(0);
    const longer = 'n'.repeat(name.length + 0x4b50 - Number(length));
    writeSafetensors(join(dir, 'pk.pth'), new Map([[longer, float32([1], new Float32Array(1))]]));
    expect(readFileSync(join(dir, 'pk.pth')).toString('latin1', 0, 2)).toBe('PK');
    expect([...readWeights(join(dir, 'pk.pth')).tensors.keys()]).toEqual([longer]);
  });
});

describe('a malicious file executes nothing', () => {
  const touched = join(dir, 'touched');
  const refused = (data: Uint8Array, message: RegExp): void => {
    const before = readdirSync(dir).sort();
    let error: unknown;
    try {
      readTorchFile(archive(data));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.length).toBeLessThan(600);
    expect(readdirSync(dir).filter((name) => name !== 'x.pth')).toEqual(before.filter((name) => name !== 'x.pth'));
    expect(existsSync(touched)).toBe(false);
  };

  it.each(['os\nsystem', 'posix\nsystem', 'builtins\neval', '__builtin__\nexec', 'subprocess\nPopen', 'torch\nload'])(
    'that calls %j',
    (global) => {
      const call = pickle(0x80, 2, `c${global}\n`, unicode(`touch ${touched}`), 0x85, 'R.');
      refused(call, new RegExp(`names the global "${global.replace('\n', '.')}".*nothing was executed`));
    },
  );

  it('that hides the call in a state dict, in STACK_GLOBAL, in INST, OBJ, NEWOBJ or an extension', () => {
    refused(stateOf(pickle('cos\nsystem\n', unicode(`touch ${touched}`), 0x85, 'R')), /global "os\.system"/);
    refused(pickle(0x80, 4, unicode('os'), unicode('system'), 0x93, ')R.'), /global "os\.system"/);
    refused(pickle(unicode(`touch ${touched}`), '(iposix\nsystem\n.'), /opcode 0x69/);
    refused(pickle('(ccollections\nOrderedDict\no.'), /opcode 0x6f/);
    refused(pickle('ccollections\nOrderedDict\n)', 0x81, '.'), /opcode 0x81/);
    refused(pickle(0x82, 1, '.'), /opcode 0x82/);
  });

  it('that calls a known global with what it does not take, or calls no global', () => {
    refused(pickle('ccollections\nOrderedDict\n', unicode('x'), 0x85, 'R.'), /calls collections\.OrderedDict with 1/);
    refused(pickle('ctorch._utils\n_rebuild_tensor_v2\n)R.'), /lacks its storage/);
    refused(pickle('ctorch._utils\n_rebuild_parameter\n)R.'), /_rebuild_parameter with 0/);
    refused(pickle('ctorch\nFloatStorage\n)R.'), /calls torch\.FloatStorage/);
    refused(pickle('})R.'), /calls something that is no global/);
    refused(pickle(']}b.'), /sets attributes of something that is no dictionary/);
    refused(pickle('ccollections\nOrderedDict\n}b.'), /sets attributes/);
    refused(pickle(unicode('x'), 'Q.'), /no storage/);
  });

  it('that asks for more than it has', () => {
    const most = Buffer.alloc(8, 0xff);
    refused(pickle('X', most.subarray(0, 4), 'a.'), /asks for 4294967295 bytes/);
    refused(pickle(0x8d, most, '.'), /asks for 1844\d+ bytes/);
    refused(pickle('T', most.subarray(0, 4), '.'), /asks for -1 bytes/);
    refused(pickle(0x8a, 200, 1, '.'), /asks for 200 bytes/);
    refused(pickle('cos'), /a name does not end/);
    refused(pickle(0x80, 2), /asks for 1 bytes at byte 2/);
    refused(new Uint8Array(0), /asks for 1 bytes at byte 0/);
    refused(pickle('.'), /takes more values than it has/);
    refused(pickle('t.'), /closes a collection that is not open/);
    refused(pickle('h', 9, '.'), /recalls the value 9/);
    refused(Buffer.alloc(5000, '('), /more than 1000 collections are open/);
    refused(pickle('(', 'N'.repeat(3), 'd.'), /name without a value/);
    refused(pickle('}NNs.'), /neither text nor number/);
    refused(pickle(0x80, 9, '.'), /protocol 9/);
  });

  it('whose tensors reach outside their storage, or make much out of little', () => {
    const tensor = (...args: Parameters<typeof tensorCall>) => stateOf(tensorCall(...args));
    expect(Array.from(readTorchFile(archive(tensor(4, 1, [3], [1]))).get('w')!.data)).toEqual([2, 3, 4]);
    refused(tensor(4, 2, [3], [1]), /does not fit into its storage of 4 values/);
    refused(tensor(4, 0, [5], [1]), /does not fit/);
    refused(tensor(4, 0, [1 << 30, 1 << 20], [0, 0]), /does not fit/);
    refused(tensor(4, 0, [2], [0x7fffffff]), /does not fit/);
    refused(tensor(4, -1, [1], [1]), /lacks its storage, offset/);
    refused(tensor(4, 0, [2], [-1]), /lacks its storage, offset, shape or strides/);
    refused(tensor(4, 0, [2, 2], [1]), /lacks its storage/);
    refused(tensor(0x7fffffff, 0, [1], [1]), /needs 8589934588 bytes, it has 16/);
    refused(tensor(4, 0, Array<number>(33).fill(1), Array<number>(33).fill(1)), /33 dimensions/);
    const many = pickle('}(', ...Array.from({ length: 50 }, (_, i) => pickle(unicode(`w${i}`), tensorCall(4, 0, [4], [1]))), 'u.'); // prettier-ignore
    refused(many, /ask for 200 values of 16 bytes; this is no state dict/);
  });

  it('that refers to itself ends all the same', () => {
    refused(pickle(']q', 0, 'h', 0, 'a.'), /holds no dictionary of tensors/);
    refused(pickle('}q', 0, unicode('model'), 'h', 0, 's.'), /holds no tensors/);
    // A list of ten lists of ten lists ...: 10^200 leaves, if someone walked them.
    const tenfold = pickle('(', ...Array.from({ length: 10 }, () => pickle('h', 0)), 'lq', 0);
    refused(pickle(']q', 0, ...Array.from({ length: 200 }, () => tenfold), '.'), /holds no dictionary/);
  });
});

describe('an archive that lies', () => {
  const good = stateOf(tensorCall(4, 0, [4], [1]));
  const floats = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
  const refused = (bytes: Uint8Array, message: RegExp): void => {
    writeFileSync(file, bytes);
    expect(() => readTorchFile(file)).toThrow(message);
    expect(() => readTorchFile(file)).toThrow(InputError);
  };
  const withData = (options: EntryOptions) => zipFile([['archive/data.pkl', good], ['archive/data/0', floats, options]]); // prettier-ignore

  it('is refused with what is wrong', () => {
    refused(withData({ crc: 5 }), /checksum is wrong/);
    refused(withData({ method: 8 }), /is compressed/);
    refused(withData({ flags: 1 }), /is encrypted/);
    refused(withData({ size: 0xfffffff0 }), /it lies outside the file/);
    refused(withData({ size: 0xffffffff }), /it lies outside the file/);
    refused(withData({ headerAt: 3 }), /its header is damaged|lies over/);
    refused(withData({ headerAt: 0xfffffff0 }), /it lies outside the file/);
    refused(zipFile([['archive/data.pkl', good]]), /lacks the storage "0"; it is not whole/);
    refused(zipFile([['archive/data/0', floats]]), /no data\.pkl/);
    refused(zipFile([['a/data.pkl', good], ['b/data.pkl', good]]), /no data\.pkl in its one folder/); // prettier-ignore
    refused(zipFile([['a/data.pkl', good], ['a/data.pkl', good]]), /two entries "a\/data\.pkl"/); // prettier-ignore
    refused(zipFile([['a/data.pkl', good], ['a/byteorder', Buffer.from('big')]]), /big-endian/); // prettier-ignore
    refused(Buffer.from('PK\x03\x04 and nothing more'), /no zip archive|its end is missing/);
    refused(new Uint8Array(0), /no zip archive|its end is missing/);
    const whole = withData({});
    refused(whole.subarray(0, whole.length - 30), /no zip archive|its end is missing/);
    const count = Buffer.from(whole);
    count.writeUInt16LE(60000, count.length - 12);
    refused(count, /lies outside the file/);
  });

  it('of many entries over the same bytes asks for no more than the file has', () => {
    const big = new Uint8Array(5000);
    const overlapping = Array.from({ length: 30 }, (_, i) => [`a/data/${i}`, new Uint8Array(0), { size: 5000, headerAt: 0 }] as const); // prettier-ignore
    refused(zipFile([['a/data/x', big], ...overlapping]), /lies over entry/);
  });
});

describe('a number longer than 53 bits', () => {
  it('is passed over', () => {
    const seed = pickle(0x8a, 9, Buffer.alloc(8, 0xff), 0);
    const data = pickle('}', unicode('seed'), seed, 's', unicode('w'), tensorCall(4, 0, [2, 2], [2, 1]), 's.');
    expect(readTorchFile(archive(data)).get('w')!.shape).toEqual([2, 2]);
    expect(int(-2).readInt32LE(1)).toBe(-2);
  });
});
