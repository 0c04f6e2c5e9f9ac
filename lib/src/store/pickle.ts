/**
 * A reader of pickles that executes nothing: it knows dictionaries, lists, tuples, texts, numbers, and hands the few
 * globals, calls and references that a caller knows to that caller. Everything else ends with an error that names it.
 * Source of the opcodes: Python's pickletools, protocols 0 to 5.
 */
import { InputError } from '../errors.js';
import { shown } from './shown.js';

export class PickledDict {
  readonly entries = new Map<string, PickledValue>();
}

export class PickledTuple {
  constructor(readonly items: readonly PickledValue[]) {}
}

export class PickledList {
  readonly items: PickledValue[] = [];
}

/** A global by its full name, e.g. `collections.OrderedDict`: a word, never a function. */
export class PickledGlobal {
  constructor(readonly name: string) {}
}

/** What a caller made of a call or a reference. */
export class PickledObject<T = unknown> {
  constructor(readonly value: T) {}
}

export type PickledValue =
  null | boolean | number | bigint | string | PickledDict | PickledList | PickledTuple | PickledGlobal | PickledObject;

/** What the caller knows. Each method throws an InputError for what it does not. */
export interface PickleKnowledge {
  /** Whether a global may be named at all. */
  readonly globals: ReadonlySet<string>;
  /** What calling a known global with these arguments stands for. */
  call(global: string, args: readonly PickledValue[]): PickledValue;
  /** What a reference to something outside the pickle stands for. */
  persistent(id: PickledValue): PickledValue;
}

/** Pickles nested deeper than this do not occur; only MARKs are counted, nothing here recurses. */
const MAX_MARKS = 1000;

/**
 * Reads a pickle. Time and memory are linear in its length: every opcode takes at least one byte, makes at most one
 * object, and lengths are checked before anything is taken.
 *
 * @param where what to name in errors
 * @throws InputError for an opcode or a global that is not known, and for a pickle that is damaged
 */
export function readPickle(where: string, bytes: Uint8Array, knowledge: PickleKnowledge): PickledValue {
  return new Unpickler(where, bytes, knowledge).run();
}

class Unpickler {
  readonly #view: DataView;
  readonly #memo = new Map<number, PickledValue>();
  /** The open piles: what was pushed since each MARK. */
  readonly #piles: PickledValue[][] = [[]];
  #at = 0;

  constructor(
    readonly where: string,
    readonly bytes: Uint8Array,
    readonly knowledge: PickleKnowledge,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickledValue {
    for (;;) {
      const at = this.#at;
      const code = this.#view.getUint8(this.#take(1));
      if (code === 0x2e) return this.#pop(); // STOP
      if (!this.#step(code)) {
        const opcode = `0x${code.toString(16).padStart(2, '0')}`;
        this.#fail(`the opcode ${opcode} at byte ${at} is not one of those that weights need; nothing was executed`);
      }
    }
  }

  /** One opcode; false if it is not known. */
  #step(code: number): boolean {
    return this.#literal(code) || this.#collection(code) || this.#memory(code) || this.#reference(code);
  }

  #literal(code: number): boolean {
    const view = this.#view;
    switch (code) {
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(view.getInt32(this.#take(4), true));
      case 0x4b: // BININT1
        return this.#push(view.getUint8(this.#take(1)));
      case 0x4d: // BININT2
        return this.#push(view.getUint16(this.#take(2), true));
      case 0x8a: // LONG1
        return this.#push(this.#long(view.getUint8(this.#take(1))));
      case 0x47: // BINFLOAT
        return this.#push(view.getFloat64(this.#take(8), false));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(view.getUint32(this.#take(4), true)));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(view.getUint8(this.#take(1))));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(Number(view.getBigUint64(this.#take(8), true))));
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#text(view.getUint8(this.#take(1))));
      case 0x54: // BINSTRING
        return this.#push(this.#text(view.getInt32(this.#take(4), true)));
      default:
        return false;
    }
  }

  #collection(code: number): boolean {
    switch (code) {
      case 0x28: // MARK
        if (this.#piles.length > MAX_MARKS) this.#fail(`more than ${MAX_MARKS} collections are open at once`);
        this.#piles.push([]);
        return true;
      case 0x7d: // EMPTY_DICT
        return this.#push(new PickledDict());
      case 0x5d: // EMPTY_LIST
        return this.#push(new PickledList());
      case 0x29: // EMPTY_TUPLE
        return this.#push(new PickledTuple([]));
      case 0x74: // TUPLE
        return this.#push(new PickledTuple(this.#closePile()));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(new PickledTuple(Array.from({ length: code - 0x84 }, () => this.#pop()).reverse()));
      case 0x64: // DICT
        this.#setItems(new PickledDict(), this.#closePile(), true);
        return true;
      case 0x6c: // LIST
        this.#append(new PickledList(), this.#closePile(), true);
        return true;
      case 0x61: {
        const item = this.#pop(); // APPEND
        this.#append(this.#top(), [item]);
        return true;
      }
      case 0x65: {
        const items = this.#closePile(); // APPENDS
        this.#append(this.#top(), items);
        return true;
      }
      case 0x73: {
        const value = this.#pop(); // SETITEM
        const name = this.#pop();
        this.#setItems(this.#top(), [name, value]);
        return true;
      }
      case 0x75: {
        const items = this.#closePile(); // SETITEMS
        this.#setItems(this.#top(), items);
        return true;
      }
      default:
        return false;
    }
  }

  #memory(code: number): boolean {
    const view = this.#view;
    switch (code) {
      case 0x80: {
        const protocol = view.getUint8(this.#take(1)); // PROTO
        if (protocol > 5) this.#fail(`protocol ${protocol}; known are 0 to 5`);
        return true;
      }
      case 0x95: // FRAME: its length only helps readers of streams
        this.#take(8);
        return true;
      case 0x71: // BINPUT
        return this.#remember(view.getUint8(this.#take(1)));
      case 0x72: // LONG_BINPUT
        return this.#remember(view.getUint32(this.#take(4), true));
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size);
      case 0x68: // BINGET
        return this.#recall(view.getUint8(this.#take(1)));
      case 0x6a: // LONG_BINGET
        return this.#recall(view.getUint32(this.#take(4), true));
      case 0x30: // POP
        this.#pop();
        return true;
      case 0x32: // DUP
        return this.#push(this.#top());
      default:
        return false;
    }
  }

  #reference(code: number): boolean {
    switch (code) {
      case 0x63: {
        const module = this.#line(); // GLOBAL
        return this.#global(`${module}.${this.#line()}`);
      }
      case 0x93: {
        const [name, module] = [this.#pop(), this.#pop()]; // STACK_GLOBAL
        if (typeof name !== 'string' || typeof module !== 'string') this.#fail('the name of a global is no text');
        return this.#global(`${module}.${name}`);
      }
      case 0x52: {
        const [args, callee] = [this.#pop(), this.#pop()]; // REDUCE
        if (!(callee instanceof PickledGlobal) || !(args instanceof PickledTuple))
          this.#fail('it calls something that is no global; nothing was executed');
        return this.#push(this.knowledge.call(callee.name, args.items));
      }
      case 0x62: {
        const state = this.#pop(); // BUILD: attributes of a dictionary (`_metadata`) are passed over
        if (!(this.#top() instanceof PickledDict) || !(state instanceof PickledDict))
          this.#fail('it sets attributes of something that is no dictionary; nothing was executed');
        return true;
      }
      case 0x51: // BINPERSID
        return this.#push(this.knowledge.persistent(this.#pop()));
      default:
        return false;
    }
  }

  #global(name: string): true {
    if (!this.knowledge.globals.has(name))
      this.#fail(
        `it names the global ${shown(name)}, which weights do not need; nothing was executed. ` +
          `Save the state dict alone: torch.save(model.state_dict(), path)`,
      );
    return this.#push(new PickledGlobal(name));
  }

  #append(list: PickledValue, items: readonly PickledValue[], push = false): void {
    if (!(list instanceof PickledList)) this.#fail('it appends to something that is no list');
    for (const item of items) list.items.push(item);
    if (push) this.#push(list);
  }

  #setItems(dict: PickledValue, items: readonly PickledValue[], push = false): void {
    if (!(dict instanceof PickledDict)) this.#fail('it sets items of something that is no dictionary');
    if (items.length % 2 === 1) this.#fail('a dictionary has a name without a value');
    for (let i = 0; i < items.length; i += 2) {
      const name = items[i];
      if (typeof name !== 'string' && typeof name !== 'number')
        this.#fail('the name of a dictionary entry is neither text nor number');
      dict.entries.set(String(name), items[i + 1]);
    }
    if (push) this.#push(dict);
  }

  #push(value: PickledValue): true {
    this.#piles[this.#piles.length - 1].push(value);
    return true;
  }

  #pop(): PickledValue {
    const value = this.#piles[this.#piles.length - 1].pop();
    if (value === undefined) this.#fail('it takes more values than it has');
    return value;
  }

  #top(): PickledValue {
    const pile = this.#piles[this.#piles.length - 1];
    if (pile.length === 0) this.#fail('it takes more values than it has');
    return pile[pile.length - 1];
  }

  #closePile(): PickledValue[] {
    if (this.#piles.length === 1) this.#fail('it closes a collection that is not open');
    return this.#piles.pop()!;
  }

  #remember(place: number): true {
    this.#memo.set(place, this.#top());
    return true;
  }

  #recall(place: number): true {
    const value = this.#memo.get(place);
    if (value === undefined) this.#fail(`it recalls the value ${place}, which it has not stored`);
    return this.#push(value);
  }

  /** A whole number of `length` bytes, little-endian, two's complement. */
  #long(length: number): number | bigint {
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i]);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #text(length: number): string {
    const start = this.#take(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  #line(): string {
    const end = this.bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.#fail('a name does not end');
    const line = this.#text(end - this.#at);
    this.#take(1);
    return line;
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const start = this.#at;
    if (!(length >= 0 && length <= this.bytes.length - start))
      this.#fail(`it asks for ${length} bytes at byte ${start}, but has ${this.bytes.length - start} left`);
    this.#at += length;
    return start;
  }

  #fail(problem: string): never {
    throw new InputError(this.where, `${problem}.`);
  }
}
