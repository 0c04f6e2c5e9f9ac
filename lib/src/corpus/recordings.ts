/** What readers of files need to know of a recording: how long it is, and which of its items are silent. */
import { statSync } from 'node:fs';
import { InputError } from '../errors.js';
import { decodeAudio, loadAudio, rms, SAMPLE_RATE } from '../audio/index.js';
import type { Cache } from '../store/index.js';

/** A recording as found; a file that cannot be decoded has a `problem` and no length. */
export interface Recording {
  readonly seconds: number;
  /** Items of `itemSeconds`, counted from 0, that hold nothing but zeros. */
  readonly silentItems: readonly number[];
  readonly problem: string | null;
}

async function examine(path: string, itemSeconds: number): Promise<Recording> {
  try {
    const { channels, sampleRate } = await decodeAudio(path);
    const itemSamples = Math.round(itemSeconds * sampleRate);
    const silentItems: number[] = [];
    for (let item = 0; item * itemSamples < channels[0].length; item++) {
      const isSilent = channels.every((c) => rms(c.subarray(item * itemSamples, (item + 1) * itemSamples)) === 0);
      if (isSilent) silentItems.push(item);
    }
    return { seconds: channels[0].length / sampleRate, silentItems, problem: null };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { seconds: 0, silentItems: [], problem: error.problem };
  }
}

/**
 * Decodes a file once to learn its length; with a cache, only once for all runs as long as the file's size and time of
 * change stay the same.
 */
export async function examineRecording(path: string, itemSeconds: number, cache?: Cache): Promise<Recording> {
  if (!cache) return examine(path, itemSeconds);
  const { size, mtimeMs } = statSync(path);
  return cache.json('recording', { path, size, mtimeMs, itemSeconds }, () => examine(path, itemSeconds));
}

/** The last file decoded, so that cutting ten items from one file decodes it once. */
let last: { path: string; samples: Promise<Float32Array> } | null = null;

/** Part of a file as mono at 16 kHz; `start` and `duration` in seconds. The copy is the caller's. */
export async function cutRecording(path: string, start = 0, duration = Infinity): Promise<Float32Array<ArrayBuffer>> {
  if (last?.path !== path) {
    const samples = loadAudio(path);
    const entry = { path, samples };
    last = entry;
    // A failed decoding is not remembered: the file may be mended and tried again.
    samples.catch(() => {
      if (last === entry) last = null;
    });
  }
  const samples = await last.samples;
  const from = Math.round(start * SAMPLE_RATE);
  const to = Math.min(samples.length, from + Math.round(Math.min(duration, samples.length) * SAMPLE_RATE));
  if (from >= to) {
    throw new InputError(
      path,
      `the cut from ${start} s for ${duration} s lies outside the file, which has ${samples.length / SAMPLE_RATE} s`,
    );
  }
  return samples.slice(from, to) as Float32Array<ArrayBuffer>;
}
