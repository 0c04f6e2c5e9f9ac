/** Tables of notebook 10. Pure: measurements in, rows out. */
import type { MusicMeasurement } from '../experiments/index.js';
import type { Table } from './figure.js';
import { keyLabel } from './keyColours.js';
import { clockTime } from './keyOverTimeFigure.js';
import { points, table } from './style.js';

/** Most rows that are shown; all are in the numbers beside the table. */
const MAX_ROWS = 200;

/** Every recording with its key, the second choice, how sure the model is, and where the key changes. */
export function musicTable(m: MusicMeasurement): Table {
  const { tracks, model } = m;
  const shown = tracks.slice(0, MAX_ROWS);
  const sure = model.isCalibrated
    ? 'Confidence: calibrated probability of the key in percent.'
    : 'Confidence is not calibrated.';
  return table(
    'your-music',
    m,
    `${tracks.length} ${tracks.length === 1 ? 'recording' : 'recordings'}${shown.length < tracks.length ? `, the first ${shown.length} shown` : ''}, heard by ${model.name}. ${sure} Changes: where the smoothed key modulates. Label: from manifest.csv.`,
    ['file', 'key', 'confidence', 'second choice', 'its probability', 'length', 'changes of key', 'label'],
    shown.map((track) => [
      track.file,
      keyLabel(track.keyId),
      points(track.confidence),
      keyLabel(track.secondKeyId),
      points(track.probabilities[track.secondKeyId]),
      clockTime(track.seconds),
      changesOf(track.overTime.segments),
      track.labelKeyId === null ? '–' : keyLabel(track.labelKeyId),
    ]),
  );
}

/** `0:12 G major, 0:40 C major`; of many only the first. */
function changesOf(segments: MusicMeasurement['tracks'][number]['overTime']['segments']): string {
  const changes = segments.slice(1).map(({ start, keyId }) => `${clockTime(start)} ${keyLabel(keyId)}`);
  if (changes.length === 0) return 'none';
  return changes.length <= 4 ? changes.join(', ') : `${changes.slice(0, 3).join(', ')}, … (${changes.length} in all)`;
}

/** Files that could not be heard. */
export function musicProblemsTable(m: MusicMeasurement): Table {
  return table(
    'your-music-problems',
    m,
    `${m.problems.length} of ${m.problems.length + m.tracks.length} files could not be heard; all others were.`,
    ['file', 'what is wrong'],
    m.problems.slice(0, MAX_ROWS).map(({ file, problem }) => [file, problem]),
  );
}
