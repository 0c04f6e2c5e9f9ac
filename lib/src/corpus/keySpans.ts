/** In which key a track is when: what a clip's label is made of. */
import type { Track } from './track.js';

/** A stretch in one key; null where no key is heard (drums alone, before the first note). */
export interface KeySpan {
  readonly startSeconds: number;
  readonly seconds: number;
  readonly keyId: number | null;
}

/**
 * The keys of a track in the order of time, without gaps. A composed piece tells its own; a recording, of which only the
 * key of the whole is known, has that one from beginning to end.
 */
export function keySpans({ source, keyId, durationSeconds }: Track): KeySpan[] {
  if (source.kind === 'file') return [{ startSeconds: 0, seconds: durationSeconds, keyId }];
  const { sections, beatsPerBar, tempo } = source.recipe;
  const spans: KeySpan[] = [];
  let start = 0;
  sections.forEach(({ bars, keyId: key, parts }, i) => {
    const end = i === sections.length - 1 ? durationSeconds : start + (bars * beatsPerBar * 60) / tempo;
    const seconds = Math.min(durationSeconds, end) - start;
    if (seconds > 0) spans.push({ startSeconds: start, seconds, keyId: parts.length > 0 ? key : null });
    start = Math.min(durationSeconds, end);
  });
  return spans;
}

/**
 * How much of a stretch is in each key, as shares that add up to 1.
 * @returns 24 shares and `keyed`, the share of the stretch in which a key is heard; all shares 0 if it is 0
 */
export function keyShares(
  spans: readonly KeySpan[],
  startSeconds: number,
  seconds: number,
): { shares: Float64Array; keyed: number } {
  const shares = new Float64Array(24);
  let sum = 0;
  for (const span of spans) {
    const from = Math.max(startSeconds, span.startSeconds);
    const to = Math.min(startSeconds + seconds, span.startSeconds + span.seconds);
    if (to <= from || span.keyId === null) continue;
    shares[span.keyId] += to - from;
    sum += to - from;
  }
  if (sum > 0) for (let key = 0; key < 24; key++) shares[key] /= sum;
  return { shares, keyed: sum / seconds };
}
