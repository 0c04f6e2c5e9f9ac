/** The machine a row was measured on, and which Python there has a peer's modules. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem, type } from 'node:os';
import { initBackend } from 'keymyna/tensor';
import type { PythonModule } from './rows.js';

/** CPU, cores, memory, system, Node and BLAS in a line. */
export async function describeMachine(): Promise<string> {
  const { name, blas } = await initBackend();
  const model = cpus()[0].model.replace(/\s+/g, ' ').trim();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return [
    `${model}, ${availableParallelism()} cores, ${gigabytes} GB`,
    `${type()} ${process.arch}`,
    `Node ${process.version}`,
    `backend ${name}`,
    blas ? `BLAS ${blas}` : 'no BLAS',
  ].join(', ');
}

/** What makes a run differ from what a user has by default, threads above all. */
const NOT_HANDED_ON = /^(OPENBLAS_|OMP_|MKL_|GOTO_|BLIS_|VECLIB_|KEYMYNA_|NODE_OPTIONS$|PYTHON)/;

/** The environment of measured processes: this one without anything that tunes them. */
export function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !NOT_HANDED_ON.test(name));
  return { ...Object.fromEntries(kept), PYTHONDONTWRITEBYTECODE: '1' } as Record<string, string>;
}

const found = new Map<string, string | null>();

/** The first Python that has the module (Debian's own before others, whose packages it does not see), or null. */
export function pythonWith(module: PythonModule): string | null {
  if (!found.has(module)) {
    const candidates = ['/usr/bin/python3', 'python3', 'python'];
    const has = (python: string): boolean => spawnSync(python, ['-c', `import ${module}`], { env: plainEnvironment() }).status === 0; // prettier-ignore
    found.set(module, candidates.find(has) ?? null);
  }
  return found.get(module)!;
}
