/** What every benchmark shares: its setting, what a measured process answers with, how close two answers must be. */
import { join } from 'node:path';
import { readJson } from 'keymyna/store';

/** Sizes and counts of a benchmark, by name; the peer reads the same ones from setting.json. */
export type Setting = Readonly<Record<string, number>>;

/** What one measured process answers with, as one line of JSON. */
export interface Answer {
  /** Milliseconds of each repeat, after the warm-up. */
  readonly ms: readonly number[];
  /** Largest resident set of the process, MB (2^20 bytes). */
  readonly mb: number;
  /** Numbers that must come out alike on both sides: losses, embeddings, bands. */
  readonly check: readonly number[];
  /** Name and version of a peer; empty for ours. */
  readonly version: string;
}

/** Whether both sides did the same work. */
export interface Comparison {
  /** What differs, in words; null if nothing does. */
  readonly problem: string | null;
  /** What the row should say of it, e.g. the divergence that both reached. */
  readonly note?: string;
}

/** A file of this folder that holds one kind of work. */
export interface Benchmark {
  /** Writes what both sides read into an empty folder. */
  writeInputs(folder: string, setting: Setting): Promise<void> | void;
  /** Our side, in a process of its own. */
  measure(folder: string, setting: Setting): Promise<Pick<Answer, 'ms' | 'check'>>;
  /** Default: `compareChecks`. */
  compare?(ours: Answer, peer: Answer, folder: string): Comparison;
}

/** The setting that the runner wrote into the folder. */
export function readSetting(folder: string): Setting {
  return readJson(join(folder, 'setting.json')) as Setting;
}

/** Milliseconds of each repeat of `run`, after some that are not counted. */
export async function timed(run: () => unknown, options: { warmUp: number; repeats: number }): Promise<number[]> {
  const times: number[] = [];
  for (let i = -options.warmUp; i < options.repeats; i++) {
    const begin = performance.now();
    await run();
    if (i >= 0) times.push(performance.now() - begin);
  }
  return times;
}

/** Equal checks within a tolerance relative to the larger of 1 and the peer's value. */
export function compareChecks(ours: Pick<Answer, 'check'>, peer: Pick<Answer, 'check'>, tolerance = 1e-3): Comparison {
  if (ours.check.length !== peer.check.length)
    return { problem: `${ours.check.length} numbers to check, the peer has ${peer.check.length}` };
  const wrong = ours.check.findIndex((x, i) => !(Math.abs(x - peer.check[i]) <= tolerance * Math.max(1, Math.abs(peer.check[i])))); // prettier-ignore
  return { problem: wrong < 0 ? null : `number ${wrong} is ${ours.check[wrong]}, the peer has ${peer.check[wrong]}` };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
