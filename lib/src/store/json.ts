import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, truncateSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';
import { readText, writeFileAtomic } from './files.js';

/** Parses a JSON file. @throws InputError if it cannot be read or is no JSON. */
export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InputError(path, `this is no JSON (${(error as Error).message}).`, { cause: error });
  }
}

/**
 * Writes a value as JSON atomically, with a newline at the end. Typed arrays become lists.
 * @param options.indent spaces a level (0 = one line, the default)
 * @throws InputError for NaN and infinities: JSON would silently turn them into null. Write null where none is meant.
 */
export function writeJson(path: string, value: unknown, options: { indent?: number } = {}): void {
  writeFileAtomic(path, `${stringify(path, value, options.indent ?? 0)}\n`);
}

function stringify(where: string, value: unknown, indent: number): string {
  const text = JSON.stringify(
    value,
    (name, item: unknown) => {
      if (typeof item === 'number' && !Number.isFinite(item))
        throw new InputError(
          where,
          `field ${name || '(top)'} is ${item}, which JSON cannot hold; write null if there is no value.`,
        );
      return ArrayBuffer.isView(item) ? Array.from(item as unknown as ArrayLike<number>) : item;
    },
    indent,
  ) as string | undefined;
  if (text === undefined) throw new InputError(where, 'there is no value to write (undefined).');
  return text;
}

/**
 * Appends one line to a JSON-lines file, making file and folders if needed.
 * A last line that a killed process left torn is cut off first, so it never merges with the new one.
 * @throws InputError for NaN and infinities
 */
export function appendJsonLine(path: string, value: unknown): void {
  const line = stringify(path, value, 0);
  mkdirSync(dirname(path), { recursive: true });
  const needsNewline = existsSync(path) && repairEnd(path);
  appendFileSync(path, `${needsNewline ? '\n' : ''}${line}\n`);
}

/** Cuts a torn last line off; true if the last line is whole and lacks only its newline. */
function repairEnd(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const last = new Uint8Array(1);
    if (size === 0 || (readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] === 10)) return false;
  } finally {
    closeSync(descriptor);
  }
  const text = readText(path);
  const tail = text.slice(text.lastIndexOf('\n') + 1);
  if (parseWholeLine(tail) !== undefined) return true;
  truncateSync(path, Buffer.byteLength(text.slice(0, text.length - tail.length)));
  return false;
}

/** The value of a line that surely is whole: a cut-off object or list never parses, a cut-off number may. */
function parseWholeLine(line: string): unknown {
  if (!/^\s*[{[]/.test(line)) return undefined;
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Reads a JSON-lines file in order; empty lines are skipped. A torn last line (no newline, does not parse) is dropped.
 * @throws InputError naming the line if any other line is no JSON
 */
export function readJsonLines(path: string): unknown[] {
  const lines = readText(path).split('\n');
  const values: unknown[] = [];
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    if (i === lines.length - 1) {
      const value = parseWholeLine(line);
      if (value !== undefined) values.push(value);
      return;
    }
    try {
      values.push(JSON.parse(line));
    } catch (error) {
      throw new InputError(`${path} line ${i + 1}`, `this is no JSON (${(error as Error).message}).`, { cause: error });
    }
  });
  return values;
}

/**
 * JSON with one form only: keys sorted, no spaces, properties that are undefined left out, typed arrays as lists, -0 as 0.
 * @throws InputError for what has no exact JSON form: NaN, infinities, functions, bigint, undefined in a list, instances of classes, cycles
 */
export function canonicalJson(value: unknown): string {
  return canonical(value, 'value', 0);
}

function canonical(value: unknown, where: string, depth: number): string {
  const refuse = (what: string): never => {
    throw new InputError(where, `${what} has no canonical JSON form; use plain numbers, texts, lists and objects.`);
  };
  if (depth > 100) return refuse('something nested deeper than 100 levels (a cycle?)');
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : refuse(String(value));
  if (typeof value !== 'object') return refuse(typeof value);
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    const items = Array.from(value as unknown as ArrayLike<unknown>);
    return `[${items.map((item, i) => canonical(item, `${where}[${i}]`, depth + 1)).join(',')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    return refuse(`an instance of ${value.constructor?.name}`);
  const fields = Object.entries(value).filter(([, item]) => item !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item, `${where}.${name}`, depth + 1)}`).join(',')}}`;
}

/** The first 12 hexadecimal digits of the SHA-256 of the canonical JSON: equal configurations, equal id. */
export function configId(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12);
}
