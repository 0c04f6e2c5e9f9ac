/** A real Jupyter on this machine, for tests: the classic Notebook, as Debian has it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';

const ROOT = join(import.meta.dirname, '../..');

/** Whether the classic Notebook is there (version 7 has other menus); says so if not. */
export function hasNotebook(): boolean {
  const { status, stdout } = spawnSync('jupyter', ['notebook', '--version'], { encoding: 'utf8' });
  const has = status === 0 && Number.parseInt(stdout, 10) < 7;
  if (!has) console.warn('Skipped: there is no Jupyter Notebook 6, so notebook 10 is not tried in a browser.');
  return has;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface JupyterServer {
  /** Address of a page, with the token. */
  address(path: string): string;
  stop(): Promise<void>;
  /** What it said so far. */
  log(): string;
}

/** Starts Jupyter over a folder, with the project's kernel and a token of its own; reachable from this machine only. */
export async function startJupyter(folder: string, env: Record<string, string>): Promise<JupyterServer> {
  const port = await freePort();
  const token = randomBytes(16).toString('hex');
  const args = [
    'notebook',
    '--no-browser',
    '--ip=127.0.0.1',
    `--port=${port}`,
    '--port-retries=0',
    `--notebook-dir=${folder}`,
  ];
  const asRoot = process.getuid?.() === 0 ? ['--allow-root'] : [];
  const child = spawn('jupyter', [...args, ...asRoot], {
    cwd: folder,
    env: {
      ...process.env,
      JUPYTER_PATH: join(ROOT, 'jupyter'),
      JUPYTER_TOKEN: token,
      JUPYTER_CONFIG_DIR: join(folder, '.jupyter'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const address = (path: string): string => `http://127.0.0.1:${port}/${path}?token=${token}`;
  const server = { address, stop: () => stop(child, closed), log: () => said };
  const deadline = performance.now() + 120_000;
  while (performance.now() < deadline && child.exitCode === null) {
    const answer = await fetch(address('api/kernelspecs')).catch(() => null);
    if (answer?.ok) return server;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await server.stop();
  throw new Error(`Jupyter did not start:\n${said}`);
}

/** Asks it to end, which ends its kernels too; by force if it does not. */
async function stop(child: ChildProcess, closed: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const late = new Promise((resolve) => setTimeout(resolve, 10_000, 'late').unref());
  if ((await Promise.race([closed, late])) === 'late') child.kill('SIGKILL');
  await closed;
}
