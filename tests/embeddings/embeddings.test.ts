import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  buildTable,
  concatenateTables,
  describeClips,
  embedLayers,
  embedTracks,
  type EmbeddingTable,
  fitStandardizer,
  loadEmbeddingTable,
  melMeanTable,
  saveEmbeddingTable,
  selectTracks,
  standardize,
} from '../../lib/src/embeddings/index.js';
import { Encoder, encoderConfig } from '../../lib/src/encoder/index.js';
import { cutClips, type MelTrack } from '../../lib/src/mel/index.js';
import { float32, int32, readSafetensors, type StoredTensor, writeSafetensors } from '../../lib/src/store/index.js';
import { createRng, initBackend, tf } from '../../lib/src/tensor/index.js';

const folder = mkdtempSync(join(tmpdir(), 'embeddings-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  await initBackend({ prefer: 'wasm' });
});

function melTrack(id: string, nFrames: number): MelTrack {
  const rng = createRng(id);
  const data = Float32Array.from({ length: 128 * nFrames }, () => Math.exp(rng.normal()));
  return { id, mel: { nMels: 128, nFrames, data } };
}
// Clips of 32 frames: 2 and a remainder, 1 padded, 3 exactly.
const tracks = [melTrack('a', 75), melTrack('b', 20), melTrack('c', 96)];

function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 2e-6): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThanOrEqual(tolerance);
}

describe('embedTracks', () => {
  const encoders = (['vertical', 'square', 'hybrid'] as const).map((patches) => ({
    patches,
    make: () => Encoder.init(encoderConfig(patches, 'tiny', { clipFrames: 32 }), createRng(1)),
  }));

  test.each(encoders)('$patches: batches, one by one and the plain forward pass agree', async ({ make }) => {
    const encoder = make();
    const before = tf.memory().numTensors;
    const table = await embedTracks(encoder, tracks);
    expect(table).toMatchObject({ nClips: 6, width: encoder.outWidth, trackIds: ['a', 'b', 'c'] });
    expect([...table.trackOf]).toEqual([0, 0, 1, 2, 2, 2]);
    expectClose((await embedTracks(encoder, tracks, { batchClips: 1 })).embeddings, table.embeddings);

    const lastClip = cutClips(tracks[2].mel, 32)[2];
    const alone = encoder.forward(lastClip.data, 1);
    expectClose(table.embeddings.slice(-encoder.outWidth), alone.dataSync());
    alone.dispose();
    expect(tf.memory().numTensors).toBe(before);
    encoder.dispose();
  });

  test.each(encoders)('$patches: several layers in one pass are those of single passes', async ({ make }) => {
    const encoder = make();
    const before = tf.memory().numTensors;
    const layers = [0, 1, 2, 'output'] as const;
    const together = await embedLayers(encoder, tracks, layers);
    expect([...together.keys()]).toEqual([...layers]);
    for (const layer of layers) {
      const single = await embedTracks(encoder, tracks, { layer });
      expectClose(together.get(layer)!.embeddings, single.embeddings, 1e-5); // layer sums reach some tens
    }
    const [first, last] = [together.get(0)!, together.get('output')!];
    expect([...first.embeddings]).not.toEqual([...last.embeddings]);
    expect(tf.memory().numTensors).toBe(before);
    encoder.dispose();
  });

  test('law: any cut into batches, across tracks, gives the table of one clip at a time', async () => {
    const encoder = encoders[2].make();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 8, max: 40 }),
        async (lengths, batchClips, clipHop) => {
          const some = lengths.map((nFrames, i) => melTrack(`${i}`, nFrames));
          const layers = [1, 'output'] as const;
          const seen: number[] = [];
          const onProgress = (done: number): void => void seen.push(done);
          const tables = await embedLayers(encoder, some, layers, { batchClips, clipHop, onProgress });
          expect(seen).toEqual(some.map((_, i) => i + 1));
          for (const layer of layers) {
            const table = tables.get(layer)!;
            const alone: number[] = [];
            const trackOf: number[] = [];
            some.forEach(({ mel }, track) => {
              for (const clip of cutClips(mel, 32, { hop: clipHop })) {
                const out = encoder.forward(clip.data, 1, layer === 'output' ? {} : { layer });
                alone.push(...out.dataSync());
                out.dispose();
                trackOf.push(track);
              }
            });
            expect([...table.trackOf]).toEqual(trackOf);
            expectClose(table.embeddings, alone, layer === 'output' ? 2e-6 : 1e-5);
          }
        },
      ),
      { numRuns: 25 },
    );
    encoder.dispose();
  });

  test('a track that cannot be embedded is named, with the place', async () => {
    const encoder = encoders[0].make();
    const broken = melTrack('broken', 100);
    broken.mel.data[70] = NaN;
    await expect(embedTracks(encoder, [tracks[0], broken])).rejects.toThrow(
      /^track broken, clip from frame 64: its mel spectrogram holds NaN/,
    );
    const narrow = { id: 'narrow', mel: { nMels: 64, nFrames: 40, data: new Float32Array(64 * 40) } };
    await expect(embedTracks(encoder, [narrow])).rejects.toThrow(/track narrow: 64 mel bands.* 128/);
    encoder.dispose();
  });

  test('an overlapping hop gives more clips; progress and abort are heard', async () => {
    const encoder = encoders[0].make();
    const seen: [number, number, string | undefined][] = [];
    const table = await embedTracks(encoder, tracks, {
      clipHop: 16,
      onProgress: (done, total, note) => seen.push([done, total, note]),
    });
    expect([...table.trackOf]).toEqual([0, 0, 0, 1, 2, 2, 2, 2, 2]);
    expect(seen).toEqual([
      [1, 3, 'a'],
      [2, 3, 'b'],
      [3, 3, 'c'],
    ]);

    const abort = new AbortController();
    const stopped = embedTracks(encoder, tracks, {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('stopped')),
    });
    await expect(stopped).rejects.toThrow('stopped');
    await expect(embedTracks(encoder, [])).rejects.toThrow(/no tracks/);
    await expect(embedTracks(encoder, tracks, { layer: 3 })).rejects.toThrow(/layer: 3 found.*0 \(no block\) to 2/);
    encoder.dispose();
  });
});

describe('files', () => {
  const table = buildTable(['x', 'ü "quoted"'], [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)], 2);

  test('a table survives writing and reading', () => {
    const path = join(folder, 'table.safetensors');
    saveEmbeddingTable(path, table, { configId: 'abc' });
    expect(loadEmbeddingTable(path)).toEqual(table);
    const { tensors, metadata } = readSafetensors(path);
    expect(metadata.configId).toBe('abc');
    expect(tensors.get('embeddings')).toMatchObject({ dtype: 'F32', shape: [3, 2] });
    expect(tensors.get('track_of')).toMatchObject({ dtype: 'I32', shape: [3] });
  });

  test('a table that is not finite is never written', () => {
    const broken = { ...table, embeddings: table.embeddings.map((value) => (value === 6 ? NaN : value)) };
    expect(() => saveEmbeddingTable(join(folder, 'broken.safetensors'), broken)).toThrow(/clip 2 .*value NaN at 1/);
    expect(readdirSync(folder).filter((name) => name.includes('broken'))).toEqual([]);
  });

  test.each<[string, [string, StoredTensor][], Record<string, string>, RegExp]>([
    ['no embeddings', [['track_of', int32([1], Int32Array.of(0))]], {}, /no F32 tensor "embeddings"/],
    ['no track_of', [['embeddings', float32([1, 1], Float32Array.of(0))]], {}, /no I32 tensor "track_of"/],
    [
      'too few names',
      [
        ['embeddings', float32([1, 1], Float32Array.of(0))],
        ['track_of', int32([1], Int32Array.of(3))],
      ],
      { track_ids: '["a"]' },
      /track index 3; the table names 1 tracks/,
    ],
    [
      'names that are no list',
      [
        ['embeddings', float32([1, 1], Float32Array.of(0))],
        ['track_of', int32([1], Int32Array.of(0))],
      ],
      { track_ids: '[1]' },
      /"track_ids" is not a list of names/,
    ],
  ])('%s: one clear sentence', (name, tensors, metadata, message) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.safetensors`);
    writeSafetensors(path, new Map(tensors), metadata);
    expect(() => loadEmbeddingTable(path)).toThrow(message);
    expect(() => loadEmbeddingTable(path)).toThrow(path);
  });

  test('a table without names gets indices for names', () => {
    const path = join(folder, 'nameless.safetensors');
    const tensors: [string, StoredTensor][] = [
      ['embeddings', float32([2, 1], Float32Array.of(1, 2))],
      ['track_of', int32([2], Int32Array.of(0, 1))],
    ];
    writeSafetensors(path, new Map(tensors));
    expect(loadEmbeddingTable(path).trackIds).toEqual(['0', '1']);
  });
});

describe('joining and selecting', () => {
  const a = buildTable(['x', 'y'], [Float32Array.of(1, 2), Float32Array.of(3)], 1);
  const b = buildTable(['x', 'y'], [Float32Array.of(4, 5, 6, 7), Float32Array.of(8, 9)], 2);

  test('two descriptions of the same clips stand side by side', () => {
    const both = concatenateTables(a, b);
    expect(both.width).toBe(3);
    expect([...both.embeddings]).toEqual([1, 4, 5, 2, 6, 7, 3, 8, 9]);
    expect(() => concatenateTables(a, buildTable(['x', 'z'], [Float32Array.of(1, 2), Float32Array.of(3)], 1))).toThrow(
      /do not describe the same clips/,
    );
  });

  test('tracks can be selected in any order', () => {
    const turned = selectTracks(b, [1, 0]);
    expect(turned.trackIds).toEqual(['y', 'x']);
    expect([...turned.embeddings]).toEqual([8, 9, 4, 5, 6, 7]);
    expect([...turned.trackOf]).toEqual([0, 1, 1]);
    expect(() => selectTracks(b, [2])).toThrow(/track 2; the table has 2 tracks/);
  });
});

describe('baselines', () => {
  test('the log-mel mean is the plain mean of each band', () => {
    const table = melMeanTable(tracks, { clipFrames: 32 });
    expect(table).toMatchObject({ nClips: 6, width: 128 });
    const { mel } = tracks[0];
    for (const band of [0, 77, 127]) {
      let sum = 0;
      for (let frame = 32; frame < 64; frame++) sum += Math.log1p(mel.data[band * mel.nFrames + frame]);
      expect(table.embeddings[128 + band]).toBeCloseTo(sum / 32, 5);
    }
    const log = melMeanTable(tracks, { clipFrames: 32, scale: 'log' });
    expect(log.embeddings.every(Number.isFinite)).toBe(true); // padded frames are exactly zero
    expect(log.embeddings[0]).toBeLessThan(table.embeddings[0]);
  });

  test('any description of clip audio becomes a table', () => {
    const samples = Float32Array.from({ length: 25 }, (_, i) => i);
    const table = describeClips(
      [
        { id: 'long', samples },
        { id: 'short', samples: samples.subarray(0, 4) },
      ],
      (clip) => Float32Array.of(clip.length, clip[0], clip[9]),
      { clipSamples: 10 },
    );
    expect([...table.embeddings]).toEqual([10, 0, 9, 10, 10, 19, 10, 0, 0]);
    expect([...table.trackOf]).toEqual([0, 0, 1]);
  });
});

describe('the standardizer', () => {
  const { tensors } = readSafetensors(fileURLToPath(new URL('../golden/head.safetensors', import.meta.url)));
  const golden = (name: string): StoredTensor => tensors.get(name)!;
  const tableOf = (name: string): EmbeddingTable => {
    const [nClips, width] = golden(name).shape;
    const embeddings = Float32Array.from(golden(name).data);
    return { embeddings, nClips, width, trackOf: new Int32Array(nClips), trackIds: ['a'] };
  };
  const [train, held] = [tableOf('train.embeddings'), tableOf('test.embeddings')];

  test('has the golden mean and scale', () => {
    const { mean, scale } = fitStandardizer(train);
    expectClose(mean, golden('std.mean_f64').data, 1e-7); // computed from float32 embeddings
    expectClose(scale, golden('std.scale_f64').data, 1e-7);
    expect(() => expectClose(mean, golden('std.scale_f64').data, 1e-7)).toThrow();
  });

  test('fitted on train and applied to test is not the published flaw', () => {
    const ours = standardize(held, fitStandardizer(train)).embeddings;
    expectClose(standardize(train, fitStandardizer(train)).embeddings, golden('std.train_fit_on_train').data);
    expectClose(standardize(train, fitStandardizer(train)).embeddings, golden('std.train_f64').data);
    expectClose(ours, golden('std.test_fit_on_train_correct').data);
    const flawed = standardize(held, fitStandardizer(held)).embeddings;
    expectClose(flawed, golden('std.test_fit_on_TEST_as_reference').data);
    expect([...ours]).not.toEqual([...flawed]);
  });

  test('law: columns get mean 0 and deviation 1, a constant column becomes 0', () => {
    const rng = createRng(4);
    const embeddings = Float32Array.from({ length: 300 }, (_, i) => (i % 3 === 1 ? 0.1 : 1e3 * (i % 3) + rng.normal()));
    const table = buildTable(['a'], [embeddings], 3);
    const scaled = standardize(table, fitStandardizer(table));
    for (const column of [0, 2]) {
      const values = scaled.embeddings.filter((_, i) => i % 3 === column);
      expect(Math.abs(values.reduce((a, b) => a + b) / 100)).toBeLessThan(1e-5);
      expect(values.reduce((a, b) => a + b * b, 0) / 100).toBeCloseTo(1, 4);
    }
    expect(scaled.embeddings.filter((_, i) => i % 3 === 1).every((value) => Math.abs(value) < 1e-6)).toBe(true);
    expect(() => standardize({ ...table, width: 2 }, fitStandardizer(table))).toThrow(/width 2.*fitted on width 3/);
  });
});
