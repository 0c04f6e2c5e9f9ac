/** Starts the one headless Chromium that draws static pictures. */
import { findBrowser, NO_BROWSER } from 'keymyna/notebook';
import { chromium, type Browser } from 'playwright-core';

/** A browser, or null if there is none that starts; `log` gets the reason. */
export async function launchBrowser(log: (line: string) => void): Promise<Browser | null> {
  const found = await findBrowser();
  if (found === null) {
    log(NO_BROWSER);
    return null;
  }
  try {
    return await chromium.launch(found);
  } catch (error) {
    log(`${found.executablePath} does not start: ${String(error).split('\n')[0]}\n${NO_BROWSER}`);
    return null;
  }
}
