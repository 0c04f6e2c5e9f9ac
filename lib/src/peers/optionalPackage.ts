/** Packages that are used when a reader has installed them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';

/** Those of this room, with the versions that it was tested with. */
export const OPTIONAL_PACKAGES = { 'onnxruntime-node': '1.30.0', 'essentia.js': '0.1.3' } as const;
export type OptionalPackage = keyof typeof OPTIONAL_PACKAGES;

/**
 * Loads an optional package, from the project's node_modules or a folder of NODE_PATH.
 * @param use what it is needed for, as the error says it
 * @throws InputError with the command that installs it; or with the reason why what is installed does not load
 */
export function optionalPackage(name: OptionalPackage, use: string): unknown {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(name);
  } catch (cause) {
    throw new InputError(
      name,
      `is not installed; ${use} needs it: npm install --no-save ${name}@${OPTIONAL_PACKAGES[name]}`,
      {
        cause,
      },
    );
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

/** The version that is installed; null without one. */
export function installedVersion(name: OptionalPackage): string | null {
  const { resolve } = createRequire(import.meta.url);
  try {
    // Not every package lets its package.json be resolved: it is looked for above the entry point.
    for (let dir = dirname(resolve(name)); dir !== dirname(dir); dir = dirname(dir)) {
      const { name: found, version } = packageIn(dir);
      if (found === name) return version ?? null;
    }
  } catch {
    // not installed
  }
  return null;
}

function packageIn(dir: string): { readonly name?: string; readonly version?: string } {
  try {
    return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { name?: string; version?: string };
  } catch {
    return {};
  }
}
