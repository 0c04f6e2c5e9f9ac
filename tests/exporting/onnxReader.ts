/**
 * Reads and evaluates ONNX models in plain loops, float64: as much of the format and as few operators as the exports
 * use, written from onnx.proto and the operators' definitions, apart from the library. For tests; ONNX Runtime itself is
 * used as well where it is installed.
 */

/** One field of a message: its number, and a number, 4 bytes or a run of bytes. */
type Field = readonly [number: number, value: bigint | Uint8Array];

function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  };
  const run = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const key = Number(varint());
    const type = key & 7;
    if (![0, 2, 5].includes(type)) throw new Error(`wire type ${type}`);
    found.push([key >> 3, type === 0 ? varint() : run(type === 5 ? 4 : Number(varint()))]);
  }
  return found;
}

const all = (message: readonly Field[], number: number): Uint8Array[] =>
  message.filter(([field]) => field === number).map(([, value]) => value as Uint8Array);
const numbers = (message: readonly Field[], number: number): number[] =>
  message.filter(([field]) => field === number).map(([, value]) => Number(value));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, number | readonly number[]>;
}

interface Port {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly opset: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Value>;
}

export function readOnnx(bytes: Uint8Array): OnnxModel {
  const model = fields(new Uint8Array(bytes)); // a Buffer's slice would be no copy
  const graph = fields(all(model, 7)[0]);
  const port = (message: Uint8Array): Port => {
    const [name, type] = [all(fields(message), 1)[0], all(fields(message), 2)[0]];
    const tensor = fields(all(fields(type), 1)[0]);
    const shape = all(fields(all(tensor, 2)[0]), 1).map((dimension) => {
      const parts = fields(dimension);
      return all(parts, 2).length > 0 ? text(all(parts, 2)[0]) : numbers(parts, 1)[0];
    });
    return { name: text(name), shape };
  };
  return {
    irVersion: numbers(model, 1)[0],
    opset: numbers(fields(all(model, 8)[0]), 2)[0],
    metadata: Object.fromEntries(all(model, 14).map((pair) => all2(pair))),
    inputs: all(graph, 11).map(port),
    outputs: all(graph, 12).map(port),
    nodes: all(graph, 1).map((message) => node(fields(message))),
    constants: new Map(all(graph, 5).map((message) => constant(fields(message)))),
  };
}

const all2 = (pair: Uint8Array): [string, string] => {
  const message = fields(pair);
  return [text(all(message, 1)[0]), text(all(message, 2)[0])];
};

function node(message: readonly Field[]): Node {
  const attributes = all(message, 5).map((bytes): [string, number | readonly number[]] => {
    const attribute = fields(bytes);
    const type = numbers(attribute, 20)[0];
    const single = type === 1 ? new DataView(all(attribute, 2)[0].slice().buffer).getFloat32(0, true) : numbers(attribute, 3)[0]; // prettier-ignore
    return [text(all(attribute, 1)[0]), type === 7 ? numbers(attribute, 8) : single];
  });
  const names = (number: number): string[] => all(message, number).map(text);
  return { op: names(4)[0], inputs: names(1), outputs: names(2), attributes: new Map(attributes) };
}

function constant(message: readonly Field[]): [string, Value] {
  const raw = all(message, 9)[0].slice();
  const isInt = numbers(message, 2)[0] === 7;
  const data = isInt ? Float64Array.from(new BigInt64Array(raw.buffer), Number) : Float64Array.from(new Float32Array(raw.buffer)); // prettier-ignore
  return [text(all(message, 8)[0]), { shape: numbers(message, 1), data }];
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Runs a model. */
export function runOnnx(model: OnnxModel, inputs: Readonly<Record<string, Value>>): Map<string, Value> {
  const values = new Map([...model.constants, ...Object.entries(inputs)]);
  for (const { op, inputs: names, outputs, attributes } of model.nodes) {
    const arguments_ = names.map((name) => values.get(name)!);
    const results = OPERATORS[op](arguments_, attributes);
    outputs.forEach((name, i) => values.set(name, results[i]));
  }
  return new Map(model.outputs.map(({ name }) => [name, values.get(name)!]));
}

type Attributes = Node['attributes'];
type Operator = (inputs: readonly Value[], attributes: Attributes) => Value[];

const list = (attributes: Attributes, name: string): number[] => attributes.get(name) as number[];

/** Each element of `a` with the one of `b` that stands over it, `b`'s shape being the end of `a`'s. */
const elementwise =
  (combine: (a: number, b: number) => number): Operator =>
  ([a, b]) => [{ shape: a.shape, data: a.data.map((x, i) => combine(x, b.data[i % b.data.length])) }];
const each =
  (map: (x: number) => number): Operator =>
  ([x]) => [{ shape: x.shape, data: x.data.map((value) => map(value)) }];

/** Applies `map` to each row of the last dimension. */
function rows(x: Value, map: (row: Float64Array) => Float64Array | number[]): Value {
  const data = x.data.slice();
  const width = x.shape[x.shape.length - 1];
  for (let start = 0; start < data.length; start += width) data.set(map(x.data.subarray(start, start + width)), start);
  return { shape: x.shape, data };
}

/** [n, k] times [k, m]. */
function product(a: Float64Array, b: Float64Array, n: number, k: number, m: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let l = 0; l < k; l++) for (let j = 0; j < m; j++) out[i * m + j] += a[i * k + l] * b[l * m + j];
  return out;
}

function transposed(x: Value, perm: readonly number[]): Value {
  const strides = x.shape.map((_, k) => sizeOf(x.shape.slice(k + 1)));
  const shape = perm.map((k) => x.shape[k]);
  const data = new Float64Array(x.data.length);
  for (let i = 0; i < data.length; i++) {
    let [rest, source] = [i, 0];
    for (let k = shape.length - 1; k >= 0; k--) {
      source += (rest % shape[k]) * strides[perm[k]];
      rest = Math.floor(rest / shape[k]);
    }
    data[i] = x.data[source];
  }
  return { shape, data };
}

/** The error function by its series, which converges for the arguments that occur (|x| < 8). */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** These places along an axis. */
function taken({ shape, data }: Value, axis: number, places: readonly number[]): Value {
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const out = new Float64Array(outer * places.length * inner);
  for (let o = 0; o < outer; o++)
    places.forEach((place, k) => {
      const from = (o * shape[axis] + place) * inner;
      out.set(data.subarray(from, from + inner), (o * places.length + k) * inner);
    });
  return { shape: [...shape.slice(0, axis), places.length, ...shape.slice(axis + 1)], data: out };
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
  Log: each(Math.log),
  Erf: each(erf),
  Sqrt: each(Math.sqrt),
  Sigmoid: each((x) => 1 / (1 + Math.exp(-x))),
  Relu: each((x) => Math.max(0, x)),
  Reshape: ([x, { data: wanted }]) => {
    const known = wanted.reduce((a, b) => (b === -1 ? a : a * b), 1);
    return [{ shape: [...wanted].map((n) => (n === -1 ? x.data.length / known : n)), data: x.data }];
  },
  Transpose: ([x], attributes) => [transposed(x, list(attributes, 'perm'))],
  // Always into three, as the graphs have it.
  Split: ([x], attributes) => {
    const axis = attributes.get('axis') as number;
    const part = x.shape[axis] / 3;
    return [0, 1, 2].map((i) =>
      taken(
        x,
        axis,
        Array.from({ length: part }, (_, k) => i * part + k),
      ),
    );
  },
  Slice: ([x, from, to, axes]) => {
    const length = to.data[0] - from.data[0];
    return [
      taken(
        x,
        axes.data[0],
        Array.from({ length }, (_, k) => from.data[0] + k),
      ),
    ];
  },
  Gather: ([x, places], attributes) => [taken(x, attributes.get('axis') as number, [...places.data])],
  Squeeze: ([x, axes]) => [{ shape: x.shape.filter((_, k) => !axes.data.includes(k)), data: x.data }],
  Concat: (parts, attributes) => {
    if (attributes.get('axis') !== 1) throw new Error('only axis 1');
    const [n, width] = [parts[0].shape[0], parts.reduce((sum, { shape }) => sum + shape[1], 0)];
    const pieces = Array.from({ length: n }, (_, i) => parts.map(({ shape, data }) => [...data.slice(i * shape[1], (i + 1) * shape[1])])); // prettier-ignore
    return [{ shape: [n, width], data: Float64Array.from(pieces.flat(2)) }];
  },
  Gemm: ([x, w, bias], attributes) => {
    if (attributes.get('transB') !== 1) throw new Error('only transB = 1');
    const [n, m] = [x.shape[0], w.shape[0]];
    const data = product(x.data, transposed(w, [1, 0]).data, n, x.shape[1], m);
    return [{ shape: [n, m], data: bias ? data.map((value, i) => value + bias.data[i % m]) : data }];
  },
  MatMul: ([a, b]) => {
    const [n, k] = a.shape.slice(-2);
    const m = b.shape[b.shape.length - 1];
    // A matrix alone meets every one of the others.
    const before = (a.shape.length === 2 ? b : a).shape.slice(0, -2);
    const at = ({ shape, data }: Value, i: number, size: number) => (shape.length === 2 ? data : data.subarray(i * size, (i + 1) * size)); // prettier-ignore
    const parts = Array.from({ length: sizeOf(before) }, (_, i) => [...product(at(a, i, n * k), at(b, i, k * m), n, k, m)]); // prettier-ignore
    return [{ shape: [...before, n, m], data: Float64Array.from(parts.flat()) }];
  },
  Softmax: ([x]) => [
    rows(x, (row) => {
      const most = Math.max(...row);
      const powers = [...row].map((value) => Math.exp(value - most));
      const sum = powers.reduce((a, b) => a + b);
      return powers.map((value) => value / sum);
    }),
  ],
  LayerNormalization: ([x, gain, bias], attributes) => [
    rows(x, (row) => {
      const mean = row.reduce((a, b) => a + b) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      const scale = 1 / Math.sqrt(variance + (attributes.get('epsilon') as number));
      return row.map((value, i) => (value - mean) * scale * gain.data[i] + bias.data[i]);
    }),
  ],
  ReduceMean: ([x], attributes) => {
    const [axis] = list(attributes, 'axes');
    if (attributes.get('keepdims') !== 0) throw new Error('only keepdims = 0');
    const [n, inner] = [x.shape[axis], sizeOf(x.shape.slice(axis + 1))];
    const data = new Float64Array(x.data.length / n);
    x.data.forEach((value, i) => (data[Math.floor(i / (n * inner)) * inner + (i % inner)] += value / n));
    return [{ shape: x.shape.filter((_, k) => k !== axis), data }];
  },
};
