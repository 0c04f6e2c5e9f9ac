/** Sizes and ages as people write them. */
import { InputError } from '../errors.js';

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40,
}; // prettier-ignore
const UNIT_MILLISECONDS: Readonly<Record<string, number>> = { m: 60e3, h: 3600e3, d: 86_400e3, w: 7 * 86_400e3 };

/** Reads `20GB`, `1.5 GiB`, `500MB` or a number of bytes. @throws InputError naming `where` */
export function parseBytes(text: string, where: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = match ? UNIT_BYTES[match[2].toUpperCase()] : undefined;
  const bytes = unit === undefined ? NaN : Math.floor(Number(match![1]) * unit);
  if (!Number.isSafeInteger(bytes))
    throw new InputError(where, `found "${text}", expected a size such as 20GB, 1.5GiB or 500MB.`);
  return bytes;
}

/** Reads `30d`, `12h`, `45m` or `2w`, in milliseconds. @throws InputError naming `where` */
export function parseAge(text: string, where: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([mhdw])\s*$/.exec(text);
  if (!match) throw new InputError(where, `found "${text}", expected an age such as 30d, 12h, 45m or 2w.`);
  return Number(match[1]) * UNIT_MILLISECONDS[match[2]];
}

/** Bytes for a person: `1.5 GB`, three digits at most. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toPrecision(value >= 9.995 ? 3 : 2)} ${units[unit]}`;
}
