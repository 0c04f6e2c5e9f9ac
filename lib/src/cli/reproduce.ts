/** `keymyna reproduce`: hands over to the project's runner, which is no part of the library. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { InputError } from '../errors.js';

export function registerReproduce(program: Command): void {
  program
    .command('reproduce')
    .description('run the notebooks and draw every figure (options as of npm run reproduce)')
    .allowUnknownOption()
    .argument('[options...]')
    .action(async (_: readonly string[], __: object, command: Command) => {
      const runner = fileURLToPath(new URL('../../../tools/dist/reproduce.js', import.meta.url));
      if (!existsSync(runner)) {
        throw new InputError('keymyna reproduce', 'the notebook runner is not built; run npm run build in the project');
      }
      process.on('SIGINT', () => undefined); // the runner gets it too and ends in order
      process.exitCode = await new Promise<number>((resolve) => {
        const child = spawn(process.execPath, [runner, ...command.args], { stdio: 'inherit' });
        child.on('close', (code) => resolve(code ?? 1));
      });
    });
}
