/** Several things at once that are told of as if they had run one after the other. */

/**
 * Runs `run` for each name, `atOnce` at a time, begun in order. What they log comes in the order of the names: lines of
 * a later one are held back until those before it have ended. After a failure no further one is begun.
 *
 * @param run gives what went wrong, or null
 * @returns the names that ran and the failure of the earliest that failed
 * @throws what the earliest that threw has thrown, once all have ended
 */
export async function sideBySide(
  names: readonly string[],
  atOnce: number,
  log: (line: string) => void,
  run: (name: string, log: (line: string) => void) => Promise<string | null>,
): Promise<{ ran: string[]; failure: string | null }> {
  const held: string[][] = names.map(() => []);
  const outcomes: ({ failure: string | null } | { error: unknown } | undefined)[] = names.map(() => undefined);
  let heard = 0; // whose lines are logged as they come
  let next = 0;
  const isFailed = () => outcomes.some((outcome) => outcome && !('failure' in outcome && outcome.failure === null));
  const runNext = async (): Promise<void> => {
    while (next < names.length && !isFailed()) {
      const i = next++;
      const logOne = (line: string) => (i === heard ? log(line) : void held[i].push(line));
      outcomes[i] = await run(names[i], logOne).then(
        (failure) => ({ failure }),
        (error: unknown) => ({ error }),
      );
      while (heard < names.length && outcomes[heard]) {
        heard++;
        for (const line of held[heard]?.splice(0) ?? []) log(line);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, names.length) }, runNext));
  const bad = outcomes.find((outcome) => outcome && !('failure' in outcome && outcome.failure === null));
  if (bad && 'error' in bad) throw bad.error;
  return { ran: names.filter((_, i) => outcomes[i]), failure: bad?.failure ?? null };
}
