/**
 * The wire format of Protocol Buffers, writing only, as much of it as ONNX needs.
 * Source: protobuf.dev/programming-guides/encoding: a field is (number << 3 | type), then a varint (type 0), 4 bytes
 * (type 5), or a length and as many bytes (type 2).
 */

/** A message being written: its pieces, not yet joined, so that large tensors are copied once. */
export class Message {
  readonly pieces: Uint8Array[] = [];
  #length = 0;

  /** bytes so far */
  get length(): number {
    return this.#length;
  }

  /** A whole number >= 0 (int32, int64, enum). Negative ones, ten bytes long, do not occur here but for -1. */
  varint(field: number, value: number): this {
    return this.#key(field, 0).#piece(varintBytes(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#key(field, 5).#piece(bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#key(field, 2).#piece(varintBytes(value.length)).#piece(value);
  }

  message(field: number, value: Message): this {
    this.#key(field, 2).#piece(varintBytes(value.length));
    for (const piece of value.pieces) this.#piece(piece);
    return this;
  }

  /** All of it in one piece. */
  join(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #key(field: number, type: 0 | 2 | 5): this {
    return this.#piece(varintBytes(field * 8 + type));
  }

  #piece(bytes: Uint8Array): this {
    this.pieces.push(bytes);
    this.#length += bytes.length;
    return this;
  }
}

/** Seven bits a byte, the lowest first; the high bit says that more follow. Negative numbers are 64 bits wide. */
function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
