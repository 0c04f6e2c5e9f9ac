/**
 * Linear, ReLU, strong dropout and the linear layer behind it as one part that computes only what the dropout keeps: of
 * N x U activations, dropout .9 leaves a tenth and the ReLU half of these. Unit by unit forward, then unit by unit
 * gradients and update, so that each row of both weights is in the cache once. Exact: units that nothing keeps still get
 * Adam's decay. Letters: N clips in a batch, I inputs, U units, O outputs.
 */
import { float32, type StoredTensor } from '../store/index.js';
import type { Rng } from '../tensor/index.js';
import { rarePlaces } from './dropout.js';
import type { HeadWeights } from './head.js';
import type { HeadMemory } from './memory.js';
import { type AdamStep, Buffer, Parameter, rowsAtOnce, type Stage } from './stages.js';

export interface KeptSizes {
  readonly inputs: number;
  readonly units: number;
  readonly outputs: number;
  /** names of the linear layers before and behind the dropout */
  readonly before: string;
  readonly behind: string;
  /** of the dropout, .5 <= rate < 1 */
  readonly rate: number;
}

export class KeptStage implements Stage {
  /** [U, I] and [U] */
  readonly #before: readonly [weight: Parameter, bias: Parameter];
  /** [U, O], by unit, and [O] */
  readonly #behind: readonly [weight: Parameter, bias: Parameter];
  readonly #out: Buffer;
  readonly #hidden: Buffer;
  readonly #gradients: readonly Buffer[];
  readonly #lists: readonly Buffer[];
  readonly #starts: readonly Buffer[];

  constructor(
    private readonly memory: HeadMemory,
    private readonly sizes: KeptSizes,
    weights: HeadWeights,
    private readonly rng: Rng,
  ) {
    const { before, behind, units, outputs } = sizes;
    const stored = (name: string): Float32Array => weights.get(name)!.data as Float32Array;
    const parameter = (values: Float32Array): Parameter => new Parameter(memory, values);
    this.#before = [parameter(stored(`${before}.weight`)), parameter(stored(`${before}.bias`))];
    const byUnit = transposed(stored(`${behind}.weight`), outputs, units);
    this.#behind = [parameter(byUnit), parameter(stored(`${behind}.bias`))];
    const buffers = (count: number): Buffer[] => Array.from({ length: count }, () => new Buffer(memory));
    [this.#out, this.#hidden] = buffers(2);
    this.#gradients = buffers(3);
    this.#lists = buffers(6);
    this.#starts = buffers(3);
  }

  forward(n: number, x: number, isTraining: boolean): number {
    const { outputs } = this.sizes;
    const out = this.#out.at(4 * n * outputs);
    if (isTraining) this.#forwardKept(n, x, out);
    else this.#forwardAll(n, x, out);
    return out;
  }

  #forwardAll(n: number, x: number, out: number): void {
    const { inputs, units, outputs } = this.sizes;
    const { memory } = this;
    const hidden = this.#hidden.at(4 * n * units);
    memory.kernels.fillRows(n, units, this.#before[1].at, hidden);
    memory.multiply(false, true, n, units, inputs, x, inputs, this.#before[0].at, hidden, true);
    memory.kernels.relu(n * units, hidden, hidden);
    memory.kernels.fillRows(n, outputs, this.#behind[1].at, out);
    memory.multiply(false, false, n, outputs, units, hidden, units, this.#behind[0].at, out, true);
  }

  #forwardKept(n: number, x: number, out: number): void {
    const { inputs, units, outputs, rate } = this.sizes;
    const { memory } = this;
    const kept = rarePlaces(n * units, rate, this.rng);
    const count = kept.length;
    // Some room to spare: the next batches keep a few more.
    const bytes = 4 * Math.ceil(1.2 * count + 64);
    const [places, unitOf, slotOf, rowOf, values, scratch] = this.#lists.map((list) => list.at(bytes));
    const [rowStarts, ends, unitStarts] = this.#starts.map((starts, i) => starts.at(4 * (1 + (i < 2 ? n : units))));
    memory.i32(places, count).set(kept);
    memory.kernels.sortByUnit(n, units, count, places, rowStarts, unitOf, slotOf, unitStarts, rowOf);
    const [weight, bias] = this.#before;
    memory.kernels.keptForward(units, inputs, 1 / (1 - rate), x, weight.at, bias.at, unitStarts, rowOf, values);
    const [behind, behindBias] = this.#behind;
    // prettier-ignore
    memory.kernels.keptOutputs(n, outputs, rowStarts, unitOf, slotOf, values, behind.at, behindBias.at, out, scratch, ends);
  }

  backward(n: number, x: number, dOut: number, isWanted: boolean, step: AdamStep): number {
    if (isWanted) throw new Error('KeptStage: the gradient of the input is not made; it must be the first stage');
    const { inputs, units, outputs, rate } = this.sizes;
    const { memory } = this;
    const [, , , rowOf, values] = this.#lists.map((list) => list.at(0));
    const unitStarts = this.#starts[2].at(0);
    const most = Math.min(units, rowsAtOnce(inputs + outputs));
    const [dBefore, dBias, dBehind] = [inputs, 1, outputs].map((length, i) =>
      this.#gradients[i].at(4 * Math.max(most * length, outputs)),
    );
    const [before, bias] = this.#before;
    const [behind, behindBias] = this.#behind;
    for (let first = 0; first < units; first += most) {
      const last = Math.min(units, first + most);
      // prettier-ignore
      memory.kernels.keptGradients(first, last, inputs, outputs, 1 / (1 - rate), x, dOut, behind.at, unitStarts, rowOf, values, dBefore, dBias, dBehind);
      before.update(first * inputs, (last - first) * inputs, dBefore, step);
      bias.update(first, last - first, dBias, step);
      behind.update(first * outputs, (last - first) * outputs, dBehind, step);
    }
    memory.kernels.columnSums(n, outputs, dOut, dBias);
    behindBias.update(0, outputs, dBias, step);
    return 0;
  }

  collect(into: Map<string, StoredTensor>): void {
    const { inputs, units, outputs, before, behind } = this.sizes;
    into.set(`${before}.weight`, float32([units, inputs], this.#before[0].values().slice()));
    into.set(`${before}.bias`, float32([units], this.#before[1].values().slice()));
    into.set(`${behind}.weight`, float32([outputs, units], transposed(this.#behind[0].values(), units, outputs)));
    into.set(`${behind}.bias`, float32([outputs], this.#behind[1].values().slice()));
  }
}

/** Tiles keep both sides in the cache. @param values [rows, columns] @returns [columns, rows] */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const TILE = 32;
  const out = new Float32Array(values.length);
  for (let row0 = 0; row0 < rows; row0 += TILE)
    for (let column0 = 0; column0 < columns; column0 += TILE)
      for (let row = row0; row < Math.min(rows, row0 + TILE); row++)
        for (let column = column0; column < Math.min(columns, column0 + TILE); column++)
          out[column * rows + row] = values[row * columns + column];
  return out;
}
