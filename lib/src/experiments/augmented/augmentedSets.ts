/** Which augmentations, alone or one after the other, the analyses of notebooks 06 to 08 hear. Pure. */
import {
  type Augmentation,
  type AugmentationId,
  AUGMENTATION_IDS,
  augmentationInfo,
  labelShift,
} from '../../audio/index.js';
import type { Split } from '../../corpus/index.js';
import type { ExperimentPreset } from '../run/presets.js';

/** Augmentations applied in order; none = the clean audio. */
export type Chain = readonly Augmentation[];

export const CLEAN: Chain = [];

/** For people: `clean`, `Low-pass 2000 Hz`, `Reverberation 1 s + Low-pass 2000 Hz`. */
export function chainName(chain: Chain): string {
  if (chain.length === 0) return 'clean';
  return chain
    .map(({ id, strength }) => {
      const { name, unit } = augmentationInfo(id);
      const sign =
        strength > 0 && (id === 'pitchShift' || id === 'tuning' || id === 'gain' || id === 'tilt') ? '+' : '';
      return `${name} ${sign}${strength}${unit && ` ${unit}`}`;
    })
    .join(' + ');
}

/** Semitones by which the key moves up. */
export function chainShift(chain: Chain): number {
  return chain.reduce((sum, augmentation) => sum + labelShift(augmentation), 0);
}

/** What has one linear map each in notebook 07: a strength that is clearly heard and leaves the music there. */
export const MAP_AUGMENTATIONS: readonly Augmentation[] = [
  { id: 'gain', strength: -10 },
  { id: 'whiteNoise', strength: 10 },
  { id: 'pinkNoise', strength: 10 },
  { id: 'lowPass', strength: 2000 },
  { id: 'highPass', strength: 250 },
  { id: 'bandStop', strength: 1000 },
  { id: 'reverb', strength: 1 },
  { id: 'clipping', strength: 0.1 },
  { id: 'compression', strength: 4 },
  { id: 'mp3', strength: 24 },
  { id: 'opus', strength: 16 },
  { id: 'tilt', strength: 3 },
  { id: 'timeStretch', strength: 1.25 },
  { id: 'timeMask', strength: 0.4 },
  { id: 'tuning', strength: 25 },
];

const of = (wanted: AugmentationId): Augmentation => MAP_AUGMENTATIONS.find(({ id }) => id === wanted)!;

/** Rendered as one chain, to be compared with one map after the other; the first two differ in their order alone. */
export const COMPOSITIONS: readonly Chain[] = [
  [of('lowPass'), of('whiteNoise')],
  [of('whiteNoise'), of('lowPass')],
  [of('reverb'), of('lowPass')],
  [{ id: 'pitchShift', strength: 2 }, of('lowPass')],
];

/** Each semitone shift of the preset as a chain. */
export function shiftChains({ augmented }: ExperimentPreset): Chain[] {
  return augmented.semitones.map((strength) => [{ id: 'pitchShift', strength }]);
}

/** The clean audio, every augmentation at some of its strengths, and the semitone shifts. */
export function robustnessChains(preset: ExperimentPreset): Chain[] {
  const others = AUGMENTATION_IDS.filter((id) => id !== 'pitchShift').flatMap((id) =>
    spread(augmentationInfo(id).defaultStrengths, preset.augmented.strengths).map((strength): Chain => [
      { id, strength },
    ]),
  );
  return [CLEAN, ...others, ...shiftChains(preset)];
}

/** The clean audio, what has a map, the semitone shifts and the compositions that the preset's shifts allow. */
export function mapChains(preset: ExperimentPreset): Chain[] {
  const { semitones } = preset.augmented;
  const composed = COMPOSITIONS.filter((chain) =>
    chain.every(({ id, strength }) => id !== 'pitchShift' || semitones.includes(strength)),
  );
  return [CLEAN, ...MAP_AUGMENTATIONS.map((one): Chain => [one]), ...shiftChains(preset), ...composed];
}

/** All chains that are rendered of a split, none twice. */
export function augmentedChains(preset: ExperimentPreset, split: Split): Chain[] {
  const chains =
    split === 'test'
      ? [...robustnessChains(preset), ...mapChains(preset)]
      : split === 'testTimbre'
        ? robustnessChains(preset)
        : mapChains(preset);
  return [...new Map(chains.map((chain) => [JSON.stringify(chain), chain])).values()];
}

/** At most `n` of the values, the first and the last among them, evenly in between; one alone is the middle one. */
function spread(values: readonly number[], n: number): number[] {
  if (n >= values.length) return [...values];
  if (n === 1) return [values[Math.floor(values.length / 2)]];
  return Array.from({ length: n }, (_, i) => values[Math.round((i * (values.length - 1)) / (n - 1))]);
}
