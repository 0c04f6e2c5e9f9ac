/**
 * Mel spectrograms on disk: shards, each a safetensors file with the mels of some tracks, [nMels, nFrames], named 0, 1, ...
 * A batch reads the frames that its clips need, and nothing else is ever in memory.
 */
import { InputError } from '../errors.js';
import type { MelSpectrogram } from '../mel/index.js';
import type { ClipOfTrack } from '../views/index.js';
import { namesInMetadata, OpenFiles, readSafetensorsHeader } from '../store/index.js';

/** A mel spectrogram whose values lie elsewhere. */
export interface StoredMel {
  readonly nMels: number;
  readonly nFrames: number;
  /** Frames [start, start + n), fewer at the end of the track; memory of the caller. @throws InputError if unreadable */
  frames(start: number, n: number): MelSpectrogram;
}

/** A track whose mel is in memory or on disk. */
export interface MelSource {
  readonly id: string;
  readonly mel: MelSpectrogram | StoredMel;
}

/** A track that could not be read, and why. */
export interface LeftOut {
  readonly id: string;
  readonly problem: string;
}

/** Whether the values of a mel lie elsewhere. */
export function isStored(mel: MelSpectrogram | StoredMel): mel is StoredMel {
  return 'frames' in mel;
}

/** A clip of a mel: of one in memory no copy, of one on disk its frames, read now. */
export function clipOf(mel: MelSpectrogram | StoredMel, start: number, clipFrames: number): ClipOfTrack {
  return isStored(mel) ? { mel: mel.frames(start, clipFrames), start: 0 } : { mel, start };
}

/** A track up to so many times the frames asked for is read in one piece: a read costs as much as copying some 8 KB. */
const WHOLE_FACTOR = 12;

/** Shards as tracks. Headers are read once; files are opened as they are needed. */
export class MelShards {
  private readonly files = new OpenFiles();
  /** The track read last, whole: views of one track are drawn one after the other. */
  private last: { of: ShardMel; data: Float32Array } | null = null;

  /**
   * The mels of a shard in the order of its metadata entry `track_ids`, and what its entry `left_out` says was left out.
   * @throws InputError if it is no shard of mels
   */
  open(path: string): { tracks: (MelSource & { readonly mel: StoredMel })[]; leftOut: LeftOut[] } {
    const { places, metadata } = readSafetensorsHeader(path);
    const tracks = tracksOfShard(path, metadata).map((id, i) => {
      const place = places.get(String(i));
      if (place?.dtype !== 'F32' || place.shape.length !== 2)
        throw new InputError(path, `has no mel of track ${i} (${id}), F32 [nMels, nFrames]; delete it to make it anew`);
      return { id, mel: new ShardMel(this, path, place.begin, place.shape[0], place.shape[1]) };
    });
    return { tracks, leftOut: JSON.parse(metadata.left_out ?? '[]') as LeftOut[] };
  }

  /** Frames of a mel, row-major. */
  read(mel: ShardMel, start: number, n: number): Float32Array {
    const { path, begin, nMels, nFrames } = mel;
    const data = new Float32Array(nMels * n);
    if (nFrames > WHOLE_FACTOR * n) {
      for (let m = 0; m < nMels; m++) this.fill(path, data.subarray(m * n, (m + 1) * n), begin + 4 * (m * nFrames + start)); // prettier-ignore
      return data;
    }
    if (this.last?.of !== mel) {
      const whole = new Float32Array(nMels * nFrames);
      this.last = null; // a read that fails leaves no half of another track
      this.fill(path, whole, begin);
      this.last = { of: mel, data: whole };
    }
    const { data: whole } = this.last;
    for (let m = 0; m < nMels; m++) data.set(whole.subarray(m * nFrames + start, m * nFrames + start + n), m * n);
    return data;
  }

  private fill(path: string, into: Float32Array, position: number): void {
    this.files.read(path, new Uint8Array(into.buffer, into.byteOffset, into.byteLength), position);
  }

  /** Closes all files; what is read later opens them again. */
  close(): void {
    this.files.close();
    this.last = null;
  }
}

function tracksOfShard(path: string, metadata: Readonly<Record<string, string>>): string[] {
  const ids = namesInMetadata(path, metadata, 'track_ids');
  if (!ids) throw new InputError(path, 'is no shard of mels: it has no list track_ids in its metadata');
  return ids;
}

/** One track of a shard: some hundred bytes in memory. */
class ShardMel implements StoredMel {
  constructor(
    private readonly shards: MelShards,
    readonly path: string,
    /** Byte of the file. */
    readonly begin: number,
    readonly nMels: number,
    readonly nFrames: number,
  ) {}

  frames(start: number, n: number): MelSpectrogram {
    const present = Math.max(0, Math.min(n, this.nFrames - start));
    return { nMels: this.nMels, nFrames: present, data: this.shards.read(this, start, present) };
  }
}
