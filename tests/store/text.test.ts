import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import {
  appendJsonLine, Cache, canonicalJson, configId, formatCsv, parseCsv, readJson, readJsonLines, writeFileAtomic, writeJson,
} from '../../lib/src/store/index.js'; // prettier-ignore

let dir: string;
let count = 0;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'keymyna-store-'))));
afterAll(() => rmSync(dir, { recursive: true }));
const fresh = (name: string): string => join(dir, String(count++), name);

describe('writeFileAtomic', () => {
  it('makes folders, replaces, leaves nothing beside, keeps the old file when writing fails', () => {
    const path = fresh('a.txt');
    writeFileAtomic(path, 'one');
    writeFileAtomic(path, new Uint8Array([50]));
    expect(readFileSync(path, 'utf8')).toBe('2');
    expect(() => writeFileAtomic(path, 3 as unknown as string)).toThrow();
    expect(readFileSync(path, 'utf8')).toBe('2');
    expect(readdirSync(join(path, '..'))).toEqual(['a.txt']);
  });
});

describe('JSON', () => {
  it('round trip, typed arrays as lists, NaN refused by name', () => {
    const path = fresh('a.json');
    writeJson(path, { a: [1, null], data: new Float32Array([0.5]) }, { indent: 2 });
    expect(readJson(path)).toEqual({ a: [1, null], data: [0.5] });
    expect(() => writeJson(path, { loss: NaN })).toThrow(/field loss is NaN/);
    expect(() => writeJson(path, new Float32Array([Infinity]))).toThrow(/Infinity/);
    expect(() => writeJson(path, undefined)).toThrow(InputError);
    expect(readJson(path)).toEqual({ a: [1, null], data: [0.5] });
    writeFileSync(path, '{"a":');
    expect(() => readJson(path)).toThrow(/no JSON/);
  });

  it('canonical: order of keys does not matter, values do', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(canonicalJson({ b: [1, -0, 'ä'], a: undefined, c: { z: null, y: true }, d: Int32Array.of(3) })).toBe(
      '{"b":[1,0,"ä"],"c":{"y":true,"z":null},"d":[3]}',
    );
    expect(configId({ a: 1, b: 2 })).toBe(configId({ b: 2, a: 1 }));
    expect(configId({ a: 1 })).not.toBe(configId({ a: 2 }));
    expect(configId({ a: 1 })).toBe('015abd7f5cc5'); // sha256 of {"a":1}: an id must never change between versions
  });

  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  it.each([
    [NaN],
    [Infinity],
    [[undefined]],
    [() => 1],
    [1n],
    [new Map()],
    [new Date(0)],
    [undefined],
    [Symbol('x')],
    [cyclic],
    [{ a: { b: NaN } }],
  ])('canonical JSON refuses %s', (value) => expect(() => canonicalJson(value)).toThrow(InputError));
  it('and names the field', () =>
    expect(() => canonicalJson({ a: [{ rate: NaN }] })).toThrow(/value.a\[0\].rate: NaN/));
});

describe('JSON lines', () => {
  it('a torn last line is dropped, wherever it is torn, and the next line does not merge with it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ step: fc.nat(), note: fc.string() }), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        (values, cut) => {
          const path = fresh('log.jsonl');
          for (const value of values) appendJsonLine(path, value);
          expect(readJsonLines(path)).toEqual(values);
          const bytes = readFileSync(path);
          const lastLength = Buffer.byteLength(JSON.stringify(values[values.length - 1]));
          const kept = 1 + (cut % lastLength); // bytes of the last line that stay: 1 .. all, without the newline
          writeFileSync(path, bytes.subarray(0, bytes.length - 1 - lastLength + kept));
          const expected = kept === lastLength ? values : values.slice(0, -1);
          expect(readJsonLines(path)).toEqual(expected);
          appendJsonLine(path, { step: -1 });
          expect(readJsonLines(path)).toEqual([...expected, { step: -1 }]);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('a broken line elsewhere is named; NaN is refused and nothing is written', () => {
    const path = fresh('log.jsonl');
    appendJsonLine(path, { a: 1 });
    expect(() => appendJsonLine(path, { a: NaN })).toThrow(/field a is NaN/);
    expect(readJsonLines(path)).toEqual([{ a: 1 }]);
    appendFileSync(path, 'broken\n{"a":2}\n');
    expect(() => readJsonLines(path)).toThrow(/line 2: this is no JSON/);
    expect(() => readJsonLines(fresh('none'))).toThrow(/no such file/);
  });
});

describe('CSV', () => {
  it('what is formatted is parsed', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', 'é', "'", ';') }).map((s) => s.trim());
    fc.assert(
      fc.property(fc.array(fc.record({ path: text.map((s) => `x${s}`), key: text }), { maxLength: 6 }), (rows) => {
        const { columns, rows: parsed } = parseCsv(formatCsv(['path', 'key'], rows), 'test');
        expect(columns).toEqual(['path', 'key']);
        expect(parsed.map((row) => row.fields)).toEqual(rows);
      }),
    );
  });

  it.each([
    ['semicolons', ';'],
    ['tabs', '\t'],
  ])('reads %s where the header has no comma; empty fields stay', (_, c) => {
    const text = [['id', 'key', 'note'], ['a', 'C major', ''], ['b', '', '"x, y"']].map((row) => row.join(c)).join('\n'); // prettier-ignore
    expect(parseCsv(text, 'f').rows.map(({ fields }) => fields)).toEqual([
      { id: 'a', key: 'C major', note: '' },
      { id: 'b', key: '', note: 'x, y' },
    ]);
    expect(() => parseCsv(`${text}${'\n'}c${c}d`, 'f')).toThrow(/line 4: 2 fields found, 3 expected/);
  });

  it('byte order mark, CRLF, empty lines, blanks; numbers and missing values', () => {
    const { rows } = parseCsv('\ufeffid, key\r\n\r\na,C major \r\nb,"D, minor"\r\n', 'f');
    expect(rows).toEqual([
      { line: 3, fields: { id: 'a', key: 'C major' } },
      { line: 4, fields: { id: 'b', key: 'D, minor' } },
    ]);
    expect(formatCsv(['a', 'b', 'c'], [{ a: 1.5, b: null, c: true }, { a: 'x' }])).toBe('a,b,c\n1.5,,true\nx,,\n');
    expect(parseCsv('__proto__,b\n1,2', 'f').rows[0].fields).toHaveProperty('__proto__', '1');
  });

  it.each([
    ['', /empty/],
    ['a,b,a\n1,2,3', /"a" comes twice/],
    ['a,,c\n1,2,3', /column 2 has no name/],
    ['a,b\n1,2\n1,2,3', /line 3: 3 fields found, 2 expected \(a, b\)/],
    ['a,b\n1', /line 2: 1 fields found/],
    ['a,b\n"1,2', /no proper CSV/],
  ])('%j is refused', (text, message) => {
    expect(() => parseCsv(text, 'm.csv')).toThrow(InputError);
    expect(() => parseCsv(text, 'm.csv')).toThrow(message);
  });
});

describe('Cache', () => {
  it('computes once, also when asked twice at once; another config is another file', async () => {
    const cache = new Cache(fresh('cache'));
    let runs = 0;
    const compute = async (): Promise<{ runs: number }> => {
      await Promise.resolve();
      return { runs: ++runs };
    };
    expect(await Promise.all([cache.json('k', { a: 1 }, compute), cache.json('k', { a: 1 }, compute)])).toEqual([
      { runs: 1 },
      { runs: 1 },
    ]);
    expect(await cache.json('k', { a: 1 }, compute)).toEqual({ runs: 1 });
    expect(await cache.json('k', { a: 2 }, compute)).toEqual({ runs: 2 });
    expect([cache.hits, cache.misses]).toEqual([1, 2]);
    expect(cache.has('k', configId({ a: 1 }), 'json')).toBe(true);
    expect(readJson(cache.path('k', configId({ a: 1 }), 'json'))).toEqual({ config: { a: 1 }, value: { runs: 1 } });
  });

  it('a failure leaves nothing, and the next call computes', async () => {
    const cache = new Cache(fresh('cache'));
    const write = (path: string): void => {
      writeFileSync(path, 'half');
      throw new Error('stopped');
    };
    await expect(cache.file('k', 1, 'txt', write)).rejects.toThrow('stopped');
    expect(readdirSync(join(cache.root, 'k'))).toEqual([]);
    const path = await cache.file('k', 1, 'txt', (temporary) => {
      expect(temporary.endsWith('.txt')).toBe(true);
      writeFileSync(temporary, 'whole');
    });
    expect(readFileSync(path, 'utf8')).toBe('whole');
    expect(await cache.file('k', 1, 'txt', write)).toBe(path);
    expect(readdirSync(join(cache.root, 'k'))).toHaveLength(1);
    await expect(cache.file('k', 2, 'txt', () => undefined)).rejects.toThrow(/wrote no file/);
  });

  it('a damaged file is computed anew; names cannot leave the folder; NaN is not kept', async () => {
    const cache = new Cache(fresh('cache'));
    await cache.json('k', 1, () => 'good');
    writeFileSync(cache.path('k', configId(1), 'json'), '{"val');
    expect(await cache.json('k', 1, () => 'again')).toBe('again');
    expect(() => cache.path('../k', 'id', 'json')).toThrow(InputError);
    expect(() => cache.path('k', '..', 'json')).toThrow(InputError);
    await expect(cache.json('k', 3, () => ({ score: NaN }))).rejects.toThrow(/score is NaN/);
    expect(existsSync(cache.path('k', configId(3), 'json'))).toBe(false);
  });
});
