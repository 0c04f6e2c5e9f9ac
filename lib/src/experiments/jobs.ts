/** Which encoders a preset has: names, pretraining jobs, random initialisations. Pure; the sizes are tested. */
import { encoderConfig, type EncoderConfig } from '../encoder/index.js';
import { MEL } from '../mel/index.js';
import { pretrainConfig, type PretrainConfig } from '../pretrain/index.js';
import type { PatchVariant } from '../views/index.js';
import type { EncoderName } from './measurements.js';
import type { ExperimentPreset, PretrainingData, PretrainingVariant } from './presets.js';

/** One pretraining: a resumable unit with a folder of its own. */
export interface PretrainingJob {
  readonly name: EncoderName;
  readonly seed: number;
  readonly data: PretrainingData;
  readonly config: PretrainConfig;
}

/** One encoder of one seed; `job` is null for a random initialisation. */
export interface EncoderOfSeed {
  readonly name: EncoderName;
  readonly seed: number;
  readonly config: EncoderConfig;
  readonly job: PretrainingJob | null;
}

/** The pretraining jobs of a preset in the order in which they run: the base pairs first, seed by seed. */
export function pretrainingJobs(preset: ExperimentPreset, hasRecordings: boolean): PretrainingJob[] {
  const base = preset.seeds.flatMap((seed) => preset.patches.map((patches) => job(preset, patches, seed, {})));
  const variants = preset.variants
    .filter((variant) => hasRecordings || (variant.data ?? 'embedded') === 'embedded')
    .flatMap((variant) => preset.seeds.map((seed) => job(preset, 'vertical', seed, variant)));
  return [...base, ...variants];
}

function job(
  preset: ExperimentPreset,
  patches: PatchVariant,
  seed: number,
  { data = 'embedded', ...changes }: PretrainingVariant,
): PretrainingJob {
  const encoder = encoderConfig(patches, preset.encoderSize, { inputScale: preset.inputScale });
  const config = pretrainConfig({ ...preset.pretraining, ...changes, encoder, seed });
  return { name: pretrainedName(preset.pretraining, config, data), seed, data, config };
}

/** The name says what differs from the preset's base: `vertical-pretrained`, `vertical-anywhere`, `vertical-real`. */
function pretrainedName(
  base: ExperimentPreset['pretraining'],
  { encoder: { patches }, maxFrameDistance, clipsPerTrack }: PretrainConfig,
  data: PretrainingData,
): EncoderName {
  const changes: [id: string, label: string][] = [];
  if (maxFrameDistance !== base.maxFrameDistance)
    changes.push(
      maxFrameDistance === null
        ? ['anywhere', 'views anywhere']
        : [
            `within-${maxFrameDistance}`,
            `views within ${((maxFrameDistance * MEL.hopLength) / MEL.sampleRate).toFixed(0)} s`,
          ],
    );
  else if (clipsPerTrack !== base.clipsPerTrack)
    changes.push([
      `clips-${clipsPerTrack}`,
      clipsPerTrack === 1 ? 'one clip a track' : `${clipsPerTrack} clips a track`,
    ]);
  if (data !== 'embedded') changes.push([data, data === 'real' ? 'recordings' : 'corpus + recordings']);
  return {
    id: [patches, ...(changes.length ? changes.map(([id]) => id) : ['pretrained'])].join('-'),
    label: `${patches}, pretrained${changes.map(([, label]) => ` (${label})`).join('')}`,
    patches,
    origin: 'pretrained',
    data,
    maxFrameDistance,
    clipsPerTrack,
  };
}

/** All encoders: for each seed the random initialisations, then what pretraining made of them. */
export function encodersOf(preset: ExperimentPreset, hasRecordings: boolean): EncoderOfSeed[] {
  const random = preset.seeds.flatMap((seed) =>
    preset.patches.map((patches): EncoderOfSeed => ({
      name: {
        id: `${patches}-random`,
        label: `${patches}, random`,
        patches,
        origin: 'random',
        data: null,
        maxFrameDistance: null,
        clipsPerTrack: null,
      },
      seed,
      config: encoderConfig(patches, preset.encoderSize, { inputScale: preset.inputScale }),
      job: null,
    })),
  );
  const pretrained = pretrainingJobs(preset, hasRecordings).map((one) => ({
    name: one.name,
    seed: one.seed,
    config: one.config.encoder,
    job: one,
  }));
  return [...random, ...pretrained];
}
