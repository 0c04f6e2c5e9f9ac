/** `keymyna predict`: the key of any audio file. */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import {
  findAudio,
  type KeyModelFiles,
  type KeyModelOptions,
  predictFiles,
  type PredictFilesOptions,
  shippedModel,
} from '../predict/index.js';
import type { KeyOrder } from '../probe/index.js';
import { writeFileAtomic } from '../store/index.js';
import { type AnsweredFile, formatAnswers, PREDICT_FORMATS, type PredictFormat } from './predictFormats.js';
import {
  type CheckpointOptions,
  oneOf,
  ProgressBars,
  stopSignal,
  wholeNumber,
  withCheckpointOptions,
} from './program.js';

interface PredictCommandOptions extends CheckpointOptions {
  readonly format: PredictFormat;
  readonly weights?: string;
  readonly head?: string;
  readonly out?: string;
  readonly journal?: string;
  readonly threads: number;
  readonly averageShifts?: boolean;
  readonly overTime?: boolean;
  readonly clipHop?: number;
  readonly keyOrder?: KeyOrder;
}

export function registerPredict(program: Command): void {
  withCheckpointOptions(program.command('predict'))
    .description('the key of audio files: with confidence, second choice and, in JSON, the probabilities of all 24')
    .argument('<audio...>', 'audio files, and folders that hold some (searched through, in the order of their names)')
    .option(
      '--format <format>',
      'table, json (a list; a file that failed has "error") or csv (file,key,confidence,second,duration)',
      oneOf('--format', PREDICT_FORMATS),
      'table',
    )
    .option('--out <file>', 'file to write, when all is done; stopped before, the same command goes on from there')
    .option('--weights <file>', 'checkpoint of an encoder (default: the model that ships)')
    .option('--head <file>', 'probe or head that belongs to it (default: the head in the checkpoint)')
    .option('--threads <n>', 'worker threads (default: all cores)', wholeNumber('--threads', 1), availableParallelism())
    .option('--over-time', 'keys over time and modulations too, in table and json')
    .option('--average-shifts', 'hear each file at twelve pitches and average: steadier, twelve times the work')
    .option('--clip-hop <n>', 'frames from clip to clip (default: the model’s)', wholeNumber('--clip-hop', 1))
    .option(
      '--journal <jsonl>',
      'answers of all runs, which are not asked again (default: beside --out, until it is done)',
    )
    .option(
      '--key-order <order>',
      'of a foreign head’s logits: interleaved (C major, C minor, ...) or majorThenMinor',
      oneOf('--key-order', ['interleaved', 'majorThenMinor']),
    )
    .action(runPredict);
}

async function runPredict(audio: readonly string[], options: PredictCommandOptions): Promise<void> {
  const { out, format } = options;
  const ownJournal = out === undefined ? undefined : `${out}.journal.jsonl`;
  const journal = options.journal ?? ownJournal;
  const signal = stopSignal(journal === undefined ? 'Stopped. With --out or --journal, nothing is lost.' : undefined);
  const { model, modelOptions } = modelOf(options);
  const { files, problems } = findAudio(audio);
  for (const { path, problem } of problems) console.error(`left out: ${path}: ${problem}`);
  const bars = new ProgressBars();
  try {
    const { answers, known, isCalibrated } = await predictFiles(model, files, {
      modelOptions,
      clipHop: options.clipHop,
      averageShifts: options.averageShifts,
      overTime: options.overTime,
      threads: Math.min(options.threads, Math.max(1, files.length)),
      journal,
      signal,
      ...progressOf(bars, files.length),
    });
    bars.stop();
    if (known > 0) console.error(`${known} of ${files.length} files were known from ${journal}`);
    if (!isCalibrated) console.error('the head has no temperature in its metadata: its confidences are not calibrated');
    const rows = files.map((file, i): AnsweredFile => ({ file, answer: answers[i] }));
    const failed = rows.filter(({ answer }) => 'problem' in answer);
    for (const { file, answer } of failed) console.error(`left out: ${file}: ${'problem' in answer && answer.problem}`);
    const text = formatAnswers(format, [
      ...rows,
      ...problems.map(({ path, problem }) => ({ file: path, answer: { problem } })),
    ]);
    if (out === undefined) process.stdout.write(text);
    else {
      writeFileAtomic(out, text);
      if (ownJournal !== undefined && options.journal === undefined) rmSync(ownJournal, { force: true });
      console.log(`${out}: the keys of ${rows.length - failed.length} files`);
    }
    const nFailed = failed.length + problems.length;
    if (nFailed > 0) {
      console.error(`${nFailed} of ${files.length + problems.length} failed`);
      process.exitCode = 1;
    }
  } finally {
    bars.stop();
  }
}

function modelOf(options: PredictCommandOptions): { model: KeyModelFiles; modelOptions: KeyModelOptions } {
  const { weights, head, numHeads, patches, keyOrder } = options;
  const overrides = { ...(numHeads !== undefined && { numHeads }), ...(patches !== undefined && { patches }) };
  const modelOptions = { overrides, keyOrder };
  if (weights !== undefined) return { model: { weights, head: head ?? weights }, modelOptions };
  const shipped = shippedModel();
  return { model: { ...shipped, head: head ?? shipped.head }, modelOptions };
}

/** A bar over files; for a single one over its seconds. */
function progressOf(bars: ProgressBars, nFiles: number): Pick<PredictFilesOptions, 'onProgress' | 'onSeconds'> {
  const bar = bars.of('predict');
  if (nFiles > 1) return { onProgress: bar };
  return { onSeconds: (done, total) => void (total && bar(Math.min(Math.round(done), Math.ceil(total)), Math.ceil(total), 'seconds')) }; // prettier-ignore
}
