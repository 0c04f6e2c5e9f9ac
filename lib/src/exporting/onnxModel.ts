/** An ONNX graph as it is put together, and its bytes. Source of names and field numbers: onnx.proto (IR version 8). */
import { InputError } from '../errors.js';
import { Message } from './protobuf.js';

/** Operators of this version are used; IR version 8 belongs to it. */
export const OPSET = 17;
const IR_VERSION = 8;

/** A file of Protocol Buffers must be smaller. */
const MAX_BYTES = 2 ** 31 - 1;

const FLOAT = 1;
const INT64 = 7;

type Attribute = number | readonly number[];

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An input or an output of the model: float32, dimensions as numbers or names (`batch`). */
export interface PortShape {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export class OnnxGraph {
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<string, Message>();
  #count = 0;

  /**
   * Adds an operation.
   *
   * @param output the name of its result; a fresh one if not given
   * @returns the name of its result
   */
  add(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = `${op}_${this.#count++}`,
  ): string {
    this.#nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** Splits a value into equal parts along an axis. */
  split(input: string, axis: number, parts: number): string[] {
    const outputs = Array.from({ length: parts }, () => `Split_${this.#count++}`);
    this.#nodes.push({ op: 'Split', inputs: [input], outputs, attributes: { axis } });
    return outputs;
  }

  /** A float32 constant under a name; the same name again is the same constant. */
  floats(name: string, shape: readonly number[], data: Float32Array): string {
    if (!this.#constants.has(name)) this.#constants.set(name, tensorMessage(name, FLOAT, shape, bytesOf(data)));
    return name;
  }

  /** One number. */
  scalar(value: number): string {
    return this.floats(`constant ${value}`, [], Float32Array.of(value));
  }

  /** A list of whole numbers, such as Reshape takes; long ones under a name of their own. */
  ints(values: readonly number[], name = `shape ${values.join(' ')}`): string {
    const data = BigInt64Array.from(values, (value) => BigInt(value));
    if (!this.#constants.has(name)) this.#constants.set(name, tensorMessage(name, INT64, [values.length], bytesOf(data))); // prettier-ignore
    return name;
  }

  /** The bytes of a model of this graph. @throws InputError if they are more than one file can hold */
  model(
    where: string,
    inputs: readonly PortShape[],
    outputs: readonly PortShape[],
    metadata: Readonly<Record<string, string>>,
  ): Uint8Array {
    const graph = new Message();
    for (const node of this.#nodes) graph.message(1, nodeMessage(node));
    graph.text(2, 'keymyna');
    for (const constant of this.#constants.values()) graph.message(5, constant);
    for (const port of inputs) graph.message(11, portMessage(port));
    for (const port of outputs) graph.message(12, portMessage(port));
    const model = new Message().varint(1, IR_VERSION).text(2, 'keymyna').message(7, graph);
    model.message(8, new Message().text(1, '').varint(2, OPSET));
    for (const [name, value] of Object.entries(metadata)) model.message(14, new Message().text(1, name).text(2, value));
    if (model.length > MAX_BYTES)
      throw new InputError(where, `the model needs ${model.length} bytes; one ONNX file holds ${MAX_BYTES}.`);
    return model.join();
  }
}

function nodeMessage({ op, inputs, outputs, attributes }: Node): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, outputs[0]).text(4, op);
  for (const [name, value] of Object.entries(attributes)) message.message(5, attributeMessage(name, value));
  return message;
}

/** Types of an attribute: 1 float, 2 int, 7 ints. Only `epsilon` is a float here. */
function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value !== 'number') {
    for (const item of value) message.varint(8, item);
    return message.varint(20, 7);
  }
  return Number.isInteger(value) ? message.varint(3, value).varint(20, 2) : message.float(2, value).varint(20, 1);
}

function tensorMessage(name: string, type: number, shape: readonly number[], raw: Uint8Array): Message {
  const message = new Message();
  for (const length of shape) message.varint(1, length);
  return message.varint(2, type).text(8, name).bytes(9, raw);
}

function portMessage({ name, shape }: PortShape): Message {
  const dimensions = new Message();
  for (const length of shape) {
    const dimension = new Message();
    dimensions.message(1, typeof length === 'number' ? dimension.varint(1, length) : dimension.text(2, length));
  }
  const tensor = new Message().varint(1, FLOAT).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
