/**
 * notes/: which pitch classes an encoder hears when, and what they say about the key: a head that reads tokens in place
 * of their mean. Imports probe, embeddings, encoder, views, mel, corpus, keys, tensor, store.
 */
export {
  BIN_TOKENS,
  binActivity,
  noteStatistics,
  STATISTICS,
  STATISTICS_WIDTH,
  statisticsMeans,
  transposeStatistics,
} from './statistics.js';
export { ClipJoiner, hearingHop, hearingStarts, hopTokens, shareOfLater, tokensOf, transcribe } from './overlap.js';
export { TOKEN_FRAMES, TOKEN_SECONDS, transcribeClips, Transcriber, TRANSCRIBER_PREFIX } from './transcriber.js';
export {
  BIN_FRAMES,
  logitsOverPitches,
  MOMENT_WINDOWS,
  noteTable,
  type NoteWindow,
  noteWindows,
  WHOLE_WINDOWS,
  type WindowPlan,
  windowStatistics,
} from './windows.js';
