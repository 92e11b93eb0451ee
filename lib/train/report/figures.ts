/** How figures are written: the same number looks the same in every table, chart and sentence. */

/** What stands for a figure that is not defined. */
export const kNone = '–';

/** 0.7482 → "0.748". */
export function score(value: number | null | undefined): string {
  return value === null || value === undefined ? kNone : value.toFixed(3);
}

/** 0.1816 → "18.2 %", its parts held together. */
export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? kNone : `${(value * 100).toFixed(1)}\u00a0%`;
}

/** Three digits that mean something: 0.0123, 4.56, 78.9, 1,234. */
export function amount(value: number | null | undefined): string {
  if (value === null || value === undefined) return kNone;
  if (value === 0) return '0';
  if (value >= 100) return grouped(Math.round(value));
  const text = value.toPrecision(3);
  return text.includes('e') ? value.toExponential(2) : text;
}

/** +0.069, −0.002, ±0.000. */
export function signed(value: number): string {
  const size = Math.abs(value).toFixed(3);
  if (Number(size) === 0) return `±${size}`;
  return `${value > 0 ? '+' : '−'}${size}`;
}

/** The unit in which a column of FLOP is read best: the guards of one pair are a thousandfold apart from those of another. */
export function flopUnit(values: readonly (number | null)[]): { name: string; flop: number } {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return most < 1e10 ? { name: 'MFLOP', flop: 1e6 } : { name: 'GFLOP', flop: 1e9 };
}

/** A p-value: nobody needs the digits of a very small one. */
export function probability(value: number): string {
  return value < 0.001 ? '<\u00a00.001' : value.toFixed(3);
}

/** A number of rows; with a decimal where it is an expected one. */
export function cases(value: number | null | undefined): string {
  if (value === null || value === undefined) return kNone;
  const whole = Math.round(value);
  return Math.abs(value - whole) < 0.05 ? grouped(whole) : value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** 1234567 → "1,234,567". */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** "1 row", "2 rows". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

/** "a, b and c". */
export function enumerated(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
