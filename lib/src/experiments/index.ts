/**
 * experiments/: one file per figure or table: configuration -> measurement, kept in the cache under its configId.
 * May import every room above; never figures or notebook.
 */
export type * from './measurements.js';
