/**
 * A run's checkpoint: weights, head or decoder, Adam's moments, SogCLR's estimates and the step. The generator needs no state of
 * its own, since every batch is drawn from the seed and its step (batches.ts).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { loadCheckpoint, saveCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { canonicalJson, type StoredTensor } from '../store/index.js';
import { outcomeFields, pretrainConfigId, type PretrainConfig } from './config.js';
import { PatchDecoder } from './decoder.js';
import type { MelSource } from './melShards.js';
import { ProjectionHead } from './projectionHead.js';
import { disposeState, initialState, type PretrainState } from './step.js';

const KIND = 'pretraining checkpoint';
const ADAM = 'adam.';
const ESTIMATES = 'sogclr.u';

/** Identifies the tracks of a run by their ids and lengths, in order. */
export function tracksId(tracks: readonly MelSource[]): string {
  const hash = createHash('sha256');
  for (const { id, mel } of tracks) hash.update(`${JSON.stringify(id)} ${mel.nFrames}\n`);
  return hash.digest('hex').slice(0, 12);
}

/** What the metadata of each file of a run says. No time of day, so that equal runs give equal bytes. */
export function runMetadata(
  config: PretrainConfig,
  tracks: readonly MelSource[],
  step: number,
  kind: string,
): Record<string, string> {
  return {
    kind,
    step: String(step),
    seed: String(config.seed),
    configId: pretrainConfigId(config),
    config: canonicalJson(outcomeFields(config)),
    tracks: tracksId(tracks),
  };
}

/** Writes the checkpoint after `step` steps, atomically. */
export function saveState(
  path: string,
  state: PretrainState,
  config: PretrainConfig,
  tracks: readonly MelSource[],
  step: number,
): void {
  const tensors = new Map<string, StoredTensor>(state.head.toTensors());
  for (const [name, tensor] of state.optimizer.state()) tensors.set(`${ADAM}${name}`, tensor);
  if (state.sogClr) {
    tensors.set(ESTIMATES, { dtype: 'F64', shape: [state.sogClr.u.length], data: state.sogClr.u });
  }
  saveCheckpoint(path, state.encoder, { metadata: runMetadata(config, tracks, step, KIND), tensors });
}

/**
 * Reads a checkpoint of the same run.
 *
 * @returns null if there is none
 * @throws InputError if the file is damaged, or of another configuration or other tracks
 */
export function loadState(
  path: string,
  config: PretrainConfig,
  tracks: readonly MelSource[],
  nEpochs: number,
): { state: PretrainState; step: number } | null {
  if (!existsSync(path)) return null;
  const { encoder, metadata, linearHead, tensors } = loadCheckpoint(path);
  try {
    checkSameRun(path, metadata, config, tracks);
    const stored = new Map(tensors);
    if (linearHead) {
      stored.set('linear_head.weight', linearHead.weight);
      stored.set('linear_head.bias', linearHead.bias);
    }
    const head =
      config.objective === 'contrastive'
        ? ProjectionHead.fromTensors(config.projectionHead, config.encoder.width, stored, path)
        : PatchDecoder.fromTensors(config.encoder, stored, path);
    const state = initialState(config, tracks.length, nEpochs, { encoder, head });
    try {
      restoreMoments(path, state, stored);
    } catch (error) {
      disposeState(state);
      throw error;
    }
    return { state, step: Number(metadata.step) };
  } catch (error) {
    encoder.dispose();
    throw error;
  }
}

function restoreMoments(path: string, state: PretrainState, stored: ReadonlyMap<string, StoredTensor>): void {
  const moments = Array.from(stored)
    .filter(([name]) => name.startsWith(ADAM))
    .map(([name, tensor]) => [name.slice(ADAM.length), tensor] as const);
  try {
    state.optimizer.restore(new Map(moments));
  } catch (cause) {
    throw new InputError(path, `its optimizer state does not fit: ${(cause as Error).message}`, { cause });
  }
  if (!state.sogClr) return;
  const u = stored.get(ESTIMATES);
  if (!u || u.data.length !== state.sogClr.u.length) {
    throw new InputError(path, `its ${ESTIMATES} must hold ${state.sogClr.u.length} values`);
  }
  state.sogClr.u.set(u.data);
}

function checkSameRun(
  path: string,
  metadata: Readonly<Record<string, string>>,
  config: PretrainConfig,
  tracks: readonly MelSource[],
): void {
  const expected = runMetadata(config, tracks, 0, KIND);
  if (metadata.kind !== KIND || metadata.config === undefined || !/^\d+$/.test(metadata.step ?? '')) {
    throw new InputError(path, 'this is no checkpoint of a pretraining run; use another folder for the run');
  }
  if (metadata.config !== expected.config) {
    const found = JSON.parse(metadata.config) as Record<string, unknown>;
    const wanted = JSON.parse(expected.config) as Record<string, unknown>;
    const text = (x: unknown): string => (x === undefined ? 'none' : canonicalJson(x));
    const differing = [...new Set([...Object.keys(found), ...Object.keys(wanted)])]
      .filter((field) => text(found[field]) !== text(wanted[field]))
      .map((field) => `${field} ${text(found[field])} (asked for: ${text(wanted[field])})`);
    throw new InputError(
      path,
      `this run was begun with ${differing.join(', ')}; delete the folder to start over, or use another one`,
    );
  }
  if (metadata.tracks !== expected.tracks) {
    throw new InputError(path, 'this run was begun with other tracks; delete the folder to start over, or use another');
  }
}
