/** From a verified data set to a corpus, and to a manifest that `keymyna embed` and `keymyna probe` read. */
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { InputError } from '../../errors.js';
import { KEYS } from '../../keys/index.js';
import { formatCsv, writeFileAtomic } from '../../store/index.js';
import { examineRecording } from '../recordings.js';
import { type Corpus, type Track, validateCorpus } from '../track.js';
import { type DatasetReport, skippedOf, verifyDataset, type VerifyOptions } from './verify.js';

/**
 * Reads a data set by name (see `DATASETS`) as a corpus: tracks with one key and audio that can be read; everything else
 * is in `skipped`, with the reason.
 * @throws InputError if no track is left, or a split leaks and `allowLeakage` is not set
 */
export async function readDataset(name: string, root: string, options: VerifyOptions = {}): Promise<Corpus> {
  const report = await verifyDataset(name, root, options);
  if (report.tracks.length === 0) {
    const { problems, leftOut } = report;
    const first = [...problems, ...leftOut].at(0);
    throw new InputError(root, `no track of ${name} can be used${first ? ` (${first.id}: ${first.reason})` : ''}`);
  }
  const tracks: Track[] = [];
  for (const { item, path, split, checksum, seconds } of report.tracks) {
    tracks.push({
      id: item.id,
      keyId: item.label.keyId,
      split,
      group: item.artist ?? path,
      durationSeconds: seconds ?? (await examineRecording(path, 30, options)).seconds,
      labels: { ...item.labels, checksum },
      source: { kind: 'file', path },
    });
  }
  const config = {
    corpus: name,
    subset: report.subset.name,
    tracks: report.tracks.map(({ item, split, checksum }) => ({ id: item.id, key: item.label.keyId, split, checksum })),
  };
  const corpus = { name, tracks, config, skipped: skippedOf(report) };
  validateCorpus(corpus, { allowLeakage: options.allowLeakage });
  return corpus;
}

/**
 * Writes the tracks of a report as a manifest; paths from the manifest's folder. Durations that only a header says are
 * left empty, for the reader to learn.
 */
export function writeManifest(path: string, report: DatasetReport, options: { readonly quick?: boolean } = {}): void {
  const folder = dirname(path);
  const others = [...new Set(report.tracks.flatMap(({ item }) => Object.keys(item.labels)))];
  const rows = report.tracks.map(({ item, path: audio, split, checksum, seconds }) => ({
    ...item.labels,
    id: item.id,
    path: portable(folder, audio),
    key: KEYS[item.label.keyId!].label,
    split,
    artist: item.artist,
    duration: options.quick ? null : seconds,
    checksum,
    label: item.label.text.trim(),
  }));
  const columns = ['id', 'path', 'key', 'split', 'artist', 'duration', 'checksum', 'label', ...others];
  writeFileAtomic(path, formatCsv(columns, rows));
}

/** The path of a file from a folder with `/`; absolute where it lies on another drive. */
function portable(folder: string, file: string): string {
  const path = relative(folder, file);
  return isAbsolute(path) ? path : path.split(sep).join('/');
}
