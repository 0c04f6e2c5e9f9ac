/** 10: a reader's own recordings, heard: the key of each, over time, and labels that are kept. */
import { basename, join } from 'node:path';
import { InputError } from '../../errors.js';
import { KEYS, type KeyScore, parseKey, scoreKeys } from '../../keys/index.js';
import { KEY_SECONDS } from '../../predict/index.js';
import type { Provenance } from '../measurements.js';
import { rounded } from '../run/run.js';
import type { Demonstration } from './yourMusicFiles.js';
import { readLabels, saveLabel } from './yourMusicLabels.js';
import type { MusicMeasurement, MusicModel, MusicProblem, MusicTrack } from './yourMusicMeasurements.js';
import { type HeardClips, overTime, wholeAnswer } from './yourMusicOverTime.js';

/** Of the labels, in the folder of the recordings. */
export const MANIFEST_NAME = 'manifest.csv';

/** A list to listen through and to correct. */
export interface MusicReview {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly { name: string; path: string; cells: readonly string[]; choice: string }[];
  readonly choices: readonly string[];
  readonly command: string;
  readonly save: (name: string, key: string) => string;
}

/** Recordings that were heard. */
export class Music {
  private readonly tracks = new Map<string, Omit<MusicTrack, 'labelKeyId'>>();
  private labels: ReadonlyMap<string, number>;

  constructor(
    /** Where the recordings lie, and the manifest of their labels. */
    readonly folder: string,
    readonly model: MusicModel,
    private readonly heard: ReadonlyMap<string, HeardClips>,
    readonly problems: readonly MusicProblem[],
    private readonly demonstration: Demonstration | null,
    private readonly source: Provenance,
  ) {
    this.labels = readLabels(this.manifest);
  }

  get manifest(): string {
    return join(this.folder, MANIFEST_NAME);
  }

  get isDemonstration(): boolean {
    return this.demonstration !== null;
  }

  /** What was listened to, and by which model, in sentences. */
  get about(): string {
    const { name, origin, temperature, isCalibrated } = this.model;
    const weights = { yours: 'your model', shipped: 'the model that ships' };
    const what = this.isDemonstration
      ? `No music of yours: ${this.files.length} pieces of the embedded corpus are heard instead.`
      : `${this.files.length} recordings of ${this.folder} were heard, ${this.problems.length} could not be.`;
    const calibrated = !isCalibrated ? 'not calibrated' : `calibrated, temperature ${rounded(temperature, 3)}`;
    return `${what} Heard by ${weights[origin]} (${name}; ${calibrated}).`;
  }

  /** What was heard, by path from the folder, sorted. */
  get files(): readonly string[] {
    return [...this.heard.keys()];
  }

  /** Keys that the composer of a demonstration wrote, by file; of recordings nothing is known. */
  get composedKeys(): readonly (readonly [file: string, key: string])[] {
    return [...(this.demonstration?.labels ?? [])].map(([file, keyId]) => [file, KEYS[keyId].label] as const);
  }

  /** All that was heard, with the labels as they are now. */
  measure(): MusicMeasurement {
    const { isDemonstration, model, problems } = this;
    const tracks = this.files.map((file) => ({ ...this.track(file), labelKeyId: this.labelOf(file) }));
    return { ...this.source, model, isDemonstration, tracks, problems };
  }

  /** The key over time of one recording, by another duration of keys. @param keySeconds mean length of a key, seconds */
  overTime(name: string, keySeconds: number): MusicTrack {
    const file = this.find(name);
    const heard = this.heard.get(file)!;
    return {
      ...this.track(file),
      labelKeyId: this.labelOf(file),
      overTime: overTime(heard, this.model.temperature, keySeconds),
    };
  }

  /**
   * Writes the right key of a recording into the manifest.
   * @param name path from the folder, or the file's name alone where only one has it
   * @param key as `Eb minor`, `F# major`, ...; nothing takes the label away
   * @returns one sentence about what was done
   * @throws InputError for an unknown file or key, or a manifest that cannot be changed
   */
  correct(name: string, key: string): string {
    const file = this.find(name);
    const label = key.trim() === '' ? null : parseKey(key);
    if (label === null && key.trim() !== '')
      throw new InputError(
        `the key of ${file}`,
        `"${key}" is no key; expected a tonic and a mode such as "Eb minor" or "F# major", or nothing`,
      );
    saveLabel(this.manifest, this.path(file), label?.id ?? null);
    this.labels = readLabels(this.manifest);
    return label === null ? `${file}: label taken away` : `${file}: ${label.label}, saved in ${MANIFEST_NAME}`;
  }

  /** How well the model does on the recordings that have a label; null without any. */
  score(): KeyScore | null {
    const labelled = this.measure().tracks.filter(({ labelKeyId }) => labelKeyId !== null);
    if (labelled.length === 0) return null;
    return scoreKeys(labelled.map(({ labelKeyId }) => labelKeyId!), labelled.map(({ keyId }) => keyId)); // prettier-ignore
  }

  /** The recordings to be looked through, least sure first, as `notebook.showReview` takes them. */
  review(): MusicReview {
    const percent = (p: number): string => `${(100 * p).toFixed(1)} %`;
    const bySureness = [...this.measure().tracks].sort((a, b) => a.confidence - b.confidence);
    return {
      caption: 'Least sure first. Listen, choose the key, save.',
      columns: ['file', 'heard', 'confidence', 'second choice', 'label'],
      rows: bySureness.map(({ file, keyId, confidence, secondKeyId, labelKeyId }) => {
        const label = labelKeyId === null ? '' : KEYS[labelKeyId].label;
        const cells = [file, KEYS[keyId].label, percent(confidence), KEYS[secondKeyId].label, label || '–'];
        return { name: file, path: this.path(file), cells, choice: label || KEYS[keyId].label };
      }),
      choices: [...KEYS.map(({ label }) => label), ''],
      command: 'music.correct',
      save: (name, key) => this.correct(name, key),
    };
  }

  /** Absolute path of a recording. */
  path(file: string): string {
    return join(this.folder, this.find(file));
  }

  private find(name: string): string {
    if (this.heard.has(name)) return name;
    const same = this.files.filter((file) => basename(file) === name);
    if (same.length === 1) return same[0];
    const some = (same.length > 1 ? same : this.files).slice(0, 5).join(', ');
    throw new InputError(
      `"${name}"`,
      same.length > 1 ? `several recordings have this name; give one of ${some}` : `no such recording was heard; there are ${some || 'none'}`, // prettier-ignore
    );
  }

  private labelOf(file: string): number | null {
    return this.labels.get(join(this.folder, file)) ?? null;
  }

  private track(file: string): Omit<MusicTrack, 'labelKeyId'> {
    const known = this.tracks.get(file);
    if (known) return known;
    const heard = this.heard.get(file)!;
    const { keyId, secondKeyId, probabilities } = wholeAnswer(heard, this.model.temperature);
    const track = {
      file,
      seconds: rounded(heard.seconds, 6),
      keyId,
      secondKeyId,
      probabilities: probabilities.map((p) => rounded(p, 6)),
      confidence: rounded(probabilities[keyId], 6),
      overTime: overTime(heard, this.model.temperature, KEY_SECONDS),
      composed: this.demonstration?.composed.get(file) ?? null,
    };
    this.tracks.set(file, track);
    return track;
  }
}
