/** Leakage: audio, or an artist, that stands in more than one split. */
import type { Split } from './split.js';

/** What must not be shared between splits, of one track. */
export interface SplitMember {
  readonly id: string;
  readonly split: Split | null;
  /** Artist, family, or whatever else keeps tracks together; null: nothing. */
  readonly group: string | null;
  /** The file, or whatever else names the same sound; null: unknown. */
  readonly sound: string | null;
  /** Checksum of the content, which finds copies under other names; null: unknown. */
  readonly checksum: string | null;
}

export interface Leak {
  readonly kind: 'audio' | 'content' | 'group';
  /** The group, file or checksum. */
  readonly name: string;
  /** One track of each split. */
  readonly first: SplitMember;
  readonly second: SplitMember;
}

/** Every group, file and content in two splits, with the first pair of tracks that shows it, in the order of the tracks. */
export function findLeaks(members: readonly SplitMember[]): Leak[] {
  const leaks: Leak[] = [];
  const first = new Map<string, SplitMember>();
  const found = new Set<string>();
  for (const member of members) {
    if (member.split === null) continue;
    const names: [Leak['kind'], string | null][] = [
      ['audio', member.sound],
      ['content', member.checksum],
      ['group', member.group],
    ];
    for (const [kind, name] of names) {
      if (name === null || name === '') continue;
      const place = `${kind} ${name}`;
      const before = first.get(place);
      if (before === undefined) first.set(place, member);
      else if (before.split !== member.split && !found.has(place)) {
        found.add(place);
        leaks.push({ kind, name, first: before, second: member });
      }
    }
  }
  return leaks;
}

/** A leak as a sentence without its end, which says what to do. */
export function leakSentence({ kind, name, first, second }: Leak): string {
  const places = `in split ${first.split} (as ${first.id}) and in split ${second.split} (as ${second.id})`;
  if (kind === 'audio') return `the same audio is ${places}`;
  if (kind === 'content') return `the same audio (checksum ${name}) is ${places}`;
  return `group "${name}" is in split ${first.split} (track ${first.id}) and in split ${second.split} (track ${second.id})`;
}
