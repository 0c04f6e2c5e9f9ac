/** `keymyna score`: estimates against references, by both rulers, with intervals. */
import type { Command } from 'commander';
import { scoreCsv } from '../keys/index.js';
import { scoreIntervals } from '../probe/index.js';
import type { BootstrapInterval } from '../stats/index.js';
import { readText } from '../store/index.js';

interface ScoreOptions {
  readonly reference: string;
  readonly estimates: string;
  readonly json?: boolean;
}

export function registerScore(program: Command): void {
  program
    .command('score')
    .description('score estimated keys against reference keys (two CSV files with columns id,key)')
    .requiredOption('--reference <csv>', 'the annotations')
    .requiredOption('--estimates <csv>', 'the answers, of the same ids')
    .option('--json', 'print JSON')
    .action((options: ScoreOptions) => {
      const { score, rows } = scoreCsv(readText(options.reference), readText(options.estimates), options);
      const intervals = scoreIntervals(
        rows.map((row) => row.referenceKey),
        rows.map((row) => row.estimatedKey),
      );
      if (options.json) {
        console.log(JSON.stringify({ ...score, intervals }, null, 2));
        return;
      }
      const line = (name: string, value: number, interval?: BootstrapInterval): void => {
        const range = interval ? `  [${percent(interval.low)}, ${percent(interval.high)}]` : '';
        console.log(`${name.padEnd(34)} ${percent(value)}${range}`);
      };
      console.log(`${score.n} tracks; 95 % bootstrap intervals over tracks`);
      line('weighted, fifth above', score.weighted, intervals.weighted);
      line('weighted, fifth above or below', score.weightedBothFifths, intervals.weightedBothFifths);
      line('exact', score.accuracy, intervals.accuracy);
      for (const [relation, share] of Object.entries(score.shares)) line(`share ${relation}`, share);
      line('share fifth, above or below', score.sharesBothFifths.fifth);
    });
}

const percent = (share: number): string => (100 * share).toFixed(2).padStart(6);
