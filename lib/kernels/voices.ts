/**
 * The inner loops of the synthesizer: all voices of a SoundFont that sound in one block. The same operations in the same
 * order and precision as spessasynth_core's (float64 arithmetic, float32 where it stores), so the same bytes come out;
 * here two samples or two voices go side by side.
 *
 * Memory, in bytes: LEFT and RIGHT, the block, float32; RECORDS, one of RECORD_BYTES a voice; then the sounds, which
 * the caller places there.
 */

const LEFT: usize = 0;
const RIGHT: usize = 512;
/** What two voices sound like before they are mixed: 128 float32 each. */
const SOUND_A: usize = 1024;
const SOUND_B: usize = 1536;
const RECORDS: usize = 2048;

/* A voice's record: 20 float64. The caller writes all; cursor, x1 .. y2 and isSounding are written back. */
const RECORD_BYTES: usize = 160;
const CURSOR: usize = 0;
const STEP: usize = 8;
/** First index past the loop, or past the sound if it does not loop. */
const END: usize = 16;
/** 0 if the sound does not loop. */
const LOOP_LENGTH: usize = 24;
const GAIN: usize = 32;
const GAIN_STEP: usize = 40;
const A0: usize = 48;
const A1: usize = 56;
const A2: usize = 64;
const A3: usize = 72;
const A4: usize = 80;
const X1: usize = 88;
const X2: usize = 96;
const Y1: usize = 104;
const Y2: usize = 112;
const GAIN_LEFT: usize = 120;
const GAIN_RIGHT: usize = 128;
/** Address of the sound: for each of its samples the cubic from there to the next, as oscillate() has it. */
const DATA: usize = 136;
/** Whether the low-pass a0 .. a4 is applied: 0 or 1. */
const IS_FILTERED: usize = 144;
/** 0 once the sound has come to its end. */
const IS_SOUNDING: usize = 152;

/**
 * Plays voices: the first `count` (at most 128) samples of the block, added up in the order of their records. In the end
 * LEFT holds the mean of both sides.
 */
export function renderVoices(nVoices: i32, count: i32): void {
  memory.fill(LEFT, 0, 2 * (RIGHT - LEFT));
  const last = RECORDS + <usize>nVoices * RECORD_BYTES;
  // A last voice without a partner goes with the silent record behind it.
  if (nVoices & 1) memory.fill(last, 0, RECORD_BYTES);
  for (let a = RECORDS; a < last; a += 2 * RECORD_BYTES) {
    const b = a + RECORD_BYTES;
    oscillate(a, count, SOUND_A);
    if (b < last) oscillate(b, count, SOUND_B);
    else memory.fill(SOUND_B, 0, 512);
    if (load<f64>(a, IS_FILTERED) + load<f64>(b, IS_FILTERED) > 0) filter(a, b, count);
    else shape(a, b, count);
    mix(a, b, count);
  }
  const half = f64x2.splat(0.5);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 8) {
    const left = v128.promote_low<f32>(v128.load64_zero(LEFT + i));
    const right = v128.promote_low<f32>(v128.load64_zero(RIGHT + i));
    v128.store64_lane(LEFT + i, v128.demote_zero<f64>(f64x2.mul(half, f64x2.add(left, right))), 0);
  }
}

/**
 * The sound of one voice, looped or up to its end. Between sample n and the next it is ((a t - b) t + c) t + x, 0 <= t < 1;
 * the caller worked out a, b, c, x of each n, float64.
 */
function oscillate(voice: usize, count: i32, out: usize): void {
  const data = <usize>load<f64>(voice, DATA);
  const step = load<f64>(voice, STEP);
  const loopLength = load<f64>(voice, LOOP_LENGTH);
  // Behind a loop's end its beginning follows, so the cursor may come up to it; else three more samples must be there.
  const limit = load<f64>(voice, END) - (loopLength > 0 ? 0 : 3);
  const twoTo52 = f64x2.splat(4503599627370496);
  const stop = out + ((<usize>count) << 2);
  let cursor = load<f64>(voice, CURSOR);
  while (out < stop) {
    if (cursor >= limit) {
      if (loopLength == 0) {
        // The cursor stays where it was, as the synthesizer has it: the voice is not asked for again.
        memory.fill(out, 0, stop - out);
        store<f64>(voice, 0, IS_SOUNDING);
        return;
      }
      while (cursor >= limit) cursor -= loopLength;
    }
    while (out + 4 < stop) {
      const second = cursor + step;
      if (second >= limit) break;
      const at = f64x2.replace_lane(f64x2.splat(cursor), 1, second);
      cursor = second + step;
      const floor = f64x2.floor(at);
      // 2^52 + n holds the whole number n in its low bits.
      const bits = f64x2.add(floor, twoTo52);
      const first = data + ((<usize>i32x4.extract_lane(bits, 0)) << 5);
      const next = data + ((<usize>i32x4.extract_lane(bits, 2)) << 5);
      const firstAB = v128.load(first);
      const firstCX = v128.load(first, 16);
      const nextAB = v128.load(next);
      const nextCX = v128.load(next, 16);
      const a = v128.shuffle<f64>(firstAB, nextAB, 0, 2);
      const b = v128.shuffle<f64>(firstAB, nextAB, 1, 3);
      const c = v128.shuffle<f64>(firstCX, nextCX, 0, 2);
      const x = v128.shuffle<f64>(firstCX, nextCX, 1, 3);
      const t = f64x2.sub(at, floor);
      const cubic = f64x2.mul(f64x2.add(f64x2.mul(f64x2.sub(f64x2.mul(a, t), b), t), c), t);
      v128.store64_lane(out, v128.demote_zero<f64>(f64x2.add(cubic, x)), 0);
      out += 8;
    }
    if (out < stop && cursor < limit) {
      store<f32>(out, cubicAt(data, cursor));
      out += 4;
      cursor += step;
    }
  }
  store<f64>(voice, cursor, CURSOR);
  store<f64>(voice, 1, IS_SOUNDING);
}

/** One sample, as the pairs above. */
function cubicAt(data: usize, cursor: f64): f32 {
  const first = <i32>cursor;
  const p = data + ((<usize>first) << 5);
  const t = cursor - <f64>first;
  return <f32>(((load<f64>(p) * t - load<f64>(p, 8)) * t + load<f64>(p, 16)) * t + load<f64>(p, 24));
}

/** The same field of two records. */
// @ts-expect-error: decorator
@inline
function both(a: usize, b: usize, field: usize): v128 {
  return f64x2.replace_lane(f64x2.splat(load<f64>(a + field)), 1, load<f64>(b + field));
}

/** The low-pass and the envelope's gain, two voices side by side; a voice without filter passes it by. */
function filter(voiceA: usize, voiceB: usize, count: i32): void {
  const a0 = both(voiceA, voiceB, A0);
  const a1 = both(voiceA, voiceB, A1);
  const a2 = both(voiceA, voiceB, A2);
  const a3 = both(voiceA, voiceB, A3);
  const a4 = both(voiceA, voiceB, A4);
  const isFiltered = f64x2.ne(both(voiceA, voiceB, IS_FILTERED), f64x2.splat(0));
  const gainStep = both(voiceA, voiceB, GAIN_STEP);
  let gain = both(voiceA, voiceB, GAIN);
  let x1 = both(voiceA, voiceB, X1);
  let x2 = both(voiceA, voiceB, X2);
  let y1 = both(voiceA, voiceB, Y1);
  let y2 = both(voiceA, voiceB, Y2);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const input = f64x2.replace_lane(f64x2.splat(<f64>load<f32>(SOUND_A + i)), 1, <f64>load<f32>(SOUND_B + i));
    const forward = f64x2.add(f64x2.add(f64x2.mul(a0, input), f64x2.mul(a1, x1)), f64x2.mul(a2, x2));
    const filtered = f64x2.sub(f64x2.sub(forward, f64x2.mul(a3, y1)), f64x2.mul(y2, a4));
    x2 = x1;
    x1 = input;
    y2 = y1;
    y1 = filtered;
    const shaped = v128.demote_zero<f64>(f64x2.mul(v128.bitselect(filtered, input, isFiltered), gain));
    gain = f64x2.add(gain, gainStep);
    v128.store_lane<f32>(SOUND_A + i, shaped, 0);
    v128.store_lane<f32>(SOUND_B + i, shaped, 1);
  }
  if (load<f64>(voiceA, IS_FILTERED)) keepState(voiceA, 0, x1, x2, y1, y2);
  if (load<f64>(voiceB, IS_FILTERED)) keepState(voiceB, 1, x1, x2, y1, y2);
}

function keepState(voice: usize, lane: i32, x1: v128, x2: v128, y1: v128, y2: v128): void {
  store<f64>(voice, lane ? f64x2.extract_lane(x1, 1) : f64x2.extract_lane(x1, 0), X1);
  store<f64>(voice, lane ? f64x2.extract_lane(x2, 1) : f64x2.extract_lane(x2, 0), X2);
  store<f64>(voice, lane ? f64x2.extract_lane(y1, 1) : f64x2.extract_lane(y1, 0), Y1);
  store<f64>(voice, lane ? f64x2.extract_lane(y2, 1) : f64x2.extract_lane(y2, 0), Y2);
}

/** The envelope's gain alone. */
function shape(voiceA: usize, voiceB: usize, count: i32): void {
  const gainStep = both(voiceA, voiceB, GAIN_STEP);
  let gain = both(voiceA, voiceB, GAIN);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const input = f64x2.replace_lane(f64x2.splat(<f64>load<f32>(SOUND_A + i)), 1, <f64>load<f32>(SOUND_B + i));
    const shaped = v128.demote_zero<f64>(f64x2.mul(input, gain));
    gain = f64x2.add(gain, gainStep);
    v128.store_lane<f32>(SOUND_A + i, shaped, 0);
    v128.store_lane<f32>(SOUND_B + i, shaped, 1);
  }
}

/** Adds two voices to the block, one after the other; what lies beyond `count` is of no account. */
function mix(voiceA: usize, voiceB: usize, count: i32): void {
  const leftA = f64x2.splat(load<f64>(voiceA, GAIN_LEFT));
  const leftB = f64x2.splat(load<f64>(voiceB, GAIN_LEFT));
  const rightA = f64x2.splat(load<f64>(voiceA, GAIN_RIGHT));
  const rightB = f64x2.splat(load<f64>(voiceB, GAIN_RIGHT));
  for (let i: usize = 0; i < (<usize>count) << 2; i += 8) {
    const a = v128.promote_low<f32>(v128.load64_zero(SOUND_A + i));
    const b = v128.promote_low<f32>(v128.load64_zero(SOUND_B + i));
    const left = add(v128.load64_zero(LEFT + i), leftA, a);
    v128.store64_lane(LEFT + i, add(left, leftB, b), 0);
    const right = add(v128.load64_zero(RIGHT + i), rightA, a);
    v128.store64_lane(RIGHT + i, add(right, rightB, b), 0);
  }
}

/** Two float32 of the block plus gain times value, rounded to float32. */
// @ts-expect-error: decorator
@inline
function add(block: v128, gain: v128, value: v128): v128 {
  return v128.demote_zero<f64>(f64x2.add(v128.promote_low<f32>(block), f64x2.mul(gain, value)));
}
