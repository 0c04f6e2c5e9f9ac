import { InputError } from '../errors.js';
import { checkSounds, type Sound } from './sounds.js';

/**
 * Where a page finds the sound of a recording: inside itself, at the running kernel, or as a file of the project's
 * folder. The page tries them in this order.
 */
export interface SoundSource {
  /** Lies in the page; small. */
  readonly sound?: Sound;
  /** `http://127.0.0.1:...`, of the kernel that showed the figure; gone when it ends. */
  readonly address?: string;
  /** From the project's folder with `/`: what Jupyter serves, or a page in figures/ finds beside itself. */
  readonly file?: string;
}

/** A sound that a figure over time (x axis in seconds) is played along with. */
export interface Playback {
  readonly label: string;
  readonly source: SoundSource;
}

/** @throws InputError for a sound that is none or too large, or an address that is not of this machine */
export function checkPlayback(figureId: string, { label, source }: Playback): void {
  if (source.sound) checkSounds(figureId, { [label]: source.sound });
  if (source.address && !/^http:\/\/127\.0\.0\.1:\d+\//.test(source.address))
    throw new InputError(
      `figure ${figureId}, playback`,
      `"${source.address}" is no address of a kernel on this machine.`,
    );
  if (source.file && /^[/\\]|(^|[/\\])\.\.([/\\]|$)|^[a-z]+:/i.test(source.file))
    throw new InputError(`figure ${figureId}, playback`, `"${source.file}" is no path inside the project's folder.`);
}

/**
 * Addresses of a sound, in the order to try. `bases` are prefixes under which the project's folder may be found; `#`, `?`
 * and `%` in names are no parts of an address.
 */
export const SOUND_ADDRESSES = `function soundAddresses(source, bases) {
  var found = [];
  if (source.sound) found.push('data:' + source.sound.type + ';base64,' + source.sound.base64);
  if (source.address) found.push(source.address);
  if (source.file) bases.forEach(function (base) { found.push(base + source.file.split('/').map(encodeURIComponent).join('/')); });
  return found;
}
function playerOf(addresses, say) {
  var audio = document.createElement('audio');
  audio.controls = true;
  audio.preload = 'metadata';
  audio.style.cssText = 'width:100%;max-width:760px;display:block';
  var next = 0;
  function tryNext() {
    if (next < addresses.length) { audio.src = addresses[next++]; return; }
    audio.removeAttribute('src');
    say('This sound cannot be reached from here: its kernel has ended, or runs on another machine. Run the cell again.');
  }
  audio.addEventListener('error', tryNext);
  tryNext();
  return audio;
}`;

/**
 * Puts a player below a drawn plot and a cursor into it, which follows the sound; a click in the plot goes to its time.
 * The cursor is an element over the plot: drawing the figure anew many times a second would stutter.
 */
export const FOLLOW = `function follow(el, playback, bases) {
  var plot = el.querySelector('.plot');
  var panel = document.createElement('div');
  var label = document.createElement('div');
  var cursor = document.createElement('div');
  function say(text) { label.textContent = text; }
  say(playback.label + ': click in the figure to hear that moment.');
  label.style.cssText = 'margin:.3em 0';
  cursor.style.cssText = 'position:absolute;width:2px;margin-left:-1px;background:#D55E00;box-shadow:0 0 2px #fff;pointer-events:none;display:none;z-index:5';
  cursor.className = 'cursor';
  panel.className = 'playback';
  var audio = playerOf(soundAddresses(playback.source, bases), say);
  panel.appendChild(label);
  panel.appendChild(audio);
  plot.parentNode.insertBefore(panel, plot.nextSibling);
  plot.style.position = 'relative';
  plot.appendChild(cursor);
  function place() {
    var layout = plot._fullLayout;
    var axis = layout && layout.xaxis;
    if (!axis || !axis.d2p) return;
    var x = axis.d2p(audio.currentTime);
    var isSeen = x >= 0 && x <= axis._length && (audio.currentTime > 0 || !audio.paused);
    cursor.style.display = isSeen ? 'block' : 'none';
    cursor.style.left = axis._offset + x + 'px';
    cursor.style.top = layout._size.t + 'px';
    cursor.style.height = layout._size.h + 'px';
  }
  function run() { place(); if (!audio.paused && !audio.ended && document.contains(audio)) requestAnimationFrame(run); }
  ['timeupdate', 'seeked', 'pause', 'loadedmetadata'].forEach(function (name) { audio.addEventListener(name, place); });
  audio.addEventListener('play', run);
  plot.on('plotly_afterplot', place);
  plot.on('plotly_click', function (event) {
    var axis = plot._fullLayout.xaxis;
    var left = plot.getBoundingClientRect().left + axis._offset;
    var seconds = axis.p2d(event.event.clientX - left);
    if (!isFinite(seconds)) return;
    audio.currentTime = Math.max(0, Math.min(seconds, audio.duration || seconds));
    var started = audio.play();
    if (started) started.catch(function () { /* not allowed to start by itself: the player is there */ });
    place();
  });
}`;
