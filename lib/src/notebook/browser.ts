import { existsSync } from 'node:fs';

const ARGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];

const SYSTEM_BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** What to say where there is none. */
export const NO_BROWSER =
  'No Chromium found, so no SVG and PNG pictures are made; everything else works. ' +
  'Install chromium or Google Chrome, or set CHROMIUM to the program.';

/**
 * The headless Chromium that draws static pictures: $CHROMIUM (`none` leaves it out on purpose), the system's, or the
 * one inside the npm package @sparticuz/chromium (Linux x64; unpacked at the first call).
 * @returns its path and arguments, or null if there is none
 */
export async function findBrowser(): Promise<{ executablePath: string; args: string[] } | null> {
  const asked = process.env.CHROMIUM;
  if (asked === 'none') return null;
  if (asked) return existsSync(asked) ? { executablePath: asked, args: ARGS } : null;
  const system = SYSTEM_BROWSERS.find((path) => existsSync(path));
  if (system) return { executablePath: system, args: ARGS };
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  try {
    process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs20.x'; // makes the package unpack libnss3 and the like, too
    const { default: packaged } = await import('@sparticuz/chromium');
    return { executablePath: await packaged.executablePath(), args: [...packaged.args, ...ARGS] };
  } catch {
    return null; // an optional dependency that was not installed
  }
}
