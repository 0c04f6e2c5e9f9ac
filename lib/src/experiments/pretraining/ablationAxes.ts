/** The axes along which pretraining is varied, as data: which encoders stand on each. */
import type { EncoderOfSeed } from './jobs.js';

/** One choice: an encoder by its id, and the layer that is read if not the output. */
export interface AxisChoice {
  readonly label: string;
  readonly encoder: string;
  readonly layer?: number;
}

export interface Axis {
  readonly id: string;
  readonly label: string;
  readonly choices: readonly AxisChoice[];
  /** Encoder that differs from the others of the axis in this one choice, where that is not the base. */
  readonly reference?: string;
}

/** The encoder that every axis passes through. */
export const BASE = 'vertical-pretrained';
const ONE_CLIP = 'vertical-clips-1';

const AXES: readonly Axis[] = [
  {
    id: 'mask',
    label: 'Mask ratio (equal tokens)',
    choices: [
      { label: '50 %', encoder: 'vertical-mask-50' },
      { label: '75 %', encoder: 'vertical-mask-75' },
      { label: '90 %', encoder: BASE },
      { label: '95 %', encoder: 'vertical-mask-95' },
    ],
  },
  {
    id: 'distance',
    label: 'View distance (one clip a track)',
    reference: ONE_CLIP,
    choices: [
      { label: 'one clip, two masks', encoder: ONE_CLIP },
      { label: 'within 1 s', encoder: 'vertical-within-1s' },
      { label: 'within 5 s', encoder: 'vertical-within-5s' },
      { label: 'anywhere in the track', encoder: 'vertical-anywhere' },
    ],
  },
  {
    id: 'negatives',
    label: 'Negatives from the same track',
    choices: [
      { label: 'yes, several clips a track', encoder: BASE },
      { label: 'no, one clip a track', encoder: ONE_CLIP },
    ],
  },
  {
    id: 'patches',
    label: 'Patch shape',
    choices: [
      { label: 'vertical, 128 × 2', encoder: BASE },
      { label: 'square, 16 × 16', encoder: 'square-pretrained' },
      { label: 'hybrid, both', encoder: 'hybrid-pretrained' },
    ],
  },
  {
    id: 'loss',
    label: 'Loss (one clip a track)',
    reference: ONE_CLIP,
    choices: [
      { label: 'NT-Xent', encoder: ONE_CLIP },
      { label: 'SogCLR', encoder: 'vertical-sogclr' },
    ],
  },
  {
    id: 'scale',
    label: 'Mel scale',
    choices: [
      { label: 'power', encoder: BASE },
      { label: 'log(1 + power)', encoder: 'vertical-log1p' },
    ],
  },
  {
    id: 'pitch',
    label: 'Pitch shift of each view',
    choices: [
      { label: 'none', encoder: BASE },
      { label: 'up to 5 semitones', encoder: 'vertical-pitch-shift' },
    ],
  },
  {
    id: 'objective',
    label: 'Objective (equal processor time)',
    choices: [
      { label: 'contrast', encoder: BASE },
      { label: 'reconstruction', encoder: 'vertical-reconstruction' },
    ],
  },
  {
    id: 'mixup',
    label: 'Input MixUp',
    choices: [
      { label: 'none', encoder: BASE },
      { label: 'Beta(2, 5)', encoder: 'vertical-input-mixup' },
    ],
  },
];

/**
 * The axes of some encoders: choices that they lack are left out, and so are axes of one choice alone.
 *
 * @param depth of the base whose layers were probed; null if they were not
 */
export function axesOf(encoders: readonly Pick<EncoderOfSeed, 'name'>[], depth: number | null): Axis[] {
  const known = new Set(encoders.map(({ name }) => name.id));
  const layers = depth === null ? [] : [layerAxis(depth)];
  // The layer is a choice of the probe: it stands after the choices of the data, before those of the loss.
  const all = [...AXES.slice(0, 4), ...layers, ...AXES.slice(4)];
  return all
    .map((axis) => ({ ...axis, choices: axis.choices.filter(({ encoder }) => known.has(encoder)) }))
    .filter(({ choices }) => choices.length > 1);
}

function layerAxis(depth: number): Axis {
  const blocks = (n: number): string => (n === 0 ? 'before the first block' : `after block ${n}`);
  return {
    id: 'layer',
    label: 'Probed layer',
    choices: [
      ...Array.from({ length: depth + 1 }, (_, layer) => ({ label: blocks(layer), encoder: BASE, layer })),
      { label: 'output', encoder: BASE },
    ],
  };
}
