/** What a published key label says, what is odd about it, and why it may say no key. Nothing is guessed silently. */
import { keyOf, type Mode, parseKey } from '../../keys/index.js';

/** What is odd about a label. The last five leave a track without a key. */
export const LABEL_QUIRKS = [
  'sharps',
  'flats',
  'unusual spelling',
  'lower case',
  'extra spaces',
  'short form',
  'other mode',
  'several keys',
  'no key',
  'tonic only',
  'unknown',
] as const;
export type LabelQuirk = (typeof LABEL_QUIRKS)[number];

/**
 * What becomes of `D dorian`: left out (default), or major or minor by its third, as people do who need 24 classes
 * (ionian, lydian, mixolydian: major; dorian, phrygian, aeolian: minor). Locrian has no perfect fifth: always left out.
 */
export type OtherModes = 'left-out' | 'by-third';

export interface KeyLabel {
  /** As found, with its spaces. */
  readonly text: string;
  /** 0..23, or null if the label is not one key. */
  readonly keyId: number | null;
  readonly quirks: readonly LabelQuirk[];
  /** Why `keyId` is null. */
  readonly reason: string | null;
}

/** Longer texts are no labels. */
const MAX_LABEL = 200;

const NO_KEY = /^(?:|-+|–|—|x|n|n\.?a\.?|none|no key|nokey|null|nan|unknown|unclear|silence|atonal|\?)$/i;
const TONIC = '[a-g](?:[ -]?(?:flat|sharp)|[b#♭♯]{0,3})';
const ONE_KEY = new RegExp(`^(${TONIC})[\\s:_-]*(\\S.*)$`, 'i');
const TONIC_ONLY = new RegExp(`^${TONIC}$`, 'i');
const SEVERAL = new RegExp(`[/,;|&>]|\\s(?:or|and|to)\\s|^${TONIC}\\s*-\\s*[a-g][b#♭♯]?(?:\\s|$)`, 'i');
const STARTS_WITH_TONIC = new RegExp(`^${TONIC}\\s*(?:major|minor|maj|min|m)?(?![a-z])`, 'i');

/** Modes beside major and minor, with the mode of their third; null: neither. */
const OTHER_MODES: Readonly<Record<string, Mode | null>> = {
  ionian: 'major',
  lydian: 'major',
  mixolydian: 'major',
  dorian: 'minor',
  phrygian: 'minor',
  aeolian: 'minor',
  'harmonic minor': 'minor',
  'melodic minor': 'minor',
  'natural minor': 'minor',
  locrian: null,
};

/** A label in quotes for a message, cut if long, without line breaks. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return JSON.stringify(short);
}

/** Reads a label of any of the data sets; see `LABEL_QUIRKS`. */
export function readLabel(text: string, otherModes: OtherModes = 'left-out'): KeyLabel {
  const trimmed = text.trim();
  const spaces: LabelQuirk[] = text !== trimmed && trimmed !== '' ? ['extra spaces'] : [];
  const without = (quirk: LabelQuirk, reason: string): KeyLabel => ({
    text: text.slice(0, MAX_LABEL),
    keyId: null,
    quirks: [...spaces, quirk],
    reason,
  });
  if (trimmed.length > MAX_LABEL) return without('unknown', `a label of ${trimmed.length} characters is no key`);
  if (NO_KEY.test(trimmed)) return without('no key', `the label ${quoted(text)} says that there is no key`);
  const key = parseKey(trimmed);
  if (key) return { text, keyId: key.id, quirks: [...spellingOf(trimmed), ...spaces], reason: null };
  if (TONIC_ONLY.test(trimmed)) return without('tonic only', `the label ${quoted(text)} has no mode`);
  if (SEVERAL.test(trimmed) && STARTS_WITH_TONIC.test(trimmed))
    return without('several keys', `the label ${quoted(text)} names several keys`);
  const [, tonic, modeText] = ONE_KEY.exec(trimmed) ?? [];
  const modeName = modeText
    ?.toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/ mode$/, '');
  if (modeName === undefined || !Object.hasOwn(OTHER_MODES, modeName))
    return without('unknown', `the label ${quoted(text)} is no key`);
  const mode = OTHER_MODES[modeName];
  if (otherModes === 'left-out' || mode === null)
    return without('other mode', `the label ${quoted(text)} is neither major nor minor`);
  const { tonic: pitch } = parseKey(`${tonic} major`)!;
  return {
    text,
    keyId: keyOf(pitch, mode).id,
    quirks: [...spellingOf(trimmed), ...spaces, 'other mode'],
    reason: null,
  };
}

function spellingOf(label: string): LabelQuirk[] {
  const [, tonic, mode] = ONE_KEY.exec(label)!;
  const quirks: LabelQuirk[] = [];
  if (/[#♯]|sharp/i.test(tonic)) quirks.push('sharps');
  if (/.[b♭]|flat/i.test(tonic)) quirks.push('flats');
  if (/^(?:[cf][b♭]|[eb][#♯]|.[b#♭♯]{2})/i.test(tonic) || tonic[1] === 'B') quirks.push('unusual spelling');
  if (/^[a-g]/.test(tonic)) quirks.push('lower case');
  if (!/(?:major|minor)$/i.test(mode)) quirks.push('short form');
  return quirks;
}
