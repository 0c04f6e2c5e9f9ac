/**
 * What goes into an ONNX key detector and what comes out: from a small JSON file beside it, a preset, and what the model
 * says about itself. A model alone tells neither how its input was made nor the order of its keys, and a wrong guess looks
 * like an answer; so what none of the three says is refused.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { KEYS, NUM_KEYS, parseKey } from '../keys/index.js';
import { MEL, type MelConfig } from '../mel/index.js';
import { readJson, shown } from '../store/index.js';
import { type DescriptionFields, KEY_ORDERS, ONNX_PRESETS } from './onnxPresets.js';

export type Axis = 'batch' | 'channel' | 'time' | 'bands' | 'frames' | 'width';

interface OfAnyInput {
  /** name of the model's input; null: its only one */
  readonly name: string | null;
  /** what each dimension is; null: told from the model's shape */
  readonly axes: readonly Axis[] | null;
}

interface OfClips {
  /** samples or frames of a clip; `track`: all at once; null: as long as the model's shape says */
  readonly clip: number | 'track' | null;
  /** from the start of one clip to the next; null: as long as a clip */
  readonly hop: number | null;
}

export interface AudioInput extends OfAnyInput, OfClips {
  readonly kind: 'audio';
  /** Hz */
  readonly sampleRate: number;
  /** `peak`: the track is divided by its largest magnitude */
  readonly normalize: 'none' | 'peak';
}

export interface MelInput extends OfAnyInput, OfClips {
  readonly kind: 'mel';
  readonly config: MelConfig;
  readonly scale: 'power' | 'log1p';
}

export interface EmbeddingInput extends OfAnyInput {
  readonly kind: 'embedding';
  /** path of the encoder's checkpoint */
  readonly weights: string;
}

export type OnnxInput = AudioInput | MelInput | EmbeddingInput;

export interface OnnxOutput {
  /** name of the model's output; null: its only one, or `logits` */
  readonly name: string | null;
  /** key id of each class, null for a class that is no key */
  readonly keys: readonly (number | null)[];
  readonly values: 'logits' | 'probabilities';
  /** the mean logits are divided by it before they become probabilities */
  readonly temperature: number;
}

export interface OnnxDescription {
  readonly input: OnnxInput;
  readonly output: OnnxOutput;
}

type Fields = Readonly<Record<string, unknown>>;

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  description: ['preset', 'source', 'input', 'output'],
  audio: ['kind', 'name', 'axes', 'sampleRate', 'clip', 'hop', 'normalize'],
  mel: ['kind', 'name', 'axes', 'config', 'scale', 'clip', 'hop'],
  embedding: ['kind', 'name', 'axes', 'weights'],
  output: ['name', 'keys', 'values', 'temperature'],
};
const AXES: Readonly<Record<OnnxInput['kind'], readonly Axis[]>> = {
  audio: ['batch', 'channel', 'time'],
  mel: ['batch', 'channel', 'bands', 'frames'],
  embedding: ['batch', 'width'],
};
/** Most classes of an output. */
const MAX_CLASSES = 256;

/** Where the description of a model may lie: `model.onnx.json`, or `model.json`. */
export function descriptionPaths(model: string): string[] {
  return [`${model}.json`, ...(/\.onnx$/i.test(model) ? [model.replace(/\.onnx$/i, '.json')] : [])];
}

/**
 * Reads the description of a model. What the JSON file says goes before its preset, that before the model's metadata
 * (of `keymyna export`).
 * @throws InputError naming file and field: what is missing, unknown, or no possible value
 */
export function readOnnxDescription(model: string, metadata: Readonly<Record<string, string>>): OnnxDescription {
  const path = descriptionPaths(model).find((candidate) => existsSync(candidate));
  const json = path === undefined ? {} : readJson(path);
  return onnxDescription(json, metadata, path ?? descriptionPaths(model)[0], path === undefined ? model : undefined);
}

/**
 * @param json contents of the description file
 * @param where its path, for messages
 * @param undescribed the model's path, where there is no such file
 */
export function onnxDescription(
  json: unknown,
  metadata: Readonly<Record<string, string>>,
  where: string,
  undescribed?: string,
): OnnxDescription {
  const file = fieldsOf(where, 'the file', json);
  checkNames(where, 'the file', file, FIELDS.description);
  const preset = presetOf(where, file.preset);
  const own = fieldsOfExport(metadata, undescribed ?? where);
  const inputs = [own.input, preset.input, file.input === undefined ? {} : fieldsOf(where, 'input', file.input)];
  const outputs = [own.output, preset.output, file.output === undefined ? {} : fieldsOf(where, 'output', file.output)];
  const input = mergedInput(inputs);
  const output: Fields = Object.assign({}, ...outputs);
  if (undescribed !== undefined && (input.kind === undefined || output.keys === undefined))
    throw new InputError(
      undescribed,
      `nothing says what goes into this model and in which order its keys come out; write ${where} with, for example, ` +
        `{"input": {"kind": "audio", "sampleRate": 16000}, "output": {"keys": "interleaved", "values": "logits"}}, or ` +
        `{"preset": "..."} with one of ${Object.keys(ONNX_PRESETS).join(', ')}`,
    );
  return { input: checkedInput(where, input), output: checkedOutput(where, output) };
}

function presetOf(where: string, name: unknown): DescriptionFields {
  if (name === undefined) return {};
  if (typeof name === 'string' && Object.hasOwn(ONNX_PRESETS, name)) return ONNX_PRESETS[name];
  throw problem(where, 'preset', name, `one of ${Object.keys(ONNX_PRESETS).join(', ')}`);
}

/** Later ones go first; what belongs to another kind of input is not taken over. */
function mergedInput(inputs: readonly (Fields | undefined)[]): Fields {
  const kind = inputs.reduce<unknown>((found, one) => one?.kind ?? found, undefined);
  return Object.assign({}, ...inputs.filter((one) => one?.kind === undefined || one.kind === kind)) as Fields;
}

/** What `keymyna export` wrote into the model. */
function fieldsOfExport(metadata: Readonly<Record<string, string>>, where: string): DescriptionFields {
  const parsed = (entry: string): unknown => {
    try {
      return JSON.parse(metadata[entry]) as unknown;
    } catch (cause) {
      throw new InputError(where, `its metadata entry ${entry} is no JSON`, { cause });
    }
  };
  const output: Record<string, unknown> = {};
  if (metadata.keys !== undefined) Object.assign(output, { keys: parsed('keys'), values: 'logits' });
  if (metadata.temperature !== undefined) output.temperature = Number(metadata.temperature);
  if (metadata.melConfig === undefined)
    return metadata.keys === undefined ? {} : { input: { kind: 'embedding' }, output };
  const hop = metadata.clipHop === undefined ? {} : { hop: Number(metadata.clipHop) };
  return { input: { kind: 'mel', config: parsed('melConfig'), scale: metadata.melScale ?? 'power', ...hop }, output };
}

function checkedInput(where: string, input: Fields): OnnxInput {
  const kind = oneOf(where, 'input.kind', input.kind, ['audio', 'mel', 'embedding'] as const);
  checkNames(where, `input of kind ${kind}`, input, FIELDS[kind]);
  const common = { name: nameOf(where, 'input.name', input.name), axes: axesOf(where, kind, input.axes) };
  if (kind === 'embedding') {
    if (typeof input.weights !== 'string' || input.weights === '')
      throw problem(where, 'input.weights', input.weights, 'the path of the encoder whose embeddings the model reads');
    return { kind, ...common, weights: join(dirname(where), input.weights) };
  }
  const clips = {
    clip:
      input.clip === 'track'
        ? ('track' as const)
        : optional(input.clip, () => count(where, 'input.clip', input.clip, 'samples or frames, or "track"')),
    hop: optional(input.hop, () => count(where, 'input.hop', input.hop, 'samples or frames')),
  };
  if (kind === 'mel') {
    const scale = oneOf(where, 'input.scale', input.scale, ['power', 'log1p'] as const);
    return { kind, ...common, ...clips, scale, config: melConfigOf(where, input.config) };
  }
  const sampleRate = count(where, 'input.sampleRate', input.sampleRate, 'Hz');
  if (sampleRate < 1000 || sampleRate > 192000)
    throw problem(where, 'input.sampleRate', sampleRate, '1000 to 192000 Hz');
  const normalize = oneOf(where, 'input.normalize', input.normalize ?? 'none', ['none', 'peak'] as const);
  return { kind, ...common, ...clips, sampleRate, normalize };
}

function checkedOutput(where: string, output: Fields): OnnxOutput {
  checkNames(where, 'output', output, FIELDS.output);
  const temperature = output.temperature ?? 1;
  if (!(typeof temperature === 'number' && temperature > 0 && Number.isFinite(temperature)))
    throw problem(where, 'output.temperature', temperature, 'a number above 0');
  return {
    name: nameOf(where, 'output.name', output.name),
    keys: keysOf(where, output.keys),
    values: oneOf(where, 'output.values', output.values, ['logits', 'probabilities'] as const),
    temperature,
  };
}

/** The key of each class: by the name of an order, or one by one. Each of the 24 keys must come once. */
function keysOf(where: string, value: unknown): (number | null)[] {
  const expected = `${Object.keys(KEY_ORDERS).join(', ')}, or a list of the keys in the order of the outputs (null: no key)`;
  const list = typeof value === 'string' && Object.hasOwn(KEY_ORDERS, value) ? KEY_ORDERS[value] : value;
  if (!Array.isArray(list) || list.length > MAX_CLASSES) throw problem(where, 'output.keys', value, expected);
  const ids = (list as unknown[]).map((label, i) => {
    if (label === null) return null;
    const key = typeof label === 'string' ? parseKey(label) : null;
    if (!key)
      throw problem(where, `output.keys[${i}]`, label, 'a key such as "Eb minor", or null for a class that is none');
    return key.id;
  });
  for (let id = 0; id < NUM_KEYS; id++) {
    const times = ids.filter((one) => one === id).length;
    if (times !== 1)
      throw new InputError(where, `output.keys has ${KEYS[id].label} ${times} times; expected each of 24 keys once`);
  }
  return ids;
}

function melConfigOf(where: string, value: unknown): MelConfig {
  const given = value === undefined ? {} : fieldsOf(where, 'input.config', value);
  checkNames(where, 'input.config', given, Object.keys(MEL));
  const config: MelConfig = { ...MEL, ...(given as Partial<MelConfig>) };
  const most: MelConfig = {
    sampleRate: 192000,
    nFft: 1 << 16,
    hopLength: 1 << 20,
    nMels: 1024,
    fMin: 96000,
    fMax: 96000,
  };
  for (const field of Object.keys(MEL) as (keyof MelConfig)[]) {
    const found: unknown = config[field];
    const isHz = field === 'fMin' || field === 'fMax';
    const isValid = typeof found === 'number' && found >= (isHz ? 0 : 1) && found <= most[field];
    if (!isValid || (!isHz && !Number.isInteger(found)))
      throw problem(where, `input.config.${field}`, found, `a number up to ${most[field]}`);
  }
  if (!Number.isInteger(Math.log2(config.nFft)) || config.nFft < 16)
    throw problem(where, 'input.config.nFft', config.nFft, 'a power of two from 16');
  return config;
}

function axesOf(where: string, kind: OnnxInput['kind'], value: unknown): Axis[] | null {
  if (value === undefined) return null;
  const known = AXES[kind];
  const isList = Array.isArray(value) && value.every((axis) => known.includes(axis as Axis));
  const needed = known.filter((axis) => axis !== 'batch' && axis !== 'channel');
  const axes = value as Axis[];
  const isOnce = isList && new Set(axes).size === axes.length && needed.every((axis) => axes.includes(axis));
  if (!isOnce || axes.indexOf('batch') > 0)
    throw problem(where, 'input.axes', value, `a list of ${known.join(', ')}, each once, batch first if there is one`);
  return axes;
}

const optional = <T>(value: unknown, read: () => T): T | null => (value === undefined ? null : read());

function nameOf(where: string, field: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string' || value === '') throw problem(where, field, value, 'a name');
  return value;
}

function count(where: string, field: string, value: unknown, unit: string): number {
  if (!(typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1e9))
    throw problem(where, field, value, `a whole number of ${unit}`);
  return value;
}

function oneOf<T extends string>(where: string, field: string, value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) throw problem(where, field, value, `one of ${choices.join(', ')}`);
  return value as T;
}

function fieldsOf(where: string, field: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw problem(where, field, value, 'an object');
  return value as Fields;
}

function checkNames(where: string, what: string, fields: Fields, known: readonly string[]): void {
  const stray = Object.keys(fields).find((name) => !known.includes(name));
  if (stray !== undefined)
    throw new InputError(where, `${what} has the unknown field "${stray.slice(0, 60)}"; known are ${known.join(', ')}`);
}

function problem(where: string, field: string, found: unknown, expected: string): InputError {
  return new InputError(where, `${field} is ${found === undefined ? 'missing' : shown(found)}; expected ${expected}`);
}
