/** Figures of notebook 01, from samples to mel. Pure: measurements in, Plotly JSON out. */
import type {
  FilterBankMeasurement,
  GainMeasurement,
  Heat,
  MelWalkthrough,
  OctaveMeasurement,
  TrackCard,
  TuningMeasurement,
} from '../experiments/index.js';
import type { Figure, Table } from './figure.js';
import { HEAT_SPECTRUM, PALETTE, axis, figure, layout, panelTitle, points, table, type Source } from './style.js';

/** The clip as samples: lowest and highest value of each short bin. */
export function waveformFigure(m: MelWalkthrough): Figure {
  const { binSeconds, low, high } = m.waveform;
  const seconds = low.map((_, i) => i * binSeconds);
  return figure(
    'waveform',
    m,
    `${m.track.key}, ${m.track.style} (track ${m.track.id}): ${m.nSamples.toLocaleString('en')} samples at 16 kHz, drawn as the lowest and highest of each ${(1000 * binSeconds).toFixed(0)} ms.`,
    [
      {
        type: 'scatter',
        mode: 'lines',
        x: seconds,
        y: [...low],
        line: { width: 0.5, color: PALETTE.blue },
        showlegend: false,
        hoverinfo: 'skip',
      },
      {
        type: 'scatter',
        mode: 'lines',
        x: seconds,
        y: [...high],
        fill: 'tonexty',
        fillcolor: PALETTE.blue,
        line: { width: 0.5, color: PALETTE.blue },
        name: 'samples',
        showlegend: false,
      },
    ],
    layout('Waveform', 260, { xaxis: axis('time (s)'), yaxis: axis('sample value') }),
  );
}

/** The power spectrum of the same clip, linear in frequency. */
export function stftFigure(m: MelWalkthrough): Figure {
  return figure(
    'stft',
    m,
    'Short-time Fourier transform: 2048-sample Hann windows every 512 samples (32 ms). Below 1 kHz, where most notes lie, is one eighth of the picture.',
    [heat(m.stft, 'dB below the peak')],
    layout('Power spectrum', 380, { xaxis: axis('time (s)'), yaxis: axis('frequency (Hz)') }),
  );
}

/** The same clip in 128 mel bands, as power and as log1p of the power. */
export function melFigure(m: MelWalkthrough): Figure {
  const share = m.concentration;
  const five = share.share.indexOf(0.05);
  return figure(
    'mel-power-vs-log1p',
    m,
    `Top: mel power as the encoder reads it; the loudest 5 % of the cells hold ${points(share.power[five])} % of the sum. ` +
      `Bottom: log1p of the same, where they hold ${points(share.log1p[five])} %.`,
    [
      { ...heat(m.melPower, 'power'), colorbar: { title: { text: 'power' }, len: 0.42, y: 0.79, thickness: 14 } },
      {
        ...heat(m.melLog1p, 'log1p'),
        xaxis: 'x2',
        yaxis: 'y2',
        colorbar: { title: { text: 'log1p' }, len: 0.42, y: 0.21, thickness: 14 },
      },
    ] as Figure['data'],
    layout('Mel spectrogram: power and log1p', 560, {
      xaxis: axis('', { domain: [0, 1], anchor: 'y', showticklabels: false }),
      yaxis: axis('mel band', { domain: [0.56, 0.98], anchor: 'x' }),
      xaxis2: axis('time (s)', { domain: [0, 1], anchor: 'y2' }),
      yaxis2: axis('mel band', { domain: [0, 0.42], anchor: 'x2' }),
      annotations: [panelTitle('power', 0, 0.985), panelTitle('log1p', 0, 0.425)],
    }),
  );
}

/** Every so many of the triangular filters. */
export function filterBankFigure(m: FilterBankMeasurement): Figure {
  return figure(
    'mel-filter-bank',
    m,
    `Every ${m.curves.length > 1 ? m.curves[1].band - m.curves[0].band : 1}th of the ${m.centres.length} mel filters (Slaney's scale, each with the same area). ` +
      `Filters are ${m.widths[0].toFixed(0)} Hz wide at the bottom and ${m.widths[m.widths.length - 1].toFixed(0)} Hz at the top.`,
    m.curves.map((curve, i) => ({
      type: 'scatter',
      mode: 'lines',
      x: [...curve.frequencies],
      y: [...curve.weights],
      name: `band ${curve.band}`,
      line: { color: i % 2 ? PALETTE.orange : PALETTE.blue, width: 1.5 },
      showlegend: false,
    })),
    layout('Mel filter bank', 320, { xaxis: axis('frequency (Hz)'), yaxis: axis('weight') }),
  );
}

/** What is left of a change of level after the patch's own normalisation. */
export function gainFigure(m: GainMeasurement): Figure {
  const line = (name: string, y: readonly number[], color: string, dash: 'solid' | 'dot') => ({
    type: 'scatter' as const,
    mode: 'lines+markers' as const,
    name,
    x: [...m.gainsDecibel],
    // 0 dB is the reference; its change of 0 has no place on a logarithmic axis.
    y: y.map((value) => (value > 0 ? value : null)),
    connectgaps: false,
    line: { color, dash },
  });
  return figure(
    'gain',
    m,
    'How much the encoder’s input changes with the level of the recording. Patch normalisation removes a factor, so power mel hardly notices until the recording is so quiet that the normalisation’s epsilon counts; log1p always does.',
    [
      line('power, mel itself', m.powerRaw, PALETTE.blue, 'dot'),
      line('power, normalised patch', m.power, PALETTE.blue, 'solid'),
      line('log1p, mel itself', m.log1pRaw, PALETTE.orange, 'dot'),
      line('log1p, normalised patch', m.log1p, PALETTE.orange, 'solid'),
    ],
    layout('A change of level, before and after the patch normalisation', 360, {
      xaxis: axis('gain (dB)'),
      yaxis: axis('relative change', { type: 'log', exponentformat: 'power' }),
    }),
  );
}

/** Notes on the mel axis: how many bands a semitone is wide. */
export function octaveFigure(m: OctaveMeasurement): Figure {
  const ticks = m.notes.filter((note) => note.midi % 12 === 0);
  return figure(
    'octave',
    m,
    `Width of a semitone in mel bands. From ${m.notes.find((note) => note.midi === m.resolvedFromMidi)?.name ?? 'no note'} on, neighbouring notes fall into different bands; below, a note shares its band and is told by its overtones. ` +
      m.octaves.map((octave) => `${octave.from} to ${octave.to}: ${octave.bands} bands`).join('; ') +
      '.',
    [
      {
        type: 'scatter',
        mode: 'lines+markers',
        x: m.notes.map((n) => n.midi),
        y: [...m.bandsPerSemitone],
        text: m.notes.map((n) => `${n.name}, ${n.hertz.toFixed(1)} Hz, band ${n.band.toFixed(1)}`),
        hoverinfo: 'text',
        marker: { size: 4 },
        line: { color: PALETTE.blue },
        showlegend: false,
      },
    ],
    layout('How finely mel bands resolve notes', 340, {
      xaxis: axis('note', { tickvals: ticks.map((n) => n.midi), ticktext: ticks.map((n) => n.name) }),
      yaxis: axis('bands per semitone', { rangemode: 'tozero' }),
      shapes: [
        {
          type: 'line',
          xref: 'paper',
          x0: 0,
          x1: 1,
          y0: 1,
          y1: 1,
          line: { color: PALETTE.red, width: 1.5, dash: 'dash' },
        },
      ],
    }),
  );
}

/** One tone at several tunings, in mel bands. */
export function tuningFigure(m: TuningMeasurement): Figure {
  const colours = [PALETTE.orange, PALETTE.blue, PALETTE.green, PALETTE.purple, PALETTE.red];
  return figure(
    'tuning',
    m,
    `Mel profile of one harmonic tone of ${m.fundamental.toFixed(0)} Hz at several tunings: ` +
      m.cents
        .map(
          (cents, i) =>
            `at ${cents} cents the cosine with the tone in tune is ${m.cosineToSelf[i].toFixed(2)} and with its upper neighbour ${m.cosineToNeighbour[i].toFixed(2)}`,
        )
        .join('; ') +
      '.',
    m.cents.map((cents, i) => ({
      type: 'scatter',
      mode: 'lines+markers',
      name: `${cents > 0 ? '+' : ''}${cents} cents`,
      x: [...m.bands],
      y: m.profiles[i].map((v) => 100 * v),
      line: { color: colours[i % colours.length] },
      marker: { size: 5, symbol: i },
    })),
    layout('One note out of tune', 340, {
      xaxis: axis('mel band', { range: [12, 62] }),
      yaxis: axis('share of the tone’s power (%)'),
    }),
  );
}

/** The tracks that a reader can listen to. */
export function trackTable(tracks: readonly TrackCard[], source: Source): Table {
  return table(
    'tracks-heard',
    source,
    'The tracks to listen to.',
    ['track', 'key', 'style', 'seconds', 'tuning (cents)', 'split'],
    tracks.map((t) => [
      t.id,
      t.key,
      t.style,
      t.seconds.toFixed(1),
      t.tuningCents === null ? '–' : t.tuningCents.toFixed(0),
      t.split,
    ]),
  );
}

/** A spectrogram-like picture: rows are frequency from low to high. */
export function heat(m: Heat, unit: string): Figure['data'][number] {
  return {
    type: 'heatmap',
    x: [...m.columns],
    y: [...m.rows],
    z: m.values.map((row) => [...row]),
    colorscale: HEAT_SPECTRUM,
    colorbar: { title: { text: unit }, thickness: 14 },
    hovertemplate: `%{x:.2f} s, %{y}: %{z} ${unit}<extra></extra>`,
  } as Figure['data'][number];
}
