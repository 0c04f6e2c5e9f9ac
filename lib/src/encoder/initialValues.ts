/** What weights are before the first step. */
import { sizeOf } from '../store/index.js';
import type { Rng } from '../tensor/index.js';

/**
 * PyTorch's default initialisation by names and shapes: Linear weights [outputs, inputs] and their biases uniform within
 * 1 / sqrt(inputs), gains (other names that end in `weight`) 1, all else 0. Each draws from `rng.fork(name)`; `rng`
 * does not advance.
 */
export function initialValues(shapes: ReadonlyMap<string, readonly number[]>, rng: Rng): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  for (const [name, shape] of shapes) {
    const data = new Float32Array(sizeOf(shape));
    const weightShape = shapes.get(name.replace(/bias$/, 'weight')) ?? shape;
    if (weightShape.length === 2) {
      const bound = 1 / Math.sqrt(weightShape[1]);
      const own = rng.fork(name);
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * own.uniform() - 1);
    } else if (name.endsWith('weight')) data.fill(1);
    values.set(name, data);
  }
  return values;
}
