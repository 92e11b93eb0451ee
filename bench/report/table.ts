// Figures as a table for people.
import type { Figure } from './figure.js';

const kHead = ['', 'contender', 'median', 'p95', 'ours / its', 'of GEMM peak'];

/** One case: a line for each figure, a group for each point; under it, where quoted figures are from. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure, index) => [
    figures[index - 1]?.point === figure.point ? '' : figure.point,
    figure.contender,
    `${number(figure.median)} ${figure.unit}`,
    figure.quoted === null ? number(figure.p95) : 'quoted',
    figure.ratio === null ? '' : `${figure.ratio.toFixed(2)} ×`,
    figure.share === null ? '' : `${Math.round(figure.share * 100)} %`,
  ]);
  const sources = new Set(figures.flatMap(({ quoted }) => quoted ?? []));
  return [alignedTable([kHead, ...rows]), ...Array.from(sources, (source) => `quoted: ${source}`)].join('\n');
}

/** The first two columns to the left, the others to the right; a rule under the first row. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(rows[0] ?? []), rule, ...rows.slice(1).map(line)].join('\n');
}

/** Three digits that mean something. */
export function number(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toPrecision(3);
}
