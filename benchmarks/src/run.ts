/** Runs two sides of a benchmark in turn, each in a process of its own, and makes a row of it. */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { type Answer, type Comparison, median } from './measure.js';
import { type Row, RowSchema } from './results.js';

/** A process to measure. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the row says of it beside its version, e.g. `2 threads`. */
  readonly label?: string;
  /** Measure the whole process by the clock, in place of reading its answer. */
  readonly byClock?: boolean;
}

export interface Job extends Pick<Row, 'name' | 'setting' | 'goal' | 'ratioOf'> {
  readonly ours: Command;
  /** The peer by its settings; the fastest is taken. */
  readonly peers: readonly Command[];
  readonly rounds: number;
  readonly compare: (ours: Answer, peer: Answer) => Comparison;
}

export interface RunOptions {
  readonly machine: string;
  /** yyyy-mm-dd */
  readonly date: string;
  readonly log: (line: string) => void;
}

/**
 * One process of a command.
 *
 * @param timeout milliseconds after which it is ended and null returned; 0 = none
 * @throws Error with the end of its messages if it fails
 */
export async function answerOf(
  command: Command,
  extra: Readonly<Record<string, string>> = {},
  timeout = 0,
): Promise<Answer | null> {
  const { program, args, env, cwd, byClock } = command;
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...env, ...extra }, cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout });
    let [out, messages] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (timeout > 0 && child.killed) return resolve(null);
      if (code !== 0)
        return reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${(messages || out).slice(-2000)}`));
      if (byClock) return resolve({ ms: [performance.now() - begin], mb: 0, check: [], version: '' });
      resolve(JSON.parse(out.trimEnd().split('\n').at(-1)!) as Answer);
    });
  });
}

/** The fastest of the peer's settings, by one short process each. */
async function fastest(peers: readonly Command[], log: RunOptions['log']): Promise<Command> {
  if (peers.length === 1) return peers[0];
  const times: number[] = [];
  let shortest = 0; // of the whole processes, milliseconds
  for (const peer of peers) {
    const begin = performance.now();
    // Threads that wait for each other can be many times slower; three times the best is enough to know that.
    const timeout = shortest === 0 ? 0 : Math.ceil(Math.max(5000, 3 * shortest));
    const answer = await answerOf(peer, { BENCH_CALIBRATE: '1' }, timeout);
    const whole = performance.now() - begin;
    if (answer !== null) shortest = Math.min(shortest || Infinity, whole);
    times.push(answer === null ? Infinity : median(answer.ms));
    log(`  peer with ${peer.label}: ${answer === null ? 'ended, far slower' : `${times.at(-1)!.toFixed(1)} ms`}`);
  }
  return peers[times.indexOf(Math.min(...times))];
}

/**
 * Ours, the peer, ours, the peer, ...: what the machine does meanwhile falls on both.
 *
 * @throws Error if the sides did not do the same work
 */
export async function runJob(job: Job, { machine, date, log }: RunOptions): Promise<Row> {
  const { name, goal, ratioOf, rounds } = job;
  const load = loadavg()[0];
  log(`${name}: ${job.setting} (load ${load.toFixed(2)})`);
  const chosen = await fastest(job.peers, log);
  const ours: Answer[] = [];
  const peers: Answer[] = [];
  let note: string | undefined;
  for (let round = 0; round < rounds; round++) {
    ours.push((await answerOf(job.ours))!);
    peers.push((await answerOf(chosen))!);
    const [a, b] = [ours[round], peers[round]];
    const comparison = job.compare(a, b);
    if (comparison.problem !== null) throw new Error(`${name}: the two sides differ: ${comparison.problem}`);
    note = comparison.note;
    log(`  round ${round + 1}: ours ${median(a.ms).toFixed(1)} ms ${a.mb.toFixed(0)} MB, peer ${median(b.ms).toFixed(1)} ms ${b.mb.toFixed(0)} MB`); // prettier-ignore
  }
  const times = (answers: readonly Answer[]): number[] => answers.map(({ ms }) => median(ms));
  const sizes = (answers: readonly Answer[]): number[] => answers.map(({ mb }) => mb);
  const of = ratioOf === 'ms' ? times : sizes;
  const ratios = of(ours).map((value, round) => value / of(peers)[round]);
  const peer = [peers[0].version, chosen.label].filter(Boolean).join(', ');
  const setting = note === undefined ? job.setting : `${job.setting}; ${note}`;
  const hasSizes = Math.min(...sizes(ours), ...sizes(peers)) > 0;
  return RowSchema.parse({
    name,
    setting,
    peer,
    oursMs: rounded(median(times(ours))),
    peerMs: rounded(median(times(peers))),
    ...(hasSizes && { oursMB: rounded(median(sizes(ours))), peerMB: rounded(median(sizes(peers))) }),
    ratioOf,
    ratio: rounded(median(of(ours)) / median(of(peers))),
    ratioMin: rounded(Math.min(...ratios)),
    ratioMax: rounded(Math.max(...ratios)),
    goal,
    runs: rounds,
    machine,
    load: rounded(load),
    date,
  } satisfies Row);
}

/** Four significant digits: more is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
