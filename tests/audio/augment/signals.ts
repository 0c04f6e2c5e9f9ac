/** Test signals at 16 kHz, and what is measured back from them. */
import { createRng } from '../../../lib/src/tensor/index.js';

export const RATE = 16000;

/** A major, seven partials from 110 Hz. */
export const CHORD = [110, 164.81, 220, 277.18, 440, 659.26, 1318.5];

export function sines(frequencies: readonly number[], n: number, amplitude = 0.1): Float32Array {
  return Float32Array.from({ length: n }, (_, i) =>
    frequencies.reduce((sum, hz) => sum + amplitude * Math.sin((2 * Math.PI * hz * i) / RATE + hz), 0),
  );
}

/** Notes that decay, with noise bursts on the beat: something like music. */
export function tune(n: number): Float32Array {
  const rng = createRng('tune');
  return Float32Array.from({ length: n }, (_, i) => {
    const t = i / RATE;
    const notes = CHORD.reduce((sum, hz, k) => sum + Math.sin(2 * Math.PI * hz * (1 + 0.5 * (Math.floor(2 * t + k) % 2)) * t), 0); // prettier-ignore
    return 0.08 * notes * Math.exp(-3 * ((2 * t) % 1)) + 0.03 * rng.normal() * Math.exp(-12 * ((4 * t) % 1));
  });
}

export function impulse(n: number): Float32Array {
  const x = new Float32Array(n);
  x[0] = 1;
  return x;
}

/** Level in dB of an impulse response at one frequency. */
export function levelAt(h: Float32Array, hz: number): number {
  let re = 0;
  let im = 0;
  h.forEach((value, i) => {
    re += value * Math.cos((2 * Math.PI * hz * i) / RATE);
    im -= value * Math.sin((2 * Math.PI * hz * i) / RATE);
  });
  return 20 * Math.log10(Math.hypot(re, im));
}

const WINDOW = 4000;

function phasor(x: Float32Array, hz: number, from: number): [re: number, im: number] {
  let re = 0;
  let im = 0;
  for (let i = 0; i < WINDOW; i++) {
    const hann = (1 - Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW)) / WINDOW;
    const angle = (2 * Math.PI * hz * (from + i)) / RATE;
    re += hann * x[from + i] * Math.cos(angle);
    im -= hann * x[from + i] * Math.sin(angle);
  }
  return [2 * re, 2 * im];
}

/**
 * How far the partial near `hz` is from it, in cents, and its amplitude: mean of ten pairs of windows, by the phase that
 * advances between two that lie 800 samples apart (so within 10 Hz).
 */
export function partial(x: Float32Array, hz: number, from = RATE): { cents: number; amplitude: number } {
  let turn = 0;
  let amplitude = 0;
  for (let k = 0; k < 10; k++) {
    const [a, b] = phasor(x, hz, from + 1600 * k);
    const [c, d] = phasor(x, hz, from + 1600 * k + 800);
    turn += Math.atan2(a * d - b * c, a * c + b * d) / 10;
    amplitude += Math.hypot(a, b) / 10;
  }
  return { cents: 1200 * Math.log2(1 + (turn * RATE) / (2 * Math.PI * 800 * hz)), amplitude };
}

export function levelDb(x: Float32Array, from = 0, to = x.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i] * x[i];
  return 10 * Math.log10(sum / (to - from));
}

export const difference = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value - b[i]);

/** Samples by which `late` is behind `x`, by the peak of their cross-correlation, between samples by a parabola. */
export function lag(x: Float32Array, late: Float32Array, reach: number): number {
  const at = (shift: number): number => {
    let sum = 0;
    for (let i = reach + 1; i < x.length - reach - 1; i++) sum += x[i] * late[i + shift];
    return sum;
  };
  let best = 0;
  for (let shift = -reach; shift <= reach; shift++) if (at(shift) > at(best)) best = shift;
  const [a, b, c] = [at(best - 1), at(best), at(best + 1)];
  return best + (a - c) / (2 * (a - 2 * b + c));
}

/** Slope of the least-squares line. */
export function slope(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0);
  return over / xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
}
