/** 04: where in the encoder the key is: a linear probe on every block's mean. */
import { encodersOfRun, layersOf } from '../features/embeddingTables.js';
import type { LayerMeasurement } from '../measurements.js';
import { probeOutcome, quickRequest } from './probing.js';
import { keysOf, measured, type Run } from '../run/run.js';
import { weightedInterval } from './scores.js';

/** Score by layer on validation, of every encoder whose layers were probed. The output stands as depth + 1. */
export function layerScores(run: Run): Promise<LayerMeasurement> {
  return measured(run, 'layers', {}, (base) => {
    const reference = keysOf(run, 'valid');
    const encoders = encodersOfRun(run).filter((encoder) => layersOf(run, encoder).length > 1);
    return {
      ...base,
      n: reference.length,
      split: 'validation',
      curves: encoders.map((encoder) => {
        const layers = layersOf(run, encoder);
        return {
          encoder: encoder.name,
          seed: encoder.seed,
          layer: layers.map((layer) => (layer === 'output' ? encoder.config.depth + 1 : layer)),
          weighted: layers.map((layer) =>
            weightedInterval(run, reference, [probeOutcome(run, quickRequest(run, encoder, layer)).estimates.valid!]),
          ),
        };
      }),
    };
  });
}
