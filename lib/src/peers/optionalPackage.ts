/** Packages that are used when a reader has installed them. */
import { createRequire } from 'node:module';
import { InputError } from '../errors.js';

/**
 * Loads an optional package, from the project's node_modules or a folder of NODE_PATH.
 * @param use what it is needed for, as the error says it
 * @throws InputError with the command that installs it; or with the reason why what is installed does not load
 */
export function optionalPackage(name: string, version: string, use: string): unknown {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(name);
  } catch (cause) {
    throw new InputError(name, `is not installed; ${use} needs it: npm install --no-save ${name}@${version}`, {
      cause,
    });
  }
  try {
    return require(name) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(name, `is installed but does not load (${reason.split('\n')[0]}); install it again`, {
      cause,
    });
  }
}
