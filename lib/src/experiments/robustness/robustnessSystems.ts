/** Stage 'robustness': every probe's logits for every augmented track, and the same of the templates. T tracks, K = 24 keys. */
import { existsSync } from 'node:fs';
import type { Augmentation, AugmentationId } from '../../audio/index.js';
import type { Split } from '../../corpus/index.js';
import { NUM_KEYS, scoreKeys, transposeKey } from '../../keys/index.js';
import { estimateKeyByTemplate, TEMPLATE_PROFILES } from '../../probe/index.js';
import { configId, float32, readSafetensors, type StoredTensor, writeSafetensors } from '../../store/index.js';
import { type Chain, CLEAN, robustnessChains, shiftChains } from '../augmented/augmentedSets.js';
import {
  augmentedEncoders,
  augmentedTracks,
  loadAugmented,
  loadAugmentedChroma,
} from '../augmented/augmentedTables.js';
import type { EncoderOfSeed } from '../pretraining/jobs.js';
import { loadRunProbe } from '../probing/probing.js';
import type { RobustnessSystem } from './robustnessMeasurements.js';
import { type Run, runConfig } from '../run/run.js';

/** The splits that are heard; validation chooses. */
export type HeardSplit = Exclude<Split, 'train'>;

const HEARD_SPLITS: readonly HeardSplit[] = ['valid', 'test', 'testTimbre'];
const METHODS = ['linear', 'mlp'] as const;

/** One way to estimate keys, and what it says of each track under each chain. */
export interface SystemAnswers {
  readonly system: RobustnessSystem;
  /** [seed] of [T, K]: mean logits of a track's clips, or correlations with the templates. */
  logits(split: HeardSplit, chain: Chain): readonly Float32Array[];
}

/** What is heard of a split: validation only transposed. */
export function heardChains(run: Run, split: HeardSplit): Chain[] {
  return split === 'valid' ? [CLEAN, ...shiftChains(run.preset)] : robustnessChains(run.preset);
}

/** Key ids of the heard tracks of a split, moved by some semitones. */
export function referenceKeys(run: Run, split: Split, semitones: number): Int32Array {
  return Int32Array.from(augmentedTracks(run, split), ({ keyId }) => transposeKey(keyId!, semitones));
}

/** The augmentations of the preset with their strengths, in the order of figures. */
export function robustnessAugmentations(run: Run): { id: AugmentationId; strengths: number[] }[] {
  const strengths = new Map<AugmentationId, number[]>();
  for (const chain of robustnessChains(run.preset))
    for (const { id, strength } of chain) strengths.set(id, [...(strengths.get(id) ?? []), strength]);
  return [...strengths].map(([id, own]) => ({ id, strengths: own }));
}

/** Applies what is missing; the stages 'augmented' and 'probes' must have run. */
export async function computeRobustness(run: Run): Promise<void> {
  const units = augmentedEncoders(run).flatMap((encoder) => HEARD_SPLITS.map((split) => ({ encoder, split })));
  const report = (done: number): void => run.options.onProgress?.('robustness', done, units.length, null);
  report(0);
  for (const [i, { encoder, split }] of units.entries()) {
    run.options.signal?.throwIfAborted();
    const path = logitsPath(run, encoder, split);
    if (!existsSync(path)) writeSafetensors(path, applyProbes(run, encoder, split), {});
    report(i + 1);
    // Lets a bar be drawn, and a signal arrive.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Logits [chains, T, K] of both probes of an encoder. */
function applyProbes(run: Run, encoder: EncoderOfSeed, split: HeardSplit): Map<string, StoredTensor> {
  const chains = heardChains(run, split);
  const nTracks = augmentedTracks(run, split).length;
  const probes = METHODS.map((method) => loadRunProbe(run, encoder, method));
  const all = METHODS.map(() => new Float32Array(chains.length * nTracks * NUM_KEYS));
  chains.forEach((chain, c) => {
    const table = loadAugmented(run, encoder, split, chain);
    probes.forEach((probe, m) => all[m].set(probe.trackLogits(table), c * nTracks * NUM_KEYS));
  });
  return new Map(METHODS.map((method, m) => [method, float32([chains.length, nTracks, NUM_KEYS], all[m])]));
}

function logitsPath(run: Run, { name, seed }: EncoderOfSeed, split: HeardSplit): string {
  const id = configId({ run: runConfig(run), encoder: name.id, seed, split, chains: heardChains(run, split) });
  return run.cache.path('robustness', id, 'safetensors');
}

/** The four templates and the probes of the analysed encoders; which of them are drawn, says validation. */
export function robustnessSystems(run: Run): SystemAnswers[] {
  return [...templateSystems(run), ...probeSystems(run)];
}

function templateSystems(run: Run): SystemAnswers[] {
  const reference = referenceKeys(run, 'valid', 0);
  const systems = Object.entries(TEMPLATE_PROFILES).map(([id, profile]) => {
    const logits = remembered((split, chain) => {
      const chroma = loadAugmentedChroma(run, split, chain);
      const scores = new Float32Array(chroma.length * NUM_KEYS);
      chroma.forEach((row, track) => scores.set(estimateKeyByTemplate(row, profile).scores, track * NUM_KEYS));
      return [scores];
    });
    const onValidation = scoreKeys(reference, largest(logits('valid', CLEAN)[0])).weightedBothFifths;
    return { id: `template-${id}`, label: `${profile.name} template`, logits, onValidation };
  });
  const best = systems.reduce((a, b) => (b.onValidation > a.onValidation ? b : a));
  return systems.map(({ id, label, logits }) => ({
    system: { id, label, family: 'template', method: 'template', patches: null, seeds: 1, isDrawn: id === best.id },
    logits,
  }));
}

/** Of the encoders, one system a method; the MLP is drawn for the main encoder alone. */
function probeSystems(run: Run): SystemAnswers[] {
  const groups = new Map<string, EncoderOfSeed[]>();
  for (const encoder of augmentedEncoders(run))
    groups.set(encoder.name.id, [...(groups.get(encoder.name.id) ?? []), encoder]);
  return METHODS.flatMap((method) =>
    [...groups.values()].map((encoders): SystemAnswers => {
      const { name } = encoders[0];
      return {
        system: {
          id: `${name.id}-${method}`,
          label: `${name.label}, ${method === 'mlp' ? 'MLP' : 'linear'} probe`,
          family: name.origin,
          method,
          patches: name.patches,
          seeds: encoders.length,
          isDrawn: method === 'linear' || name.id === 'vertical-pretrained',
        },
        logits: probeLogits(run, encoders, method),
      };
    }),
  );
}

function probeLogits(run: Run, encoders: readonly EncoderOfSeed[], method: string): SystemAnswers['logits'] {
  const files = new Map<HeardSplit, readonly Float32Array[]>();
  return remembered((split, chain) => {
    const whole =
      files.get(split) ??
      encoders.map(
        (encoder) => readSafetensors(logitsPath(run, encoder, split)).tensors.get(method)!.data as Float32Array,
      );
    files.set(split, whole);
    const chains = heardChains(run, split);
    const place = chains.findIndex((one) => keyOf(one) === keyOf(chain));
    const size = whole[0].length / chains.length;
    return whole.map((data) => data.subarray(place * size, (place + 1) * size));
  });
}

const keyOf = (chain: Chain): string => chain.map(({ id, strength }: Augmentation) => `${id} ${strength}`).join('+');

function remembered(of: SystemAnswers['logits']): SystemAnswers['logits'] {
  const known = new Map<string, readonly Float32Array[]>();
  return (split, chain) => {
    const key = `${split} ${keyOf(chain)}`;
    const logits = known.get(key) ?? of(split, chain);
    known.set(key, logits);
    return logits;
  };
}

/** Estimated keys of a system: [seed][track]. */
export function estimatesUnder({ logits }: SystemAnswers, split: HeardSplit, chain: Chain): number[][] {
  return logits(split, chain).map(largest);
}

/** Place of the largest of 24 values in each row of [T, K]; the first of equal ones. */
export function largest(logits: ArrayLike<number>): number[] {
  return Array.from({ length: logits.length / NUM_KEYS }, (_, track) => {
    let best = 0;
    for (let k = 1; k < NUM_KEYS; k++) if (logits[track * NUM_KEYS + k] > logits[track * NUM_KEYS + best]) best = k;
    return best;
  });
}
