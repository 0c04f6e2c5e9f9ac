/** Descriptions of published ONNX key detectors, by name. */
import { KEYS, keyOf } from '../keys/index.js';

/** The fields of a description file; see `onnxDescription.ts` for what each means. */
export interface DescriptionFields {
  readonly input?: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<Record<string, unknown>>;
}

export interface OnnxPreset extends DescriptionFields {
  /** what it is, and where that is known from */
  readonly source: string;
}

/** Orders of 24 outputs that have a name. */
export const KEY_ORDERS: Readonly<Record<string, readonly string[]>> = {
  /** C major, C minor, Db major, ...: KeyMyna, and this suite */
  interleaved: KEYS.map(({ label }) => label),
  /** C major, Db major, ... B major, C minor, ... B minor */
  majorThenMinor: [...KEYS.filter((key) => key.mode === 'major'), ...KEYS.filter((key) => key.mode === 'minor')].map(
    ({ label }) => label,
  ),
};

export const ONNX_PRESETS: Readonly<Record<string, OnnxPreset>> = {
  keymyna: {
    source: 'KeyMyna (keymyna-bb and its relatives): encoder and head in one model, as keymyna export writes them',
    input: { kind: 'mel', scale: 'power' },
    output: { keys: 'interleaved', values: 'logits' },
  },
  'keymyna-head': {
    source: 'a head of KeyMyna alone; input.weights names the checkpoint of the encoder whose embeddings it reads',
    input: { kind: 'embedding' },
    output: { keys: 'interleaved', values: 'logits' },
  },
  skey: {
    source:
      'S-KEY (Kong et al., ICASSP 2025), skey/key_detection.py and skey.gin of its repository: mono at 22,050 Hz, ' +
      'divided by its peak, a whole track at once; 12 majors from A, then 12 minors from B',
    input: { kind: 'audio', sampleRate: 22050, clip: 'track', normalize: 'peak' },
    output: {
      keys: [
        ...Array.from({ length: 12 }, (_, i) => keyOf(9 + i, 'major').label),
        ...Array.from({ length: 12 }, (_, i) => keyOf(11 + i, 'minor').label),
      ],
      values: 'logits',
    },
  },
};
