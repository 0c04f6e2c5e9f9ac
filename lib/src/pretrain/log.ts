/** The log of a run: one JSON line per step. */
import { existsSync } from 'node:fs';
import { appendJsonLine, readJsonLines, writeFileAtomic } from '../store/index.js';

export interface PretrainLogLine {
  /** Steps done with this one, from 1. */
  readonly step: number;
  /** Passes over the tracks before this step. */
  readonly epoch: number;
  readonly loss: number;
  /**
   * Share of anchors whose positive is the nearest in the batch; hybrid: mean of both patchings, here and below. Null
   * where nothing is contrasted.
   */
  readonly accuracy: number | null;
  readonly alignment: number | null;
  readonly uniformity: number | null;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Wall time of the step. */
  readonly milliseconds: number;
}

export function appendLogLine(path: string, line: PretrainLogLine): void {
  appendJsonLine(path, line);
}

/** The lines of a log; a torn last line is left out. */
export function readLog(path: string): PretrainLogLine[] {
  return existsSync(path) ? (readJsonLines(path) as PretrainLogLine[]) : [];
}

/** Drops what was logged after the checkpoint that a run resumes from. */
export function truncateLog(path: string, lastStep: number): void {
  if (!existsSync(path)) return;
  const lines = readLog(path).filter(({ step }) => step <= lastStep);
  writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
