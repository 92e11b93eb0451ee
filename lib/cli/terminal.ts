/** What the terminal can show: colours where they are wanted, and text cut to fit. */

import type { WriteStream } from 'node:tty';

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

const kCodes: Record<Colour, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** Paints only on a terminal that has colours; `hasColors` heeds NO_COLOR and TERM. */
export function painter(stream: Partial<Pick<WriteStream, 'isTTY' | 'hasColors'>>): Paint {
  if (!stream.isTTY || !stream.hasColors?.()) return (_, text) => text;
  return (colour, text) => `\u001b[${kCodes[colour][0]}m${text}\u001b[${kCodes[colour][1]}m`;
}

/** `text` in one line of at most `width` (1 or more) characters. */
export function fit(text: string, width: number): string {
  const line = [...text.replace(/\s+/g, ' ').trim()];
  return line.length <= width ? line.join('') : `${line.slice(0, width - 1).join('')}…`;
}

/** 1234567 → "1,234,567". */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** 0.125 → "12.5 %". */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** 1536 → "1.5 KiB". */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log2(count) / 10), units.length - 1);
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** 59 → "59 s", 3700 → "1 h 2 min". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
