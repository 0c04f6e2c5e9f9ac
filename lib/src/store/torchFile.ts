/**
 * Weights as PyTorch saves them (`torch.save`, .pth or .pt): a zip archive with `data.pkl`, a pickle that says which
 * tensors there are, and one stored entry for the bytes of each. Nothing in it is executed: see `pickle.ts`.
 */
import { InputError } from '../errors.js';
import {
  PickledDict,
  PickledGlobal,
  PickledObject,
  PickledTuple,
  readPickle,
  type PickleKnowledge,
  type PickledValue,
} from './pickle.js';
import { shown } from './shown.js';
import { DISK_DTYPES, shapeProblem, sizeOf, type StoredTensor } from './tensors.js';
import { withZip, type ZipArchive, type ZipEntry } from './zip.js';

const STORAGE_DTYPES: Readonly<Record<string, string>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};
const DICTIONARY = 'collections.OrderedDict';
const TENSOR = 'torch._utils._rebuild_tensor_v2';
const PARAMETER = 'torch._utils._rebuild_parameter';
const GLOBALS: ReadonlySet<string> = new Set([DICTIONARY, TENSOR, PARAMETER, ...Object.keys(STORAGE_DTYPES)]);

/** Names under which training scripts keep the state dict, in the order in which they are looked for. */
const NESTED = ['state_dict', 'model_state_dict', 'model'];

/** The pickle of a state dict has some 200 bytes a tensor. */
const MAX_PICKLE_BYTES = 32 * 2 ** 20;

/** Tied weights may name the same bytes again; more than this many times all bytes together is no state dict. */
const MOST_REUSE = 2;

/** The values of one entry of the archive. */
interface Storage {
  readonly dtype: string;
  readonly entry: ZipEntry;
  readonly length: number;
}

interface TensorView {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/**
 * Reads the state dict of a PyTorch file: its tensors by name, in its order. Other entries (an epoch, a configuration)
 * are passed over; a state dict under `state_dict`, `model_state_dict` or `model` is found.
 *
 * @throws InputError if the file is unreadable or damaged, names anything that weights do not need, has tensors that
 *   reach outside their storage, or holds no state dict
 */
export function readTorchFile(path: string): Map<string, StoredTensor> {
  return withZip(path, (zip) => {
    const entries = storedEntries(path, zip);
    const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
    if (pickles.length !== 1)
      throw new InputError(path, 'it has no data.pkl in its one folder; this is no file of torch.save.');
    const root = pickles[0].slice(0, -'data.pkl'.length);
    const order = entries.get(`${root}byteorder`);
    if (order && new TextDecoder().decode(zip.read(order)).trim() !== 'little')
      throw new InputError(path, 'was saved on a big-endian machine; save it again on a little-endian one.');
    const pickle = entries.get(pickles[0])!;
    if (pickle.size > MAX_PICKLE_BYTES)
      throw new InputError(path, `its data.pkl has ${pickle.size} bytes; at most ${MAX_PICKLE_BYTES} are read.`);
    const where = `${path}, data.pkl`;
    const value = readPickle(where, zip.read(pickle), knowledge(where, entries, root));
    return materialize(path, zip, stateDict(path, value));
  });
}

/** The entries by name: stored as they are and apart from each other, so that together they are no larger than the file. */
function storedEntries(path: string, zip: ZipArchive): Map<string, ZipEntry> {
  const inOrder = [...zip.entries].sort((a, b) => a.headerStart - b.headerStart);
  inOrder.forEach((entry, i) => {
    const where = `${path}, entry ${shown(entry.name)}`;
    if (entry.method !== 0)
      throw new InputError(where, 'is compressed; PyTorch stores tensors as they are. Save the file again with it.');
    if (i > 0 && entry.headerStart < inOrder[i - 1].headerStart + inOrder[i - 1].size)
      throw new InputError(where, `lies over entry ${shown(inOrder[i - 1].name)}; the archive is damaged.`);
  });
  return new Map(zip.entries.map((entry) => [entry.name, entry]));
}

function knowledge(where: string, entries: ReadonlyMap<string, ZipEntry>, root: string): PickleKnowledge {
  return {
    globals: GLOBALS,
    call(global, args) {
      if (global === DICTIONARY && args.length === 0) return new PickledDict();
      if (global === TENSOR) return new PickledObject(tensorView(where, args));
      if (global === PARAMETER && isTensor(args[0])) return args[0];
      throw new InputError(where, `it calls ${global} with ${args.length} values that it does not take.`);
    },
    persistent(id) {
      const [kind, type, name, , length] = id instanceof PickledTuple ? id.items : [];
      const dtype = type instanceof PickledGlobal ? STORAGE_DTYPES[type.name] : undefined;
      if (kind !== 'storage' || dtype === undefined || typeof name !== 'string' || typeof length !== 'number')
        throw new InputError(where, 'it refers to something that is no storage of a tensor.');
      const entry = entries.get(`${root}data/${name}`);
      if (!entry) throw new InputError(where, `the archive lacks the storage ${shown(name)}; it is not whole.`);
      const bytes = length * DISK_DTYPES[dtype].bytes;
      if (entry.size !== bytes)
        throw new InputError(
          where,
          `storage ${shown(name)} of ${length} ${dtype} needs ${bytes} bytes, it has ${entry.size}.`,
        );
      return new PickledObject<Storage>({ dtype, entry, length });
    },
  };
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, ...)`, checked: no element lies outside the storage. */
function tensorView(where: string, args: readonly PickledValue[]): TensorView {
  const [source, offset, size, stride] = args;
  const storage = source instanceof PickledObject && isStorage(source.value) ? source.value : null;
  const [shape, strides] = [wholeNumbers(size), wholeNumbers(stride)];
  if (!storage || !shape || !strides || !isCount(offset) || shape.length !== strides.length)
    throw new InputError(where, 'a tensor lacks its storage, offset, shape or strides.');
  const problem = shapeProblem(shape);
  if (problem) throw new InputError(where, problem);
  const length = sizeOf(shape);
  const last = offset + shape.reduce((sum, n, k) => sum + (n - 1) * strides[k], 0);
  // As many elements as the storage at most: a stride of 0 would make gigabytes out of one number.
  if (length > 0 && !(last < storage.length && length <= storage.length))
    throw new InputError(
      where,
      `a tensor of shape ${shown(shape)}, strides ${shown(strides)} and offset ${offset} ` +
        `does not fit into its storage of ${storage.length} values.`,
    );
  return { storage, offset, shape, strides };
}

/** The dictionary of tensors inside what was pickled. */
function stateDict(path: string, value: PickledValue): Map<string, TensorView> {
  if (!(value instanceof PickledDict)) throw new InputError(path, 'it holds no dictionary of tensors (state dict).');
  const nested = [value, ...NESTED.map((name) => value.entries.get(name))];
  for (const candidate of nested) {
    if (!(candidate instanceof PickledDict)) continue;
    const tensors = new Map<string, TensorView>();
    for (const [name, item] of candidate.entries) if (isTensor(item)) tensors.set(name, item.value);
    if (tensors.size > 0) return tensors;
  }
  const names = shown([...value.entries.keys()]);
  throw new InputError(path, `it holds no tensors, neither itself nor under ${NESTED.join(', ')}; found ${names}.`);
}

function materialize(path: string, zip: ZipArchive, views: ReadonlyMap<string, TensorView>): Map<string, StoredTensor> {
  const all = [...views.values()];
  const asked = all.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const held = [...new Set(all.map(({ storage }) => storage.entry))].reduce((sum, entry) => sum + entry.size, 0);
  if (asked > MOST_REUSE * held)
    throw new InputError(path, `its tensors ask for ${asked} values of ${held} bytes; this is no state dict.`);
  const storages = new Map<ZipEntry, { dtype: string; data: StoredTensor['data'] }>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { storage, offset, shape, strides }] of views) {
    const where = `${path}, tensor ${name.slice(0, 200)}`;
    const disk = DISK_DTYPES[storage.dtype];
    let values = storages.get(storage.entry);
    if (!values) {
      values = { dtype: storage.dtype, data: disk.read(zip.read(storage.entry), where) };
      storages.set(storage.entry, values);
    } else if (values.dtype !== storage.dtype)
      throw new InputError(where, `reads its storage as ${storage.dtype}, another tensor reads it as ${values.dtype}.`);
    tensors.set(name, { dtype: disk.dtype, shape, data: gather(values.data, offset, shape, strides) });
  }
  return tensors;
}

/** The elements of a strided view, row-major. A view of the whole storage is the storage itself. */
function gather(
  values: StoredTensor['data'],
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): StoredTensor['data'] {
  const length = sizeOf(shape);
  let expected = 1;
  let contiguous = true;
  for (let k = shape.length - 1; k >= 0; k--) {
    if (shape[k] !== 1 && strides[k] !== expected) contiguous = false;
    expected *= shape[k];
  }
  if (contiguous && length === values.length) return values;
  if (contiguous || length === 0) return values.slice(offset, offset + length);
  const out = values.slice(0, length);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < length; i++) {
    out[i] = values[at];
    // The next index in row-major order, and with it the place in the storage.
    for (let k = shape.length - 1; k >= 0; k--) {
      at += strides[k];
      if (++index[k] < shape[k]) break;
      at -= strides[k] * shape[k];
      index[k] = 0;
    }
  }
  return out;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function wholeNumbers(value: PickledValue | undefined): number[] | null {
  return value instanceof PickledTuple && value.items.every(isCount) ? [...(value.items as number[])] : null;
}

function isStorage(value: unknown): value is Storage {
  return typeof value === 'object' && value !== null && 'entry' in value;
}

function isTensor(value: PickledValue | undefined): value is PickledObject<TensorView> {
  return value instanceof PickledObject && typeof value.value === 'object' && value.value !== null && 'storage' in value.value; // prettier-ignore
}
