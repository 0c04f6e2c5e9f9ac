/** The audio files that paths stand for. */
import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AUDIO_ENDINGS } from '../corpus/index.js';

export interface FoundAudio {
  /** Files given are taken whatever their names; of folders the audio files, sorted; none comes twice. */
  readonly files: readonly string[];
  /** What is not there or cannot be looked into, and folders without audio. */
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
}

/**
 * Files as they are, folders searched through. Hidden files and folders are left out; links to folders are not followed,
 * as they may lead in circles.
 */
export function findAudio(paths: readonly string[]): FoundAudio {
  const files = new Map<string, string>();
  const problems: { path: string; problem: string }[] = [];
  const take = (path: string): void => {
    const id = resolve(path);
    if (!files.has(id)) files.set(id, path);
  };
  const lookInto = (folder: string): string[] => {
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      problems.push({ path: folder, problem: reasonOf(error) });
      return [];
    }
    return entries
      .filter(({ name }) => !name.startsWith('.'))
      .flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return lookInto(path);
        const isFile = entry.isFile() || (entry.isSymbolicLink() && isFileAt(path));
        return isFile && AUDIO_ENDINGS.test(entry.name) ? [path] : [];
      });
  };
  for (const path of paths) {
    let stat: Stats;
    try {
      stat = statSync(path);
    } catch (error) {
      problems.push({ path, problem: reasonOf(error) });
      continue;
    }
    if (stat.isDirectory()) {
      const before = problems.length;
      const found = lookInto(path).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      found.forEach(take);
      if (found.length === 0 && problems.length === before)
        problems.push({ path, problem: 'no audio file was found in this folder; wav, flac, mp3, ogg and opus are read.' }); // prettier-ignore
    } else if (stat.isFile()) take(path);
    else problems.push({ path, problem: 'this is neither a file nor a folder.' }); // a pipe would be waited for
  }
  return { files: [...files.values()], problems };
}

const isFileAt = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file or folder; check the path.';
  if (code === 'EACCES' || code === 'EPERM') return 'this may not be read (permission denied).';
  return `this cannot be read (${message}).`;
}
