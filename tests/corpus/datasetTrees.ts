/** Writes small data sets in their published layouts, with every oddity that was seen in the real ones. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createMp3Encoder } from 'wasm-media-encoders';
import { encodeWav } from '../../lib/src/audio/index.js';

export type Files = Readonly<Record<string, Uint8Array | string>>;

/** Writes files below a folder and returns it. */
export function plant(root: string, files: Files): string {
  for (const [path, data] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), data);
  }
  return root;
}

/** A sine; `hz` makes the content of each file its own. */
export const sine = (seconds: number, hz: number, sampleRate = 16000): Float32Array =>
  Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => 0.3 * Math.sin((2 * Math.PI * hz * i) / sampleRate),
  );

export const wav = (hz: number, seconds = 1.2): Uint8Array => encodeWav(sine(seconds, hz), 16000);

/** An mp3 of 64 kbit/s at 44.1 kHz, mono, without a Xing header. */
export async function mp3(hz: number, seconds = 1.2): Promise<Uint8Array> {
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate: 44100, channels: 1, bitrate: 64 });
  const begin = Uint8Array.from(encoder.encode([sine(seconds, hz, 44100)]));
  return Buffer.concat([begin, Uint8Array.from(encoder.finalize())]);
}

export const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** GiantSteps key: labels by id; audio by id, each with its md5. */
export function giantStepsTree(
  labels: Readonly<Record<string, string>>,
  audio: Readonly<Record<string, Uint8Array>>,
): Files {
  const files: Record<string, Uint8Array | string> = {};
  for (const [id, label] of Object.entries(labels)) files[`annotations/key/${id}.LOFI.key`] = label;
  for (const [id, bytes] of Object.entries(audio)) {
    files[`audio/${id}.LOFI.mp3`] = bytes;
    files[`md5/${id}.LOFI.md5`] = `${md5(bytes)}\n`;
  }
  return files;
}

/** Labels of GiantSteps MTG key as they stand in annotations.txt, oddities included: [id, key, confidence, comment]. */
export const MTG_ROWS: readonly (readonly [string, string, number, string])[] = [
  ['5061', 'D# minor', 2, ''],
  ['4970565', 'B major ', 2, ''],
  ['298020', 'F major', 2, 'lydian or augmented lydian mode'],
  ['16484', 'A minor', 1, ''],
  ['54925', 'C minor', 0, ''],
  ['10981', '-', 0, ''],
  ['4311630', ' ', 0, ''],
  ['61578', 'C minor / F# minor', 2, ''],
  ['297150', 'A-A# minor', 0, ''],
  ['299300', 'G minor/major', 1, ''],
  ['299970', 'A/E major', 1, ''],
  ['299890', 'E / B / A minor', 0, ''],
  ['515806', 'F / F# minor', 2, ''],
  ['3185928', 'A/A# minor/major', 1, ''],
];

export function mtgTree(audio: Readonly<Record<string, Uint8Array>>, rows = MTG_ROWS): Files {
  const files: Record<string, Uint8Array | string> = {
    'annotations/annotations.txt': `ID\tMANUAL KEY\tC\n${rows.map(([id, key, c]) => `${id}\t${key}\t${c}\n`).join('')}`,
    'annotations/beatport_metadata.txt': 'ID\tARTIST\tSONG TITLE\n5061\tAda\tOne\n4970565\tAda\tTwo\n16484\t\tThree\n',
  };
  for (const [id, key, c, comment] of rows)
    files[`annotations/key/${id}.LOFI.key`] = `${key.toLowerCase()}\t${c}\t${comment}\n`;
  for (const [id, bytes] of Object.entries(audio)) {
    files[`audio/${id}.LOFI.mp3`] = bytes;
    files[`md5/${id}.LOFI.md5`] = md5(bytes);
  }
  return files;
}
