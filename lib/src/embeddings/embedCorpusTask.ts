/** What one thread of `embedCorpus` runs: an encoder of its own, some tracks at a time, each read as a stream. */
import { trackAudioStream, type Track } from '../corpus/index.js';
import { type Encoder, loadCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { type MelSpectrogram, streamClips, streamMel } from '../mel/index.js';
import { initBackend } from '../tensor/index.js';
import type { Layer } from './embed.js';
import type { EmbeddedUnit, LeftOutTrack } from './partialTable.js';

/** How the clips of a unit are cut and embedded. */
export interface UnitOptions {
  readonly layer: Layer;
  /** frames of a clip, default the encoder's */
  readonly clipFrames?: number;
  /** frames from one clip's start to the next's, default `clipFrames` */
  readonly clipHop?: number;
}

export interface CorpusTaskInit extends UnitOptions {
  readonly checkpointPath: string;
  readonly overrides?: Parameters<typeof loadCheckpoint>[1];
}

/** Clips a forward pass: what it works on stays near the core. */
const BATCH_CLIPS = 16;

interface Clip {
  readonly mel: MelSpectrogram;
  readonly start: 0;
  /** For messages: the track, and its frame that the clip begins at. */
  readonly of: string;
  readonly frame: number;
}

/** Called once per thread; the function it gives embeds the tracks of a unit. */
export async function embedCorpusTask(init: unknown): Promise<(unit: readonly Track[]) => Promise<EmbeddedUnit>> {
  const { checkpointPath, overrides, ...cut } = init as CorpusTaskInit;
  await initBackend({ blasThreads: 1 });
  const { encoder } = loadCheckpoint(checkpointPath, overrides);
  return (unit) => embedUnit(encoder, unit, cut);
}

/** Embeds some tracks, read as streams; one that cannot be read is left out. @throws InputError about the encoder */
export async function embedUnit(
  encoder: Encoder,
  unit: readonly Track[],
  { layer, clipFrames = encoder.config.clipFrames, clipHop = clipFrames }: UnitOptions,
): Promise<EmbeddedUnit> {
  const batches = new Batches(encoder, layer, clipFrames);
  const nClips: number[] = [];
  const leftOut: LeftOutTrack[] = [];
  for (const track of unit) {
    const before = batches.nClips;
    try {
      const clips = streamClips(streamMel(trackAudioStream(track)), clipFrames, clipHop);
      for await (const { mel, start } of clips) batches.add({ mel, start: 0, of: track.id, frame: start });
    } catch (error) {
      if (!(error instanceof InputError) || error instanceof EmbeddingError) throw error;
      batches.forget(before);
      leftOut.push({ id: track.id, problem: problemOf(track, error) });
    }
    nClips.push(batches.nClips - before);
  }
  return { rows: batches.finish(), nClips, leftOut };
}

/** Without the names of the track and of its file, since the id says both. */
function problemOf({ id, source }: Track, error: InputError): string {
  const isNamed = [`track ${id}`, 'melSpectrogram', source.kind === 'file' ? source.path : ''].includes(error.where);
  return isNamed ? error.problem : error.message;
}

/** A fault of the encoder or of its weights, no reason to leave a track out. */
class EmbeddingError extends InputError {}

/** Embeds clips as soon as a batch is full, whatever tracks they are of. */
class Batches {
  private readonly rows: Float32Array[] = [];
  private waiting: Clip[] = [];
  private nEmbedded = 0;

  constructor(
    private readonly encoder: Encoder,
    private readonly layer: Layer,
    private readonly clipFrames: number,
  ) {}

  /** Clips so far, embedded or waiting. */
  get nClips(): number {
    return this.nEmbedded + this.waiting.length;
  }

  add(clip: Clip): void {
    this.waiting.push(clip);
    if (this.waiting.length === BATCH_CLIPS) this.embed();
  }

  /** Drops the clips after the first `n`: those of a track that cannot be read to its end. */
  forget(n: number): void {
    this.waiting.length = Math.max(0, n - this.nEmbedded);
    const { outWidth } = this.encoder;
    for (let last = this.rows.at(-1); last && this.nEmbedded > n; last = this.rows.at(-1)) {
      const first = this.nEmbedded - last.length / outWidth;
      this.rows.pop();
      if (first < n) this.rows.push(last.slice(0, (n - first) * outWidth));
      this.nEmbedded = Math.max(n, first);
    }
  }

  /** [nClips, width] of all that was added. */
  finish(): Float32Array {
    if (this.waiting.length > 0) this.embed();
    const all = new Float32Array(this.nEmbedded * this.encoder.outWidth);
    let at = 0;
    for (const rows of this.rows) {
      all.set(rows, at);
      at += rows.length;
    }
    return all;
  }

  private embed(): void {
    const clips = this.waiting;
    this.waiting = [];
    const where = (clip: Clip): string => `track ${clip.of}, clip from frame ${clip.frame}`;
    try {
      const [tensor] = this.encoder.forwardLayers(clips, [this.layer], { clipFrames: this.clipFrames });
      const rows = tensor.dataSync<'float32'>().slice() as Float32Array;
      tensor.dispose();
      const bad = rows.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        throw new EmbeddingError(
          where(clips[Math.floor(bad / this.encoder.outWidth)]),
          `its embedding holds ${rows[bad]}; expected finite numbers`,
        );
      this.rows.push(rows);
      this.nEmbedded += clips.length;
    } catch (error) {
      if (!(error instanceof InputError) || error instanceof EmbeddingError) throw error;
      const clip = clips[Number(/^clip (\d+)$/.exec(error.where)?.[1])];
      throw new EmbeddingError(clip ? where(clip) : error.where, error.problem, { cause: error });
    }
  }
}
