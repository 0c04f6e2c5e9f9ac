/**
 * A head on the statistics of notes as ONNX operations, from the mel of a window to logits: what notes/ computes, for
 * windows of one length. Letters: B windows, C clips of the encoder in one, T bins, P = 12 pitches.
 */
import type { EncoderConfig } from '../encoder/index.js';
import { ACTIVITY_CHANNELS } from '../corpus/index.js';
import { NUM_KEYS, transposeKey } from '../keys/index.js';
import {
  BIN_TOKENS,
  hearingHop,
  hearingStarts,
  hopTokens,
  shareOfLater,
  STATISTICS,
  STATISTICS_WIDTH,
  statisticsMeans,
  TOKEN_FRAMES,
  type Transcriber,
  TRANSCRIBER_PREFIX,
  transposeStatistics,
  WHOLE_WINDOWS,
} from '../notes/index.js';
import type { Probe } from '../probe/index.js';
import type { StoredTensor } from '../store/index.js';
import { addHead, addTokens } from './graphs.js';
import type { OnnxGraph } from './onnxModel.js';

/** Frames of the windows that the graph takes. */
export const WINDOW_FRAMES = WHOLE_WINDOWS.length * BIN_TOKENS * TOKEN_FRAMES;

interface Parts {
  readonly config: EncoderConfig;
  readonly weights: ReadonlyMap<string, StoredTensor>;
  readonly transcriber: Transcriber;
  readonly probe: Probe;
}

/**
 * @param mel name of the input [B, 128, WINDOW_FRAMES], power
 * @param output name that the logits [B, 24] get
 */
export function addNoteHead(graph: OnnxGraph, parts: Parts, mel: string, output: string): void {
  const statistics = addStatistics(graph, addBins(graph, parts, mel));
  // Twelve rows for each window, one a pitch; the answers are moved back and averaged.
  const from = Float32Array.from({ length: STATISTICS_WIDTH }, (_, i) => i);
  const order = PITCHES.flatMap((up) => [...transposeStatistics(from, up)]);
  const atPitches = graph.add('Gather', [statistics, graph.ints(order, 'pitches')], { axis: 1 });
  const rows = graph.add('Reshape', [atPitches, graph.ints([-1, STATISTICS_WIDTH])]);
  const answers = graph.add('Reshape', [addHead(graph, parts.probe, rows), graph.ints([-1, 12 * NUM_KEYS])]);
  const back = PITCHES.flatMap((up) =>
    Array.from({ length: NUM_KEYS }, (_, key) => up * NUM_KEYS + transposeKey(key, up)),
  );
  const moved = graph.add('Gather', [answers, graph.ints(back, 'keys moved back')], { axis: 1 });
  const byPitch = graph.add('Reshape', [moved, graph.ints([-1, 12, NUM_KEYS])]);
  graph.add('ReduceMean', [byPitch], { axes: [1], keepdims: 0 }, output);
}

const PITCHES = Array.from({ length: 12 }, (_, up) => up);

/** Whether clips of so many frames, half of one apart, fill a window. */
export const clipsFillWindow = (clipFrames: number): boolean =>
  WINDOW_FRAMES >= clipFrames && (WINDOW_FRAMES - clipFrames) % hearingHop(clipFrames) === 0;

/** What each token of a window's clips adds to each bin, [T, C * tokens]: the join of `ClipJoiner` and the mean. */
function binsOfTokens(nClips: number, clipTokens: number): Float32Array {
  const hop = hopTokens(clipTokens);
  const overlap = clipTokens - hop;
  const nRows = nClips * clipTokens;
  const weights = new Float32Array(WHOLE_WINDOWS.length * nRows);
  for (let clip = 0; clip < nClips; clip++)
    for (let token = 0; token < clipTokens; token++) {
      let share = 1;
      if (clip > 0 && token < overlap) share = shareOfLater(token, overlap);
      else if (clip < nClips - 1 && token >= hop) share = 1 - shareOfLater(token - hop, overlap);
      const bin = Math.floor((clip * hop + token) / BIN_TOKENS);
      weights[bin * nRows + clip * clipTokens + token] = share / BIN_TOKENS;
    }
  return weights;
}

/** Activity in bins, [B, T, 36]. */
function addBins(graph: OnnxGraph, { config, weights, transcriber }: Parts, mel: string): string {
  const { clipFrames, nMels } = config;
  const starts = hearingStarts(WINDOW_FRAMES, clipFrames);
  const frames = starts.flatMap((start) => Array.from({ length: clipFrames }, (_, i) => start + i));
  const inClips = graph.add('Gather', [mel, graph.ints(frames, 'frames of clips')], { axis: 2 });
  const apart = graph.add('Reshape', [inClips, graph.ints([-1, nMels, starts.length, clipFrames])]);
  const byClip = graph.add('Transpose', [apart], { perm: [0, 2, 1, 3] });
  const clips = graph.add('Reshape', [byClip, graph.ints([-1, nMels, clipFrames])]);
  const tokens = addTokens(graph, config, weights, clips);
  const own = transcriber.toTensors();
  const [weight, bias] = ['weight', 'bias'].map((part) => {
    const { shape, data } = own.get(TRANSCRIBER_PREFIX + part)!;
    return graph.floats(TRANSCRIBER_PREFIX + part, shape, data as Float32Array);
  });
  const activity = graph.add('Sigmoid', [graph.add('Gemm', [tokens, weight, bias], { transB: 1 })]);
  const clipTokens = clipFrames / TOKEN_FRAMES;
  const nRows = starts.length * clipTokens;
  const byWindow = graph.add('Reshape', [activity, graph.ints([-1, nRows, ACTIVITY_CHANNELS])]);
  const bins = binsOfTokens(starts.length, clipTokens);
  return graph.add('MatMul', [graph.floats('bins of tokens', [WHOLE_WINDOWS.length, nRows], bins), byWindow]);
}

/** `noteStatistics` of each window, [B, STATISTICS_WIDTH]. */
function addStatistics(graph: OnnxGraph, bins: string): string {
  const { length } = WHOLE_WINDOWS;
  const groups = graph.split(bins, 2, 3); // [B, T, 12] each
  const stretch = (channel: number, start: number, end: number): string =>
    start === 0 && end === length
      ? groups[channel / 12]
      : graph.add('Slice', [groups[channel / 12], graph.ints([start]), graph.ints([end]), graph.ints([1])]);
  const means = statisticsMeans(length).map(({ channel, from, to }) =>
    graph.add('ReduceMean', [stretch(channel, from, to)], { axes: [1], keepdims: 0 }),
  );
  const products = STATISTICS.products.map(([a, b, lag]) => {
    const now = graph.add('Transpose', [stretch(a, 0, length - lag)], { perm: [0, 2, 1] });
    const product = graph.add('MatMul', [now, stretch(b, lag, length)]);
    const mean = graph.add('Div', [product, graph.scalar(length - lag)]);
    return graph.add('Reshape', [mean, graph.ints([-1, 144])]);
  });
  return graph.add('Sqrt', [graph.add('Concat', [...means, ...products], { axis: 1 })]);
}
