/** Which encoders a preset has: names, pretraining jobs, random initialisations. Pure; the sizes are tested. */
import { encoderConfig, type EncoderConfig } from '../../encoder/index.js';
import { pretrainConfig, type PretrainConfig } from '../../pretrain/index.js';
import type { PatchVariant } from '../../views/index.js';
import type { EncoderName } from '../measurements.js';
import type { ExperimentPreset, PretrainingData, PretrainingVariant } from '../run/presets.js';

/** One pretraining: a resumable unit with a folder of its own. */
export interface PretrainingJob {
  readonly name: EncoderName;
  readonly seed: number;
  readonly data: PretrainingData;
  readonly config: PretrainConfig;
  /** Whose weights these are, by content, where nothing is trained; null: pretrained here. */
  readonly published: string | null;
}

/** One encoder of one seed; `job` is null for a random initialisation. */
export interface EncoderOfSeed {
  readonly name: EncoderName;
  readonly seed: number;
  readonly config: EncoderConfig;
  readonly job: PretrainingJob | null;
}

/** The encoders that every analysis is made of: the pretrained ones without a change, and what they began as. */
export function isBase({ name }: Pick<EncoderOfSeed, 'name'>): boolean {
  return name.variant === null;
}

/** Whether notebook 04 compares an encoder: the base, and the variants that the preset says; never an ablation alone. */
export function isCompared({ variants }: ExperimentPreset, { variant }: EncoderName): boolean {
  return variant === null || variants.some(({ id, isCompared = false }) => id === variant && isCompared);
}

/** The pretraining jobs of a preset in the order in which they run: the base pairs first, seed by seed. */
export function pretrainingJobs(preset: ExperimentPreset, hasRecordings: boolean): PretrainingJob[] {
  const base = preset.seeds.flatMap((seed) => preset.patches.map((patches) => job(preset, patches, seed, null)));
  const variants = preset.variants
    .filter((variant) => hasRecordings || (variant.data ?? 'embedded') === 'embedded')
    .flatMap((variant) => preset.seeds.map((seed) => job(preset, 'vertical', seed, variant)));
  return [...base, ...variants];
}

function job(
  preset: ExperimentPreset,
  patches: PatchVariant,
  seed: number,
  variant: PretrainingVariant | null,
): PretrainingJob {
  const data = variant?.data ?? 'embedded';
  const published = variant === null ? preset.published?.[patches] : undefined;
  const encoder = configOf(preset, patches, variant);
  // Only the base's snapshots are looked at.
  const changes = variant || published ? { snapshotSteps: [], ...variant?.changes } : {};
  const config = pretrainConfig({ ...preset.pretraining, ...changes, encoder, seed });
  const name: EncoderName = {
    id: `${patches}-${variant?.id ?? 'pretrained'}`,
    label: `${patches}, pretrained${variant ? ` (${variant.label})` : ''}`,
    patches,
    origin: 'pretrained',
    data,
    variant: variant?.id ?? null,
  };
  return { name, seed, data, config, published: published?.id ?? null };
}

/** What random and pretrained encoders of one kind share. */
function configOf(preset: ExperimentPreset, patches: PatchVariant, variant: PretrainingVariant | null): EncoderConfig {
  if (variant === null && preset.published?.[patches]) return preset.published[patches].config;
  return encoderConfig(patches, preset.encoderSize, { inputScale: variant?.inputScale ?? preset.inputScale });
}

/** All encoders: for each seed the random initialisations, then what pretraining made of them. */
export function encodersOf(preset: ExperimentPreset, hasRecordings: boolean): EncoderOfSeed[] {
  const random = preset.seeds.flatMap((seed) => [
    ...preset.patches.map((patches) => randomEncoder(preset, patches, seed, null)),
    ...preset.variants
      .filter(({ inputScale }) => inputScale)
      .map((variant) => randomEncoder(preset, 'vertical', seed, variant)),
  ]);
  const pretrained = pretrainingJobs(preset, hasRecordings).map((one) => ({
    name: one.name,
    seed: one.seed,
    config: one.config.encoder,
    job: one,
  }));
  return [...random, ...pretrained];
}

/** What a pretraining starts from; another input scale makes it another encoder. */
function randomEncoder(
  preset: ExperimentPreset,
  patches: PatchVariant,
  seed: number,
  variant: PretrainingVariant | null,
): EncoderOfSeed {
  return {
    name: {
      id: `${patches}${variant ? `-${variant.id}` : ''}-random`,
      label: `${patches}, random${variant ? ` (${variant.label})` : ''}`,
      patches,
      origin: 'random',
      data: null,
      variant: variant?.id ?? null,
    },
    seed,
    config: configOf(preset, patches, variant),
    job: null,
  };
}
