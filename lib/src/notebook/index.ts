/**
 * notebook/: what a cell calls to show a figure, a table, a clip, progress, a checked claim; which preset runs, and
 * where its files go; players, and a server on this machine for what a reader corrects. The only room that knows the
 * kernel (tslab). Imports store, figures, and audio's decoder and encoders.
 */
export { showAudio } from './audio.js';
export { findBrowser, NO_BROWSER } from './browser.js';
export { checkClaim, type ClaimKind } from './claim.js';
export {
  cacheFolder,
  cacheLimit,
  figuresFolder,
  modelFolder,
  dataFile,
  musicFolder,
  parsePreset,
  preset,
  PRESETS,
  rootFolder,
  type Preset,
} from './context.js';
export { captionHtml, display, escapeHtml, updateDisplay, type MimeBundle } from './display.js';
export { showFigure, type NumbersFile } from './figure.js';
export { DEFAULT_SIZE, drawingJson, embedPicture, figureIdIn, type Drawing } from './page.js';
export { type Playback } from './playback.js';
export { playback } from './playbackOf.js';
export { progressBar, type ProgressBar } from './progress.js';
export { showReview, type Review, type ReviewRow } from './review.js';
export { type Sound, type Sounds } from './sounds.js';
export { showTable } from './table.js';
