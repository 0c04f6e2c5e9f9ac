/** A small measurement of a reader's own music, with made-up numbers. */
import type * as m from '../../lib/src/experiments/index.js';
import { KEYS } from '../../lib/src/keys/index.js';

/** Most of the probability on one key, some on another, the rest even. */
function probabilities(keyId: number, second: number, share: number): number[] {
  const rest = (1 - share) / 3 / 22;
  return KEYS.map(({ id }) => (id === keyId ? share : id === second ? (2 * (1 - share)) / 3 : rest));
}

function track(file: string, keyId: number, secondKeyId: number, confidence: number, seconds: number): m.MusicTrack {
  const edges = [0, 4.7, 7.8, 10.9, seconds];
  const columns = [0.9, 0.7, 0.3, 0.1].map((p) => probabilities(keyId, secondKeyId, p));
  return {
    file,
    seconds,
    keyId,
    secondKeyId,
    confidence,
    probabilities: probabilities(keyId, secondKeyId, confidence),
    labelKeyId: null,
    overTime: {
      clipSeconds: 6.272,
      hopSeconds: 3.136,
      keySeconds: 120,
      edges,
      posteriors: KEYS.map(({ id }) => columns.map((column) => column[id])),
      segments: [
        { start: 0, end: 7.8, keyId },
        { start: 7.8, end: seconds, keyId: secondKeyId },
      ],
      alone: [
        { start: 0, end: 4.7, keyId },
        { start: 4.7, end: 7.8, keyId: (keyId + 7) % 24 },
        { start: 7.8, end: seconds, keyId: secondKeyId },
      ],
    },
    composed: null,
  };
}

const composed = {
  ...track('band-0003.wav', 0, 14, 0.82, 16),
  labelKeyId: 0,
  composed: [{ start: 2, end: 16, keyId: 0 }],
};
const hostile = track('albums/<b>a name</b> & more.mp3', 9, 6, 0.41, 3725);

export const music: m.MusicMeasurement = {
  preset: 'smoke',
  configId: '0123456789ab',
  backend: 'cpu',
  model: { name: 'encoder.safetensors', origin: 'shipped', temperature: 1.7, isCalibrated: true },
  isDemonstration: false,
  tracks: [composed, hostile],
  problems: [{ file: 'notes.mp3', problem: 'the file is empty (0 bytes), audio was expected.' }],
};
