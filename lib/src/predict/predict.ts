/**
 * From a recording to its key, as a stream: of the recording at most the notes heard in it are kept. Letters: C clips,
 * K = 24 keys.
 */
import { concatenate, headerDuration, SAMPLE_RATE, streamAudio } from '../audio/index.js';
import { InputError } from '../errors.js';
import { NUM_KEYS } from '../keys/index.js';
import { frameCount, MEL, type MelClip, streamClips, streamMel } from '../mel/index.js';
import { hearingHop } from '../notes/index.js';
import { decideTracks, softmaxRows } from '../probe/index.js';
import { type Answers, type ClipLogits, ClipListener, type Listener, NoteListener } from './listeners.js';
import type { KeyModel } from './model.js';
import { meanOverShifts, shifted, TWELVE_SHIFTS } from './shifted.js';

/** What the model says of one clip. */
export interface ClipKeys {
  readonly startSeconds: number;
  /** Length of the sound in it; less than a clip's only where the recording is shorter. */
  readonly seconds: number;
  /** [K], uncalibrated */
  readonly logits: Float32Array;
}

export interface KeyPrediction {
  readonly file: string;
  readonly keyId: number;
  readonly secondKeyId: number;
  /** Probability of the key, calibrated if the model is. */
  readonly confidence: number;
  /** [K], in the order of the keys */
  readonly probabilities: Float64Array;
  readonly durationSeconds: number;
  /** What the key is the mean of. */
  readonly clips: readonly ClipKeys[];
  /** What the key over time is made of: `clips`, or shorter ones where the model can answer those too. */
  readonly moments: readonly ClipKeys[];
}

export interface PredictOptions {
  /** Frames from one clip's start to the next's (default: the model's); of a model that reads notes, in steps of 8. */
  readonly clipHop?: number;
  /**
   * Whether to hear the recording at twelve pitches and to average the logits, moved back: steadier, and twelve times the
   * work. A temperature is fitted without it.
   */
  readonly averageShifts?: boolean;
  /** On abort the running batch of clips is finished and `signal.reason` is thrown. */
  readonly signal?: AbortSignal;
  /** Seconds of audio heard so far, and in all as the header says (null: it does not). */
  readonly onProgress?: (doneSeconds: number, totalSeconds: number | null) => void;
}

/** Clips per forward pass: what a batch works on stays near the core. */
const BATCH_CLIPS = 16;

/**
 * The key of an audio file, read as a stream. Clips (of a model that reads notes: windows) are cut every `clipHop` frames,
 * the remainder dropped, a shorter file padded; the key is the argmax of the mean of their logits, probabilities are the
 * softmax of that mean over the model's temperature.
 *
 * @throws InputError naming the file if it cannot be decoded, is silent or shorter than 65 ms (1025 samples at 16 kHz)
 */
export function predictFile(model: KeyModel, path: string, options: PredictOptions = {}): Promise<KeyPrediction> {
  const samples = (): AsyncIterable<Float32Array> => streamAudio(path, { signal: options.signal });
  const totalSeconds = options.onProgress ? () => headerDuration(path)?.seconds ?? null : () => null;
  return predictStream(model, path, samples, totalSeconds, options);
}

/**
 * As `predictFile`, of mono samples at 16 kHz.
 * @param options.file what to call them
 */
export function predictSamples(
  model: KeyModel,
  samples: Float32Array,
  options: PredictOptions & { readonly file?: string } = {},
): Promise<KeyPrediction> {
  const { file = 'samples' } = options;
  return predictStream(
    model,
    file,
    () => [samples],
    () => samples.length / SAMPLE_RATE,
    options,
  );
}

type Samples = AsyncIterable<Float32Array> | Iterable<Float32Array>;

/** @param open gives the samples from their start, each time it is called */
async function predictStream(
  model: KeyModel,
  file: string,
  open: () => Samples,
  totalSeconds: () => number | null,
  options: PredictOptions,
): Promise<KeyPrediction> {
  const { signal, onProgress, averageShifts = false } = options;
  const shifts = averageShifts ? TWELVE_SHIFTS : [0];
  try {
    signal?.throwIfAborted();
    const total = totalSeconds();
    const heard: Heard[] = [];
    for (const [pass, shift] of shifts.entries()) {
      // As if the recording were played at all pitches at once.
      const onSeconds = (seconds: number): void => {
        const before = pass === 0 ? 0 : pass * (heard[0].nSamples / SAMPLE_RATE);
        onProgress?.((before + seconds) / shifts.length, total);
      };
      heard.push(await hear(model, shifted(open(), shift), options, onSeconds));
      if (heard[0].isSilent) throw new InputError(file, 'its audio is silent; there is no key in it.');
    }
    const durationSeconds = heard[0].nSamples / SAMPLE_RATE;
    onProgress?.(durationSeconds, total);
    const clips = keysOfClips(heard.map((pass) => pass.clips), shifts, durationSeconds); // prettier-ignore
    const hasOwnMoments = heard[0].moments !== heard[0].clips;
    const moments = hasOwnMoments ? keysOfClips(heard.map((pass) => pass.moments), shifts, durationSeconds) : clips; // prettier-ignore
    const logits = concatenate(clips.map((clip) => clip.logits));
    return { file, ...keyOf(file, logits, model.temperature), durationSeconds, clips, moments };
  } catch (error) {
    // Rooms below know samples and clips, not whose they are.
    if (!(error instanceof InputError) || error.where === file) throw error;
    throw new InputError(file, error.problem, { cause: error });
  }
}

/** What one pass over a recording gives. */
interface Heard extends Answers {
  readonly nSamples: number;
  readonly isSilent: boolean;
}

async function hear(
  model: KeyModel,
  samples: Samples,
  { clipHop = model.clipHop, signal }: PredictOptions,
  onSeconds: (seconds: number) => void,
): Promise<Heard> {
  const tally = { nSamples: 0, isSilent: true };
  const listener: Listener = model.transcriber
    ? new NoteListener(model.encoder, model.transcriber, model.probe, clipHop)
    : new ClipListener(model.encoder, model.probe);
  const { clipFrames } = model.encoder.config;
  const mel = streamMel(tallied(samples, tally));
  const clips = listener.hearsAll
    ? streamClips(mel, clipFrames, hearingHop(clipFrames), true)
    : streamClips(mel, clipFrames, clipHop);
  let batch: MelClip[] = [];
  for await (const clip of clips) {
    batch.push(clip);
    if (batch.length < BATCH_CLIPS) continue;
    listener.hear(batch);
    batch = [];
    onSeconds(tally.nSamples / SAMPLE_RATE);
    // The forward pass is synchronous; without this an abort would never get its turn.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
  if (batch.length > 0) listener.hear(batch);
  return { ...tally, ...listener.answers(frameCount(tally.nSamples)) };
}

/** Clips with their logits averaged over shifts. */
function keysOfClips(passes: readonly ClipLogits[], shifts: readonly number[], durationSeconds: number): ClipKeys[] {
  const [{ spans }] = passes;
  const logits = meanOverShifts(passes.map((pass) => pass.logits), shifts); // prettier-ignore
  return spans.map(({ start, frames }, clip) => {
    const startSeconds = secondsOf(start);
    return {
      startSeconds,
      seconds: Math.min(secondsOf(frames), durationSeconds - startSeconds),
      logits: logits.slice(clip * NUM_KEYS, (clip + 1) * NUM_KEYS),
    };
  });
}

const secondsOf = (frames: number): number => (frames * MEL.hopLength) / MEL.sampleRate;

async function* tallied(
  samples: Samples,
  heard: { nSamples: number; isSilent: boolean },
): AsyncGenerator<Float32Array> {
  for await (const piece of samples) {
    heard.nSamples += piece.length;
    heard.isSilent &&= piece.every((sample) => sample === 0);
    yield piece;
  }
}

/** @param logits [C, K] */
function keyOf(
  file: string,
  logits: Float32Array,
  temperature: number,
): Pick<KeyPrediction, 'keyId' | 'secondKeyId' | 'confidence' | 'probabilities'> {
  const trackOf = new Int32Array(logits.length / NUM_KEYS);
  const { estimated, logits: mean } = decideTracks(logits, { trackOf, trackIds: [file] });
  const [keyId] = estimated;
  const probabilities = softmaxRows(Float64Array.from(mean, (logit) => logit / temperature));
  let secondKeyId = keyId === 0 ? 1 : 0;
  for (let key = 0; key < NUM_KEYS; key++) if (key !== keyId && mean[key] > mean[secondKeyId]) secondKeyId = key;
  return { keyId, secondKeyId, confidence: probabilities[keyId], probabilities };
}
