/** Written estimates as systems: their tracks are found among ours. */
import { basename, extname } from 'node:path';
import { InputError } from '../errors.js';
import { readText } from '../store/index.js';
import type { KeyAnswer } from './detector.js';
import type { SystemAnswers } from './detectTracks.js';
import { type ProgramEstimates, readEstimates } from './estimatesCsv.js';
import type { EstimatesSpec } from './systems.js';

/** A track as a CSV may name it. */
export interface NamedTrack {
  readonly id: string;
  /** of its audio file, if it has one */
  readonly path: string | null;
}

/**
 * The programs of a CSV file. With a name, of a file with several programs the one that is called so; of a file with one
 * program, what it is called here. Without, all programs of the file by their own names, one without a name by the file's.
 *
 * A row belongs to the track of that id; else to the one track whose file has that path or name, with or without ending.
 * @throws InputError as `readEstimates`, for a program that the file does not hold, and if no row is about any track
 */
export function estimatesSystems({ name, path }: EstimatesSpec, tracks: readonly NamedTrack[]): SystemAnswers[] {
  const programs = readEstimates(readText(path), path);
  const byName = programs.filter(({ program }) => program === name);
  const isOne = programs.length === 1;
  if (name !== null && byName.length === 0 && !isOne)
    throw new InputError(
      path,
      `holds no program "${name}"; it holds ${programs.map(({ program }) => program).join(', ')}`,
    );
  const wanted = name === null || byName.length === 0 ? programs : byName;
  return wanted.map((one) => systemOf(path, name ?? one.program ?? basename(path, extname(path)), one, tracks));
}

function systemOf(
  path: string,
  name: string,
  { answers, problems, notes }: ProgramEstimates,
  tracks: readonly NamedTrack[],
): SystemAnswers {
  const find = trackFinder(tracks);
  const own = { answers: new Map<string, KeyAnswer>(), problems: new Map<string, string>() };
  let foreign = 0;
  let byFile = 0;
  const place = (id: string): string | null => {
    const found = find(id);
    if (found === null) foreign++;
    else if (found !== id) byFile++;
    return found;
  };
  for (const [id, answer] of answers) {
    const found = place(id);
    if (found !== null) own.answers.set(found, answer);
  }
  for (const [id, problem] of problems) {
    const found = place(id);
    if (found !== null) own.problems.set(found, problem);
  }
  if (own.answers.size + own.problems.size === 0)
    throw new InputError(
      path,
      `none of its tracks is one of the ${tracks.length} compared; it names ${JSON.stringify([...answers.keys()].at(0) ?? '')}, ` +
        `they are named such as ${JSON.stringify(tracks.at(0)?.id ?? '')}`,
    );
  for (const { id } of tracks)
    if (!own.answers.has(id) && !own.problems.has(id)) own.problems.set(id, `${path}: has no row for this track`);
  const further = [
    ...(byFile > 0 ? [`${byFile} rows were matched by the name of the audio file`] : []),
    ...(foreign > 0 ? [`${foreign} rows are about tracks that are not compared here`] : []),
  ];
  return { name, ...own, notes: [...notes, ...further] };
}

/** Finds a track's id by what a program calls it; a name that two tracks share finds none. */
function trackFinder(tracks: readonly NamedTrack[]): (name: string) => string | null {
  const ids = new Set(tracks.map(({ id }) => id));
  const byFile = new Map<string, string | null>();
  for (const { id, path } of tracks) {
    if (path === null) continue;
    for (const key of new Set([path, ...namesOf(path)])) byFile.set(key, byFile.has(key) ? null : id);
  }
  return (name) => {
    if (ids.has(name)) return name;
    for (const key of [name, ...namesOf(name)]) {
      const found = byFile.get(key);
      if (found) return found;
    }
    return null;
  };
}

/** A file's name without its folders (`/` or `\`), and without its ending. */
function namesOf(path: string): string[] {
  const file = path.split(/[/\\]/).at(-1)!;
  return [file, file.slice(0, file.length - extname(file).length)];
}
