/** 02: the framework figure's data, and what masks leave. */
import { cutClip, melSpectrogram } from '../../mel/index.js';
import { createRng } from '../../tensor/index.js';
import { keptCount, numTokens, PATCH_SIZE, randomMasking, wholePatchFrames, type Patching } from '../../views/index.js';
import { decibelHeat } from '../grid/heat.js';
import type {
  FrameworkMeasurement,
  MaskCoverageMeasurement,
  PatchLayout,
  TokenCountMeasurement,
} from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';
import { exampleTrack, firstClip, trackCard } from '../features/tracks.js';

const CLIP_FRAMES = 196;
const MASK_RATIO = 0.9;
const COVERAGE_CLIPS = 200;

/** One real clip, cut into vertical and square patches, with two masked views each. */
export function framework(run: Run): Promise<FrameworkMeasurement> {
  const track = exampleTrack(run);
  return measured(run, 'framework', { track: track.id, MASK_RATIO }, async (base) => ({
    ...base,
    track: trackCard(track),
    mel: decibelHeat(cutClip(melSpectrogram(await firstClip(track)), 0, CLIP_FRAMES)),
    maskRatio: MASK_RATIO,
    layouts: (['vertical', 'square'] as const).map((patching) => layoutOf(patching, 2)),
  }));
}

/** `nViews` masks of one clip, from a seed of its own so that the figure stays as it is. */
function layoutOf(patching: Patching, nViews: number): PatchLayout {
  const nFrames = wholePatchFrames(patching, CLIP_FRAMES);
  const nTokens = numTokens(patching, 128, nFrames);
  const kept = randomMasking(nViews, nTokens, MASK_RATIO, createRng(7).fork(patching));
  const nKept = kept.length / nViews;
  return {
    patches: patching,
    patchSize: PATCH_SIZE[patching],
    nFrames,
    nTokens,
    views: Array.from({ length: nViews }, (_, view) =>
      Array.from(kept.slice(view * nKept, (view + 1) * nKept)).sort((a, b) => a - b),
    ),
  };
}

/** Tokens before and after masking, for the paper's and the shorter clip. */
export function tokenCounts(run: Run): Promise<TokenCountMeasurement> {
  return measured(run, 'token-counts', { MASK_RATIO }, (base) => ({
    ...base,
    rows: (['vertical', 'square'] as const).flatMap((patching) =>
      [196, 98].map((frames) => {
        const clipFrames = wholePatchFrames(patching, frames);
        const nTokens = numTokens(patching, 128, clipFrames);
        const kept = keptCount(nTokens, MASK_RATIO);
        const attentionShare = rounded((kept / nTokens) ** 2);
        return {
          patches: patching,
          patchSize: PATCH_SIZE[patching].join(' × '),
          clipFrames,
          nTokens,
          masked: nTokens - kept,
          kept,
          attentionShare,
        };
      }),
    ),
  }));
}

/** Several masked views of one clip, and how much of it they see together. */
export function maskCoverage(run: Run): Promise<MaskCoverageMeasurement> {
  const track = exampleTrack(run);
  return measured(run, 'mask-coverage', { track: track.id, MASK_RATIO, COVERAGE_CLIPS }, async (base) => {
    const nViews = [1, 2, 3, 5, 8, 12, 20, 30, 40];
    const nTokens = numTokens('vertical', 128, CLIP_FRAMES);
    const share = keptCount(nTokens, MASK_RATIO) / nTokens;
    return {
      ...base,
      maskRatio: MASK_RATIO,
      mel: decibelHeat(cutClip(melSpectrogram(await firstClip(track)), 0, CLIP_FRAMES)),
      example: layoutOf('vertical', 4),
      nViews,
      counted: nViews.map((n) => rounded(countedCoverage(n, nTokens))),
      expected: nViews.map((n) => rounded(1 - (1 - share) ** n)),
      overlap: rounded(countedOverlap(nTokens)),
    };
  });
}

/** Mean share of tokens that `nViews` masks keep at least once, over some clips. */
function countedCoverage(nViews: number, nTokens: number): number {
  let seen = 0;
  for (let clip = 0; clip < COVERAGE_CLIPS; clip++)
    seen += new Set(randomMasking(nViews, nTokens, MASK_RATIO, createRng(clip).fork(nViews))).size;
  return seen / (COVERAGE_CLIPS * nTokens);
}

/** Mean share of one view's tokens that a second view has too. */
function countedOverlap(nTokens: number): number {
  let shared = 0;
  let kept = 0;
  for (let clip = 0; clip < COVERAGE_CLIPS; clip++) {
    const both = randomMasking(2, nTokens, MASK_RATIO, createRng(clip).fork('overlap'));
    const first = new Set(both.subarray(0, both.length / 2));
    shared += both.subarray(both.length / 2).filter((token) => first.has(token)).length;
    kept += first.size;
  }
  return shared / kept;
}
