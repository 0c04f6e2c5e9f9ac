import type { Data, Layout } from 'plotly.js';
import type { Figure } from '../figures/index.js';
import { captionHtml, escapeHtml } from './display.js';
import { FOLLOW, type Playback, SOUND_ADDRESSES } from './playback.js';
import { PLAY_ON_CLICK, type Sounds } from './sounds.js';

/** Size of a figure whose layout names none, in CSS pixels. */
export const DEFAULT_SIZE = { width: 800, height: 450 } as const;

const PLOTLY = 'node_modules/plotly.js-dist/plotly.js';
const CONFIG = { responsive: true, displaylogo: false };

/** What a page or notebook draws: data and layout alone. */
export interface Drawing {
  readonly data: Partial<Data>[];
  readonly layout: Partial<Layout>;
}

/**
 * A figure's data and layout as plain JSON: typed arrays become arrays, numbers keep six significant digits
 * (a picture shows three), NaN and infinities become null, which Plotly draws as a gap.
 */
export function drawingOf(figure: Figure): Drawing {
  const plain = (value: unknown): unknown => {
    if (typeof value === 'number') return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
    if (Array.isArray(value)) return value.map(plain);
    if (ArrayBuffer.isView(value) && !(value instanceof DataView))
      return Array.from(value as unknown as ArrayLike<number>, plain);
    if (value && typeof value === 'object')
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, v]) => v !== undefined)
          .map(([k, v]) => [k, plain(v)]),
      );
    return value;
  };
  const layout = { height: DEFAULT_SIZE.height, ...figure.layout };
  return plain({ data: figure.data, layout }) as Drawing;
}

/** JSON that may stand inside a <script> element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}

/** What is heard with a figure. */
export interface Heard {
  /** Played when a point is clicked. */
  readonly sounds?: Sounds | null;
  /** Played along with an x axis in seconds. */
  readonly playback?: Playback | null;
}

/**
 * Draws into `.plot` of the element and takes `.still` away once Plotly has drawn; until then, and wherever scripts,
 * Plotly or the drawing fail, the picture stays. `load()` gives a promise of Plotly; `heard` is a `Heard`.
 */
const DRAW = `${PLAY_ON_CLICK}
${SOUND_ADDRESSES}
${FOLLOW}
function draw(el, figure, load, heard, bases) {
  load().then(function (Plotly) {
    return Plotly.newPlot(el.querySelector('.plot'), figure.data, figure.layout, ${JSON.stringify(CONFIG)});
  }).then(function () {
    var still = el.querySelector('.still');
    if (still) still.remove();
    if (heard.sounds) playOnClick(el, heard.sounds);
    if (heard.playback) follow(el, heard.playback, bases);
  }, function () { el.querySelector('.plot').innerHTML = ''; });
}`;

/**
 * Prefixes under which a notebook may find the project's folder. It is seen at several: through Jupyter's /files/
 * (classic and Lab), or as a file in notebooks/ or figures/<preset>/notebooks/.
 */
export const BASES_IN_NOTEBOOK = `function bases() {
  var base = document.body.getAttribute('data-base-url');
  try { base = base || JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl; } catch (e) { /* not Jupyter */ }
  return (base ? [base + 'files/'] : []).concat(['../', '../../../']);
}`;

/** Plotly, loaded once a page from the first address that has it. */
const LOAD_IN_NOTEBOOK = `${BASES_IN_NOTEBOOK}
function load() {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  return window.keymynaPlotly = window.keymynaPlotly || new Promise(function (resolve, reject) {
    var addresses = bases();
    (function next() {
      if (!addresses.length) return reject(new Error('no plotly.js'));
      var script = document.createElement('script');
      script.src = addresses.shift() + '${PLOTLY}';
      script.onload = function () { if (window.Plotly) resolve(window.Plotly); else next(); };
      script.onerror = next;
      document.head.appendChild(script);
    })();
  });
}`;

/** The output of a figure in a notebook. The picture of `embedPicture` comes where the marker is. */
export function figureHtml(figure: Figure, drawing: Drawing, elementId: string, heard: Heard = {}): string {
  const height = drawing.layout.height ?? DEFAULT_SIZE.height;
  return `<figure id="${elementId}" style="margin:0">
<div class="still" style="min-height:${height}px"><!--figure:${figure.id}--></div>
<div class="plot"></div>
<figcaption>${captionHtml(figure.caption)}</figcaption>
</figure>
<script>(function () {
${DRAW}
${LOAD_IN_NOTEBOOK}
draw(document.getElementById(${scriptJson(elementId)}), ${scriptJson(drawing)}, load, ${scriptJson(heard)}, bases());
})();</script>`;
}

const PICTURE = /<!--figure:([A-Za-z0-9_-]+)-->(?:<img [^>]*>)?/;

/** The id of the figure that a notebook's HTML output holds, or null. */
export function figureIdIn(html: string): string | null {
  return PICTURE.exec(html)?.[1] ?? null;
}

/** Puts a PNG (base64) into a figure's HTML output, or replaces the one that is there. */
export function embedPicture(html: string, caption: string, png: string): string {
  return html.replace(
    PICTURE,
    (_, id: string) => `<!--figure:${id}--><img alt="${escapeHtml(caption)}" src="data:image/png;base64,${png}">`,
  );
}

const FIGURE_JSON = /<script type="application\/json" id="figure">([\s\S]*?)<\/script>/;

/**
 * The page figures/<preset>/<id>.html: the interactive figure with its caption and the command that makes it again.
 * Plotly comes from the checkout's node_modules; without it or without scripts, the SVG beside the page is shown.
 */
export function figurePage(figure: Figure, drawing: Drawing, command: string, heard: Heard = {}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(figure.id)}</title>
<link rel="icon" href="data:,">
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem } figure { margin: 0 } .still img { max-width: 100% } code { background: #f2f2f2; padding: 0 .3em }</style>
</head>
<body>
<figure id="shown">
<div class="still"><img alt="${escapeHtml(figure.caption)}" src="${figure.id}.svg"></div>
<div class="plot"></div>
<figcaption>${captionHtml(figure.caption)}</figcaption>
</figure>
<p><a href="index.html">All figures</a> · <a href="${figure.id}.svg">SVG</a> · <a href="${figure.id}.png">PNG</a> · <a href="data/${figure.id}.json">numbers</a> · made by <code>${escapeHtml(command)}</code></p>
<script type="application/json" id="figure">${scriptJson(drawing)}</script>
<script type="application/json" id="heard">${scriptJson(heard)}</script>
<script src="../../${PLOTLY}"></script>
<script>
${DRAW}
draw(document.getElementById('shown'), JSON.parse(document.getElementById('figure').textContent), function () {
  return window.Plotly ? Promise.resolve(window.Plotly) : Promise.reject(new Error('no plotly.js'));
}, JSON.parse(document.getElementById('heard').textContent), ['../../']);
</script>
</body>
</html>
`;
}

/** The drawing inside a page that `figurePage` wrote, as JSON text; null if the page is none of those. */
export function drawingJson(page: string): string | null {
  return FIGURE_JSON.exec(page)?.[1] ?? null;
}
