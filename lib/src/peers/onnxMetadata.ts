/**
 * What an ONNX file says about itself, read without a runtime: its metadata entries, whose texts onnxruntime-node does
 * not hand out. Only the outermost message is walked; weights are stepped over, never read.
 * Source: onnx.proto (ModelProto: graph = 7, metadata_props = 14) and protobuf.dev/programming-guides/encoding.
 */
import { InputError } from '../errors.js';
import { type OpenFile, withOpenFile } from '../store/index.js';

const METADATA_PROPS = 14;
const GRAPH = 7;

/** Most fields of the outermost message, and most bytes of all metadata: ours has 15 fields and 2 kB. */
const MAX_FIELDS = 10_000;
const MAX_METADATA_BYTES = 16 << 20;
/** Longest varint of the format, bytes. */
const VARINT_BYTES = 10;

/** One field: its number, its type on the wire, where its contents lie. */
interface Field {
  readonly number: number;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** @throws InputError if the file cannot be read or is no ONNX model */
export function onnxMetadata(path: string): Record<string, string> {
  return withOpenFile(path, (file) => {
    const entries: [string, string][] = [];
    let bytes = 0;
    let count = 0;
    let hasGraph = false;
    for (let at = 0; at < file.size;) {
      const field = nextField(path, file, at);
      if (++count > MAX_FIELDS) throw noModel(path, `it has more than ${MAX_FIELDS} fields`);
      if (field.number === GRAPH && field.type === 2) hasGraph = true;
      if (field.number === METADATA_PROPS && field.type === 2) {
        bytes += field.end - field.start;
        if (bytes > MAX_METADATA_BYTES) throw noModel(path, `its metadata has more than ${MAX_METADATA_BYTES} bytes`);
        entries.push(entryOf(path, file, field));
      }
      at = field.end;
    }
    if (!hasGraph) throw noModel(path, 'it has no graph');
    return Object.fromEntries(entries);
  });
}

const noModel = (path: string, why: string): InputError =>
  new InputError(path, `this is no ONNX model, or a damaged one (${why}); expected what an exporter of ONNX wrote.`);

/** The field that begins at `at`, its ends checked. */
function nextField(path: string, file: OpenFile, at: number, limit = file.size): Field {
  const head = new Uint8Array(Math.min(2 * VARINT_BYTES, limit - at));
  file.read(head, at);
  const key = varint(path, head, 0);
  const [number, type] = [Math.floor(key.value / 8), key.value % 8];
  const afterKey = at + key.length;
  const field = (start: number, end: number): Field => {
    if (number === 0 || end > limit) throw noModel(path, `a field at byte ${at} ends at byte ${end} of ${limit}`);
    return { number, type, start, end };
  };
  if (type === 0) return field(afterKey, afterKey + varint(path, head, key.length).length);
  if (type === 1) return field(afterKey, afterKey + 8);
  if (type === 5) return field(afterKey, afterKey + 4);
  if (type !== 2) throw noModel(path, `a field at byte ${at} has the unknown type ${type}`);
  const length = varint(path, head, key.length);
  const start = afterKey + length.length;
  return field(start, start + length.value);
}

function varint(path: string, bytes: Uint8Array, from: number): { value: number; length: number } {
  let value = 0;
  for (let i = 0; i < VARINT_BYTES && from + i < bytes.length; i++) {
    const byte = bytes[from + i];
    value += (byte & 0x7f) * 2 ** (7 * i); // beyond 2^53 it is no length that fits, whatever its last digits
    if (byte < 0x80) return { value, length: i + 1 };
  }
  throw noModel(path, 'a number does not end');
}

/** One entry: key = 1, value = 2, both texts. */
function entryOf(path: string, file: OpenFile, { start, end }: Field): [string, string] {
  const texts = new Map<number, string>();
  for (let at = start; at < end;) {
    const field = nextField(path, file, at, end);
    if (field.type === 2) {
      const bytes = new Uint8Array(field.end - field.start);
      file.read(bytes, field.start);
      texts.set(field.number, new TextDecoder().decode(bytes));
    }
    at = field.end;
  }
  return [texts.get(1) ?? '', texts.get(2) ?? ''];
}
