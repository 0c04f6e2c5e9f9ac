import { describe, expect, it } from 'vitest';
import { sideBySide } from '../../tools/src/sideBySide.js';

const NAMES = ['a', 'b', 'c', 'd'];
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([1, 2, 9])('%i at once', (atOnce) => {
  it('log in the order of the names, whatever ends first', async () => {
    const said: string[] = [];
    let running = 0;
    let most = 0;
    const result = await sideBySide(
      NAMES,
      atOnce,
      (line) => said.push(line),
      async (name, log) => {
        most = Math.max(most, ++running);
        log(`${name} begins`);
        await after(name === 'a' ? 40 : 5);
        log(`${name} ends`);
        running--;
        return null;
      },
    );
    expect(result).toEqual({ ran: NAMES, failure: null });
    expect(said).toEqual(NAMES.flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect(most).toBe(Math.min(atOnce, NAMES.length));
  });

  it('begin nothing after a failure, and wait for what runs', async () => {
    const ended: string[] = [];
    const run = async (name: string): Promise<string | null> => {
      await after(name === 'b' ? 5 : 20);
      ended.push(name);
      return name === 'b' ? 'b is wrong' : null;
    };
    const { ran, failure } = await sideBySide(NAMES, atOnce, () => {}, run);
    expect(failure).toBe('b is wrong');
    expect([...ended].sort()).toEqual(ran);
    expect(ran).toEqual(atOnce === 9 ? NAMES : ['a', 'b']);
    const thrown = sideBySide(
      NAMES,
      atOnce,
      () => {},
      async (name) => {
        await run(name);
        throw new Error(`no ${name}`);
      },
    );
    await expect(thrown).rejects.toThrow('no a');
  });
});
