/** `keymyna export`: encoders and probes as files of other programs. */
import type { Command } from 'commander';
import { loadCheckpoint } from '../encoder/index.js';
import { InputError } from '../errors.js';
import { exportOnnx, exportSafetensors } from '../exporting/index.js';
import { Transcriber } from '../notes/index.js';
import { loadProbe } from '../probe/index.js';
import { readWeights } from '../store/index.js';
import { initBackend } from '../tensor/index.js';
import { type CheckpointOptions, oneOf, withCheckpointOptions } from './program.js';

interface ExportOptions extends CheckpointOptions {
  readonly weights?: string;
  readonly probe?: string;
  readonly format: 'safetensors' | 'onnx';
  readonly out: string;
  readonly keyOrder: 'interleaved' | 'majorThenMinor';
}

export function registerExport(program: Command): void {
  withCheckpointOptions(program.command('export'))
    .description('an encoder, a probe, or both, as safetensors that load in Python or as ONNX')
    .option('--weights <file>', 'checkpoint of an encoder: safetensors, its index of shards or their folder, or .pth')
    .option('--probe <file>', 'probe of keymyna probe, or the state dict of a head (.pth, safetensors)')
    .option('--format <format>', 'safetensors or onnx', oneOf('--format', ['safetensors', 'onnx']), 'safetensors')
    .requiredOption('--out <file>', 'file to write')
    .option(
      '--key-order <order>',
      'of a head’s 24 logits: interleaved (C major, C minor, ...) or majorThenMinor',
      oneOf('--key-order', ['interleaved', 'majorThenMinor']),
      'interleaved',
    )
    .action(async ({ weights, probe: probePath, format, out, numHeads, patches, keyOrder }: ExportOptions) => {
      if (!weights && !probePath) throw new InputError('option --weights', 'missing; give --weights, --probe or both');
      await initBackend();
      const probe = probePath === undefined ? undefined : loadProbe(probePath, { keyOrder });
      const head = probePath === undefined ? undefined : readWeights(probePath);
      const transcriber = head && Transcriber.fromTensors(head.tensors, probePath!);
      const checkpoint = weights === undefined ? undefined : loadCheckpoint(weights, { numHeads, patches });
      try {
        const metadata = howToAsk(head?.metadata ?? {});
        const parts = {
          ...(checkpoint && { encoder: checkpoint.encoder }),
          ...(probe && { probe }),
          transcriber,
          metadata,
        };
        (format === 'onnx' ? exportOnnx : exportSafetensors)(out, parts);
        const what = [checkpoint && 'encoder', probe && 'head'].filter(Boolean).join(' and ');
        console.log(`${out}: ${what} as ${format}`);
      } finally {
        checkpoint?.encoder.dispose();
      }
    });
}

/** What a reader of the exported file must know too: how the head's logits are calibrated, and how clips follow. */
function howToAsk(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => ['temperature', 'clipHop'].includes(name)));
}
