import { InputError } from '../errors.js';

/** A short piece of sound as a file in base64, small enough to lie inside a page. */
export interface Sound {
  /** `audio/mpeg`, `audio/wav`, ... */
  readonly type: string;
  readonly base64: string;
}

/** Sounds by the `ids` of the points that play them when they are clicked. */
export type Sounds = Readonly<Record<string, Sound>>;

/** Characters of base64 that one figure may carry, so that its page stays below 3 MB. */
const MAX_CHARACTERS = 2_000_000;

/** @throws InputError for a sound that is none, or too many of them */
export function checkSounds(figureId: string, sounds: Sounds): void {
  let characters = 0;
  for (const [id, { type, base64 }] of Object.entries(sounds)) {
    if (!/^audio\/[a-z0-9.+-]+$/.test(type))
      throw new InputError(`figure ${figureId}, sound "${id}"`, `its type is "${type}"; "audio/..." was expected.`);
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
      throw new InputError(`figure ${figureId}, sound "${id}"`, 'base64 was expected, without line ends.');
    characters += base64.length;
  }
  if (characters > MAX_CHARACTERS)
    throw new InputError(
      `figure ${figureId}`,
      `its sounds take ${(characters / 1e6).toFixed(1)} MB, at most ${MAX_CHARACTERS / 1e6} MB are shown; take fewer, shorter or smaller ones.`,
    );
}

/**
 * Makes a drawn plot play the sound of a clicked point. The player is made here and not in the page's text, so that
 * without scripts the picture is all there is. Ids and files are data: one is shown as text, the other is a source.
 */
export const PLAY_ON_CLICK = `function playOnClick(el, sounds) {
  var plot = el.querySelector('.plot');
  var panel = document.createElement('div');
  var label = document.createElement('span');
  var audio = document.createElement('audio');
  panel.className = 'sound';
  label.textContent = 'Click a point with a dark rim to hear it.';
  label.style.cssText = 'display:block;margin:.3em 0';
  audio.controls = true;
  panel.appendChild(label);
  panel.appendChild(audio);
  plot.parentNode.insertBefore(panel, plot.nextSibling);
  plot.on('plotly_click', function (event) {
    var point = event.points.filter(function (p) { return Object.prototype.hasOwnProperty.call(sounds, p.id); })[0];
    if (!point) return;
    var sound = sounds[point.id];
    label.textContent = point.id;
    audio.src = 'data:' + sound.type + ';base64,' + sound.base64;
    var started = audio.play();
    if (started) started.catch(function () { /* not allowed to start by itself: the player is there */ });
  });
}`;
