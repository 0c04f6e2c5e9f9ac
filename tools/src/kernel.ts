/** The project's kernel in a child process, spoken to over Node's IPC channel: no Jupyter, no Python, no ports. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export interface KernelMessage {
  readonly id?: number;
  readonly msg_type: string;
  readonly content: Record<string, unknown>;
}
/** Jupyter's execute_reply; on an error with its name, message and trace. */
export interface Reply {
  readonly status: 'ok' | 'error' | 'abort';
  readonly ename?: string;
  readonly evalue?: string;
  readonly traceback?: string[];
}
type Listener = (message: KernelMessage) => void;

export const LAUNCHER = join(import.meta.dirname, '../../jupyter/tslab-kernel.cjs');
const KEPT_LOG = 4000; // characters of what a crash leaves on stdout and stderr
const GRACE = 2000; // ms between asking a kernel to end and ending it

/** Resolves with `value` after `ms`; does not keep the process alive. */
export const after = <T>(ms: number, value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(resolve, ms, value).unref());

export class Kernel {
  private log = '';
  private nextId = 1;
  private stopping = false;
  private readonly listeners = new Map<number, Listener>();
  private readonly closed: Promise<void>;
  private readonly dead: Promise<never>;
  private readonly ready: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    onStray: Listener,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (this.log = (this.log + text.toString()).slice(-KEPT_LOG)));
    this.closed = new Promise((resolve) => child.once('close', () => resolve()));
    this.dead = new Promise((_, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (!this.stopping) reject(new Error(`the kernel died (${signal ?? `exit code ${code}`})\n${this.log}`.trim()));
      });
    });
    this.dead.catch(() => {}); // whoever waits for a reply is told
    this.ready = new Promise((resolve) =>
      child.on('message', (message: KernelMessage) => {
        if (message.msg_type === 'ready') resolve();
        else (this.listeners.get(message.id ?? 0) ?? onStray)(message);
      }),
    );
  }

  /**
   * Starts a kernel.
   * @param env added to this process's environment
   * @param onStray gets rejections that no cell awaited
   * @throws Error if it is not ready after `timeoutMs`
   */
  static async start(env: Record<string, string>, onStray: Listener, timeoutMs = 120_000): Promise<Kernel> {
    const child = fork(LAUNCHER, [], {
      execArgv: [],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const kernel = new Kernel(child, onStray);
    const late = after(timeoutMs, 'late');
    if ((await Promise.race([kernel.ready, kernel.dead, late])) === 'late') {
      await kernel.stop();
      throw new Error(`the kernel did not start within ${timeoutMs / 1000} s\n${kernel.log}`);
    }
    return kernel;
  }

  /** Runs a cell; its outputs go to `onOutput` in order. Rejects only if the kernel dies. */
  execute(code: string, onOutput: Listener): Promise<Reply> {
    const id = this.nextId++;
    const reply = new Promise<Reply>((resolve) =>
      this.listeners.set(id, (message) => {
        if (message.msg_type === 'execute_reply') resolve(message.content as unknown as Reply);
        else onOutput(message);
      }),
    );
    this.child.send({ id, content: { code } });
    return Promise.race([reply, this.dead]);
  }

  /** Interrupts the running cell, as Ctrl-C does. */
  interrupt(): void {
    this.child.kill('SIGINT');
  }

  /** Ends the kernel, by force if it does not listen. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    if ((await Promise.race([this.closed, after(GRACE, 'late')])) === 'late') this.child.kill('SIGKILL');
    await this.closed;
  }
}
