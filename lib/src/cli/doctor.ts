/** `keymyna doctor`: what this machine has, what is in use and why, and what to install for more. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { findBrowser } from '../notebook/index.js';
import { installedVersion, OPTIONAL_PACKAGES, type OptionalPackage } from '../peers/index.js';
import { initBackend, type BackendInfo } from '../tensor/index.js';

interface Report {
  readonly node: string;
  readonly threads: number;
  readonly backend: BackendInfo;
  readonly chromium: string | null;
  readonly jupyter: string | null;
  /** Versions of the packages that `compare` can use; null: not installed. */
  readonly peers: Readonly<Record<string, string | null>>;
  readonly advice: readonly string[];
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine has and what the suite uses of it')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const report = await examine();
      if (json) {
        console.log(JSON.stringify(report, null, 2));
        return;
      }
      const { backend } = report;
      const kernels = backend.accelerated ? ' with the suite’s own kernels' : '';
      const rows: readonly (readonly [string, string])[] = [
        ['Node', report.node],
        ['threads', String(report.threads)],
        ['backend', `${backend.name}${kernels} (${backend.reason})`],
        ['BLAS', backend.blas ?? 'none'],
        ['Chromium', report.chromium ?? 'none'],
        ['Jupyter', report.jupyter ?? 'none'],
        ...Object.entries(report.peers).map(([name, version]) => [name, version ?? 'none'] as const),
      ];
      for (const [name, value] of rows) console.log(`${name.padEnd(16)} ${value}`);
      for (const line of report.advice) console.log(`\n${line}`);
    });
}

async function examine(): Promise<Report> {
  const backend = await initBackend();
  const chromium = (await findBrowser())?.executablePath ?? null;
  const jupyter = findJupyter();
  const advice: string[] = [];
  if (backend.name === 'wasm' && backend.blas === null) {
    advice.push(
      'For faster training: a BLAS. Debian, Ubuntu: apt-get install libopenblas0-pthread. macOS has Accelerate. ' +
        'KEYMYNA_BLAS names a library in another place.',
    );
  }
  if (chromium === null) {
    advice.push('For SVG and PNG pictures: Chromium or Google Chrome; CHROMIUM names one in another place.');
  }
  if (jupyter === null) {
    advice.push('To explore: Jupyter (pip install notebook, or your system’s package), then npm run jupyter.');
  }
  const names = Object.keys(OPTIONAL_PACKAGES) as OptionalPackage[];
  const peers = Object.fromEntries(names.map((name) => [name, installedVersion(name)]));
  const missing = names.filter((name) => peers[name] === null);
  if (missing.length > 0)
    advice.push(
      `For more key detectors in keymyna compare: npm install --no-save ${missing.map((name) => `${name}@${OPTIONAL_PACKAGES[name]}`).join(' ')}`,
    );
  return { node: process.version, threads: availableParallelism(), backend, chromium, jupyter, peers, advice };
}

/** The parts of Jupyter that show or run notebooks, with versions; null without Jupyter. */
function findJupyter(): string | null {
  const { status, stdout } = spawnSync('jupyter', ['--version'], { encoding: 'utf8' });
  if (status !== 0) return null;
  // Lines of `name : version`, among them parts that are not installed.
  const parts = [...stdout.matchAll(/^(notebook|jupyterlab|nbconvert) *: *(\d\S*)$/gm)];
  return parts.map(([, name, version]) => `${name} ${version}`).join(', ') || 'core only';
}
