/** `npm run notebooks -- [--timeout S] [--out-dir D] FILE.ipynb...`: runs notebooks without Jupyter; the files themselves stay as they are. */
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { preset } from 'keymyna/notebook';
import { LAUNCHER } from './kernel.js';
import { runNotebook } from './runNotebook.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { timeout: { type: 'string', default: '1800' }, 'out-dir': { type: 'string' } },
});
const outDir = values['out-dir'] ?? join(LAUNCHER, '../../figures', preset(), 'notebooks');
for (const file of positionals) {
  const result = await runNotebook(file, join(outDir, basename(file)), {
    cellTimeout: Number(values.timeout),
    log: console.log,
  });
  if (result.failure !== null) {
    console.error(result.failure);
    process.exit(1);
  }
}
