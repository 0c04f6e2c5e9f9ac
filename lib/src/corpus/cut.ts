/** Parts of recordings: read as a stream, so that neither a long file nor its samples are ever in memory whole. */
import { InputError } from '../errors.js';
import { SAMPLE_RATE, streamAudio } from '../audio/index.js';

/** Longest part that is given as one array, seconds: two hours, 0.46 GB. */
const MAX_SECONDS = 7200;

/**
 * A recording that is read from front to end. What was read last is kept, so that parts that begin inside it, as those of
 * overlapping cuts do, come without decoding anything twice.
 */
class RecordingReader {
  private readonly pieces: AsyncGenerator<Float32Array, void, undefined>;
  /** Samples [from, until) of the recording, in pieces. */
  private held: Float32Array[] = [];
  private from = 0;
  private until = 0;
  private isWhole = false;

  constructor(readonly path: string) {
    this.pieces = streamAudio(path);
  }

  /** Whether the samples from `first` on are still to be had. */
  reaches(first: number): boolean {
    return first >= this.from;
  }

  /** Samples [first, last) or up to the end of the recording, a copy; what lies before `first` is given up. */
  async read(first: number, last: number): Promise<Float32Array<ArrayBuffer>> {
    while (!this.isWhole && this.until < last) {
      const { value } = await this.pieces.next();
      this.giveUp(first);
      if (!value) this.isWhole = true;
      else {
        this.held.push(value);
        this.until += value.length;
      }
      if (this.until - Math.max(first, this.from) > MAX_SECONDS * SAMPLE_RATE)
        throw new InputError(
          this.path,
          `more than ${MAX_SECONDS} s of audio in one track; cut it by the columns start and duration of a manifest`,
        );
    }
    this.giveUp(first);
    const end = Math.min(last, this.until);
    const out = new Float32Array(Math.max(0, end - first));
    let at = this.from;
    for (const piece of this.held) {
      if (at >= end) break;
      const begin = Math.max(0, first - at);
      out.set(piece.subarray(begin, Math.min(piece.length, end - at)), Math.max(0, at - first));
      at += piece.length;
    }
    return out;
  }

  /** Samples of the whole recording, known once its end was read. */
  get length(): number {
    return this.until;
  }

  private giveUp(first: number): void {
    while (this.held.length > 0 && this.from + this.held[0].length <= first) this.from += this.held.shift()!.length;
  }

  async close(): Promise<void> {
    this.held = [];
    await this.pieces.return();
  }
}

/** The file read last, so that the items of one file, read one after the other, decode it once. */
let last: RecordingReader | null = null;
/** Requests wait for each other: they share the reader. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Part of a file as mono at 16 kHz; `start` and `duration` in seconds. The copy is the caller's. Parts in the order of
 * their starts decode the file once, whatever its length.
 * @throws InputError if the file cannot be decoded up to the part's end, the part lies outside it, or is longer than two
 *   hours
 */
export function cutRecording(path: string, start = 0, duration = Infinity): Promise<Float32Array<ArrayBuffer>> {
  const cut = turn.then(() => cutInTurn(path, start, duration));
  turn = cut.catch(() => undefined);
  return cut;
}

async function cutInTurn(path: string, start: number, duration: number): Promise<Float32Array<ArrayBuffer>> {
  const from = Math.round(start * SAMPLE_RATE);
  const to = from + Math.round(duration * SAMPLE_RATE);
  if (last?.path !== path || !last.reaches(from)) {
    await last?.close();
    last = new RecordingReader(path);
  }
  try {
    const samples = await last.read(from, to);
    if (samples.length > 0) return samples;
    throw new InputError(
      path,
      `the cut from ${start} s for ${duration} s lies outside the file, which has ${last.length / SAMPLE_RATE} s`,
    );
  } catch (error) {
    // A failed decoding is not remembered: the file may be mended and tried again.
    last = null;
    throw error;
  }
}

/**
 * As `cutRecording`, piece by piece and of any length: what is before the part is decoded and dropped.
 * @throws InputError as `cutRecording`
 */
export async function* streamRecording(
  path: string,
  { start = 0, duration = Infinity, signal }: { start?: number; duration?: number; signal?: AbortSignal } = {},
): AsyncGenerator<Float32Array, void, undefined> {
  const from = Math.round(start * SAMPLE_RATE);
  const to = from + Math.round(duration * SAMPLE_RATE);
  let at = 0;
  for await (const piece of streamAudio(path, { signal })) {
    const part = piece.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += piece.length;
    if (part.length > 0) yield part;
    if (at >= to) return;
  }
  if (at <= from)
    throw new InputError(
      path,
      `the cut from ${start} s for ${duration} s lies outside the file, which has ${at / SAMPLE_RATE} s`,
    );
}
