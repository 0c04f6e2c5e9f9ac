/** Small multiples: where panels lie, what their axes are called. Imports only its siblings and types. */
import type { Layout, LayoutAxis } from 'plotly.js';
import { axis, panelTitle } from './style.js';

/** One panel of a grid, counted row by row. */
export interface Panel {
  readonly title: string;
  readonly x: Partial<LayoutAxis>;
  readonly y: Partial<LayoutAxis>;
}

export interface PanelGrid {
  /** For the layout: all axes, and the titles as annotations. */
  readonly axes: Record<string, Partial<LayoutAxis>>;
  readonly titles: Layout['annotations'];
  /** For the traces of panel i. */
  readonly of: (panel: number) => { xaxis: string; yaxis: string };
}

/**
 * Places panels in rows of `columns`. Gaps are shares of the whole plot, and have room for tick labels and titles.
 *
 * @param options.gaps between columns and between rows
 */
export function panelGrid(
  panels: readonly Panel[],
  columns: number,
  { gaps = [0.07, 0.1] }: { gaps?: readonly [number, number] } = {},
): PanelGrid {
  const rows = Math.ceil(panels.length / columns);
  const width = (1 - (columns - 1) * gaps[0]) / columns;
  const height = (1 - (rows - 1) * gaps[1]) / rows;
  const name = (letter: 'x' | 'y', i: number): string => `${letter}${i === 0 ? '' : i + 1}`;
  const axes: Record<string, Partial<LayoutAxis>> = {};
  const titles: Partial<Layout['annotations'][number]>[] = [];
  panels.forEach(({ title, x, y }, i) => {
    const left = (i % columns) * (width + gaps[0]);
    const top = 1 - Math.floor(i / columns) * (height + gaps[1]);
    const place = (start: number, size: number): [number, number] => [Math.max(0, start), Math.min(1, start + size)];
    const number = i === 0 ? '' : i + 1;
    const key = (letter: 'x' | 'y') => `${letter}axis${number}`;
    axes[key('x')] = axis('', { ...x, domain: place(left, width), anchor: name('y', i) as LayoutAxis['anchor'] });
    axes[key('y')] = axis('', {
      ...y,
      domain: place(top - height, height),
      anchor: name('x', i) as LayoutAxis['anchor'],
    });
    titles.push({ ...panelTitle(title, left, top + 0.002), align: 'left' });
  });
  return {
    axes,
    titles: titles as Layout['annotations'],
    of: (panel) => ({ xaxis: name('x', panel), yaxis: name('y', panel) }),
  };
}
