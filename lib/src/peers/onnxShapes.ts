/**
 * How clips are laid out for a model: what each of its dimensions is, how long a clip is, how many go in at once. Told
 * from the model's shape where that leaves one possibility only, else from its description.
 */
import { InputError } from '../errors.js';
import type { Axis, OnnxDescription, OnnxInput } from './onnxDescription.js';
import type { OnnxPort } from './onnxRuntime.js';

/** Clips that go in at once where the model leaves it open: what a batch works on stays small. */
const FREE_BATCH = 16;

export interface InputLayout {
  readonly axes: readonly Axis[];
  /** samples or frames of a clip; null: the whole track; 1 for embeddings */
  readonly clip: number | null;
  /** clips that go in at once */
  readonly batch: number;
  /** whether `batch` must be filled up */
  readonly isBatchFixed: boolean;
}

/**
 * @param sizes what the axes `bands` and `width` measure here
 * @throws InputError naming the model: a type or shape that does not fit the description, or what neither says
 */
export function inputLayout(
  model: string,
  port: OnnxPort,
  input: OnnxInput,
  sizes: { readonly bands?: number; readonly width?: number },
): InputLayout {
  const where = `${model}, input ${port.name}`;
  if (!port.isTensor || port.type !== 'float32')
    throw new InputError(where, `takes ${port.type ?? 'no tensor'}; only float32 tensors can be fed`);
  const shape = port.shape ?? [];
  const axes = input.axes ?? sniffedAxes(where, input.kind, shape, sizes.bands);
  const known = axes.map((axis, i) => ({ axis, size: shape[i] }));
  const text = `[${shape.join(', ')}]`;
  if (shape.length > 0 && shape.length !== axes.length)
    throw new InputError(where, `has the shape ${text}, but the description has the axes ${axes.join(', ')}`);
  const sizeOf = (axis: Axis): number | null => {
    const size = known.find((one) => one.axis === axis)?.size;
    return typeof size === 'number' && size > 0 ? size : null;
  };
  for (const [axis, expected] of [
    ['channel', 1],
    ['bands', sizes.bands],
    ['width', sizes.width],
  ] as const) {
    const size = sizeOf(axis);
    if (size !== null && expected !== undefined && size !== expected)
      throw new InputError(where, `has the shape ${text}, ${axis} ${size}; what is fed has ${axis} ${expected}`);
  }
  const batch = axes[0] === 'batch' ? sizeOf('batch') : 1;
  const clip =
    input.kind === 'embedding' ? 1 : clipLength(where, input, sizeOf(input.kind === 'mel' ? 'frames' : 'time'));
  return { axes, clip, batch: clip === null ? 1 : (batch ?? FREE_BATCH), isBatchFixed: batch !== null };
}

function clipLength(
  where: string,
  { kind, clip }: Exclude<OnnxInput, { kind: 'embedding' }>,
  fixed: number | null,
): number | null {
  const unit = kind === 'mel' ? 'frames' : 'samples';
  if (fixed !== null && clip !== null && clip !== fixed)
    throw new InputError(where, `takes clips of ${fixed} ${unit}; the description says ${clip}`);
  if (fixed !== null) return fixed;
  if (clip === null)
    throw new InputError(
      where,
      `takes clips of any length, and nothing says how long those were that the model was trained on; put "clip" into ` +
        `the description's input: a number of ${unit}, or "track" for the whole track at once`,
    );
  return clip === 'track' ? null : clip;
}

/** What the dimensions are, by their number and, for mel, by which of them measures as many as there are bands. */
function sniffedAxes(
  where: string,
  kind: OnnxInput['kind'],
  shape: readonly (number | string)[],
  bands: number | undefined,
): Axis[] {
  const last: Axis[] | null =
    kind === 'audio' ? ['time'] : kind === 'embedding' ? ['width'] : melOrder(shape.slice(-2), bands);
  const before = shape.length - (kind === 'mel' ? 2 : 1);
  const mostBefore = kind === 'embedding' ? 1 : 2;
  if (last === null || before < 0 || before > mostBefore)
    throw new InputError(
      where,
      `has the shape [${shape.join(', ')}], which does not tell what is what for input of kind ${kind}` +
        `${kind === 'mel' ? ` with ${bands} bands` : ''}; put "axes" into the description's input, such as ` +
        `${kind === 'mel' ? '["batch", "channel", "bands", "frames"]' : '["batch", "channel", "time"]'}`,
    );
  return [...(['batch', 'channel'] as const).slice(0, before), ...last];
}

function melOrder(shape: readonly (number | string)[], bands: number | undefined): Axis[] | null {
  const [first, second] = shape.map((size) => size === bands);
  if (shape.length !== 2 || first === second) return null;
  return first ? ['bands', 'frames'] : ['frames', 'bands'];
}

/**
 * The output that holds the keys: by name, else the only one, else `logits`.
 * @throws InputError naming the outputs
 */
export function outputName(model: string, outputs: readonly OnnxPort[], { output }: OnnxDescription): string {
  const names = outputs.map(({ name }) => name);
  const wanted = output.name ?? (names.length === 1 ? names[0] : 'logits');
  const port = outputs.find(({ name }) => name === wanted);
  if (!port)
    throw new InputError(model, `has the outputs ${names.join(', ')}; put the "name" of the keys' one into output`);
  const classes = port.shape?.at(-1);
  if (typeof classes === 'number' && classes > 0 && classes !== output.keys.length)
    throw new InputError(
      `${model}, output ${wanted}`,
      `has the shape [${port.shape!.join(', ')}]; the description has ${output.keys.length} classes, which must be its last`,
    );
  return wanted;
}
