/**
 * `npm run model [-- --card]`: trains the detector of data/checkpoints/ as its recipe says, writes its files, scores it
 * on the study's test splits, and puts the scores into the model card. What is done is kept in data/cache/model, so the
 * command goes on where it was stopped. `--card` writes the card alone, from the scores that are there.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { figures, InputError } from 'keymyna';
import { SHIPPED_MODEL, scoreShippedModel, trainShippedModel, type ModelScores } from 'keymyna/experiments';
import { progressBar, type ProgressBar } from 'keymyna/notebook';
import { readJson, readText, writeFileAtomic, writeJson } from 'keymyna/store';
import { between } from './readme.js';

const FOLDER = join('data', 'checkpoints');

/** The model card with the scores between its marks. @throws InputError if marks or scores are missing */
export function cardWithScores(root: string): string {
  const { scores } = readJson(join(root, FOLDER, 'scores.json')) as { scores: readonly ModelScores[] };
  const card = join(root, FOLDER, 'README.md');
  return between(readText(card), 'scores', scoresBlock(scores), card);
}

const SPLIT = { test: 'test', testTimbre: 'unseen timbre' } as const;
const SYSTEM = { model: 'this model', bgate: 'bgate template' } as const;

function scoresBlock(scores: readonly ModelScores[]): string {
  const lines = [
    '',
    '| split | tracks | n | system | weighted | both fifths | exact | fifth | relative | parallel | other |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const { split, rows } of scores)
    for (const { tracks, n, system, weighted, both, exact, shares } of rows)
      lines.push(
        `| ${[
          SPLIT[split],
          tracks,
          n,
          SYSTEM[system],
          figures.interval(weighted),
          figures.interval(both),
          figures.interval(exact),
          ...[shares.fifth, shares.relative, shares.parallel, shares.other].map(figures.points),
        ].join(' | ')} |`,
      );
  lines.push('', 'Points of 100 with 95 % intervals (bootstrap over tracks); weighted credits a fifth above only.', '');
  for (const { split, difference, mcnemarP, calibrationError, meanConfidence } of scores)
    lines.push(
      `- ${SPLIT[split]}: model minus bgate ${figures.signedInterval({ ...difference, estimate: difference.difference })} ` +
        `points (paired bootstrap, p = ${difference.pValue.toPrecision(2)}; exact: McNemar p = ${mcnemarP.toPrecision(2)}); ` +
        `mean confidence ${figures.points(meanConfidence)}, expected calibration error ${figures.points(calibrationError)}.`,
    );
  return [...lines, '', ''].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { card: { type: 'boolean', default: false } } });
  const root = join(import.meta.dirname, '../..');
  const folder = join(root, FOLDER);
  if (!values.card) {
    const stop = new AbortController();
    process.once('SIGINT', () =>
      stop.abort(
        new InputError('npm run model', 'stopped. What was finished is kept; the same command goes on from there'),
      ),
    );
    let bar: { stage: string; progress: ProgressBar } | null = null;
    const options = {
      root,
      cacheDir: process.env.KEYMYNA_CACHE || join(root, 'data', 'cache', 'model'),
      threads: availableParallelism(),
      signal: stop.signal,
      clock: () => performance.now(),
      onProgress: (stage: string, done: number, total: number, secondsLeft: number | null) => {
        if (bar?.stage !== stage) {
          bar?.progress.finish();
          bar = { stage, progress: progressBar(stage) };
          if (!process.stderr.isTTY) console.log(`model: ${stage}`);
        }
        bar.progress(done, total, secondsLeft === null ? '' : `${Math.ceil(secondsLeft)} s left`);
      },
    };
    const files = await trainShippedModel(SHIPPED_MODEL, options);
    const scores = await scoreShippedModel(files, options);
    (bar as { progress: ProgressBar } | null)?.progress.finish();
    mkdirSync(folder, { recursive: true });
    copyFileSync(files.encoderPath, join(folder, 'encoder.safetensors'));
    copyFileSync(files.headPath, join(folder, 'head.safetensors'));
    writeJson(join(folder, 'scores.json'), { scores });
  }
  writeFileAtomic(join(folder, 'README.md'), cardWithScores(root));
}

if (process.argv[1] === import.meta.filename)
  main().then(
    () => process.exit(0),
    (error: Error) => {
      console.error(error instanceof InputError ? error.message : error);
      process.exit(1);
    },
  );
