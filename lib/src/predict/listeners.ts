/** From clips of one recording to logits: through their embeddings, or through the notes heard in them. C clips, K = 24. */
import { concatenate } from '../audio/index.js';
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import { buildTable } from '../embeddings/index.js';
import type { Encoder } from '../encoder/index.js';
import { InputError } from '../errors.js';
import type { MelClip } from '../mel/index.js';
import {
  BIN_FRAMES,
  binActivity,
  ClipJoiner,
  logitsOverPitches,
  MOMENT_WINDOWS,
  noteWindows,
  TOKEN_FRAMES,
  tokensOf,
  transcribeClips,
  type Transcriber,
  WHOLE_WINDOWS,
  type WindowPlan,
  windowStatistics,
} from '../notes/index.js';
import type { Probe } from '../probe/index.js';

/** Clips and what a head says of them. */
export interface ClipLogits {
  /** In frames. */
  readonly spans: readonly { readonly start: number; readonly frames: number }[];
  /** [C, K] */
  readonly logits: Float32Array;
}

export interface Answers {
  readonly clips: ClipLogits;
  readonly moments: ClipLogits;
}

/** Hears a recording batch by batch. */
export interface Listener {
  /** Whether it hears clips that overlap by half, up to the end, the last one padded; else those that it asks for. */
  readonly hearsAll: boolean;
  hear(clips: readonly MelClip[]): void;
  /** @param nFrames of the whole recording */
  answers(nFrames: number): Answers;
}

/** Rows that wait for the head, which is set up anew for each call. */
const HEAD_ROWS = 512;

/** A head on embeddings: each clip by itself. */
export class ClipListener implements Listener {
  readonly hearsAll = false;
  private readonly spans: { start: number; frames: number }[] = [];
  private rows: Float32Array[] = [];
  private waiting = 0;
  private readonly logits: Float32Array[] = [];

  constructor(
    private readonly encoder: Encoder,
    private readonly probe: Probe,
  ) {}

  hear(clips: readonly MelClip[]): void {
    const [embedded] = this.encoder.forwardLayers(clips.map(({ mel }) => ({ mel, start: 0 })), ['output']); // prettier-ignore
    this.rows.push(Float32Array.from(embedded.dataSync<'float32'>()));
    embedded.dispose();
    for (const { start, mel } of clips) this.spans.push({ start, frames: mel.nFrames });
    this.waiting += clips.length;
    if (this.waiting >= HEAD_ROWS) this.ask();
  }

  answers(): Answers {
    if (this.waiting > 0) this.ask();
    const clips = { spans: this.spans, logits: concatenate(this.logits) };
    return { clips, moments: clips };
  }

  private ask(): void {
    const embeddings = concatenate(this.rows);
    this.logits.push(this.probe.clipLogits(buildTable(['recording'], [embeddings], this.encoder.outWidth)));
    this.rows = [];
    this.waiting = 0;
  }
}

/** A head on the statistics of notes: what is heard is kept as notes, and windows of them are asked about at the end. */
export class NoteListener implements Listener {
  readonly hearsAll = true;
  private readonly joiner: ClipJoiner;

  /** @param hop frames from window to window. @throws InputError if it is no whole number of bins */
  constructor(
    private readonly encoder: Encoder,
    private readonly transcriber: Transcriber,
    private readonly probe: Probe,
    private readonly hop: number,
  ) {
    if (!(Number.isInteger(hop / BIN_FRAMES) && hop > 0))
      throw new InputError(
        'clipHop',
        `${hop} frames; a model that reads notes takes a multiple of ${BIN_FRAMES}, such as ${WHOLE_WINDOWS.hop * BIN_FRAMES}.`,
      );
    this.joiner = new ClipJoiner(encoder.config.clipFrames / TOKEN_FRAMES);
  }

  hear(clips: readonly MelClip[]): void {
    const ofTracks = clips.map(({ mel }) => ({ mel, start: 0 }));
    this.joiner.add(transcribeClips(this.encoder, this.transcriber, ofTracks));
  }

  answers(nFrames: number): Answers {
    const bins = binActivity(this.joiner.end(tokensOf(nFrames)));
    const ask = (plan: WindowPlan): ClipLogits => {
      const windows = noteWindows(bins.length / ACTIVITY_CHANNELS, plan);
      return {
        spans: windows.map(({ start, length }) => ({ start: start * BIN_FRAMES, frames: length * BIN_FRAMES })),
        logits: logitsOverPitches(this.probe, windowStatistics(bins, windows)),
      };
    };
    return { clips: ask({ ...WHOLE_WINDOWS, hop: this.hop / BIN_FRAMES }), moments: ask(MOMENT_WINDOWS) };
  }
}
