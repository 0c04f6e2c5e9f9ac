/** Figures of notebook 10: the 24 probabilities on the circle of fifths. Pure: measurements in, Plotly JSON out. */
import type { Layout } from 'plotly.js';
import type { MusicMeasurement, MusicTrack } from '../experiments/index.js';
import { CIRCLE_OF_FIFTHS, KEYS } from '../keys/index.js';
import type { Figure } from './figure.js';
import { keyColour, keyLabel } from './keyColours.js';
import { figure, layout, plainText } from './style.js';

type Trace = Figure['data'][number];

/** Radii: minor keys fill the inner ring, major keys the outer one; names stand between and around them. */
const MINOR = { from: 0.3, to: 0.98 };
const MAJOR = { from: 1.52, to: 2.2 };
const MINOR_NAMES = 1.25;
const MAJOR_NAMES = 2.42;
const RADIUS = 2.62;

const COLUMNS = 3;
/** Height of a row of circles, with room for the titles, pixels. */
const SINGLE_HEIGHT = 470;
const ROW_HEIGHT = 320;
const EMPTY = '#EFEFEF';

const MAJORS = CIRCLE_OF_FIFTHS.filter((id) => KEYS[id].mode === 'major');
const MINORS = CIRCLE_OF_FIFTHS.filter((id) => KEYS[id].mode === 'minor');
const ANGLES = MAJORS.map((_, step) => 30 * step);

const shortName = (keyId: number): string => keyLabel(keyId).replace(' major', '').replace(' minor', 'm');
const percent = (p: number): string => (p < 0.001 ? '< 0.1 %' : `${(100 * p).toFixed(1)} %`);

/** The label under a circle's title: key, confidence, second choice. */
function verdict({ keyId, confidence, secondKeyId, probabilities }: MusicTrack): string {
  return `${keyLabel(keyId)} ${percent(confidence)}, then ${keyLabel(secondKeyId)} ${percent(probabilities[secondKeyId])}`;
}

/** One circle: how far a sector is filled is how probable its key is. */
function circle(track: MusicTrack, subplot: string, isSingle: boolean): Trace[] {
  const ring = (keyIds: readonly number[], { from, to }: typeof MINOR): Trace[] => {
    const bars = {
      type: 'barpolar',
      subplot,
      theta: ANGLES,
      width: ANGLES.map(() => 28),
      base: from,
      showlegend: false,
    };
    return [
      { ...bars, r: keyIds.map(() => to - from), marker: { color: EMPTY }, hoverinfo: 'skip' },
      {
        ...bars,
        r: keyIds.map((id) => (to - from) * track.probabilities[id]),
        marker: {
          color: keyIds.map(keyColour),
          line: { color: '#333333', width: keyIds.map((id) => (track.probabilities[id] < 0.002 ? 0 : 0.6)) },
        },
        text: keyIds.map((id) => `${keyLabel(id)}: ${percent(track.probabilities[id])}`),
        hovertemplate: '%{text}<extra></extra>',
      },
    ] as unknown as Trace[];
  };
  const names = (keyIds: readonly number[], radius: number): Trace => {
    const isAnswer = (id: number): boolean => id === track.keyId || id === track.secondKeyId;
    return {
      type: 'scatterpolar',
      subplot,
      mode: 'text',
      theta: ANGLES,
      r: ANGLES.map(() => radius),
      text: keyIds.map((id) => (isAnswer(id) ? `<b>${shortName(id)}</b>` : shortName(id))),
      textfont: { size: isSingle ? 13 : 10, color: keyIds.map((id) => (isAnswer(id) ? '#000000' : '#6A6A6A')) },
      hoverinfo: 'skip',
      showlegend: false,
    } as unknown as Trace;
  };
  return [...ring(MAJORS, MAJOR), ...ring(MINORS, MINOR), names(MAJORS, MAJOR_NAMES), names(MINORS, MINOR_NAMES)];
}

/**
 * The 24 probabilities of one recording or several on circles of fifths, major keys outside, minor keys inside; keys
 * that are easily mistaken for each other are neighbours.
 *
 * @param heard in the order of drawing; the first 9 are drawn
 */
export function keyCircleFigure(m: MusicMeasurement, heard: readonly MusicTrack[] = m.tracks): Figure {
  const tracks = heard.slice(0, 9);
  const isSingle = tracks.length === 1;
  const columns = Math.min(COLUMNS, Math.max(1, tracks.length));
  const rows = Math.max(1, Math.ceil(tracks.length / columns));
  const height = 60 + (isSingle ? SINGLE_HEIGHT : rows * ROW_HEIGHT);
  const bare = { visible: false, showgrid: false, showline: false };
  const polars: Record<string, unknown> = {};
  const titles: Partial<Layout['annotations'][number]>[] = [];
  const data = tracks.flatMap((track, i) => {
    const name = `polar${i === 0 ? '' : i + 1}`;
    const left = (i % columns) / columns;
    const top = 1 - Math.floor(i / columns) / rows;
    const titleShare = 44 / (height - 60);
    polars[name] = {
      domain: { x: [left + 0.01, left + 1 / columns - 0.01], y: [top - 1 / rows, top - titleShare] },
      radialaxis: { ...bare, range: [0, RADIUS] },
      angularaxis: { ...bare, direction: 'clockwise', rotation: 90 },
      bgcolor: '#FFFFFF',
    };
    titles.push({
      text: `<b>${plainText(shortened(track.file, isSingle ? 80 : 34))}</b><br>${verdict(track)}`,
      x: left + 0.5 / columns,
      y: top,
      xref: 'paper',
      yref: 'paper',
      xanchor: 'center',
      yanchor: 'top',
      showarrow: false,
      font: { size: isSingle ? 13 : 10.5 },
    });
    return circle(track, name, isSingle);
  });
  return figure(
    'key-circle',
    m,
    `Probability of each of the 24 keys${m.model.isCalibrated ? ', calibrated' : ' (not calibrated)'}: how far a sector is filled, from its inner edge outwards. Major keys outside, minor keys inside, a fifth from sector to sector; the first and the second choice are bold.`,
    data,
    layout('How sure, on the circle of fifths', height, {
      ...polars,
      annotations: titles as Layout['annotations'],
      margin: { l: 12, r: 12, t: 48, b: 12 },
      showlegend: false,
    }),
  );
}

/** The end of a long path, which tells files apart. */
export function shortened(file: string, length: number): string {
  const characters = [...file];
  return characters.length <= length ? file : `…${characters.slice(1 - length).join('')}`;
}
