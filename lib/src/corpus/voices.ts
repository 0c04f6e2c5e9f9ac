/**
 * The synthesizer's voices on a WebAssembly loop. `renderVoice` follows spessasynth_core 4.3.22 (Apache-2.0,
 * src/synthesizer/audio_engine/channel/render_voice.ts) operation by operation, without what the suite leaves
 * off (effects, portamento); a test holds its bytes against the original. Pin and loop belong together.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GeneratorTypes as G, type SpessaSynthProcessor, VOICE_CAP } from 'spessasynth_core';
import type { Channel, Core, Voice } from './synthesizer.js';

/** The synthesizer renders at most this many samples at once. */
export const BLOCK = 128;

// The synthesizer's own tables, float32 as there.
const LOWEST_CENTS = -20_000;
const HERTZ = Float32Array.from(
  { length: 16_500 - LOWEST_CENTS + 1 },
  (_, i) => 440 * Math.pow(2, (LOWEST_CENTS + i - 6900) / 1200),
);
const LOWEST_CENTIBELS = -16_600;
const GAINS = Float32Array.from({ length: 16_000 - LOWEST_CENTIBELS + 1 }, (_, i) =>
  Math.pow(10, -(LOWEST_CENTIBELS + i) / 200),
);
const centsToHertz = (cents: number): number => HERTZ[(cents - LOWEST_CENTS) | 0];
const gainOf = (centibels: number): number => GAINS[(centibels - LOWEST_CENTIBELS) | 0];

/** What is needed of the WebAssembly interface, whose types TypeScript ships only with those of the browser. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** lib/kernels/voices.ts */
interface VoiceKernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** Plays the voices of the first `nVoices` records: `count` samples. */
  renderVoices(nVoices: number, count: number): void;
}

const PAN_LIMIT = 500;
const PANS = Array.from({ length: 2 * PAN_LIMIT + 1 }, (_, i) => (Math.PI / 2) * (i / (2 * PAN_LIMIT)));
const PAN_LEFT = Float32Array.from(PANS, Math.cos);
const PAN_RIGHT = Float32Array.from(PANS, Math.sin);
const OPEN_FILTER_CENTS = 13499;

/** Layout of the kernel's memory, bytes and float64 of a record; see lib/kernels/voices.ts. */
const RECORDS_AT = 2048;
const RECORD = 20;
/** Float64 numbers a sample of a sound: what leads from it to the next. */
const CUBIC = 4;
const SOUNDS_AT = RECORDS_AT + (VOICE_CAP + 1) * RECORD * 8;

/** A sound in the kernel's memory. */
interface Copy {
  readonly end: number;
  readonly loopLength: number;
  readonly address: number;
}

/** One loop for all pieces of a thread: the cubics of a SoundFont's sounds are worked out once. */
export class VoiceLoop {
  private readonly copies = new WeakMap<Float32Array, readonly Copy[]>();
  private free = SOUNDS_AT;
  private mono!: Float32Array;
  private records!: Float64Array;
  /** The voices of the block that have a record, in order. */
  private readonly voices: Voice[] = [];

  private constructor(private readonly kernel: VoiceKernel) {
    this.reserve(SOUNDS_AT);
  }

  /** The loop; null where this machine cannot run it (no WebAssembly or no SIMD in it). */
  static load(): VoiceLoop | null {
    try {
      const bytes = readFileSync(fileURLToPath(new URL('../../dist/generated/voices.wasm', import.meta.url)));
      return new VoiceLoop(new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as VoiceKernel);
    } catch {
      return null;
    }
  }

  /**
   * Has the voices of a synthesizer wait for `render`; its `process` then leaves its outputs alone, and looks only at the
   * voices that were ever given to a note: the first free one is taken, so these are few.
   */
  adopt(synth: SpessaSynthProcessor): void {
    const core = (synth as unknown as { synthCore: Core }).synthCore;
    let nUsed = 0;
    const assignVoice = core.assignVoice.bind(core);
    core.assignVoice = () => {
      const voice = assignVoice();
      nUsed = Math.max(nUsed, core.voices.indexOf(voice) + 1);
      return voice;
    };
    core.processSplit = (_outputs, _left, _right, _startIndex, sampleCount) => {
      for (const channel of core.midiChannels) channel.clearVoiceCount();
      core._voiceCount = 0;
      for (let i = 0; i < nUsed; i++) {
        const voice = core.voices[i];
        if (!voice.isActive) continue;
        const channel = core.midiChannels[voice.channel];
        this.renderVoice(channel, voice, core.currentTime, sampleCount);
        channel.voiceCount++;
        core._voiceCount++;
      }
      core.currentTime += sampleCount * core.sampleTime;
    };
    this.voices.length = 0;
  }

  /** Renders the voices that `process` met. @param samples [BLOCK] or fewer, gets the mean of left and right */
  render(samples: Float32Array): void {
    const { records, voices } = this;
    this.kernel.renderVoices(voices.length, samples.length);
    samples.set(samples.length === BLOCK ? this.mono : this.mono.subarray(0, samples.length));
    for (let i = 0, at = 0; i < voices.length; i++, at += RECORD) {
      const { wavetable, filter } = voices[i];
      wavetable.cursor = records[at];
      filter.x1 = records[at + 11];
      filter.x2 = records[at + 12];
      filter.y1 = records[at + 13];
      filter.y2 = records[at + 14];
      if (records[at + 19] === 0) voices[i].isActive = false;
    }
    voices.length = 0;
  }

  private reserve(bytes: number): void {
    const { memory } = this.kernel;
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    this.mono = new Float32Array(memory.buffer, 0, BLOCK);
    this.records = new Float64Array(memory.buffer, RECORDS_AT, VOICE_CAP * RECORD);
  }

  /** Where the cubics of a sound up to its end or its loop's end are; behind a loop's end its beginning follows. */
  private addressOf(samples: Float32Array, end: number, loopLength: number): number {
    const copies = this.copies.get(samples) ?? [];
    for (const copy of copies) if (copy.end === end && copy.loopLength === loopLength) return copy.address;
    const address = this.free;
    this.free += 8 * CUBIC * end;
    this.reserve(this.free);
    const cubics = new Float64Array(this.kernel.memory.buffer, address, CUBIC * end);
    const tap = (i: number): number =>
      samples[loopLength > 0 && i >= end ? end - loopLength + ((i - end) % loopLength) : i];
    let [x0, x1, x2] = [tap(0), tap(1), tap(2)];
    for (let i = 0; i < end; i++) {
      const x3 = tap(i + 3);
      const c = (x2 - x0) * 0.5;
      const v = x1 - x2;
      const w = c + v;
      const a = w + v + (x3 - x1) * 0.5;
      const at = CUBIC * i;
      cubics[at] = a;
      cubics[at + 1] = w + a;
      cubics[at + 2] = c;
      cubics[at + 3] = x1;
      x0 = x1;
      x1 = x2;
      x2 = x3;
    }
    this.copies.set(samples, [...copies, { end, loopLength, address }]);
    return address;
  }

  private renderVoice(channel: Channel, voice: Voice, timeNow: number, sampleCount: number): void {
    if (!voice.isInRelease && timeNow >= voice.releaseStartTime) {
      voice.isInRelease = true;
      voice.volEnv.startRelease(voice);
      voice.modEnv.startRelease(voice);
      if (voice.loopingMode === 3) voice.wavetable.isLooping = false;
    }
    voice.hasRendered = true;
    if (!voice.isActive) return;
    const core = channel.synthCore;
    const { sampleRate } = core;
    const modulated = voice.modulatedGenerators;
    let { targetKey } = voice;
    let cents = voice.pitchOffset + modulated[G.fineTune] + channel.octaveTuning[targetKey] + channel.currentTuning;
    let semitones = modulated[G.coarseTune];
    const tuning = core.tunings[channel.preset.program * 128 + voice.midiNote];
    if (tuning !== -1) {
      targetKey = Math.trunc(tuning);
      semitones += tuning - targetKey;
    }
    cents += (targetKey - voice.rootKey) * modulated[G.scaleTuning];
    let lowpassExcursion = 0;
    let volumeExcursionCentibels = 0;
    let voiceGain = voice.gainModifier * (1 + modulated[G.amplitude] / 1e3);
    if (timeNow >= voice.vibLfoStartTime) {
      const pitchDepth = modulated[G.vibLfoToPitch];
      const filterDepth = modulated[G.vibLfoToFilterFc];
      const amplitudeDepth = modulated[G.vibLfoAmplitudeDepth];
      if (pitchDepth !== 0 || filterDepth !== 0 || amplitudeDepth !== 0) {
        const rate = Math.max(0, centsToHertz(modulated[G.freqVibLFO]) + modulated[G.vibLfoRate] / 100);
        const value = 1 - 4 * Math.abs(voice.vibLfoPhase - 0.5);
        if ((voice.vibLfoPhase += (rate * sampleCount) / sampleRate) >= 1) voice.vibLfoPhase -= 1;
        cents += value * pitchDepth;
        lowpassExcursion += value * filterDepth;
        voiceGain *= 1 - ((value + 1) / 2) * (amplitudeDepth / 1e3);
      }
    }
    if (timeNow >= voice.modLfoStartTime) {
      const pitchDepth = modulated[G.modLfoToPitch];
      const volumeDepth = modulated[G.modLfoToVolume];
      const filterDepth = modulated[G.modLfoToFilterFc];
      const amplitudeDepth = modulated[G.modLfoAmplitudeDepth];
      if (pitchDepth !== 0 || filterDepth !== 0 || volumeDepth !== 0 || amplitudeDepth !== 0) {
        const rate = Math.max(0, centsToHertz(modulated[G.freqModLFO]) + modulated[G.modLfoRate] / 100);
        const value = 1 - 4 * Math.abs(voice.modLfoPhase - 0.5);
        if ((voice.modLfoPhase += (rate * sampleCount) / sampleRate) >= 1) voice.modLfoPhase -= 1;
        cents += value * pitchDepth;
        volumeExcursionCentibels += -value * volumeDepth;
        lowpassExcursion += value * filterDepth;
        voiceGain *= 1 - ((value + 1) / 2) * (amplitudeDepth / 1e3);
      }
    }
    const envelopePitchDepth = modulated[G.modEnvToPitch];
    const envelopeFilterDepth = modulated[G.modEnvToFilterFc];
    if (envelopeFilterDepth !== 0 || envelopePitchDepth !== 0) {
      const envelope = voice.modEnv.process(voice, timeNow);
      lowpassExcursion += envelope * envelopeFilterDepth;
      cents += envelope * envelopePitchDepth;
    }
    volumeExcursionCentibels -= voice.resonanceOffset;
    const centsTotal = cents + semitones * 100;
    const centsRounded = centsTotal | 0;
    if (centsRounded !== voice.tuningCents) {
      voice.tuningCents = centsRounded;
      voice.tuningRatio = Math.pow(2, centsTotal / 1200);
    }
    const gainTarget = gainOf(modulated[G.initialAttenuation]) * gainOf(volumeExcursionCentibels);
    if (voice.loopingMode === 2 && !voice.isInRelease) {
      voice.isActive = voice.volEnv.process(sampleCount, gainTarget);
      return;
    }
    const gain = voice.volEnv.outputGain;
    const isEnvelopeActive = voice.volEnv.process(sampleCount, gainTarget);
    const gainStep = (voice.volEnv.outputGain - gain) / sampleCount;
    const isFiltered = tuneFilter(voice, lowpassExcursion);
    let pan: number;
    if (voice.overridePan) pan = voice.overridePan;
    else {
      voice.currentPan += (modulated[G.pan] - voice.currentPan) * core.panSmoothingFactor;
      pan = voice.currentPan;
    }
    const outputGain = channel.currentGain * voiceGain;
    const index = (Math.min(Math.max(-PAN_LIMIT, pan + channel.currentPan), PAN_LIMIT) + PAN_LIMIT) | 0;
    this.record(voice, gain, gainStep, isFiltered, PAN_LEFT[index] * outputGain, PAN_RIGHT[index] * outputGain);
    voice.isActive = isEnvelopeActive;
  }

  /** Notes what the kernel needs to know of a voice. */
  private record(
    voice: Voice,
    gain: number,
    gainStep: number,
    isFiltered: boolean,
    gainLeft: number,
    gainRight: number,
  ): void {
    const { wavetable, filter, tuningRatio } = voice;
    const end = wavetable.isLooping ? wavetable.loopEnd : wavetable.end;
    const loopLength = wavetable.isLooping ? wavetable.loopLength : 0;
    const address = this.addressOf(wavetable.sampleData, end, loopLength);
    const { records } = this;
    const at = this.voices.push(voice) * RECORD - RECORD;
    records[at] = wavetable.cursor;
    records[at + 1] = tuningRatio * wavetable.playbackStep;
    records[at + 2] = end;
    records[at + 3] = loopLength;
    records[at + 4] = gain;
    records[at + 5] = gainStep;
    records[at + 6] = filter.a0;
    records[at + 7] = filter.a1;
    records[at + 8] = filter.a2;
    records[at + 9] = filter.a3;
    records[at + 10] = filter.a4;
    records[at + 11] = filter.x1;
    records[at + 12] = filter.x2;
    records[at + 13] = filter.y1;
    records[at + 14] = filter.y2;
    records[at + 15] = gainLeft;
    records[at + 16] = gainRight;
    records[at + 17] = address;
    records[at + 18] = isFiltered ? 1 : 0;
  }
}

/** Moves the low-pass to where its generators want it. @returns whether it is needed at all */
function tuneFilter({ filter, modulatedGenerators: modulated }: Voice, excursionCents: number): boolean {
  const initialFc = modulated[G.initialFilterFc];
  const { smoothingConstant } = filter.constructor as { smoothingConstant: number };
  if (filter.initialized) filter.currentInitialFc += (initialFc - filter.currentInitialFc) * smoothingConstant;
  else {
    filter.initialized = true;
    filter.currentInitialFc = initialFc;
  }
  const targetCutoff = filter.currentInitialFc + excursionCents;
  const resonance = modulated[G.initialFilterQ];
  if (filter.currentInitialFc > OPEN_FILTER_CENTS && targetCutoff > OPEN_FILTER_CENTS && resonance === 0) {
    filter.currentInitialFc = OPEN_FILTER_CENTS + 1;
    return false;
  }
  if (Math.abs(filter.lastTargetCutoff - targetCutoff) > 1 || filter.resonanceCb !== resonance) {
    filter.lastTargetCutoff = targetCutoff;
    filter.resonanceCb = resonance;
    filter.calculateCoefficients(targetCutoff);
  }
  return true;
}
