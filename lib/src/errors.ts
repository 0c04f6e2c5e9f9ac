/**
 * The one error for bad input, importable by every room.
 * The command line prints its message alone (no stack) and exits with 1.
 */
export class InputError extends Error {
  override readonly name = 'InputError';

  /**
   * @param where the file, option or argument at fault, e.g. `a.csv line 3, column key`
   * @param problem what was found and what was expected, and what to do, as one or two sentences
   */
  constructor(
    readonly where: string,
    readonly problem: string,
    options?: { cause?: unknown },
  ) {
    super(`${where}: ${problem}`, options);
  }
}
