/** What every function of this room returns: plain JSON that a notebook, a gallery or a test can use. Imports nothing. */
import type { Data, Layout } from 'plotly.js';

/** One interactive figure. `id` names its files, `caption` says what is seen and how to make it again. */
export interface Figure {
  readonly id: string;
  readonly caption: string;
  readonly data: Partial<Data>[];
  readonly layout: Partial<Layout>;
}

/** One table, cells formatted for reading: scores in points of 100, intervals as `61.2 [57.9, 64.4]`. */
export interface Table {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}
