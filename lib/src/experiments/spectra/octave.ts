/** 01: how finely mel bands resolve notes. */
import { hzToMel, MEL } from '../../mel/index.js';
import type { OctaveMeasurement } from '../measurements.js';
import { measured, rounded, type Run } from '../run/run.js';

const LOWEST = 36; // C2
const HIGHEST = 108; // C8
const NAMES = ['C', 'C♯', 'D', 'E♭', 'E', 'F', 'F♯', 'G', 'A♭', 'A', 'B♭', 'B'];

/** Notes from C2 to C8 on the mel axis. */
export function octave(run: Run): Promise<OctaveMeasurement> {
  return measured(run, 'octave', { mel: MEL, LOWEST, HIGHEST }, (base) => {
    const midis = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, i) => LOWEST + i);
    const widths = midis.map((midi) => bandOf(midi + 0.5) - bandOf(midi - 0.5));
    const cs = midis.filter((midi) => midi % 12 === 0);
    return {
      ...base,
      notes: midis.map((midi) => ({
        name: nameOf(midi),
        midi,
        hertz: rounded(hertzOf(midi), 5),
        band: rounded(bandOf(midi)),
      })),
      octaves: cs.slice(1).map((midi) => ({
        from: nameOf(midi - 12),
        to: nameOf(midi),
        bands: rounded(bandOf(midi) - bandOf(midi - 12), 3),
      })),
      bandsPerSemitone: widths.map((width) => rounded(width)),
      resolvedFromMidi: midis[widths.findIndex((width) => width >= 1)],
    };
  });
}

const hertzOf = (midi: number): number => 440 * 2 ** ((midi - 69) / 12);
const nameOf = (midi: number): string => `${NAMES[midi % 12]}${Math.floor(midi / 12) - 1}`;

/** Place of a note on the band axis: whole at the centre of a band. */
function bandOf(midi: number): number {
  const step = (hzToMel(MEL.fMax) - hzToMel(MEL.fMin)) / (MEL.nMels + 1);
  return (hzToMel(hertzOf(midi)) - hzToMel(MEL.fMin)) / step - 1;
}
