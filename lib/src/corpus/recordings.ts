/** What readers of files need to know of a recording: how long it is, and which of its items are silent. */
import { InputError } from '../errors.js';
import { headerDuration, SAMPLE_RATE, streamAudio } from '../audio/index.js';
import type { Cache } from '../store/index.js';
import { checksumOf } from './checksum.js';

/** A recording as found; a file that cannot be decoded has a `problem` and no length. */
export interface Recording {
  readonly seconds: number;
  /** Items of `itemSeconds`, counted from 0, that hold nothing but zeros. */
  readonly silentItems: readonly number[];
  readonly problem: string | null;
}

async function examine(path: string, itemSeconds: number, signal?: AbortSignal): Promise<Recording> {
  const itemSamples = Math.round(itemSeconds * SAMPLE_RATE);
  const heard = new Set<number>();
  let nSamples = 0;
  try {
    for await (const piece of streamAudio(path, { signal })) {
      for (let from = 0; from < piece.length;) {
        const item = Math.floor((nSamples + from) / itemSamples);
        const until = Math.min(piece.length, (item + 1) * itemSamples - nSamples);
        if (!heard.has(item) && piece.subarray(from, until).some((value) => value !== 0)) heard.add(item);
        from = until;
      }
      nSamples += piece.length;
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { seconds: 0, silentItems: [], problem: error.problem };
  }
  const items = Array.from({ length: Math.ceil(nSamples / itemSamples) }, (_, item) => item);
  return { seconds: nSamples / SAMPLE_RATE, silentItems: items.filter((item) => !heard.has(item)), problem: null };
}

export interface ExamineOptions {
  /** Remembers what was found by the file's content, so that neither a second run nor a moved folder decodes it again. */
  readonly cache?: Cache;
  /**
   * Takes the length that the header declares, where it is an exact one: nothing is decoded then, and that items are
   * silent or cannot be decoded shows when they are read.
   */
  readonly quick?: boolean;
  readonly signal?: AbortSignal;
}

/** Decodes a file, as a stream, to learn its length and its silent items. @param itemSeconds length of an item */
export async function examineRecording(
  path: string,
  itemSeconds: number,
  { cache, quick, signal }: ExamineOptions = {},
): Promise<Recording> {
  if (quick) {
    const known = byHeader(path);
    if (known) return known;
  }
  if (!cache) return examine(path, itemSeconds, signal);
  const checksum = await checksumOf(path, { cache, signal });
  return cache.json('recording', { checksum, itemSeconds }, () => examine(path, itemSeconds, signal));
}

function byHeader(path: string): Recording | null {
  try {
    const header = headerDuration(path);
    return header?.isExact ? { seconds: header.seconds, silentItems: [], problem: null } : null;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { seconds: 0, silentItems: [], problem: error.problem };
  }
}
