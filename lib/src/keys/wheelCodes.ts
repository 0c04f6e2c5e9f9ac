/** Keys as DJ programs number them around the circle of fifths. */
import { type Key, keyOf } from './key.js';

const CODE = /^(0?[1-9]|1[0-2])\s*([ab]|[dm])$/i;

/**
 * Reads a place on the circle of fifths: Camelot (`8B` is C major, `8A` A minor) or Open Key (`1d` is C major, `1m`
 * A minor). One number more is a fifth up; the letter says which of the two is meant, and the mode.
 *
 * @returns null for everything else
 */
export function parseWheelCode(text: string): Key | null {
  const match = CODE.exec(text.trim());
  if (match === null) return null;
  const letter = match[2].toLowerCase();
  const isCamelot = letter === 'a' || letter === 'b';
  const fifths = Number(match[1]) - (isCamelot ? 8 : 1);
  const isMinor = letter === 'a' || letter === 'm';
  return keyOf(7 * fifths + (isMinor ? 9 : 0), isMinor ? 'minor' : 'major');
}
