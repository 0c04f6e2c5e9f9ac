/** Augmentation maps as safetensors files. */
import { InputError } from '../errors.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../store/index.js';
import { type AugmentationMap, createMap, type FitRecord, type MapKind } from './map.js';

const PARTS: Readonly<Record<MapKind, readonly string[]>> = {
  linear: ['weight'],
  affine: ['weight', 'bias'],
  meanShift: ['bias'],
  identity: [],
};
const METHODS: readonly string[] = ['closedForm', 'reducedRank', 'mean', 'sgd', 'adam'] satisfies FitRecord['method'][];

/**
 * Writes a map: `weight` F64 [width, width] and `bias` F64 [width] as in a PyTorch Linear layer, those that its kind
 * has; kind, name, width, label shift and how it was fitted in the metadata (`map*`). Atomic.
 */
export function saveMap(path: string, map: AugmentationMap, metadata: Record<string, string> = {}): void {
  const { kind, name, width, matrix, offset, labelShift, fit } = createMap(map);
  const tensors = new Map<string, StoredTensor>();
  if (matrix) tensors.set('weight', { dtype: 'F64', shape: [width, width], data: matrix });
  if (offset) tensors.set('bias', { dtype: 'F64', shape: [width], data: offset });
  writeSafetensors(path, tensors, {
    ...metadata,
    mapKind: kind,
    mapName: name,
    mapWidth: `${width}`,
    mapLabelShift: `${labelShift}`,
    mapFit: JSON.stringify(fit),
  });
}

/**
 * Reads what `saveMap` wrote; a Linear layer's F32 `weight` and `bias` with the same metadata are read as well.
 * @throws InputError naming the file and what is wrong in it
 */
export function loadMap(path: string): AugmentationMap {
  const { tensors, metadata } = readSafetensors(path);
  const entry = (field: string): string => {
    const text = metadata[field];
    if (text === undefined)
      throw new InputError(path, `no entry "${field}" in the metadata; expected a file written by saveMap`);
    return text;
  };
  const whole = (field: string): number => {
    const text = entry(field);
    if (!/^-?\d{1,9}$/.test(text))
      throw new InputError(path, `metadata entry "${field}" is ${JSON.stringify(text)}; expected a whole number`);
    return Number(text);
  };
  const kind = entry('mapKind');
  if (!isKind(kind))
    throw new InputError(path, `map kind ${JSON.stringify(kind)}; expected one of ${Object.keys(PARTS).join(', ')}`);
  const width = whole('mapWidth');
  const stray = [...tensors.keys()].find((name) => !PARTS[kind].includes(name));
  if (stray !== undefined) throw new InputError(path, `holds a tensor "${stray}"; maps of kind ${kind} have none`);
  const part = (name: string, shape: readonly number[]): Float64Array | null => {
    if (!PARTS[kind].includes(name)) return null;
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new InputError(path, `no tensor "${name}"; maps of kind ${kind} have one`);
    if (tensor.dtype !== 'F64' && tensor.dtype !== 'F32')
      throw new InputError(path, `tensor "${name}" is ${tensor.dtype}; expected F64 or F32`);
    if (tensor.shape.join() !== shape.join())
      throw new InputError(path, `tensor "${name}" is [${tensor.shape.join(', ')}]; expected [${shape.join(', ')}]`);
    const bad = tensor.data.findIndex((value: number) => !Number.isFinite(value));
    if (bad >= 0) throw new InputError(path, `value ${bad} of tensor "${name}" is ${tensor.data[bad]}; expected finite numbers`); // prettier-ignore
    return Float64Array.from(tensor.data);
  };
  return createMap({
    name: entry('mapName'),
    width,
    matrix: part('weight', [width, width]),
    offset: part('bias', [width]),
    labelShift: whole('mapLabelShift'),
    fit: fitOf(path, entry('mapFit')),
  });
}

const isKind = (text: string): text is MapKind => Object.hasOwn(PARTS, text);
const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function fitOf(path: string, text: string): FitRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(path, 'metadata entry "mapFit" is not JSON; expected how the map was fitted', {
      cause: error,
    });
  }
  if (value === null) return null;
  const { method, n, ridge, towards, ridgePath } = value as Record<string, unknown>;
  const pathIsGood =
    Array.isArray(ridgePath) &&
    ridgePath.every((point: { ridge?: unknown; validR2?: unknown } | null) => isCount(point?.ridge) && Number.isFinite(point?.validR2)); // prettier-ignore
  const isFit =
    METHODS.includes(method as string) &&
    isCount(n) &&
    isCount(ridge) &&
    (towards === 'zero' || towards === 'identity');
  if (!isFit || !pathIsGood)
    throw new InputError(path, `metadata entry "mapFit" is ${text.slice(0, 80)}; expected method, n, ridge, towards and ridgePath`); // prettier-ignore
  return { method, n, ridge, towards, ridgePath } as FitRecord;
}
