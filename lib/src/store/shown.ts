/** Most characters of a foreign value that an error message repeats. */
const MOST = 80;

/**
 * A value from a file as an error message shows it: JSON, shortened. Lists and objects are told by their size alone
 * beyond one level, so that a deeply nested one costs nothing.
 */
export function shown(value: unknown): string {
  if (Array.isArray(value))
    return cut(`[${value.slice(0, 8).map(brief).join(', ')}${value.length > 8 ? ', ...' : ''}]`);
  return brief(value);
}

function brief(value: unknown): string {
  if (typeof value === 'string') return cut(JSON.stringify(value.slice(0, MOST + 1)));
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return cut(String(value));
}

function cut(text: string): string {
  return text.length > MOST ? `${text.slice(0, MOST)}...` : text;
}
