import { describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { parallelMap } from '../../lib/src/workers/index.js';

const tasks = new URL('./tasks.js', import.meta.url);
const items = Array.from({ length: 23 }, (_, i) => i);

describe.each([1, 2, 3])('parallelMap with %i threads', (threads) => {
  it('results in the order of the items, init reaches the factory, progress counts up', async () => {
    const seen: number[] = [];
    const results = await parallelMap<number, number>(tasks, 'square', items, {
      threads,
      init: { add: 5 },
      onProgress: (done, total) => seen.push(done + total * 100),
    });
    expect(results).toEqual(items.map((x) => x * x + 5));
    expect(seen).toEqual(items.map((i) => 2301 + i));
  });

  it('onResult takes each result with its index, none is kept, an error in it ends all', async () => {
    const seen = new Map<number, number>();
    const take = (index: number, result: number): void => void seen.set(index, result);
    const kept = await parallelMap<number, number>(tasks, 'square', items, {
      threads,
      init: { add: 5 },
      onResult: take,
    });
    expect(kept).toEqual([]);
    expect([...seen].sort(([a], [b]) => a - b)).toEqual(items.map((x) => [x, x * x + 5]));
    const full = (): void => {
      throw new Error('disk full');
    };
    await expect(parallelMap(tasks, 'square', items, { threads, init: { add: 5 }, onResult: full })).rejects.toThrow(
      'disk full',
    );
  });

  it('one factory a thread, no more threads than items', async () => {
    const answers = await parallelMap<number, { threadId: number; served: number }>(tasks, 'whichThread', items, {
      threads,
    });
    const byThread = new Map<number, number>();
    for (const { threadId } of answers) byThread.set(threadId, (byThread.get(threadId) ?? 0) + 1);
    expect(byThread.size).toBe(threads);
    const one = await parallelMap<number, { threadId: number }>(tasks, 'whichThread', [1], { threads });
    expect(one[0].threadId).toBe(0);
    expect(await parallelMap(tasks, 'whichThread', [], { threads })).toEqual([]);
  });

  it('an item begins after those that it needs have ended, and does not hold up others', async () => {
    const needs = [[], [], [0], [0, 2], [], [1, 3]];
    const spans = await parallelMap<number, { begin: number; end: number }>(tasks, 'span', [90, 10, 10, 10, 10, 10], {
      threads,
      needs: (index) => needs[index],
    });
    needs.forEach((needed, i) =>
      needed.forEach((before) => expect(spans[i].begin).toBeGreaterThanOrEqual(spans[before].end)),
    );
    if (threads > 1) expect(spans[4].begin).toBeLessThan(spans[2].begin);
    const failing = parallelMap(tasks, 'refuse', items, { threads, needs: (index) => (index > 3 ? [3] : []) });
    await expect(failing).rejects.toThrow('item 3: is bad');
    const circular = parallelMap(tasks, 'square', items, { threads: 2, needs: () => [1] });
    await expect(circular).rejects.toThrow('only items before it can be needed');
  });

  it('typed arrays, views and maps arrive whole', async () => {
    const [a, b] = await parallelMap<number, { data: Float32Array; part: Float32Array; map: Map<string, Int32Array> }>(
      tasks,
      'arrays',
      [2, 3],
      { threads },
    );
    expect(a.data).toEqual(new Float32Array([2, 2]));
    expect(b.data).toEqual(new Float32Array([3, 3, 3]));
    expect(Array.from(b.part)).toEqual([2, 3]);
    expect(b.map.get('a')).toEqual(new Int32Array([3]));
  });

  it('the error of the first failing item, as what it was', async () => {
    const error = await parallelMap(tasks, 'refuse', items, { threads }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      name: 'InputError',
      where: 'item 3',
      message: 'item 3: is bad, a smaller one was expected.',
    });
    if (threads > 1) expect(error).toBeInstanceOf(InputError);
    await expect(parallelMap(tasks, 'rangeError', items, { threads })).rejects.toMatchObject({
      name: 'RangeError',
      message: 'out of range',
    });
    await expect(parallelMap(tasks, 'brokenFactory', items, { threads })).rejects.toThrow('init: is missing.');
    await expect(parallelMap(tasks, 'notThere', items, { threads })).rejects.toThrow(/exports no function notThere/);
    await expect(parallelMap(new URL('./none.js', import.meta.url), 'x', items, { threads })).rejects.toThrow();
  });

  it('abort: what runs is finished, the reason is thrown', async () => {
    const controller = new AbortController();
    let done = 0;
    const running = parallelMap<number, number>(tasks, 'slow', items, {
      threads,
      signal: controller.signal,
      onProgress: (n) => {
        done = n;
        if (n === 4) controller.abort(new Error('stopped by the user'));
      },
    });
    await expect(running).rejects.toThrow('stopped by the user');
    expect(done).toBeGreaterThanOrEqual(4);
    expect(done).toBeLessThanOrEqual(4 + threads - 1);
    await expect(parallelMap(tasks, 'slow', items, { threads, signal: controller.signal })).rejects.toThrow(
      'stopped by the user',
    );
  });

  it('an error in onProgress ends it', async () => {
    const onProgress = (): void => {
      throw new Error('no screen');
    };
    await expect(parallelMap(tasks, 'square', items, { threads, onProgress })).rejects.toThrow('no screen');
  });
});

describe('threads only', () => {
  it('a thread that dies or answers with a function is reported', async () => {
    await expect(parallelMap(tasks, 'exits', items, { threads: 2 })).rejects.toThrow(/ended by itself \(exit code 3\)/);
    await expect(parallelMap(tasks, 'unclonable', items, { threads: 2 })).rejects.toThrow(/could not be cloned/);
    await expect(parallelMap(tasks, 'square', [1, () => 2, 3], { threads: 2 })).rejects.toThrow(/could not be cloned/);
  });

  it('less than one thread is refused', async () => {
    for (const threads of [0, NaN, -1])
      await expect(parallelMap(tasks, 'square', items, { threads })).rejects.toThrow(InputError);
  });

  it('modules of the library by source or compiled address, in this thread and in threads', async () => {
    for (const name of ['audio/wav.js', 'audio/wav.ts']) {
      const module = new URL(`../../lib/src/${name}`, import.meta.url);
      for (const threads of [1, 2]) {
        // encodeWav as factory throws an InputError: it was found, loaded and called
        await expect(parallelMap(module, 'encodeWav', [1, 2], { threads })).rejects.toThrow(
          /encodeWav: the sample rate|length/,
        );
      }
    }
  });
});
