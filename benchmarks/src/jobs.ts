/** From a row of the table to processes: inputs written, both sides' commands, the peer's settings. */
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeJson } from 'keymyna/store';
import { plainEnvironment, pythonWith } from './machine.js';
import { type Benchmark, compareChecks, type Setting } from './measure.js';
import { type BenchmarkRow, DEBIAN_PACKAGES, type PythonModule } from './rows.js';
import type { Command, Job } from './run.js';

const PEERS = join(import.meta.dirname, '../peers');

/** Why the row's peer cannot run here, in words; null if it can. */
export function missingPeer({ peer }: BenchmarkRow): string | null {
  if ('npm' in peer) {
    try {
      createRequire(import.meta.url).resolve(peer.npm);
      return null;
    } catch {
      return `the npm package ${peer.npm} is not installed (npm ci)`;
    }
  }
  const missing = peer.needs.filter((module) => pythonWith(module) === null);
  if (missing.length === 0) return null;
  const packages = missing.map((module) => DEBIAN_PACKAGES[module]).join(' ');
  return `no Python here has ${missing.join(' and ')} (Debian: apt-get install ${packages})`;
}

/** Writes the inputs of a row into a new folder and says what is to be run. */
export async function jobOf(
  row: BenchmarkRow,
  options: { readonly quick: boolean; readonly runs: number | null },
): Promise<{ job: Job; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), `bench-${row.name}-`));
  const setting: Setting = options.quick ? { ...row.setting, ...row.quick } : row.setting;
  writeJson(join(folder, 'setting.json'), { ...setting, calibrate: options.quick ? {} : (row.calibrate ?? {}) });
  const benchmark = (await import(/* @vite-ignore */ `./${row.module}.js`)) as Benchmark;
  await benchmark.writeInputs(folder, setting);
  const env = plainEnvironment();
  const node = (module: string): Command => ({
    program: process.execPath,
    args: [join(import.meta.dirname, 'child.js'), module, folder],
    env,
  });
  const job: Job = {
    name: row.name,
    setting: row.title,
    goal: row.goal,
    ratioOf: row.ratioOf,
    ours: { ...node(row.module), env: { ...env, ...row.env } },
    peers: 'npm' in row.peer ? [node(row.peer.module)] : pythonPeers(row, row.peer, folder, env),
    rounds: row.rounds === 1 ? 1 : (options.runs ?? row.rounds),
    compare: (ours, peer) => benchmark.compare?.(ours, peer, folder) ?? compareChecks(ours, peer),
  };
  return { job, folder };
}

/** One thread, all, and all of them asleep (not spinning) while they wait: which is fastest differs by machine and work. */
function pythonPeers(
  row: BenchmarkRow,
  { python, needs }: { readonly python: string; readonly needs: readonly PythonModule[] },
  folder: string,
  env: Readonly<Record<string, string>>,
): Command[] {
  const program = pythonWith(needs[0])!;
  const peer = (threads: number, label?: string, extra: Record<string, string> = {}): Command => ({
    program,
    args: [join(PEERS, python), folder, `${threads}`],
    env: { ...env, ...extra },
    label,
  });
  const all = availableParallelism();
  if (!row.calibrate) return [peer(all)];
  if (all === 1) return [peer(1, '1 thread')];
  return [
    peer(1, '1 thread'),
    peer(all, `${all} threads`),
    peer(all, `${all} threads, OMP_WAIT_POLICY=PASSIVE`, { OMP_WAIT_POLICY: 'PASSIVE' }),
  ];
}
