/** From a seed to recipes. Nothing sounds here: a thousand recipes take about a second. */
import type { Mode } from '../keys/index.js';
import type { Rng } from '../tensor/index.js';
import { composeCell, type Cell } from './cells.js';
import { composeLoop } from './progressions.js';
import type { PieceRecipe, Section, Style } from './recipe.js';
import type { Split } from './split.js';
import { STYLE_PLANS, type Desk, type StylePlan } from './styles.js';
import type { ScaleName } from './theory.js';
import { chooseKit, drawTimbres, fontOf } from './timbres.js';

/** The harmony that pieces of one group share: two loops of one mode. Its id is the tracks' `group`. */
export interface Family {
  readonly id: string;
  readonly mode: Mode;
  readonly loops: readonly [readonly string[], readonly string[]];
}

/** The `n`-th family of a split and mode. */
export function composeFamily(rng: Rng, split: Split, mode: Mode, n: number): Family {
  const first = composeLoop(rng, mode, split);
  return { id: `${split}-${mode}-${n}`, mode, loops: [first, composeLoop(rng, mode, split)] };
}

const between = (rng: Rng, low: number, high: number): number => low + (high - low) * rng.uniform();
const round = (value: number, digits = 0): number => Math.round(value * 10 ** digits) / 10 ** digits;
const tonicOf = (keyId: number): number => keyId >> 1;

function chooseScale(rng: Rng, mode: Mode, style: Style): ScaleName {
  const u = rng.uniform();
  if (mode === 'major') return u < (style === 'folk' || style === 'band' ? 0.25 : 0.08) ? 'mixolydian' : 'major';
  if (style === 'chamber' || style === 'piano') return u < 0.6 ? 'harmonicMinor' : u < 0.92 ? 'naturalMinor' : 'dorian';
  return u < 0.2 ? 'harmonicMinor' : u < 0.72 ? 'naturalMinor' : u < 0.92 ? 'dorian' : 'phrygian';
}

/** A key that music goes to from `keyId`: fifth up or down, relative, parallel, a tone or semitone up, third relations. */
function neighbourKey(rng: Rng, keyId: number): number {
  const tonic = tonicOf(keyId);
  const minor = keyId & 1;
  const id = (semitones: number, isMinor: number): number => 2 * ((tonic + semitones + 12) % 12) + isMinor;
  return rng.pick([
    id(7, minor),
    id(7, minor),
    id(5, minor),
    id(5, minor),
    id(minor ? 3 : 9, 1 - minor),
    id(minor ? 3 : 9, 1 - minor),
    id(0, 1 - minor),
    id(2, minor),
    id(1, minor),
    id(minor ? 8 : 4, 1 - minor),
  ]);
}

interface Plan {
  readonly plan: StylePlan;
  readonly style: Style;
  readonly keyId: number;
  readonly scale: ScaleName;
  readonly nBars: number;
  readonly barSeconds: number;
  readonly desks: readonly Desk[];
  readonly hasDrums: boolean;
}

/** Drum-only opening, thin opening, two materials in turn, and perhaps a passage elsewhere of at most 45 % of the bars. */
function composeSections(rng: Rng, { plan, style, keyId, scale, nBars, barSeconds, desks, hasDrums }: Plan): Section[] {
  const all = desks.map((_, i) => i);
  const thin = (): number[] => (all.length > 2 ? all.filter(() => rng.uniform() < 0.65) : all);
  const sections: Section[] = [];
  let left = nBars;
  const push = (section: Section): void => {
    if (section.bars > 0) sections.push(section);
    left -= section.bars;
  };
  const home = { keyId, scale, hasDrums };
  if (hasDrums && rng.uniform() < plan.drumOpening) {
    push({
      ...home,
      bars: Math.max(1, Math.min(4, Math.floor(between(rng, 2, 8) / barSeconds))),
      material: 0,
      parts: [],
    });
  }
  const away =
    left >= 6 && rng.uniform() < plan.modulation ? Math.max(2, Math.floor(left * between(rng, 0.25, 0.45))) : 0;
  const homeBars = left - away;
  const early = rng.uniform() < 0.25;
  const leave = (): void => {
    const there = neighbourKey(rng, keyId);
    const mode: Mode = there & 1 ? 'minor' : 'major';
    const sameMode = (there & 1) === (keyId & 1);
    push({
      bars: away,
      keyId: there,
      scale: sameMode ? scale : chooseScale(rng, mode, style),
      material: 1,
      parts: all,
      hasDrums,
    });
  };
  if (away > 0 && early) leave();
  const first = Math.max(1, Math.min(homeBars, Math.ceil((homeBars * between(rng, 0.4, 0.7)) / 2) * 2));
  // A quarter of the pieces open thinly; the tonic's gravity then rests on fewer notes.
  const opening = rng.uniform() < 0.25 ? thin() : all;
  push({ ...home, bars: first, material: 0, parts: opening.length > 0 ? opening : all });
  push({ ...home, bars: homeBars - first, material: rng.uniform() < 0.65 ? 1 : 0, parts: all });
  if (away > 0 && !early) leave();
  return sections;
}

export interface PieceOrder {
  readonly seed: string;
  readonly split: Split;
  readonly style: Style;
  readonly keyId: number;
  readonly family: Family;
}

/** Desks and their instruments; drawn anew together, since a small ensemble may have no combination in a split. */
function composeEnsemble(rng: Rng, plan: StylePlan, split: Split): { desks: Desk[]; programs: number[] } {
  for (;;) {
    const desks = plan.desks(rng);
    const roles = desks.map((desk) => desk.role);
    const programs = drawTimbres(rng, roles, split);
    if (programs) return { desks, programs };
  }
}

/** One recipe; the same order gives the same recipe. The loops are written for `family.mode`, which the key must have. */
export function composePiece(rng: Rng, { seed, split, style, keyId, family }: PieceOrder): PieceRecipe {
  const plan = STYLE_PLANS[style];
  const beatsPerBar = rng.uniform() < plan.triple ? 3 : 4;
  const tempo = round(between(rng, ...plan.tempo));
  const barSeconds = (60 / tempo) * beatsPerBar;
  const nBars = Math.round(between(rng, 20.5, 29.5) / barSeconds);
  const { desks, programs } = composeEnsemble(rng, plan, split);
  const hasDrums = rng.uniform() < plan.drums;
  const scale = chooseScale(rng, family.mode, style);
  const cells = [0, 1].map(() => composeCell(rng, 4 * beatsPerBar, split)) as [Cell, Cell];
  const isLong = Math.max(...family.loops.map((loop) => loop.length)) > 4;
  return {
    format: 'keymyna-piece-1',
    seed,
    style,
    keyId,
    mode: family.mode,
    tempo,
    beatsPerBar,
    beatsPerChord: beatsPerBar === 3 ? 3 : isLong ? rng.pick([2, 4]) : rng.pick([2, 4, 4, 4, 8]),
    swing: rng.uniform() < plan.swing ? round(between(rng, 0.2, 0.45), 2) : 0,
    durationSeconds: Math.min(30, Math.max(20, round(nBars * barSeconds, 2))),
    font: fontOf(split),
    parts: desks.map((d, i) => ({
      ...d,
      program: programs[i],
      center: d.center + rng.int(5) - 2,
      volume: Math.min(127, Math.round(d.volume * between(rng, 0.7, 1.2))),
    })),
    drums: hasDrums
      ? {
          kit: chooseKit(rng, split),
          pattern: plan.drumPatterns[0] + rng.int(plan.drumPatterns[1]),
          volume: Math.round(between(rng, 70, 122)),
        }
      : null,
    loops: family.loops,
    cells,
    sections: composeSections(rng, { plan, style, keyId, scale, nBars, barSeconds, desks, hasDrums }),
    hasCadence: rng.uniform() < plan.cadence,
    tuningCents: rng.uniform() < 0.3 ? 0 : round(between(rng, -40, 40), 1),
    reverb:
      rng.uniform() < 0.25
        ? { seconds: 0, wet: 0 }
        : { seconds: round(between(rng, 0.3, plan.reverb), 2), wet: round(between(rng, 0.05, 0.4), 2) },
    noiseSnrDb: rng.uniform() < 0.5 ? null : round(between(rng, 12, 45)),
    peakDb: round(between(rng, -16, -0.5), 1),
  };
}
