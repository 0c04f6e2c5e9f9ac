import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { embeddedCorpus, renderPiece, type PieceRecipe, trackAudio } from '../../lib/src/corpus/index.js';
import { scoreKeys } from '../../lib/src/keys/index.js';
import { chromagram, estimateTuning } from '../../lib/src/mel/index.js';
import { estimateKeyByTemplate, TEMPLATE_PROFILES } from '../../lib/src/probe/index.js';

const corpus = embeddedCorpus({ sizes: { train: 24, valid: 0, test: 0, testTimbre: 24 }, seed: 3 });
const recipes = corpus.tracks.map(({ source }) => (source as { recipe: PieceRecipe }).recipe);
const digest = (samples: Float32Array): string =>
  createHash('sha256').update(new Uint8Array(samples.buffer)).digest('hex');
const centsApart = (a: number, b: number): number => Math.abs(((a - b + 150) % 100) - 50);

describe('rendering', () => {
  it('gives the same bytes for the same recipe, also after other pieces and through JSON', async () => {
    const first = digest(await renderPiece(recipes[0]));
    await renderPiece(recipes[24]);
    expect(digest(await renderPiece(JSON.parse(JSON.stringify(recipes[0])) as PieceRecipe))).toBe(first);
  });

  // Both SoundFonts, with and without drums, looped and plucked sounds, every style.
  it.each([0, 1, 2, 3, 4, 5, 24, 25, 26, 27])(
    'track %i: the suite’s own voices are the synthesizer’s to the bit',
    async (i) => {
      const short = { ...recipes[i], durationSeconds: 6.01 };
      expect(digest(await renderPiece(short))).toBe(digest(await renderPiece(short, { accelerate: false })));
    },
  );

  it.each([0, 3, 24, 30])('track %i has the announced length and peak, and sounds', async (i) => {
    const samples = await trackAudio(corpus.tracks[i]);
    expect(samples.length).toBe(Math.round(corpus.tracks[i].durationSeconds * 16000));
    let peak = 0;
    for (const value of samples) peak = Math.max(peak, Math.abs(value));
    expect(20 * Math.log10(peak)).toBeCloseTo(recipes[i].peakDb, 3);
    expect(peak).toBeLessThan(1);
  });

  it('is tuned as the recipe says: measured differences follow', async () => {
    const recipe = recipes.find((r) => r.style === 'piano')!;
    const plain = { ...recipe, drums: null, noiseSnrDb: null };
    const base = estimateTuning(await renderPiece({ ...plain, tuningCents: 0 }));
    for (const cents of [-40, 17.5, 40]) {
      const measured = estimateTuning(await renderPiece({ ...plain, tuningCents: cents }));
      expect(centsApart(measured, base + cents)).toBeLessThan(4);
    }
  });
});

describe('difficulty', () => {
  it('leaves the best template between a guess and a solved task', async () => {
    // 48 tracks: the standard error of the score is about .05, so these bounds are wider than the target of .55 to .80.
    const { tracks } = embeddedCorpus({ sizes: { train: 0, valid: 0, test: 24, testTimbre: 24 }, seed: 1 });
    const reference = tracks.map((track) => track.keyId!);
    const chromas: Float32Array[] = [];
    for (const track of tracks) chromas.push(chromagram(await trackAudio(track)));
    const scores = Object.values(TEMPLATE_PROFILES).map(
      (profile) =>
        scoreKeys(
          reference,
          chromas.map((c) => estimateKeyByTemplate(c, profile).keyId),
        ).weighted,
    );
    expect(Math.max(...scores)).toBeGreaterThan(0.5);
    expect(Math.max(...scores)).toBeLessThan(0.85);
    // Each key is there equally often: always the same answer earns (1 + .5 + .3 + .2) / 24.
    expect(
      scoreKeys(
        reference,
        reference.map(() => 0),
      ).weighted,
    ).toBeCloseTo(2 / 24, 6);
  });
});
