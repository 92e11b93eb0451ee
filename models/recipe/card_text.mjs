// Figures and tables as Markdown.

/** One decimal, without the sign; a dash where there is no figure. */
export const percent = (value) => (value === null || value === undefined ? '–' : (100 * value).toFixed(1));

/** First column left, the others right aligned. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `| --- |${' ---: |'.repeat(head.length - 1)}`, ...rows.map(line)].join('\n');
}

/** "61.2 ± 0.3": mean and sample standard deviation, in percent. */
export function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return `${percent(mean)} ± ${percent(Math.sqrt(variance))}`;
}
