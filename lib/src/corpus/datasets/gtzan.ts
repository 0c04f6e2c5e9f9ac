/**
 * GTZAN keys by Kraft and Lerch: one number an excerpt. Layout and numbers as in github.com/alexanderlerch/gtzan_key
 * (KeyEnumeration.txt: 0..11 A major, A# major, ... G# major, 12..23 A minor ... G# minor, -1 modulation or unknown).
 * The 837 excerpts with a key are counted by public code that reads it, not by its author; no artists, no checksums.
 */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { keyOf } from '../../keys/index.js';
import { type KeyLabel, quoted } from './labels.js';
import {
  annotationText,
  assertRoot,
  audioByStem,
  type DatasetItem,
  type DatasetReader,
  MAX_LABEL_BYTES,
  namesIn,
  withoutLabel,
} from './listing.js';

const LAYOUT = 'gtzan_key/genres/<genre>/<genre>.<number>.lerch.txt, genres/<genre>/<genre>.<number>.wav';
const LABEL_FILE = /^(.+)\.lerch\.txt$/;
const KEY_FOLDERS = [
  'gtzan_key/gtzan_key/genres',
  'gtzan_key-master/gtzan_key/genres',
  'gtzan_key/genres',
  'key',
  'genres',
];
const AUDIO_FOLDERS = ['genres', 'genres_original', 'audio', 'wav', 'gtzan_key/genres'];

/** The number of A, from which the labels count. */
const A = 9;

export const gtzanKey: DatasetReader = {
  name: 'gtzan-key',
  title: 'GTZAN keys',
  layout: LAYOUT,
  subsets: [{ name: 'all', what: 'every excerpt with a key', tracks: 837 }],
  published: { listed: null },
  list(root) {
    assertRoot(root, LAYOUT);
    const labelsOf = (folder: string, genre: string): string[] =>
      namesIn(join(root, folder, genre)).filter((name) => LABEL_FILE.test(name));
    const folder = KEY_FOLDERS.find((name) =>
      namesIn(join(root, name)).some((genre) => labelsOf(name, genre).length > 0),
    );
    if (folder === undefined) throw new InputError(root, `holds no <genre>.<number>.lerch.txt; expected ${LAYOUT}`);
    const genres = namesIn(join(root, folder));
    const audio = audioByStem(root, AUDIO_FOLDERS.flatMap((name) => genres.map((genre) => `${name}/${genre}`))); // prettier-ignore
    const items = genres.flatMap((genre) =>
      labelsOf(folder, genre).map((file): DatasetItem => {
        const id = LABEL_FILE.exec(file)![1];
        return {
          id,
          label: readNumber(annotationText(join(root, folder, genre, file), MAX_LABEL_BYTES)),
          audio: audio.get(id) ?? null,
          expectedAudio: `genres/${genre}/${id}.wav`,
          md5: null,
          artist: null,
          labels: { genre },
          outside: null,
        };
      }),
    );
    return { items, problems: withoutLabel(audio, new Set(items.map(({ id }) => id))) };
  },
};

/** A label of this set: a number, from A upwards, major before minor. */
export function readNumber(text: string): KeyLabel {
  const trimmed = text.trim();
  const without = (quirk: 'no key' | 'several keys' | 'unknown', reason: string): KeyLabel => ({
    text: trimmed.slice(0, 200),
    keyId: null,
    quirks: [quirk],
    reason,
  });
  if (trimmed === '-1') return without('no key', 'the label -1 says modulation or unknown key');
  if (/^-?\d+(?:\s+-?\d+)+$/.test(trimmed))
    return without('several keys', `the label ${quoted(trimmed)} has several numbers`);
  const number = /^\d{1,2}$/.test(trimmed) ? Number(trimmed) : NaN;
  if (!(number <= 23)) return without('unknown', `the label ${quoted(trimmed)} is no number from -1 to 23`);
  return { text: trimmed, keyId: keyOf(A + number, number < 12 ? 'major' : 'minor').id, quirks: [], reason: null };
}
