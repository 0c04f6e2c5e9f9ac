/** What all commands share: how errors end a run, how Ctrl-C stops it, how options are read, how progress is shown. */
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import type { Progress } from '../workers/index.js';

/** Thrown into running work by Ctrl-C. */
class Stopped extends Error {}

/** Exit code of a program that was stopped by SIGINT. */
const STOPPED_EXIT_CODE = 130;

/** Parses the arguments, runs the command, and turns a failure into a sentence and an exit code. */
export async function runProgram(program: Command, argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof Stopped) {
      console.error(`\n${error.message}`);
      process.exitCode = STOPPED_EXIT_CODE;
      return;
    }
    // An InputError's sentence is all that a reader needs; anything else is a fault of ours and shows where.
    const isInput = error instanceof InputError;
    console.error(isInput ? `keymyna: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/**
 * A signal that Ctrl-C sets: the first one lets the work end in order, a second one ends the process.
 * @param message printed at the end
 */
export function stopSignal(
  message = 'Stopped. What was finished is kept; the same command goes on from there.',
): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new Stopped(message)));
  return controller.signal;
}

/** Reads a whole number in a range. @throws InputError naming the option */
export function wholeNumber(option: string, least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new InputError(`option ${option}`, `found "${text}", expected a whole number ${range}`);
    }
    return value;
  };
}

/** Reads one of several words. @throws InputError naming the option */
export function oneOf<T extends string>(option: string, choices: readonly T[]) {
  return (text: string): T => {
    if (!(choices as readonly string[]).includes(text)) {
      throw new InputError(`option ${option}`, `found "${text}", expected one of ${choices.join(', ')}`);
    }
    return text as T;
  };
}

const PATCHES = ['vertical', 'square', 'hybrid'] as const;

/** What checkpoints of others do not say of themselves. */
export interface CheckpointOptions {
  readonly numHeads?: number;
  readonly patches?: (typeof PATCHES)[number];
}

/** Adds the options of `CheckpointOptions` to a command that reads an encoder. */
export function withCheckpointOptions(command: Command): Command {
  return command
    .option('--num-heads <n>', 'attention heads, where the checkpoint does not say', wholeNumber('--num-heads', 1))
    .option('--patches <variant>', 'where the checkpoint does not say', oneOf('--patches', PATCHES));
}

/** Progress with time left, on standard error; lines instead of a bar where that is no terminal. */
export class ProgressBars {
  private readonly multi = process.stderr.isTTY
    ? new MultiBar(
        {
          format: '{name} {bar} {value}/{total}, {eta_formatted} left {note}',
          stream: process.stderr,
          hideCursor: true,
        },
        Presets.shades_classic,
      )
    : null;
  private readonly bars = new Map<string, SingleBar>();
  private readonly printed = new Map<string, number>();
  private readonly started = new Map<string, { readonly time: number; readonly done: number }>();

  /** A callback that drives the bar called `name`. */
  of(name: string): Progress {
    return (done, total, note = '') => {
      if (!this.multi) {
        // Tenths, so that a log file stays short.
        const tenth = Math.floor((10 * done) / total);
        if (this.printed.get(name) === tenth) return;
        this.printed.set(name, tenth);
        console.error(`${name} ${done}/${total}${this.timeLeft(name, done, total)} ${note}`.trimEnd());
        return;
      }
      let bar = this.bars.get(name);
      if (!bar) this.bars.set(name, (bar = this.multi.create(total, 0, { name, note })));
      bar.setTotal(total);
      bar.update(done, { name, note });
    };
  }

  /** What the work so far lets expect, counted from the first call; nothing under a minute. */
  private timeLeft(name: string, done: number, total: number): string {
    const now = performance.now();
    const start = this.started.get(name);
    if (!start) this.started.set(name, { time: now, done });
    if (!start || done <= start.done || done >= total) return '';
    const minutes = (((now - start.time) / (done - start.done)) * (total - done)) / 60_000;
    return minutes < 1
      ? ''
      : `, ${minutes >= 90 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes)} min`} left`;
  }

  /** Leaves the bars as they are and gives the terminal back. */
  stop(): void {
    this.multi?.stop();
  }
}
