/** `npm run jupyter -- [lab|notebook]`: starts Jupyter with the project's kernel; nothing is installed into it. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const [front = 'notebook', ...rest] = process.argv.slice(2);
const kernels = [join(root, 'jupyter'), process.env.JUPYTER_PATH].filter(Boolean).join(delimiter);
const child = spawn('jupyter', [front, `--notebook-dir=${root}`, ...rest], {
  cwd: root,
  env: { ...process.env, JUPYTER_PATH: kernels },
  stdio: 'inherit',
});
child.on('error', () => {
  console.error('There is no jupyter on this machine; environment.md says how to install it.');
  process.exit(1);
});
child.on('close', (code) => process.exit(code ?? 1));
process.on('SIGINT', () => {}); // Jupyter asks whether to stop; this process ends with it
