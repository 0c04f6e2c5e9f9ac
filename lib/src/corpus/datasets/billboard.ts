/**
 * McGill Billboard keys (625 files): one key a song, the artist in the name of the file. Layout as read by
 * github.com/stefan-baumann/inceptionkeynet. Billboard has songs twice; they share an artist, so a group keeps them together.
 */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { readLabel } from './labels.js';
import {
  annotationText,
  assertRoot,
  audioByStem,
  type DatasetItem,
  type DatasetProblem,
  type DatasetReader,
  MAX_LABEL_BYTES,
  namesIn,
  withoutLabel,
} from './listing.js';

const LAYOUT = 'key/mcgill-billboard_<id>-<Artist>-<Title>.key, audio/ with the same names';
const KEY_FILE = /^mcgill-billboard_([^-]+)-(.+)\.key$/;
const KEY_FOLDERS = ['key', 'annotations/key', 'keys', ''];
const AUDIO_FOLDERS = ['audio', 'mp3', 'wav', ''];

export const billboardKey: DatasetReader = {
  name: 'billboard-key',
  title: 'McGill Billboard keys',
  layout: LAYOUT,
  subsets: [{ name: 'all', what: 'every song', tracks: 625 }],
  published: { listed: 625 },
  list(root, _subset, otherModes) {
    assertRoot(root, LAYOUT);
    const folder = KEY_FOLDERS.find((name) => namesIn(join(root, name)).some((file) => KEY_FILE.test(file)));
    if (folder === undefined)
      throw new InputError(root, `holds no mcgill-billboard_<id>-<Artist>-<Title>.key; expected ${LAYOUT}`);
    const audio = audioByStem(root, AUDIO_FOLDERS);
    const problems: DatasetProblem[] = [];
    const items: DatasetItem[] = [];
    for (const file of namesIn(join(root, folder)).filter((name) => name.endsWith('.key'))) {
      const match = KEY_FILE.exec(file);
      if (!match) {
        problems.push({ kind: 'annotation', id: file, reason: `the name is none of ${LAYOUT}` });
        continue;
      }
      const stem = file.slice(0, -'.key'.length);
      const [, id, names] = match;
      // An artist with a hyphen cannot be told from the title; the part before the first one groups too much at worst.
      const [artist, ...title] = names.split('-');
      const text = annotationText(join(root, folder, file), MAX_LABEL_BYTES).replace(/^\uFEFF/, '');
      items.push({
        id: `mcgill-billboard_${id}`,
        label: readLabel(text.replace(/(?:\r?\n)+$/, ''), otherModes),
        audio: audio.get(stem) ?? null,
        expectedAudio: `audio/${stem}.mp3 (or wav, flac, ogg)`,
        md5: null,
        artist: spaced(artist),
        labels: { title: spaced(title.join('-')) },
        outside: null,
      });
    }
    assertUnique(root, items);
    const stems = new Set(namesIn(join(root, folder)).map((name) => name.replace(/\.key$/, '')));
    const ours = new Map([...audio].filter(([stem]) => stem.startsWith('mcgill-billboard_')));
    return { items, problems: [...problems, ...withoutLabel(ours, stems)] };
  },
};

const spaced = (name: string): string => name.replace(/_/g, ' ').trim();

function assertUnique(root: string, items: readonly DatasetItem[]): void {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id)) throw new InputError(root, `two .key files have the id ${id}; expected one a song`);
    seen.add(id);
  }
}
