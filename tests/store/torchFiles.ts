/** Archives for the tests of `.pth` files: stored entries, and pickles written opcode by opcode. */
import { crc32 } from 'node:zlib';

export interface EntryOptions {
  /** claimed in place of the true values */
  readonly size?: number;
  readonly crc?: number;
  readonly method?: number;
  readonly flags?: number;
  /** place of the local header, in place of the true one */
  readonly headerAt?: number;
}

/** A zip archive of stored entries; `options` of an entry makes it lie. */
export function zipFile(
  entries: readonly (readonly [name: string, data: Uint8Array, options?: EntryOptions])[],
): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, data, options = {}] of entries) {
    const { size = data.length, crc = crc32(data), method = 0, flags = 0, headerAt = at } = options;
    const text = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(text.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc, 16);
    entry.writeUInt32LE(size, 20);
    entry.writeUInt32LE(size, 24);
    entry.writeUInt16LE(text.length, 28);
    entry.writeUInt32LE(headerAt, 42);
    parts.push(local, text, Buffer.from(data));
    directory.push(entry, text);
    at += 30 + text.length + data.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
}

/** Bytes of a pickle from texts (each character a byte) and numbers (single bytes). */
export function pickle(...parts: readonly (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.from([part]) : typeof part === 'string' ? Buffer.from(part, 'latin1') : part,
    ),
  );
}

/** BINUNICODE of a text. */
export function unicode(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from('X'), length, bytes]);
}

/** BININT of a number. */
export function int(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write('J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

/** The call that makes a tensor of the float storage `0`, as `torch.save` writes it. */
export function tensorCall(
  length: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Buffer {
  const tuple = (values: readonly number[]): Buffer => pickle('(', ...values.map(int), 't');
  return pickle(
    'ctorch._utils\n_rebuild_tensor_v2\n((',
    unicode('storage'),
    'ctorch\nFloatStorage\n',
    unicode('0'),
    unicode('cpu'),
    int(length),
    'tQ',
    int(offset),
    tuple(shape),
    tuple(strides),
    0x89,
    'ccollections\nOrderedDict\n)RtR',
  );
}
