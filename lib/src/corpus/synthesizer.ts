/** What voices.ts reads and writes of spessasynth_core's own classes, whose types it keeps to itself. */

interface Envelope {
  outputGain: number;
  process(sampleCount: number, gainTarget: number): boolean;
  startRelease(voice: Voice): void;
}

/** A sounding note; several sound for one key where a SoundFont layers them. */
export interface Voice {
  isActive: boolean;
  readonly channel: number;
  isInRelease: boolean;
  hasRendered: boolean;
  readonly wavetable: {
    isLooping: boolean;
    readonly sampleData: Float32Array;
    readonly playbackStep: number;
    readonly loopEnd: number;
    readonly loopLength: number;
    readonly end: number;
    cursor: number;
  };
  readonly filter: {
    readonly constructor: unknown;
    a0: number;
    a1: number;
    a2: number;
    a3: number;
    a4: number;
    x1: number;
    x2: number;
    y1: number;
    y2: number;
    resonanceCb: number;
    currentInitialFc: number;
    lastTargetCutoff: number;
    initialized: boolean;
    calculateCoefficients(cutoffCents: number): void;
  };
  readonly volEnv: Envelope;
  readonly modEnv: {
    process(voice: Voice, timeNow: number): number;
    startRelease(voice: Voice): void;
  };
  readonly modulatedGenerators: Int16Array;
  readonly resonanceOffset: number;
  readonly loopingMode: number;
  readonly midiNote: number;
  readonly targetKey: number;
  readonly rootKey: number;
  readonly pitchOffset: number;
  readonly gainModifier: number;
  readonly releaseStartTime: number;
  readonly overridePan: number;
  tuningCents: number;
  tuningRatio: number;
  currentPan: number;
  readonly vibLfoStartTime: number;
  vibLfoPhase: number;
  readonly modLfoStartTime: number;
  modLfoPhase: number;
}

export interface Channel {
  readonly synthCore: Core;
  readonly preset: { readonly program: number };
  readonly octaveTuning: ArrayLike<number>;
  readonly currentTuning: number;
  readonly currentGain: number;
  readonly currentPan: number;
  voiceCount: number;
  clearVoiceCount(): void;
}

export interface Core {
  readonly sampleRate: number;
  readonly tunings: ArrayLike<number>;
  readonly panSmoothingFactor: number;
  readonly midiChannels: readonly Channel[];
  readonly voices: readonly Voice[];
  /** Seconds. */
  readonly sampleTime: number;
  currentTime: number;
  _voiceCount: number;
  /** A voice for a new note. */
  assignVoice: () => Voice;
  /** Renders all voices of a block. */
  processSplit: (outputs: unknown, left: unknown, right: unknown, startIndex: number, sampleCount: number) => void;
}
