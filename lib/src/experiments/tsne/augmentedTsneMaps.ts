/** 06: the maps that are drawn, and what is heard when one of their points is clicked. */
import { type Augmentation, encodeMp3, SAMPLE_RATE } from '../../audio/index.js';
import { createRng } from '../../tensor/index.js';
import { neighbourPreservation, type Points, trustworthiness } from '../../tsne/index.js';
import type { Chain } from '../augmented/augmentedSets.js';
import { applyChain, AUGMENTATION_SEED, heardPart } from '../augmented/augmentTask.js';
import { spreadOf } from './augmentedTsne.js';
import { NEIGHBOURS, otherTrackAccuracy } from './augmentedTsneMeasures.js';
import { type ClipIndex, clipIndex, copyKind, mapPointsOf, rowsOf, shuffledColumns } from './augmentedTsnePoints.js';
import { fewClips, finishedMap, mappedEncoders, mapRequests, PERPLEXITY } from './augmentedTsneStage.js';
import { measured, rounded, type Run, tracksOf } from '../run/run.js';
import type {
  AugmentedMapMeasurement,
  MapPositions,
  PerplexityMeasurement,
  TsneJsMeasurement,
} from './tsneMeasurements.js';

/** What is drawn, where the preset has it: one of each kind of damage, and the control by a little and by much. */
const DRAWN: readonly Augmentation[] = [
  { id: 'lowPass', strength: 2000 },
  { id: 'whiteNoise', strength: 20 },
  { id: 'reverb', strength: 1 },
  { id: 'mp3', strength: 16 },
  { id: 'timeStretch', strength: 1.25 },
  { id: 'pitchShift', strength: 1 },
  { id: 'pitchShift', strength: 6 },
];

/** Of each augmentation that is drawn, the chain whose strength is nearest to the wanted one. */
function drawnChains(chains: readonly Chain[]): number[] {
  const found = DRAWN.flatMap(({ id, strength }) => {
    const own = chains.flatMap((chain, kind) =>
      chain.length === 1 && chain[0].id === id ? [{ kind, gap: Math.abs(chain[0].strength - strength) }] : [],
    );
    return own.length ? [own.reduce((best, one) => (one.gap < best.gap ? one : best)).kind] : [];
  });
  return [...new Set(found)];
}

/** The first clips of as many tracks with copies as the preset says, spread over their order. */
function drawnOriginals(run: Run, { originals, clipOf }: ClipIndex): number[] {
  const firsts = Array.from(originals, (_, place) => place).filter((place) => clipOf[originals[place]] === 0);
  const count = Math.min(run.preset.tsne.heardTracks, firsts.length);
  return Array.from({ length: count }, (_, i) => firsts[Math.floor((i * firsts.length) / count)]);
}

const positions = ({ data, shape: [n] }: Points, rows?: readonly number[]): MapPositions => {
  const taken = rows ?? Array.from({ length: n }, (_, row) => row);
  return { x: taken.map((row) => rounded(data[2 * row])), y: taken.map((row) => rounded(data[2 * row + 1])) };
};

/** One map an encoder, from principal components, with some copies. */
export function augmentedMap(run: Run): Promise<AugmentedMapMeasurement> {
  return measured(run, 'augmented-map', { PERPLEXITY, DRAWN }, (base) => {
    const encoders = mappedEncoders(run);
    const index = clipIndex(run, encoders[0]);
    const { tracks, trackOf, clipOf, originals, chains } = index;
    const places = drawnOriginals(run, index);
    const kinds = drawnChains(chains);
    const rows = places.flatMap((place) => kinds.map((kind) => kind * originals.length + place));
    const soundOf = (place: number, kind: number | null): string =>
      `${tracks[trackOf[originals[place]]].id} · ${kind === null ? 'clean' : copyKind(chains[kind]).chain}`;
    return {
      ...base,
      perplexity: PERPLEXITY,
      tracks,
      trackOf: [...trackOf],
      clipOf: [...clipOf],
      kinds: kinds.map((kind) => copyKind(chains[kind])),
      copies: places.flatMap((place) =>
        kinds.map((kind, i) => ({ original: originals[place], kind: i, sound: soundOf(place, kind) })),
      ),
      originalSounds: places.map((place) => ({ original: originals[place], sound: soundOf(place, null) })),
      panels: encoders.map((encoder) => {
        const request = mapRequests(run).find(
          (one) => one.encoder.name.id === encoder.name.id && one.content === 'clips and copies' && one.start === 'pca',
        )!;
        const { maps, copies, klDivergence } = finishedMap(run, request);
        return {
          encoder: encoder.name,
          klDivergence: rounded(klDivergence[klDivergence.length - 1]),
          clips: positions(maps[maps.length - 1]),
          copies: positions(copies, rows),
        };
      }),
    };
  });
}

/** A short piece of sound as an MP3 file. */
export interface EncodedSound {
  readonly type: 'audio/mpeg';
  readonly base64: string;
}

/** Where in the first clip a sound begins and how long it lasts, in seconds, and its bit rate. */
const HEARD_FROM = 2;
const HEARD_SECONDS = 3;
const KILOBITS = 24;

/** The sounds of the points that `augmentedMap` names: 3 s of the first clip, of the very audio that was embedded. */
export async function mapSounds(run: Run): Promise<Readonly<Record<string, EncodedSound>>> {
  const encoders = mappedEncoders(run);
  const index = clipIndex(run, encoders[0]);
  const map = await augmentedMap(run);
  const kept = await measured(run, 'map-sounds', { DRAWN, HEARD_FROM, HEARD_SECONDS, KILOBITS }, async (base) => {
    const sounds: Record<string, EncodedSound> = {};
    const kinds = drawnChains(index.chains);
    const trackOf = new Map(tracksOf(run, 'test').map((track) => [track.id, track]));
    for (const { original, sound } of map.originalSounds) {
      const { id } = map.tracks[map.trackOf[original]];
      const samples = await heardPart(trackOf.get(id)!, run.preset.augmented.clips);
      const rng = createRng(AUGMENTATION_SEED).fork(id);
      sounds[sound] = await encoded(samples);
      for (const copy of map.copies.filter((one) => one.original === original))
        sounds[copy.sound] = await encoded(await applyChain(samples, index.chains[kinds[copy.kind]], rng));
    }
    return { ...base, sounds };
  });
  return kept.sounds;
}

async function encoded(samples: Float32Array): Promise<EncodedSound> {
  const begin = HEARD_FROM * SAMPLE_RATE;
  const bytes = await encodeMp3(samples.subarray(begin, begin + HEARD_SECONDS * SAMPLE_RATE), KILOBITS);
  return { type: 'audio/mpeg', base64: Buffer.from(bytes).toString('base64') };
}

/** The base encoder's clips at several perplexities, and the same with the columns shuffled. */
export function perplexityMaps(run: Run): Promise<PerplexityMeasurement> {
  return measured(run, 'perplexity', { NEIGHBOURS }, async (base) => {
    const [encoder] = mappedEncoders(run);
    const { keyIds, trackOf } = clipIndex(run, encoder);
    const { clean } = mapPointsOf(run, encoder);
    const clouds = { clips: clean, shuffled: shuffledColumns(clean) };
    const panels: PerplexityMeasurement['panels'][number][] = [];
    for (const request of mapRequests(run)) {
      if (request.content !== 'clips' && request.content !== 'shuffled') continue;
      const { maps, klDivergence } = finishedMap(run, request);
      const map = maps[maps.length - 1];
      panels.push({
        data: request.content === 'clips' ? 'embeddings' : 'shuffled',
        perplexity: request.perplexity,
        klDivergence: rounded(klDivergence[klDivergence.length - 1]),
        keyAccuracy: rounded(await otherTrackAccuracy(map, trackOf, keyIds)),
        trustworthiness: rounded(await trustworthiness(clouds[request.content], map, NEIGHBOURS)),
        clips: positions(map),
      });
    }
    return { ...base, encoder: encoder.name, k: NEIGHBOURS, keyIds: [...keyIds], panels };
  });
}

/** Ours and tsne-js on the first clips of test tracks: the same affinities, the same measures. */
export function tsneJsComparison(run: Run): Promise<TsneJsMeasurement> {
  return measured(run, 'tsne-js', { NEIGHBOURS, PERPLEXITY }, async (base) => {
    const [encoder] = mappedEncoders(run);
    const { keyIds, trackOf } = clipIndex(run, encoder);
    const taken = fewClips(run);
    const clean = rowsOf(mapPointsOf(run, encoder).clean, taken);
    const keys = taken.map((row) => keyIds[row]);
    const tracks = taken.map((row) => trackOf[row]);
    const k = Math.min(NEIGHBOURS, Math.floor(taken.length / 4));
    const rows: TsneJsMeasurement['rows'][number][] = [];
    for (const [program, start] of [
      ['keymyna', 'pca'],
      ['keymyna', 'random'],
      ['tsne-js', 'random'],
    ] as const) {
      // prettier-ignore
      const maps = mapRequests(run)
        .filter((one) => one.content === 'few' && one.program === program && one.start === start)
        .map((request) => finishedMap(run, request));
      const each = await Promise.all(
        maps.map(async ({ maps: looks, klDivergence }) => {
          const map = looks[looks.length - 1];
          return {
            klDivergence: klDivergence[klDivergence.length - 1],
            keyAccuracy: await otherTrackAccuracy(map, tracks, keys),
            trustworthiness: await trustworthiness(clean, map, k),
            preservation: await neighbourPreservation(clean, map, k),
          };
        }),
      );
      rows.push({
        program,
        start,
        seeds: maps.length,
        klDivergence: spreadOf(each.map((one) => one.klDivergence)),
        keyAccuracy: spreadOf(each.map((one) => one.keyAccuracy)),
        trustworthiness: spreadOf(each.map((one) => one.trustworthiness)),
        preservation: spreadOf(each.map((one) => one.preservation)),
        clips: positions(maps[0].maps[maps[0].maps.length - 1]),
      });
    }
    return {
      ...base,
      encoder: encoder.name,
      nClips: taken.length,
      perplexity: Math.min(PERPLEXITY, rounded((taken.length - 1) / 3)),
      k,
      keyIds: keys,
      embeddingAccuracy: rounded(await otherTrackAccuracy(clean, tracks, keys)),
      rows,
    };
  });
}
