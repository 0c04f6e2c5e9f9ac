/**
 * workers/: one function over many items on several threads, in order; the Progress type that all rooms use.
 * Imports no other room.
 */
export { parallelMap, type ParallelOptions, type Progress, type TaskFactory } from './pool.js';
