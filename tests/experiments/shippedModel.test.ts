/** The recipe of the model that ships, at the smallest size: from nothing to files with a temperature, and their scores. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encoderConfig, loadCheckpoint } from '../../lib/src/encoder/index.js';
import {
  type ModelRecipe,
  SHIPPED_MODEL,
  scoreShippedModel,
  trainShippedModel,
} from '../../lib/src/experiments/index.js';
import { fineTuneConfig } from '../../lib/src/finetune/index.js';
import { STATISTICS_WIDTH } from '../../lib/src/notes/index.js';
import { loadKeyModel } from '../../lib/src/predict/index.js';
import { pretrainConfig } from '../../lib/src/pretrain/index.js';
import { loadProbe } from '../../lib/src/probe/index.js';
import { readWeights } from '../../lib/src/store/index.js';

const root = mkdtempSync(join(tmpdir(), 'shipped-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const encoder = encoderConfig('vertical', 'tiny', { inputScale: 'log1p' });
const recipe: ModelRecipe = {
  corpus: { sizes: { train: 24, valid: 24, test: 0, testTimbre: 0 }, seed: 9, keysPerPiece: 1 },
  withRecordings: false,
  pretraining: pretrainConfig({ encoder, steps: 2, batchPairs: 8 }),
  fineTuning: [fineTuneConfig({ steps: 2, batchTracks: 8, clipsPerTrack: 1, transcription: 1 })],
  noteHead: {
    composed: { pieces: 24, seed: 8 },
    onComposed: { hidden: [8], epochs: 2, selection: 'last' },
    onHeard: { hidden: [8], epochs: 1, selection: 'last' },
  },
};
const options = { root, cacheDir: join(root, 'cache') };

describe('the model that ships', () => {
  it('is trained as its recipe says, once, and scored against bgate on both test splits', async () => {
    const files = await trainShippedModel(recipe, options);
    const { metadata } = readWeights(files.headPath);
    expect(Number(metadata.temperature)).toBe(files.temperature);
    expect(files.temperature).toBeGreaterThan(0);
    expect(metadata.clipHop).toBe('392');
    expect(JSON.parse(metadata.recipe)).toEqual(JSON.parse(JSON.stringify(recipe)));
    expect(loadProbe(files.headPath).width).toBe(STATISTICS_WIDTH);
    const model = loadKeyModel({ weights: files.encoderPath, head: files.headPath });
    expect([model.transcriber?.width, model.clipFrames, model.clipHop]).toEqual([32, 784, 392]);
    model.dispose();
    const { encoder: loaded } = loadCheckpoint(files.encoderPath);
    expect(loaded.config).toEqual(encoder);
    loaded.dispose();

    const before = readFileSync(files.encoderPath);
    expect(await trainShippedModel(recipe, options)).toEqual(files);
    expect(readFileSync(files.encoderPath).equals(before)).toBe(true);

    const scores = await scoreShippedModel(files, options, 'smoke');
    expect(scores.map(({ split }) => split)).toEqual(['test', 'testTimbre']);
    for (const { rows, difference, calibrationError } of scores) {
      const [model, bgate] = rows;
      expect([model.system, bgate.system, model.tracks]).toEqual(['model', 'bgate', 'all']);
      expect(model.n).toBe(24);
      expect(rows.filter(({ system }) => system === 'model').slice(1).reduce((sum, { n }) => sum + n, 0)).toBe(24); // prettier-ignore
      expect(difference.difference).toBeCloseTo(model.weighted.estimate - bgate.weighted.estimate, 4);
      expect(calibrationError).toBeGreaterThanOrEqual(0);
      expect(Object.values(model.shares).reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    }
  });

  it('says what to do where recordings are asked for and absent', async () => {
    await expect(trainShippedModel({ ...recipe, withRecordings: true }, options)).rejects.toThrow(/fetch-open-music/);
  });

  it('needs a last round that transcribes', async () => {
    const fineTuning = [fineTuneConfig({ steps: 1, batchTracks: 8 })] as const;
    await expect(trainShippedModel({ ...recipe, fineTuning }, options)).rejects.toThrow(
      /last round has no transcription/,
    );
  });

  it('hears no piece of a preset, and nothing but the train split', () => {
    const { corpus } = SHIPPED_MODEL;
    expect(corpus.seed).not.toBe(1); // the seed of every preset
    expect([corpus.sizes.test, corpus.sizes.testTimbre]).toEqual([0, 0]);
  });
});

const shipped = join(import.meta.dirname, '../../data/checkpoints');
it.skipIf(!existsSync(join(shipped, 'encoder.safetensors')))(
  'the files in data/checkpoints are those of the recipe',
  () => {
    for (const name of ['encoder', 'head']) {
      const { metadata } = readWeights(join(shipped, `${name}.safetensors`));
      expect(JSON.parse(metadata.recipe)).toEqual(JSON.parse(JSON.stringify(SHIPPED_MODEL)));
    }
  },
);
