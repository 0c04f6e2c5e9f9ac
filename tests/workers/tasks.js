/** Tasks for the pool's tests; plain JavaScript, so that worker threads run the file as it is. */
import { threadId } from 'node:worker_threads';
import { InputError } from '../../lib/dist/errors.js';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Squares; later items finish earlier, so that order is not luck. */
export const square = (init) => async (x) => {
  await wait(x % 2 ? 1 : 8);
  return x * x + (init?.add ?? 0);
};
export const whichThread = () => {
  let served = 0;
  return async () => {
    await wait(5);
    return { threadId, served: served++ };
  };
};
export const arrays = () => (n) => ({
  data: new Float32Array(n).fill(n),
  part: new Float32Array([1, 2, 3]).subarray(1),
  map: new Map([['a', new Int32Array([n])]]),
});
export const refuse = () => async (x) => {
  await wait(x === 3 ? 30 : 1);
  if (x >= 3) throw new InputError(`item ${x}`, 'is bad, a smaller one was expected.');
  return x;
};
export const rangeError = () => () => {
  throw new RangeError('out of range');
};
export const brokenFactory = () => {
  throw new InputError('init', 'is missing.');
};
export const exits = () => () => process.exit(3);
export const unclonable = () => () => () => 1;
export const slow = () => async (x) => {
  await wait(20);
  return x;
};
export const span = () => async (ms) => {
  const begin = Date.now();
  await wait(ms);
  return { begin, end: Date.now() };
};
