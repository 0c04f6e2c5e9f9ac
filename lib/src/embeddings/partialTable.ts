/**
 * An embedding table that grows on disk: rows are written as they come, in any order, and put together at the end. A run
 * that was killed goes on with what is there.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import {
  appendJsonLine,
  OpenFiles,
  readJson,
  readJsonLines,
  writeJson,
  writeSafetensorsInPieces,
} from '../store/index.js';

/** A track that could not be embedded, and why. */
export interface LeftOutTrack {
  readonly id: string;
  readonly problem: string;
}

/** What came out of some tracks that are embedded together. */
export interface EmbeddedUnit {
  /** [sum of nClips, width] */
  readonly rows: Float32Array;
  /** Clips of each track of the unit; 0: it was left out. */
  readonly nClips: readonly number[];
  readonly leftOut: readonly LeftOutTrack[];
}

/** Where the rows of a unit lie. */
interface Place extends Pick<EmbeddedUnit, 'nClips' | 'leftOut'> {
  readonly unit: number;
  /** Name of the file in the folder. */
  readonly file: string;
  /** Its first row there. */
  readonly first: number;
}

const RUN = 'run.json';
const DONE = 'done.jsonl';
const ROWS = /^rows-\d+\.f32$/;
/** Rows that are copied at once when the table is put together, bytes. */
const COPY_BYTES = 1 << 22;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * The folder of a growing table: run.json says of which run; each process adds its rows to a file of its own, so that two
 * that were started by mistake do no harm; done.jsonl has a line for each unit whose rows are whole.
 */
export class PartialTable {
  private readonly places = new Map<number, Place>();
  private readonly rows: { readonly file: string; readonly descriptor: number };
  private nRows = 0;
  private isOpen = true;

  /**
   * @param runId what the rows depend on; what is there of another run is deleted
   * @param nUnits units of the run
   * @throws InputError for a folder that holds something else
   */
  constructor(
    private readonly dir: string,
    runId: string,
    private readonly nUnits: number,
    private readonly width: number,
  ) {
    mkdirSync(dir, { recursive: true });
    if (!this.isOf(runId)) {
      this.clear();
      writeJson(join(dir, RUN), { run: runId });
    }
    this.readPlaces();
    this.rows = this.newRows();
  }

  private isOf(runId: string): boolean {
    try {
      return (readJson(join(this.dir, RUN)) as { run?: unknown } | null)?.run === runId;
    } catch {
      return false; // none, or a torn one
    }
  }

  private clear(): void {
    const names = readdirSync(this.dir);
    const other = names.find((name) => name !== RUN && name !== DONE && !ROWS.test(name));
    if (other !== undefined)
      throw new InputError(this.dir, `holds ${other}, which is no part of an unfinished table; move it elsewhere.`);
    for (const name of names) rmSync(join(this.dir, name));
  }

  /** Units whose line is whole and whose rows are all there. */
  private readPlaces(): void {
    const path = join(this.dir, DONE);
    if (!existsSync(path)) return;
    for (const line of readJsonLines(path)) {
      const { unit, file, first, nClips, leftOut } = line as Place;
      const isPlace = isCount(unit) && unit < this.nUnits && ROWS.test(file) && isCount(first) && nClips.every(isCount);
      if (!isPlace || !Array.isArray(leftOut))
        throw new InputError(path, 'is damaged; delete the folder to start over.');
      const place = { unit, file, first, nClips, leftOut };
      const size = statSync(join(this.dir, file), { throwIfNoEntry: false })?.size ?? 0;
      if (size >= (first + rowsIn(place)) * this.width * 4) this.places.set(unit, place);
    }
  }

  private newRows(): { file: string; descriptor: number } {
    for (let i = 0; ; i++) {
      const file = `rows-${i}.f32`;
      try {
        return { file, descriptor: openSync(join(this.dir, file), 'wx') };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** Whether a unit is done. */
  has(unit: number): boolean {
    return this.places.has(unit);
  }

  /** Units that are done. */
  get size(): number {
    return this.places.size;
  }

  /** Tracks that were left out so far, in the order of the units. */
  get leftOut(): LeftOutTrack[] {
    return this.inOrder().flatMap((place) => place.leftOut);
  }

  /** Adds what came out of a unit. */
  add(unit: number, { rows, nClips, leftOut }: EmbeddedUnit): void {
    const place: Place = { unit, file: this.rows.file, first: this.nRows, nClips, leftOut };
    if (rows.length !== rowsIn(place) * this.width)
      throw new Error(`PartialTable: ${rows.length} values for ${rowsIn(place)} rows of ${this.width}`);
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    for (let done = 0; done < bytes.length;) done += writeSync(this.rows.descriptor, bytes, done);
    this.nRows += rowsIn(place);
    appendJsonLine(join(this.dir, DONE), place); // last: the line says that the rows are whole
    this.places.set(unit, place);
  }

  private inOrder(): Place[] {
    return [...this.places.values()].sort((a, b) => a.unit - b.unit);
  }

  /**
   * Writes the table as `saveEmbeddingTable` does, atomically, and deletes the folder.
   * @param idsOf ids of the tracks of a unit
   * @returns clips and tracks of the table
   * @throws Error if a unit is missing; InputError if no track is left
   */
  finish(path: string, idsOf: (unit: number) => readonly string[]): { nClips: number; nTracks: number } {
    if (this.places.size !== this.nUnits) throw new Error(`PartialTable: ${this.nUnits - this.places.size} units miss`);
    const places = this.inOrder();
    const ids = places.flatMap(({ unit, nClips }) => idsOf(unit).filter((_, track) => nClips[track] > 0));
    const nClips = places.reduce((sum, place) => sum + rowsIn(place), 0);
    if (nClips === 0) throw new InputError(path, 'none of the tracks could be embedded.');
    const trackOf = new Int32Array(nClips);
    let [clip, track] = [0, 0];
    for (const place of places) for (const n of place.nClips) if (n > 0) trackOf.fill(track++, clip, (clip += n));
    this.close();
    writeSafetensorsInPieces(
      path,
      new Map([
        ['embeddings', { dtype: 'F32' as const, shape: [nClips, this.width], pieces: () => this.pieces(places) }],
        ['track_of', { dtype: 'I32' as const, shape: [nClips], pieces: () => [trackOf] }],
      ]),
      { track_ids: JSON.stringify(ids) },
    );
    this.clear();
    rmdirSync(this.dir);
    return { nClips, nTracks: ids.length };
  }

  /** The rows of all places, in their order. */
  private *pieces(places: readonly Place[]): Generator<Float32Array> {
    const files = new OpenFiles();
    try {
      for (const place of places) {
        const path = join(this.dir, place.file);
        let at = place.first * this.width * 4;
        for (let left = rowsIn(place) * this.width * 4; left > 0;) {
          const bytes = new Uint8Array(Math.min(left, COPY_BYTES));
          files.read(path, bytes, at);
          yield new Float32Array(bytes.buffer);
          at += bytes.length;
          left -= bytes.length;
        }
      }
    } finally {
      files.close();
    }
  }

  /** Ends writing; what is there stays for the next run. */
  close(): void {
    if (this.isOpen) closeSync(this.rows.descriptor);
    this.isOpen = false;
  }
}

const rowsIn = ({ nClips }: Pick<Place, 'nClips'>): number => nClips.reduce((sum, n) => sum + n, 0);
