import { describe, expect, it } from 'vitest';
import { embeddedCorpus } from '../../lib/src/corpus/index.js';
import { MIXUP_WAYS, mixUpSettings, presetOf, trainTracks } from '../../lib/src/experiments/index.js';
import { tritonePairs } from '../../lib/src/experiments/mixup/mixLine.js';
import { mixUpPairs } from '../../lib/src/experiments/mixup/mixUpEffect.js';
import { transposeKey } from '../../lib/src/keys/index.js';

describe('MixUp settings', () => {
  it.each([
    // 2 probes x 2 sizes x 4 ways, and input MixUp where it is pretrained
    ['smoke', 16],
    ['laptop', 17],
    // and the random encoder's linear probe: 2 sizes x 4 ways
    ['study', 25],
    ['paper', 24],
  ] as const)('%s has %i, each once', (name, n) => {
    const settings = mixUpSettings(presetOf(name));
    expect(settings).toHaveLength(n);
    expect(new Set(settings.map((s) => [s.encoder, s.method, s.size, s.way.id].join())).size).toBe(n);
  });

  it('compare every way with none, on the same encoder, probe and size; the mirror pair stands outside', () => {
    const pairs = mixUpPairs(mixUpSettings(presetOf('laptop')));
    expect(pairs.filter(({ family }) => family === 'effect')).toHaveLength(2 * 2 * 3 + 1);
    const mirrors = pairs.filter(({ family }) => family === null);
    expect(mirrors).toHaveLength(2 * 2);
    for (const { a, b } of mirrors) {
      expect([a.encoder, a.method, a.size]).toEqual([b.encoder, b.method, b.size]);
      expect([a.way.mixUp?.alpha, a.way.mixUp?.beta]).toEqual([b.way.mixUp?.beta, b.way.mixUp?.alpha]);
    }
    const [input] = pairs.filter(({ a }) => a.encoder === 'vertical-input-mixup');
    expect(input.b).toMatchObject({ encoder: 'vertical-pretrained', method: 'linear', size: 'whole' });
    expect(input.b.way).toBe(MIXUP_WAYS[0]);
  });

  it.each([
    ['smoke', 24],
    ['laptop', 120],
    ['study', 120],
  ] as const)('a quarter of %s are %i tracks with every key equally often', (name, n) => {
    const preset = presetOf(name);
    expect(trainTracks(preset, 'quarter')).toBe(n);
    expect(trainTracks(preset, 'whole')).toBe(preset.corpus.sizes.train);
    const keys = embeddedCorpus(preset.corpus)
      .tracks.filter(({ split }) => split === 'train')
      .slice(0, n)
      .map(({ keyId }) => keyId!);
    for (let key = 0; key < 24; key++) expect(keys.filter((one) => one === key)).toHaveLength(n / 24);
  });
});

it('tritone pairs: the next track six semitones away in the same mode, around the end', () => {
  const keys = [0, 12, 3, 12, 15];
  expect(tritonePairs(keys)).toEqual([
    [0, 1],
    [1, 0],
    [2, 4],
    [3, 0],
    [4, 2],
  ]);
  for (const [a, b] of tritonePairs(keys)) expect(transposeKey(keys[a], 6)).toBe(keys[b]);
  expect(tritonePairs([0, 2, 4])).toEqual([]);
});
