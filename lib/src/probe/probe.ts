/** A trained probe: weights, standardizer and the record of its training; no tensors are held. */
import { fitStandardizer, standardize, type EmbeddingTable, type Standardizer } from '../embeddings/index.js';
import { InputError } from '../errors.js';
import { writeSafetensors, type StoredTensor } from '../store/index.js';
import { createRng } from '../tensor/index.js';
import type { Decision, ProbeConfig } from './config.js';
import { decideTracks, type TrackDecisions } from './decide.js';
import { createHead } from './createHead.js';
import type { HeadWeights } from './head.js';

export interface EpochRecord {
  /** from 0 */
  readonly epoch: number;
  /** mean over the epoch's batches */
  readonly trainLoss: number;
  /** weighted score over the tracks of the split that selection reads, by the configuration's ruler; null: `last` */
  readonly selectionScore: number | null;
}

/** Embeddings with the key of each track. */
export interface ProbeData {
  readonly table: EmbeddingTable;
  /** [T] key ids 0..23, in the order of `table.trackIds` */
  readonly keyOfTrack: Int32Array;
}

export class Probe {
  constructor(
    readonly config: ProbeConfig,
    /** width of the embeddings it reads */
    readonly width: number,
    readonly weights: HeadWeights,
    /** fitted on train; null unless `standardize: 'train'` */
    readonly standardizer: Standardizer | null,
    readonly history: readonly EpochRecord[] = [],
    /** the epoch whose weights these are */
    readonly epoch: number = history.length - 1,
  ) {}

  /** Logits [C, 24] of every clip. */
  clipLogits(table: EmbeddingTable): Float32Array {
    if (table.width !== this.width)
      throw new InputError(
        'probe',
        `a table of width ${table.width}; the probe reads embeddings of width ${this.width}`,
      );
    const head = createHead(this.config.hidden, this.width, this.weights, {
      learningRate: this.config.learningRate,
      weightDecay: this.config.weightDecay,
      rng: createRng(0), // dropout is off outside training
    });
    try {
      return head.logits(prepareTable(this.config, table, this.standardizer).embeddings);
    } finally {
      head.dispose();
    }
  }

  /** One key per track, and the mean logits [T, 24] behind it. */
  decide(table: EmbeddingTable, decision: Decision = this.config.decision): TrackDecisions {
    return decideTracks(this.clipLogits(table), table, decision);
  }

  /** Mean logits [T, 24] of every track. */
  trackLogits(table: EmbeddingTable): Float32Array {
    return this.decide(table, 'meanLogits').logits;
  }
}

/** The table as the head reads it: raw, by train's statistics, or (as published) by its own. */
export function prepareTable(
  config: ProbeConfig,
  table: EmbeddingTable,
  fittedOnTrain: Standardizer | null,
): EmbeddingTable {
  if (config.standardize === 'none') return table;
  return standardize(table, config.standardize === 'perSplit' ? fitStandardizer(table) : fittedOnTrain!);
}

/**
 * Writes a probe as safetensors: the head under the reference's names, `standardizer.*` F64, config in the metadata.
 * @param others tensors of other names that go into the file
 */
export function saveProbe(
  path: string,
  probe: Probe,
  metadata: Record<string, string> = {},
  others: ReadonlyMap<string, StoredTensor> = new Map(),
): void {
  const tensors = new Map<string, StoredTensor>([...others, ...probe.weights]);
  if (probe.standardizer !== null) {
    const { mean, scale } = probe.standardizer;
    tensors.set('standardizer.mean', { dtype: 'F64', shape: [mean.length], data: mean });
    tensors.set('standardizer.scale', { dtype: 'F64', shape: [scale.length], data: scale });
  }
  writeSafetensors(path, tensors, {
    ...metadata,
    probeConfig: JSON.stringify(probe.config),
    probeWidth: `${probe.width}`,
    probeEpoch: `${probe.epoch}`,
    probeHistory: JSON.stringify(probe.history),
  });
}
