/** 10: pieces of the embedded corpus as WAV files, for those who have no music there. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { encodeWav, SAMPLE_RATE } from '../../audio/index.js';
import { embeddedCorpus, keySpans, type Track, trackAudio } from '../../corpus/index.js';
import { writeFileAtomic } from '../../store/index.js';
import { type PresetName, presetOf } from '../run/presets.js';
import type { KeySegment } from './yourMusicMeasurements.js';

/** A path from a folder, with `/`. */
export function relativeFile(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/') || '.';
}

/** Pieces that are composed where there is no music, by preset. */
const PIECES: Readonly<Record<PresetName, number>> = { smoke: 2, laptop: 4, study: 4, paper: 4 };

/** Changes when other pieces are chosen or they are written otherwise. */
const DEMONSTRATION_VERSION = 1;

/** A demonstration: where it lies, and what the composer wrote. */
export interface Demonstration {
  readonly folder: string;
  readonly composed: ReadonlyMap<string, readonly KeySegment[]>;
  /** Key ids, the label of each piece. */
  readonly labels: ReadonlyMap<string, number>;
}

/**
 * Pieces of the split `testTimbre` of the embedded corpus, whose instruments no training of this suite has heard: the
 * first that modulates, then the first of other styles. Rendered once, as WAV at 16 kHz.
 */
export async function demonstration(
  preset: PresetName,
  cacheDir: string,
  onProgress?: (done: number, total: number, note?: string) => void,
): Promise<Demonstration> {
  const { seed } = presetOf(preset).corpus;
  const sizes = { train: 0, valid: 0, test: 0, testTimbre: 24 };
  const pieces = chosen(embeddedCorpus({ sizes, seed }).tracks, PIECES[preset]);
  const folder = join(cacheDir, 'your-music-demonstration');
  startAnew(folder);
  const composed = new Map<string, readonly KeySegment[]>();
  const labels = new Map<string, number>();
  for (const [i, track] of pieces.entries()) {
    const file = `${String(track.labels.style)}-${track.id.slice(-4)}.wav`;
    const path = join(folder, file);
    onProgress?.(i, pieces.length, `compose ${file}`);
    if (!existsSync(path)) writeFileAtomic(path, encodeWav(await trackAudio(track), SAMPLE_RATE));
    composed.set(file, composedKeys(track));
    labels.set(file, track.keyId ?? -1);
  }
  return { folder, composed, labels };
}

/** Empties the folder of another version's pieces. */
function startAnew(folder: string): void {
  const mark = join(folder, '.version');
  const version = `${DEMONSTRATION_VERSION}\n`;
  if (existsSync(mark) && readFileSync(mark, 'utf8') === version) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileAtomic(mark, version);
}

function chosen(tracks: readonly Track[], count: number): Track[] {
  const modulating = tracks.find((track) => track.labels.modulatesTo !== '');
  const ofStyle = new Map<unknown, Track>(modulating ? [[modulating.labels.style, modulating]] : []);
  for (const track of tracks) if (!ofStyle.has(track.labels.style)) ofStyle.set(track.labels.style, track);
  return [...ofStyle.values()].slice(0, count);
}

/** What was written, neighbours in one key joined; where no key is heard there is a gap. */
function composedKeys(track: Track): KeySegment[] {
  const joined: { start: number; end: number; keyId: number }[] = [];
  for (const { startSeconds, seconds, keyId } of keySpans(track)) {
    const last = joined.at(-1);
    if (keyId === null) continue;
    if (last?.keyId === keyId && last.end === startSeconds) last.end = startSeconds + seconds;
    else joined.push({ start: startSeconds, end: startSeconds + seconds, keyId });
  }
  return joined;
}
